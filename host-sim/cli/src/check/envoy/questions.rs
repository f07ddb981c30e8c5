//! What the filter's own questions to backends lack: they do not pass the routes.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;

/// Looks at what a route, its virtual host and their table do to requests, which the filter's own questions
/// go without.
pub(super) fn check(levels: [&At<'_>; 3], action: &At<'_>, needs: &Needs, notes: &mut Notes) {
    if !needs.asks {
        return;
    }
    for level in levels {
        for added in level.list("request_headers_to_add") {
            let says = "for rules about versions and for splits the filter queries backends itself, without routes: its requests lack this header; add it to the backend's headers in the policy";
            once(&added, says, notes);
        }
    }
    let rewrites = [
        "host_rewrite_literal",
        "auto_host_rewrite",
        "host_rewrite_header",
        "host_rewrite_path_regex",
    ];
    for at in rewrites.iter().filter_map(|key| action.get(key)) {
        let says = "for rules about versions and for splits the filter queries backends itself, without routes: its requests have the client's host; set the backend's authority in the policy";
        once(&at, says, notes);
    }
}

/// A virtual host is looked at with each of its routes.
fn once(at: &At<'_>, message: &str, notes: &mut Notes) {
    let mut told = notes.warnings.iter();
    if !told.any(|(file, told)| *file == at.file && told.path == at.path) {
        notes.warning(at, message);
    }
}
