//! The modules of its own crate that a file names, in `use` and anywhere else: `crate::a::b`,
//! `super::super::a`, `crate::{a, b::c}`. Comments and documentation do not count.

use std::str::FromStr;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// One path into the crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    pub line: usize,
    /// From the crate's root: `["go", "version", "Version"]`.
    pub path: Vec<String>,
    /// A macro, which belongs to no module.
    pub is_macro: bool,
}

/// The paths in `text`, a file that is the module `module`.
///
/// # Errors
///
/// Text that is not Rust, with the place.
pub fn of(text: &str, module: &[String]) -> Result<Vec<Import>, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| format!("not Rust: {error}"))?;
    let mut imports = Vec::new();
    walk(tokens, module, &mut imports);
    Ok(imports)
}

fn walk(tokens: TokenStream, module: &[String], imports: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (
                TokenTree::Ident(word),
                [TokenTree::Ident(name), TokenTree::Group(body), after @ ..],
            ) if word == "mod" && body.delimiter() == Delimiter::Brace => {
                walk(
                    body.stream(),
                    &[module, &[name.to_string()]].concat(),
                    imports,
                );
                after
            }
            (TokenTree::Ident(word), _) => match start(word, after, module) {
                Some((base, after)) => {
                    tree(&base, after, word.span().start().line, imports);
                    after
                }
                None => after,
            },
            (TokenTree::Group(group), _) => {
                walk(group.stream(), module, imports);
                after
            }
            _ => after,
        };
    }
}

/// Where a path starts that begins with `word`, and what follows its first `::`.
fn start<'t>(
    word: &Ident,
    after: &'t [TokenTree],
    module: &[String],
) -> Option<(Vec<String>, &'t [TokenTree])> {
    let after = separator(after)?;
    if word == "crate" {
        return Some((Vec::new(), after));
    }
    if word != "super" {
        return None;
    }
    let (_, mut base) = module
        .split_last()
        .map(|(last, rest)| (last, rest.to_vec()))?;
    let mut rest = after;
    while let [TokenTree::Ident(again), more @ ..] = rest
        && again == "super"
        && let Some(more) = separator(more)
    {
        base.pop();
        rest = more;
    }
    Some((base, rest))
}

/// What stands behind a `::`.
fn separator(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    let [TokenTree::Punct(one), TokenTree::Punct(two), rest @ ..] = tokens else {
        return None;
    };
    (one.as_char() == ':' && two.as_char() == ':').then_some(rest)
}

/// The paths of one `use` tree below `base`.
fn tree(base: &[String], tokens: &[TokenTree], line: usize, imports: &mut Vec<Import>) {
    let mut path = base.to_vec();
    let mut rest = tokens;
    loop {
        match rest {
            [TokenTree::Ident(name), after @ ..] => {
                path.push(name.to_string());
                match separator(after) {
                    Some(after) => rest = after,
                    None => {
                        let is_macro = matches!(after.first(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                        imports.push(Import {
                            line,
                            path,
                            is_macro,
                        });
                        return;
                    }
                }
            }
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => {
                let branches: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
                for branch in branches.split(is_comma).filter(|branch| !branch.is_empty()) {
                    let line = branch
                        .first()
                        .map_or(line, |token| token.span().start().line);
                    tree(&path, branch, line, imports);
                }
                return;
            }
            // `super::*`, `Vec::<T>`: the path ends here.
            _ => {
                imports.push(Import {
                    line,
                    path,
                    is_macro: false,
                });
                return;
            }
        }
    }
}
