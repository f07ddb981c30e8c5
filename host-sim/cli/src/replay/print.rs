//! A report for people.

use std::fmt::Write;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use comfy_table::{Cell, Color, Table, TableComponent};
use modgate_policy::document::duration_in_words;

use super::report::{Change, Name, Report, Side, Tenant};
use crate::out::count;
use crate::table::{number, table};

const BOLD: Style = Style::new().bold();

/// The most tenants that are shown: a log can name any number of them.
const MOST_TENANTS: usize = 100;

/// The most versions that are shown of a change.
const MOST_VERSIONS: usize = 3;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let colours = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write_all(report, colours, &mut text);
    text
}

fn write_all(report: &Report, colours: bool, out: &mut String) -> std::fmt::Result {
    writeln!(out, "policy     {}", name(&report.policy))?;
    writeln!(out, "candidate  {}", name(&report.candidate))?;
    if !report.tenants.is_empty() {
        writeln!(out, "\n{}", tenants(&report.tenants, colours))?;
        if report.tenants.len() > MOST_TENANTS {
            let more = report.tenants.len() - MOST_TENANTS;
            writeln!(out, "and {more} more tenants; --json has all")?;
        }
    }
    if report.changes.is_empty() && report.more_changes == 0 {
        writeln!(out, "\nNo request changes its verdict.")?;
    } else {
        writeln!(out, "\n{BOLD}What changes{BOLD:#}")?;
        writeln!(out, "{}", changes(&report.changes, colours))?;
        if report.more_changes > 0 {
            writeln!(out, "and {} more; --top shows more", report.more_changes)?;
        }
    }
    notes(report, out)?;
    not_evaluated(report, out)
}

fn name(name: &Name) -> String {
    let side = name
        .side
        .map_or_else(String::new, |side| format!(", every tenant's {side}"));
    format!(
        "{}, version {}, hash {}{side}",
        name.file, name.version, name.hash
    )
}

fn tenants(all: &[Tenant], colours: bool) -> Table {
    let mut table = table(
        &[
            "tenant",
            "requests",
            "policy\nallows",
            "policy\nrefuses",
            "candidate\nallows",
            "candidate\nrefuses",
            "newly\ndenied",
            "newly\nallowed",
            "refused\notherwise",
        ],
        colours,
    );
    table
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections);
    for tenant in all.iter().take(MOST_TENANTS) {
        let coloured = |count: u64, colour| match count {
            0 => number(0),
            count => number(count).fg(colour),
        };
        table.add_row([
            Cell::new(&tenant.tenant),
            number(tenant.requests),
            number(tenant.policy.allowed),
            number(tenant.policy.refused),
            number(tenant.candidate.allowed),
            number(tenant.candidate.refused),
            coloured(tenant.newly_denied, Color::Red),
            coloured(tenant.newly_allowed, Color::Green),
            number(tenant.refused_otherwise),
        ]);
    }
    table
}

fn changes(all: &[Change], colours: bool) -> Table {
    let mut table = table(
        &[
            "requests",
            "tenant",
            "newly",
            "module",
            "versions",
            "requested",
            "policy: rule",
            "candidate: rule",
        ],
        colours,
    );
    table
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections);
    for change in all {
        let colour = match change.newly {
            "denied" => Color::Red,
            _ => Color::Green,
        };
        let operations: Vec<_> = change.operations.iter().copied().collect();
        table.add_row([
            number(change.requests),
            Cell::new(&change.tenant),
            Cell::new(change.newly).fg(colour),
            Cell::new(&change.module),
            Cell::new(versions(change)),
            Cell::new(operations.join(" ")),
            Cell::new(&change.policy_rule),
            Cell::new(&change.candidate_rule),
        ]);
    }
    table
}

fn versions(change: &Change) -> String {
    let Some(versions) = &change.versions else {
        return "all".to_owned();
    };
    if versions.is_empty() {
        return "-".to_owned();
    }
    let first: Vec<&str> = versions.iter().take(MOST_VERSIONS).map(|v| &**v).collect();
    let more = versions.len().saturating_sub(MOST_VERSIONS);
    let more = if more > 0 {
        format!(", {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", first.join(", "))
}

/// What must be known to read the figures.
fn notes(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out)?;
    strangers(report, "policy", |tenant| &tenant.policy, out)?;
    strangers(report, "candidate", |tenant| &tenant.candidate, out)?;
    for (which, name) in [("policy", &report.policy), ("candidate", &report.candidate)] {
        if !name.canaries_by_client.is_empty() {
            writeln!(
                out,
                "note: the {which} has a canary by client for {}: the clients are not known here, so the active rules were used",
                name.canaries_by_client.join(", ")
            )?;
        }
    }
    if report.by_age > 0 {
        let age = match report.age_seconds {
            Some(seconds) => {
                let age = duration_in_words(Duration::from_secs(seconds));
                format!("{age} old (--age)")
            }
            None => "old enough for every rule; --age changes that".to_owned(),
        };
        let requests = count(report.by_age, "request");
        writeln!(
            out,
            "note: a rule with min_age applies to {requests}; every version was assumed to be {age}"
        )?;
    }
    if report.as_a_whole > 0 {
        writeln!(
            out,
            "note: {} for a list, @latest or a branch {} evaluated by the module alone: rules about versions change the response, which is not shown here",
            count(report.as_a_whole, "request"),
            if report.as_a_whole == 1 {
                "was"
            } else {
                "were"
            }
        )?;
    }
    if report.logged_otherwise > 0 {
        writeln!(
            out,
            "note: the log has a different decision than the policy for {}",
            count(report.logged_otherwise, "request")
        )?;
    }
    Ok(())
}

/// The tenants that a policy does not know.
fn strangers(
    report: &Report,
    which: &str,
    side: fn(&Tenant) -> &Side,
    out: &mut String,
) -> std::fmt::Result {
    for (evaluated_as, what) in [(Some("*"), "evaluated as *"), (None, "refused")] {
        let is_one = |tenant: &&Tenant| {
            let known = side(tenant).evaluated_as.as_deref();
            known == evaluated_as && known != Some(&tenant.tenant)
        };
        let all: Vec<&Tenant> = report.tenants.iter().filter(is_one).collect();
        let requests: u64 = all.iter().map(|tenant| tenant.requests).sum();
        if requests == 0 {
            continue;
        }
        let names: Vec<&str> = all.iter().take(5).map(|t| &*t.tenant).collect();
        let more = if all.len() > 5 { ", ..." } else { "" };
        writeln!(
            out,
            "note: the {which} has no tenant {}{more}: {} {what}",
            names.join(", "),
            count(requests, "request")
        )?;
    }
    Ok(())
}

fn not_evaluated(report: &Report, out: &mut String) -> std::fmt::Result {
    let not = report.lines - report.evaluated;
    writeln!(
        out,
        "{}: {} evaluated, {not} not",
        count(report.lines, "line"),
        report.evaluated
    )?;
    for unread in &report.not_evaluated {
        let what = if unread.is_no_request {
            "not a module request"
        } else {
            "not readable"
        };
        writeln!(out, "  {} {what}: {}", unread.lines, unread.reason)?;
        for shown in &unread.first {
            writeln!(out, "    {}:{}: {}", shown.file, shown.line, shown.text)?;
        }
    }
    Ok(())
}
