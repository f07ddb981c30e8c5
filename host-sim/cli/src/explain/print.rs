//! An explanation for people: aligned lines, coloured on a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Explanation, Rule};
use crate::policy_file::request::Explained;

/// The width of the first column.
const LEFT: usize = 10;

/// Everything that is known of one tenant's requests.
pub(super) fn whole(all: &Explanation, out: &mut impl Write) -> io::Result<()> {
    let tenant = all.tenant.as_deref().unwrap_or("nobody");
    let by = all
        .identity
        .map(|source| format!(", identified by {source}"));
    line(out, "module", &all.module)?;
    line(
        out,
        "tenant",
        &format!("{tenant}{}", by.unwrap_or_default()),
    )?;
    rules(out, "rules", &all.rules)?;
    if all.tenant.is_some() && !has_decided(&all.rules) {
        let name = if all.rules.is_empty() { "rules" } else { "" };
        line(
            out,
            name,
            "no other rule matches: the policy's default decides",
        )?;
    }
    if let Some(candidate) = &all.candidate {
        rules(out, "candidate", candidate)?;
        if !has_decided(candidate) {
            line(
                out,
                "",
                "no other rule matches: the policy's default decides",
            )?;
        }
    }
    for explained in &all.requests {
        writeln!(out)?;
        request(explained, out)?;
    }
    Ok(())
}

fn has_decided(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.result == "decides")
}

fn rules(out: &mut impl Write, name: &str, rules: &[Rule]) -> io::Result<()> {
    let width = rules.iter().map(|rule| rule.rule.len()).max().unwrap_or(0);
    for (i, rule) in rules.iter().enumerate() {
        let name = if i == 0 { name } else { "" };
        line(out, name, &rule_line(rule, width))?;
    }
    Ok(())
}

/// One line for each tenant.
pub(super) fn short(module: &str, all: &[Explanation], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{module}")?;
    let name = |one: &Explanation| one.tenant.clone().unwrap_or_default();
    let width = all.iter().map(|one| name(one).len()).max().unwrap_or(0);
    for one in all {
        write!(out, "  {:width$}", name(one))?;
        for explained in &one.requests {
            let style = style(&explained.decision);
            let (operation, decision) = (explained.operation, &explained.decision);
            write!(out, "  {operation} {style}{decision:5}{style:#}")?;
        }
        let rule = one
            .requests
            .last()
            .and_then(|explained| explained.rule.as_deref());
        writeln!(out, "  by {}", rule.unwrap_or("-"))?;
    }
    Ok(())
}

fn rule_line(rule: &Rule, width: usize) -> String {
    let why = match rule.patterns.iter().find(|pattern| pattern.matches) {
        Some(pattern) => {
            let open = "; depends on the version or its age";
            let skipped = rule.skip_reason.as_ref().map(|why| format!("; {why}"));
            let more = skipped.unwrap_or_else(|| match rule.result {
                "needs_lookup" => open.to_owned(),
                _ => String::new(),
            });
            format!("matches {:?}{more}", pattern.pattern)
        }
        None => {
            let all = rule.patterns.iter().take(3).map(|pattern| {
                let why = pattern.why.as_deref().unwrap_or_default();
                format!("{:?}: {why}", pattern.pattern)
            });
            let more = rule.patterns.len().saturating_sub(3);
            let more = if more > 0 {
                format!("; and {more} more")
            } else {
                String::new()
            };
            format!("no, {}{more}", all.collect::<Vec<_>>().join("; "))
        }
    };
    format!("{:width$}  {:5}  {why}", rule.rule, rule.effect)
}

fn request(explained: &Explained, out: &mut impl Write) -> io::Result<()> {
    let style = style(&explained.decision);
    let by = explained.rule.as_ref().map(|rule| format!(" by {rule}"));
    let decision = format!(
        "{style}{}{style:#}{}",
        explained.decision,
        by.unwrap_or_default()
    );
    line(out, explained.operation, &decision)?;
    if let Some((decision, rule)) = &explained.other {
        let stage = explained.stage;
        line(
            out,
            "  stage",
            &format!("{stage}; by the other rules: {decision} by {rule}"),
        )?;
    }
    if let Some(split) = &explained.split {
        line(out, "  split", split)?;
    }
    line(out, "  request", &explained.path)?;
    if let Some(lookup) = explained.lookup {
        line(out, "  looks up", lookup)?;
    }
    if let (Some(backend), Some(cluster), Some(upstream)) =
        (&explained.backend, &explained.cluster, &explained.upstream)
    {
        let route = explained.route.as_deref().unwrap_or("-");
        line(
            out,
            "  route",
            &format!("{route}, backend {backend}, cluster {cluster}"),
        )?;
        line(out, "  upstream", upstream)?;
    }
    if let Some(other) = &explained.other_route {
        line(out, "  trial", &format!("the other routes: {other}"))?;
    }
    if let Some(check) = &explained.check {
        line(out, "  checked", check)?;
    }
    if let (Some(status), Some(body)) = (explained.status, &explained.body) {
        let mut name = format!("  {status}");
        for text in body.lines() {
            line(out, &name, text)?;
            name.clear();
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{name:LEFT$} {text}")
}

fn style(decision: &str) -> Style {
    let color = match decision {
        "allow" => AnsiColor::Green,
        "probe" | "by age" => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    Style::new().fg_color(Some(color.into()))
}
