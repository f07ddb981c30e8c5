//! The modules that are really used, from go.sum files and logs.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use modgate_go::gomod::unescape;

use crate::policy_file::log::{Line, each_line};

/// The modules of all these files; `None` where there are no files.
///
/// # Errors
/// One sentence: a file that cannot be read, or in which no module is.
pub(super) fn read(
    go_sums: &[PathBuf],
    logs: &[PathBuf],
) -> Result<Option<BTreeSet<String>>, String> {
    let mut all = BTreeSet::new();
    type ModuleOf = fn(&[u8]) -> Option<String>;
    let sums = go_sums.iter().map(|file| (file, of_go_sum as ModuleOf));
    let logs_of = logs.iter().map(|file| (file, of_log as ModuleOf));
    for (file, module_of) in sums.chain(logs_of) {
        let found =
            modules(file, module_of).map_err(|error| format!("{}: {error}", file.display()))?;
        if found.is_empty() {
            return Err(format!(
                "{}: none of its lines has a module",
                file.display()
            ));
        }
        all.extend(found);
    }
    Ok((!go_sums.is_empty() || !logs.is_empty()).then_some(all))
}

fn modules(
    file: &Path,
    module_of: fn(&[u8]) -> Option<String>,
) -> std::io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    each_line(File::open(file)?, |_, line| {
        found.extend(line.ok().and_then(module_of));
    })?;
    Ok(found)
}

fn of_go_sum(line: &[u8]) -> Option<String> {
    let mut fields = std::str::from_utf8(line).ok()?.split_whitespace();
    let (module, _, hash) = (fields.next()?, fields.next()?, fields.next()?);
    (hash.starts_with("h1:") && fields.next().is_none()).then(|| module.to_owned())
}

/// An access log's line has the module as the filter saw it; a plain one has the path.
fn of_log(line: &[u8]) -> Option<String> {
    match Line::read(line).ok()? {
        Line::Access(access) => {
            let module = access.module.into_owned();
            (!matches!(&*module, "" | "-")).then_some(module)
        }
        Line::NoRequest(_) => None,
        Line::Plain { path, .. } | Line::Foreign { path } => {
            let end = path.find("/@v/").or_else(|| path.find("/@latest"))?;
            // What stands before a module, such as a tenant, has no dot in it.
            let elements = path[..end].trim_start_matches('/').split('/');
            let escaped: Vec<&str> = elements.skip_while(|e| !e.contains('.')).collect();
            let escaped = escaped.join("/");
            Some(unescape(&escaped).ok()?.into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind_name_their_module() {
        assert_eq!(
            of_go_sum(b"a.b/c v1.0.0/go.mod h1:x").as_deref(),
            Some("a.b/c")
        );
        assert_eq!(of_go_sum(b"// a comment"), None);
        let plain = "web /github.com/!burnt!sushi/toml/@v/v1.0.0.zip";
        assert_eq!(
            of_log(plain.as_bytes()).as_deref(),
            Some("github.com/BurntSushi/toml")
        );
        assert_eq!(of_log(br#"{"module":"a.b/c"}"#).as_deref(), Some("a.b/c"));
        assert_eq!(of_log(b"nothing"), None);
    }
}
