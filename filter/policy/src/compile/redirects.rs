//! From a backend's `redirects` to rules.

use super::errors::Errors;
use super::paths;
use crate::document::{Path, RedirectDoc};
use crate::model::redirect::{Location, RedirectRule, Then};

/// Compiles the places that a backend may redirect to.
pub(crate) fn compile(
    errors: &mut Errors,
    at: &Path,
    documents: &[RedirectDoc],
) -> Vec<RedirectRule> {
    let mut compiled = Vec::with_capacity(documents.len());
    for (i, document) in documents.iter().enumerate() {
        let at = at.index(i);
        let to = Location::parse(document.to.as_bytes()).filter(|to| !to.has_query());
        if to.is_none() {
            let message = "give a URL such as https://storage.example/modules, or an absolute path \
                           of the backend itself, without a query";
            errors.add(&at.key("to"), message);
        }
        let then = match (&document.rewrite, document.pass) {
            (Some(path), None) => match paths::upstream_path(path) {
                Ok(path) => Some(Then::Rewrite(path)),
                Err(message) => {
                    errors.add(&at.key("rewrite"), message);
                    None
                }
            },
            (None, Some(true)) => Some(Then::Pass),
            _ => {
                let message = "give either rewrite, the path behind the filter that takes the \
                               place, or \"pass\": true";
                errors.add(&at, message);
                None
            }
        };
        let rule = to.zip(then);
        compiled.extend(rule.map(|(to, then)| RedirectRule { to, then }));
    }
    compiled
}
