//! What a go.mod file requires (go.dev/ref/mod#go-mod-file). Only the lines that name versions are read;
//! the Go command itself judges the rest.

use std::collections::BTreeMap;

use modgate_go::gomod::{Directive, Token, directives};

/// What is required.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    /// Module, version and line.
    pub(super) modules: Vec<(String, String, usize)>,
    /// What is replaced by a folder, a sentence each.
    pub(super) left_out: Vec<String>,
    /// The toolchain that it asks for, such as `go1.24.0`, and its line.
    pub(super) toolchain: Option<(String, usize)>,
}

/// By module, and by version where the line has one: the module and the version that take the place.
type Replacements = BTreeMap<(String, Option<String>), (String, Option<String>)>;

/// Reads the requirements, each as what it is replaced by.
///
/// # Errors
/// The line that is no requirement or no replacement.
pub(super) fn requirements(text: &str) -> Result<Requirements, String> {
    let (mut required, mut replaced) = (Vec::new(), Replacements::new());
    let mut toolchain = None;
    directives(
        text,
        |Directive {
             line,
             verb,
             arguments,
         }| {
            if !matches!(verb, "require" | "replace" | "toolchain") {
                return Ok(());
            }
            let words: Vec<String> = arguments.iter().map(Token::unquoted).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match (verb, words.as_slice()) {
                ("require", [module, version]) => {
                    required.push(((*module).to_owned(), (*version).to_owned(), line));
                }
                ("replace", [old, "=>", new @ ..]) => {
                    replaced.insert(((*old).to_owned(), None), replacement(new)?);
                }
                ("replace", [old, version, "=>", new @ ..]) => {
                    let old = ((*old).to_owned(), Some((*version).to_owned()));
                    replaced.insert(old, replacement(new)?);
                }
                ("toolchain", ["default" | "local"]) => {}
                ("toolchain", [name]) => toolchain = Some(((*name).to_owned(), line)),
                _ => return Err(format!("not a valid {verb} line")),
            }
            Ok(())
        },
    )?;
    let mut all = Requirements {
        toolchain,
        ..Requirements::default()
    };
    for (module, version, line) in required {
        let exact = replaced.get(&(module.clone(), Some(version.clone())));
        match exact.or_else(|| replaced.get(&(module.clone(), None))) {
            None => all.modules.push((module, version, line)),
            Some((new, Some(version))) => all.modules.push((new.clone(), version.clone(), line)),
            Some((folder, None)) => {
                let sentence = format!("{module}@{version} is replaced by the folder {folder}");
                all.left_out.push(sentence);
            }
        }
    }
    Ok(all)
}

fn replacement(new: &[&str]) -> Result<(String, Option<String>), String> {
    match new {
        [folder] => Ok(((*folder).to_owned(), None)),
        [module, version] => Ok(((*module).to_owned(), Some((*version).to_owned()))),
        _ => Err("not a valid replace line".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_as_what_replaces_them() {
        let text = "module a.example/m // x\n\ngo 1.22\nrequire a.example/b v1.0.0\nrequire (\n\
            \t\"a.example/c\" v1.1.0 // indirect\n\ta.example/d v1.2.0\n\ta.example/e v1.3.0\n)\n\
            exclude a.example/b v0.9.0\nreplace a.example/c => ../c\n\
            replace (\n\ta.example/d v1.2.0 => f.example/d v1.2.1\n\ta.example/e v9.9.9 => ./e\n)\n\
            require ()\nretract [v0.1.0, v0.2.0]\n";
        let all = requirements(text).unwrap();
        let names: Vec<String> = all
            .modules
            .iter()
            .map(|(m, v, l)| format!("{l} {m}@{v}"))
            .collect();
        assert_eq!(
            names,
            [
                "4 a.example/b@v1.0.0",
                "7 f.example/d@v1.2.1",
                "8 a.example/e@v1.3.0"
            ]
        );
        assert_eq!(
            all.left_out,
            ["a.example/c@v1.1.0 is replaced by the folder ../c"]
        );
    }

    #[test]
    fn a_toolchain_is_named_by_its_line() {
        let rows = [
            (
                "go 1.22\ntoolchain go1.24.0 // x\n",
                Some(("go1.24.0".to_owned(), 2)),
            ),
            ("go 1.22\ntoolchain default\n", None),
            ("go 1.22\n", None),
        ];
        table_rows::check(rows, |(text, toolchain)| {
            assert_eq!(requirements(text).unwrap().toolchain, toolchain, "{text}");
        });
    }

    #[test]
    fn an_invalid_line_is_reported() {
        let rows = [
            ("require a.example/b\n", "line 1: not a valid require line"),
            ("toolchain a b\n", "line 1: not a valid toolchain line"),
            (
                "x\nreplace a => b c d\n",
                "line 2: not a valid replace line",
            ),
            ("require \"a v1\n", "line 1: an unterminated string"),
            (
                "require (\n\ta.example/b v1.0.0\n",
                "a ( without a matching )",
            ),
            (
                "/* x */\n",
                "line 1: a /* comment, which go.mod does not allow",
            ),
        ];
        table_rows::check(rows, |(text, says)| {
            assert_eq!(requirements(text).unwrap_err(), says, "{text}");
        });
    }
}
