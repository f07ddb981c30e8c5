//! A difference in words.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use envoy_wasm_scenario::shown;
use serde_json::Value;

use super::Difference;
use super::changes::{Change, Key, Kind};
use super::verdicts::Turn;
use crate::out::count;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// The most tenants that are named, and the most verdicts that are shown, of a group.
const MOST: usize = 50;

/// The most characters of a value.
const MOST_CHARACTERS: usize = 300;

/// The whole difference.
pub(super) fn text(all: &Difference) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write_all(all, &mut text);
    text
}

fn write_all(all: &Difference, out: &mut String) -> std::fmt::Result {
    if all.equal {
        return writeln!(out, "The policies are the same.");
    }
    for (which, name) in [("old", &all.old), ("new", &all.new)] {
        let (file, version, hash) = (&name.file, &name.version, &name.hash);
        writeln!(out, "{which}  {file}, version {version}, hash {hash}")?;
    }
    if !all.everybody.is_empty() {
        writeln!(out, "\n{BOLD}all tenants{BOLD:#}")?;
        all.everybody.iter().try_for_each(|c| change(c, out))?;
    }
    for group in &all.tenants {
        let names = first(&group.tenants, MOST);
        let plural = if group.tenants.len() == 1 { "" } else { "s" };
        writeln!(out, "\n{BOLD}tenant{plural} {names}{BOLD:#}")?;
        group.changes.iter().try_for_each(|c| change(c, out))?;
        if group.verdicts.is_empty() {
            writeln!(
                out,
                "  no verdict changes for the modules that the rules name"
            )?;
        }
        for turn in group.verdicts.iter().take(MOST) {
            verdict(turn, out)?;
        }
        if group.verdicts.len() > MOST {
            let more = group.verdicts.len() - MOST;
            writeln!(out, "  and {more} more; --json has all")?;
        }
    }
    if all.expressions > 0 {
        let (verb, which) = if all.expressions == 1 {
            ("was", "it")
        } else {
            ("were", "them")
        };
        let patterns = format!("{} {verb}", count(all.expressions, "pattern"));
        writeln!(
            out,
            "\nnote: {patterns} not compared, because no example module can be derived from {which}"
        )?;
    }
    Ok(())
}

fn change(change: &Change, out: &mut String) -> std::fmt::Result {
    let at = &change.at;
    let name = change.name.as_ref().map(|name| format!(" {}", cut(name)));
    let name = name.unwrap_or_default();
    match &change.kind {
        Kind::Added { new } => writeln!(out, "  {at}:{name} added{}", said(new, &change.name)),
        Kind::Removed { old } => writeln!(out, "  {at}:{name} removed{}", said(old, &change.name)),
        Kind::Moved { behind } => {
            let place = match behind {
                Some(behind) => format!("after {}", cut(behind)),
                None => "the first".to_owned(),
            };
            writeln!(out, "  {at}:{name} moved: it is now {place}")
        }
        Kind::Changed { keys } => {
            let keys: Vec<String> = keys.iter().map(|key| in_words(key, at)).collect();
            writeln!(out, "  {at}:{name} {}", keys.join("; "))
        }
    }
}

/// What was added or removed, where its name does not say it already.
fn said(value: &Value, name: &Option<String>) -> String {
    let text = match value {
        Value::Object(members) => {
            let is_told = |key: &str| key == "id";
            let all = members.iter().filter(|(key, _)| !is_told(key));
            let all = all.map(|(key, value)| format!("{key} {}", cut(&compact(value))));
            all.collect::<Vec<_>>().join(", ")
        }
        other => cut(&compact(other)),
    };
    let whole = value.to_string();
    if text.is_empty() || name.as_ref() == Some(&whole) {
        return String::new();
    }
    format!(": {text}")
}

fn in_words(key: &Key, at: &str) -> String {
    let name = if key.key == at { "" } else { &*key.key };
    let space = if name.is_empty() { "" } else { " " };
    match (&key.old, &key.new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let but = |all: &[Value], others: &[Value], sign: char| -> Vec<String> {
                let all = all.iter().filter(|value| !others.contains(value));
                all.map(|value| format!("{sign}{}", cut(&compact(value))))
                    .collect()
            };
            let words = [but(new, old, '+'), but(old, new, '-')].concat();
            if words.is_empty() {
                return format!("{name}{space}reordered");
            }
            format!("{name}{space}{}", first(&words, MOST))
        }
        (old, new) => {
            let shown = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map_or("nothing".to_owned(), |value| cut(&compact(value)))
            };
            format!("{name}{space}{} → {}", shown(old), shown(new))
        }
    }
}

fn verdict(turn: &Turn, out: &mut String) -> std::fmt::Result {
    let version = turn.version.as_ref().filter(|_| !turn.is_young);
    let version = version
        .map(|version| format!("@{version}"))
        .unwrap_or_default();
    let young = if turn.is_young { ", a new version" } else { "" };
    let file = if turn.is_go_mod {
        ", the go.mod file"
    } else {
        ""
    };
    let stands_for = if turn.pattern.trim_end_matches('/') == turn.module {
        String::new()
    } else {
        format!(" (of {})", turn.pattern)
    };
    let style = if turn.new.decision == "allow" {
        GREEN
    } else {
        RED
    };
    let (old, new) = (&turn.old, &turn.new);
    writeln!(
        out,
        "  verdict: {}{version}{stands_for}{young}{file}: {} by {} → {style}{} by {}{style:#}",
        turn.module, old.decision, old.rule, new.decision, new.rule
    )
}

fn compact(value: &Value) -> String {
    match value {
        Value::Number(number) => number
            .as_f64()
            .map_or(number.to_string(), |n| n.to_string()),
        Value::Array(list) => list.iter().map(compact).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    shown(text, MOST_CHARACTERS)
}

fn first(all: &[String], most: usize) -> String {
    let more = all.len().saturating_sub(most);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let first: Vec<&str> = all.iter().take(most).map(String::as_str).collect();
    format!("{}{more}", first.join(", "))
}
