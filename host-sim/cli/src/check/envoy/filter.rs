//! How the filter itself is configured.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;

/// Looks at `config` of the filter's type.
pub(super) fn check(plugin: &At<'_>, needs: &Needs, notes: &mut Notes) {
    failure(plugin, notes);
    configuration(plugin, notes);
    if !plugin.is_true("allow_on_headers_stop_iteration") {
        let message = match needs.holds_headers {
            true => {
                "without allow_on_headers_stop_iteration: true every checked go.mod hangs: the policy's integrity says that it is set"
            }
            false => {
                "without allow_on_headers_stop_iteration: true a go.mod with a wrong hash is cut off without a reason"
            }
        };
        notes.error_if(needs.holds_headers, plugin, message);
    }
}

fn failure(plugin: &At<'_>, notes: &mut Notes) {
    const HINT: &str = "write failure_policy: FAIL_CLOSED";
    let at = plugin.get("failure_policy");
    let is = |name, number| plugin.is_one("failure_policy", name, number);
    match (&at, plugin.get("fail_open")) {
        (Some(at), _) if is("FAIL_OPEN", 3) => {
            notes.error(
                at,
                format!("if the filter fails, every request passes; {HINT}"),
            );
        }
        (_, Some(at)) if plugin.is_true("fail_open") => {
            notes.error(
                &at,
                format!("if the filter fails, every request passes; {HINT}"),
            );
        }
        (Some(at), _) if !is("FAIL_CLOSED", 2) && !is("FAIL_RELOAD", 1) => {
            notes.warning(at, format!("no failure policy is set; {HINT}"));
        }
        (Some(_), _) => {}
        (None, _) => notes.warning(
            plugin,
            format!("no failure policy is set, and the defaults differ; {HINT}"),
        ),
    }
}

fn configuration(plugin: &At<'_>, notes: &mut Notes) {
    let Some(at) = plugin.get("configuration") else {
        return notes.error(
            plugin,
            "the filter has no configuration and therefore no policy: it does not start",
        );
    };
    let kind = at.text("@type").unwrap_or_default();
    if kind.ends_with("google.protobuf.Struct") {
        notes.error(
            &at,
            "a Struct reaches the filter as protobuf bytes, not as a policy; use a google.protobuf.StringValue",
        );
    }
}
