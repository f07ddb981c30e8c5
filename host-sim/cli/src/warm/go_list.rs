//! What `go list -m all` and `go mod download` print (go.dev/ref/mod#go-list-m).

use modgate_go::gomod::H1;
use serde::Deserialize;

/// A module of the list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) module: String,
    pub(super) version: String,
    /// The line, or the object, in which it stands.
    pub(super) line: usize,
    pub(super) zip: Option<H1>,
    pub(super) go_mod: Option<H1>,
}

/// What a list names.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) modules: Vec<Listed>,
    /// What is replaced by a folder, a sentence each.
    pub(super) left_out: Vec<String>,
}

/// An object of `go list -m -json`, or of `go mod download -json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    path: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    main: bool,
    #[serde(default)]
    replace: Option<Box<Object>>,
    #[serde(default)]
    sum: Option<String>,
    #[serde(default)]
    go_mod_sum: Option<String>,
}

/// Whether a text is the output of `go list -m`: a line has a module and its version with a space
/// between them.
pub(super) fn is_text(text: &str) -> bool {
    text.lines().any(|line| {
        let mut fields = line.split_whitespace();
        let (module, version) = (fields.next(), fields.next());
        module.is_some_and(|module| !module.contains('@') && !module.starts_with('#'))
            && version.is_some_and(|version| version.starts_with('v') || version == "=>")
    })
}

/// Reads what `go list -m all` prints. The main module, which has no version, is not requested.
///
/// # Errors
/// The line that is none.
pub(super) fn of_text(text: &str) -> Result<Lists, String> {
    let mut lists = Lists::default();
    for (line, words) in (1..).zip(text.lines()) {
        // With -u and -retracted more stands behind, in brackets.
        let words = words
            .split_whitespace()
            .take_while(|word| !word.starts_with(['[', '(']));
        let words: Vec<&str> = words.collect();
        match words.as_slice() {
            // A main module, and those of Go itself.
            [] | [_] | ["go" | "toolchain", _] => {}
            [module, version] | [_, _, "=>", module, version] | [_, "=>", module, version] => {
                lists.modules.push(Listed {
                    module: (*module).to_owned(),
                    version: (*version).to_owned(),
                    line,
                    ..Listed::default()
                });
            }
            [module, .., "=>", folder] => lists.leave_out(module, folder),
            _ => return Err(format!("line {line}: not a line of `go list -m` output")),
        }
    }
    Ok(lists)
}

/// The same with `-json`.
///
/// # Errors
/// What is no such object.
pub(super) fn of_json(text: &str) -> Result<Lists, String> {
    let mut lists = Lists::default();
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Object>();
    for (line, object) in (1..).zip(objects) {
        let object =
            object.map_err(|error| format!("not valid output of `go list -m -json`: {error}"))?;
        let Object { path, replace, .. } = &object;
        let taken = replace.as_deref().unwrap_or(&object);
        let Some(version) = &taken.version else {
            if replace.is_some() {
                lists.leave_out(path, &taken.path);
            }
            // Else it is the main module.
            continue;
        };
        if object.main || matches!(path.as_str(), "go" | "toolchain") {
            continue;
        }
        let hash = |sum: &Option<String>| sum.as_ref().map(|sum| sum.parse::<H1>()).transpose();
        let failed = |error| format!("object {line}, {path}: {error}");
        lists.modules.push(Listed {
            module: taken.path.clone(),
            version: version.clone(),
            line,
            zip: hash(&taken.sum).map_err(failed)?,
            go_mod: hash(&taken.go_mod_sum).map_err(failed)?,
        });
    }
    Ok(lists)
}

impl Lists {
    fn leave_out(&mut self, module: &str, folder: &str) {
        let sentence = format!("{module} is replaced by the folder {folder}");
        self.left_out.push(sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lists: &Lists) -> Vec<String> {
        let names = lists.modules.iter();
        names
            .map(|m| format!("{} {}@{}", m.line, m.module, m.version))
            .collect()
    }

    #[test]
    fn the_list_of_a_build_is_read_with_its_replacements() {
        let text = "m.example/main\na.example/b v1.0.0\na.example/c v1.1.0 => ../c\n\
                    a.example/d v1.2.0 => f.example/d v1.2.1\na.example/e => ./e\n\
                    a.example/f v1.0.0 [v1.4.0]\na.example/g v0.9.0 (retracted)\ngo 1.24\n\
                    toolchain go1.24.1\n";
        assert!(is_text(text));
        let lists = of_text(text).unwrap();
        assert_eq!(
            names(&lists),
            [
                "2 a.example/b@v1.0.0",
                "4 f.example/d@v1.2.1",
                "6 a.example/f@v1.0.0",
                "7 a.example/g@v0.9.0"
            ]
        );
        assert_eq!(
            lists.left_out,
            [
                "a.example/c is replaced by the folder ../c",
                "a.example/e is replaced by the folder ./e"
            ]
        );
        assert!(
            of_text("a.example/b v1.0.0 x y\n")
                .unwrap_err()
                .contains("line 1")
        );
        for list in [
            "a.example/b@v1.0.0 # v1\n",
            "# all of v1\na.example/b@v1.0.0",
            "a.example/b",
        ] {
            assert!(!is_text(list), "{list}");
        }
    }

    #[test]
    fn its_json_is_read_with_hashes_where_there_are_some() {
        let h1 = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let text = format!(
            r#"{{"Path":"m.example/main","Main":true,"GoVersion":"1.24"}}
            {{"Path":"a.example/b","Version":"v1.0.0","Sum":"{h1}","GoModSum":"{h1}","Origin":{{}}}}
            {{"Path":"a.example/c","Version":"v1.1.0","Replace":{{"Path":"../c"}}}}
            {{"Path":"a.example/d","Version":"v1.2.0","Replace":{{"Path":"f.example/d","Version":"v1.2.1"}}}}"#
        );
        let lists = of_json(&text).unwrap();
        assert_eq!(
            names(&lists),
            ["2 a.example/b@v1.0.0", "4 f.example/d@v1.2.1"]
        );
        assert_eq!(lists.modules[0].zip, Some(h1.parse().unwrap()));
        assert_eq!(
            lists.left_out,
            ["a.example/c is replaced by the folder ../c"]
        );
        for bad in ["{}", "{\"Path\":", "[]", &text.replace("47DE", "")] {
            assert!(of_json(bad).is_err(), "{bad}");
        }
    }
}
