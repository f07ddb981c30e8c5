//! What Envoy makes of the answers that the filter gives itself.

use super::at::At;
use super::notes::Notes;
use super::parts::Manager;

/// What go reads of an answer whose body it needs: lists that the filter shaped.
const SHAPED: u64 = 200;

/// The statuses that mean something to go: a module is not there, or not allowed.
const MEANT: [u64; 5] = [200, 400, 403, 404, 410];

const PLAIN: &str = "%LOCAL_REPLY_BODY%";

/// Whether a mapper is for answers of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matches {
    Yes,
    No,
    /// It depends on something else.
    Perhaps,
}

/// Looks at the `local_reply_config` of a connection manager that has the filter.
pub(super) fn check(manager: &Manager<'_>, notes: &mut Notes) {
    let Some(config) = manager.at.get("local_reply_config") else {
        return;
    };
    let mut is_decided = false;
    for mapper in config.list("mappers") {
        let matches = |status| {
            let filter = mapper.get("filter");
            filter.map_or(Matches::Yes, |filter| matches(&filter, status))
        };
        changes_status(&mapper, &matches, notes);
        let shaped = matches(SHAPED);
        if is_decided || shaped == Matches::No {
            continue;
        }
        is_decided = shaped == Matches::Yes;
        let format = mapper
            .get("body_format_override")
            .or_else(|| config.get("body_format"));
        let rewrites = mapper
            .get("body")
            .or_else(|| format.filter(|format| !is_plain(format)));
        if let Some(at) = rewrites {
            garbage(&at, notes);
        }
    }
    let rest = config.get("body_format").filter(|format| !is_plain(format));
    if let Some(at) = rest.filter(|_| !is_decided) {
        garbage(&at, notes);
    }
}

fn garbage(at: &At<'_>, notes: &mut Notes) {
    let is_told = notes
        .errors
        .iter()
        .any(|(file, known)| *file == at.file && known.path == at.path);
    if !is_told {
        notes.error(
            at,
            "it also rewrites responses with status 200, such as the lists that the filter makes, and go reads garbage; limit it to failures, in a mapper with status_code_filter: {comparison: {op: GE, value: {default_value: 400, runtime_key: x}}} and body_format_override",
        );
    }
}

fn changes_status(mapper: &At<'_>, matches: &dyn Fn(u64) -> Matches, notes: &mut Notes) {
    let Some(status) = mapper.number("status_code") else {
        return;
    };
    let mut changed = MEANT
        .iter()
        .filter(|known| **known != status && matches(**known) != Matches::No);
    if let Some(known) = changed.next() {
        let at = mapper.get("status_code");
        notes.error(
            at.as_ref().unwrap_or(mapper),
            format!("it turns the filter's {known} into {status}, which changes what go does: limit it to 500 and above"),
        );
    }
}

fn is_plain(format: &At<'_>) -> bool {
    let source = format.find(&["text_format_source"]);
    let source = source.and_then(|source| source.text("inline_string"));
    let text = format.text("text_format").or(source);
    text.is_some_and(|text| text.trim() == PLAIN)
}

fn matches(filter: &At<'_>, status: u64) -> Matches {
    if let Some(comparison) = filter.find(&["status_code_filter", "comparison"]) {
        let wanted = comparison
            .get("value")
            .and_then(|value| value.number("default_value"));
        let Some(wanted) = wanted else {
            return Matches::Perhaps;
        };
        let is = match comparison.text("op").unwrap_or("EQ") {
            "EQ" => status == wanted,
            "GE" => status >= wanted,
            "LE" => status <= wanted,
            "NE" => status != wanted,
            _ => return Matches::Perhaps,
        };
        return if is { Matches::Yes } else { Matches::No };
    }
    let all = |key: &str| {
        let inner = filter.get(key)?;
        let inner = inner.list("filters");
        Some(
            inner
                .iter()
                .map(|filter| matches(filter, status))
                .collect::<Vec<_>>(),
        )
    };
    if let Some(all) = all("and_filter") {
        return together(&all, Matches::No, Matches::Yes);
    }
    if let Some(any) = all("or_filter") {
        return together(&any, Matches::Yes, Matches::No);
    }
    Matches::Perhaps
}

/// `one` where one says so, `all` where all do.
fn together(said: &[Matches], one: Matches, all: Matches) -> Matches {
    if said.contains(&one) {
        return one;
    }
    let is_sure = said.iter().all(|matches| *matches == all);
    if is_sure { all } else { Matches::Perhaps }
}
