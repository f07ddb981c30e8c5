//! The modules that are really used, from go.sum files and logs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use modgate_engine::module::unescape;

/// The modules of all these files; `None` where there are no files.
///
/// # Errors
/// One sentence: a file that cannot be read, or in which no module is.
pub(super) fn read(
    go_sums: &[PathBuf],
    logs: &[PathBuf],
) -> Result<Option<BTreeSet<String>>, String> {
    let mut all = BTreeSet::new();
    let files = go_sums
        .iter()
        .map(|file| (file, of_go_sum as fn(&str) -> Option<String>));
    let logs_of = logs
        .iter()
        .map(|file| (file, of_log as fn(&str) -> Option<String>));
    for (file, module_of) in files.chain(logs_of) {
        let found =
            modules(file, module_of).map_err(|error| format!("{}: {error}", file.display()))?;
        if found.is_empty() {
            return Err(format!("{}: no line of it has a module", file.display()));
        }
        all.extend(found);
    }
    Ok((!go_sums.is_empty() || !logs.is_empty()).then_some(all))
}

fn modules(
    file: &Path,
    module_of: fn(&str) -> Option<String>,
) -> std::io::Result<BTreeSet<String>> {
    let lines = BufReader::new(File::open(file)?).lines();
    let mut found = BTreeSet::new();
    for line in lines {
        found.extend(module_of(&line?));
    }
    Ok(found)
}

fn of_go_sum(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let (module, _, hash) = (fields.next()?, fields.next()?, fields.next()?);
    (hash.starts_with("h1:") && fields.next().is_none()).then(|| module.to_owned())
}

/// An access log's line has the module as the filter saw it; a plain one has the path.
fn of_log(line: &str) -> Option<String> {
    if line.starts_with('{') {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let module = line.get("module")?.as_str()?;
        return (module != "-").then(|| module.to_owned());
    }
    let path = line.split_whitespace().nth(1)?;
    let end = path.find("/@v/").or_else(|| path.find("/@latest"))?;
    let escaped = path[..end].trim_start_matches('/');
    Some(unescape(escaped).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind_name_their_module() {
        assert_eq!(
            of_go_sum("a.b/c v1.0.0/go.mod h1:x").as_deref(),
            Some("a.b/c")
        );
        assert_eq!(of_go_sum("// a comment"), None);
        let plain = "web /github.com/!burnt!sushi/toml/@v/v1.0.0.zip";
        assert_eq!(of_log(plain).as_deref(), Some("github.com/BurntSushi/toml"));
        assert_eq!(of_log(r#"{"module":"a.b/c"}"#).as_deref(), Some("a.b/c"));
        assert_eq!(of_log("nothing"), None);
    }
}
