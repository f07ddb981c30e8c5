//! What is expected, and what was seen.

use envoy_wasm_host::{
    grpc::frame,
    http::{Body, Headers},
};

use super::expected::{Client, Ending, Start, Upstream};
use super::model::Scenario;
use super::run::{ClientSeen, Run, UpstreamSeen};
use super::timeline::list;

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Of what: `request 1 (GET /x): status`.
    pub what: String,
    /// As the scenario says.
    pub expected: String,
    /// As it was.
    pub seen: String,
}

/// Differences, as they are found.
#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, what: &str, expected: impl ToString, seen: impl ToString) {
        self.0.push(Difference {
            what: what.to_owned(),
            expected: expected.to_string(),
            seen: seen.to_string(),
        });
    }

    fn compare(&mut self, what: &str, expected: impl ToString, seen: impl ToString) {
        let (expected, seen) = (expected.to_string(), seen.to_string());
        if expected != seen {
            self.add(what, expected, seen);
        }
    }
}

impl Scenario {
    /// Everything that is not as expected, in the scenario's order.
    pub fn differences(&self, run: &Run) -> Vec<Difference> {
        let mut found = Found::default();
        self.compare_start(run, &mut found);
        if run.refused.is_some() {
            return found.0;
        }
        for (i, (later, seen)) in self
            .configurations
            .iter()
            .zip(&run.configurations)
            .enumerate()
        {
            let seen = seen.map_or("not handed over", Start::name);
            found.compare(
                &format!("configuration {}", i + 1),
                later.expect.name(),
                seen,
            );
        }
        for (i, request) in self.requests.iter().enumerate() {
            let name = format!("request {} ({} {})", i + 1, request.method, request.path);
            if let Some(seen) = run.clients.get(i) {
                compare_client(&name, &request.expect, seen, &mut found);
            }
        }
        if let Some(expected) = &self.expect.upstream {
            compare_upstreams(expected, &run.upstream, &mut found);
        }
        for request in &run.unanswered {
            found.add("upstreams", "a behaviour for every request", request);
        }
        for (selector, expected) in &self.expect.metrics {
            let seen = selector.sum(&run.series);
            found.compare(&format!("metric {selector}"), expected, seen);
        }
        self.compare_log(run, &mut found);
        let failures = || run.failures.join("; ");
        match (self.expect.fails, run.failures.is_empty()) {
            (false, false) => found.add("VM", "does not fail", failures()),
            (true, true) => found.add("VM", "fails", "does not fail"),
            _ => {}
        }
        self.compare_usage(run, &mut found);
        found.0
    }

    fn compare_start(&self, run: &Run, found: &mut Found) {
        match (self.expect.start, &run.refused) {
            (Start::Taken, Some(reason)) => {
                found.add("start", "taken", format!("refused: {reason}"))
            }
            (Start::Refused, None) => found.add("start", "refused", "taken"),
            _ => {}
        }
        if run.refused.is_some() {
            self.compare_log(run, found);
        }
    }

    fn compare_log(&self, run: &Run, found: &mut Found) {
        for wanted in &self.expect.log {
            if !run.log.iter().any(|(_, line)| line.contains(wanted)) {
                let lines: Vec<&str> = run.log.iter().map(|(_, line)| line.as_str()).collect();
                found.add("log", format!("a line with {wanted}"), lines.join("\n"));
            }
        }
        for unwanted in &self.expect.no_log {
            if let Some((_, line)) = run.log.iter().find(|(_, line)| line.contains(unwanted)) {
                found.add("log", format!("no line with {unwanted}"), line);
            }
        }
    }

    fn compare_usage(&self, run: &Run, found: &mut Found) {
        if run.leaked > 0 {
            found.add("streams that are over", "gone from the VM", run.leaked);
        }
        found.0.extend(self.over_budget(run));
    }

    /// What exceeds the budget.
    pub(super) fn over_budget(&self, run: &Run) -> Vec<Difference> {
        let (budget, usage) = (self.expect.budget, run.usage);
        let memory = budget.memory.map(|bytes| bytes as u64);
        let used = [
            ("fuel of a call", budget.fuel, usage.fuel),
            ("memory of a VM", memory, usage.memory as u64),
            ("hostcalls", budget.hostcalls, usage.hostcalls),
        ];
        let mut found = Found::default();
        for (what, most, used) in used {
            if let Some(most) = most.filter(|most| used > *most) {
                found.add(what, format!("at most {most}"), used);
            }
        }
        found.0
    }
}

fn compare_client(name: &str, expected: &Client, seen: &ClientSeen, found: &mut Found) {
    let of = |part: &str| format!("{name}: {part}");
    let none = Headers::new();
    let headers = seen.headers.as_ref().unwrap_or(&none);
    found.compare(
        &of("outcome"),
        expected.outcome.name(),
        seen.outcome().name(),
    );
    if let Some(status) = expected.status {
        let seen = headers.status();
        found.compare(
            &of("status"),
            status,
            seen.map_or_else(|| "none".to_owned(), |s| s.to_string()),
        );
    }
    compare_headers(name, &expected.headers, headers, found);
    compare_body(name, expected, &seen.body, found);
    if let Some(trailers) = &expected.trailers {
        let seen = seen.trailers.as_ref().unwrap_or(&none);
        found.compare(&of("trailers"), list(&trailers.headers()), list(seen));
    }
}

fn compare_headers(
    name: &str,
    expected: &std::collections::BTreeMap<String, Option<String>>,
    seen: &Headers,
    found: &mut Found,
) {
    for (header, value) in expected {
        let values: Vec<_> = seen
            .get_all(header)
            .map(|v| String::from_utf8_lossy(v))
            .collect();
        let is = (!values.is_empty()).then(|| values.join(", "));
        if *value != is {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            found.add(&format!("{name}: header {header}"), text(value), text(&is));
        }
    }
}

fn compare_body(name: &str, expected: &Client, seen: &Body, found: &mut Found) {
    let bytes = seen.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    if let Some(body) = &expected.body
        && body.as_bytes() != bytes.as_ref()
    {
        found.add(&format!("{name}: body"), body, &text);
    }
    for part in &expected.body_contains {
        if !text.contains(part) {
            found.add(&format!("{name}: body"), format!("contains {part}"), &text);
        }
    }
    if let Some(size) = expected.body_size {
        found.compare(&format!("{name}: body, bytes"), size, bytes.len());
    }
    if let Some(hash) = &expected.body_sha256 {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(&bytes);
        let seen: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        found.compare(&format!("{name}: SHA-256"), hash.to_lowercase(), seen);
    }
}

fn compare_upstreams(expected: &[Upstream], seen: &[UpstreamSeen], found: &mut Found) {
    let seen: Vec<_> = seen.iter().filter(|seen| !seen.refused).collect();
    if expected.len() != seen.len() {
        let line = |cluster: &str, method: &str, path: &str| format!("{cluster}: {method} {path}");
        let wanted = expected.iter().map(|e| {
            let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
            line(&e.cluster, &text(&e.method), &text(&e.path))
        });
        let got = seen.iter().map(|s| {
            let text =
                |name| String::from_utf8_lossy(s.headers.get(name).map_or(b"", |v| v)).into_owned();
            line(&s.cluster, &text(":method"), &text(":path"))
        });
        let lines = |lines: Vec<String>| {
            if lines.is_empty() {
                "none".to_owned()
            } else {
                lines.join("\n")
            }
        };
        return found.add(
            "requests at upstreams",
            lines(wanted.collect()),
            lines(got.collect()),
        );
    }
    for (i, (expected, seen)) in expected.iter().zip(seen).enumerate() {
        let name = format!("upstream request {}", i + 1);
        found.compare(
            &format!("{name}: cluster"),
            &expected.cluster,
            &seen.cluster,
        );
        let mut headers = expected.headers.clone();
        for (header, value) in [(":method", &expected.method), (":path", &expected.path)] {
            if value.is_some() {
                headers.insert(header.to_owned(), value.clone());
            }
        }
        compare_headers(&name, &headers, &seen.headers, found);
        if let Some(callout) = expected.callout {
            found.compare(&format!("{name}: callout"), callout, seen.callout);
        }
        if let Some(body) = &expected.body {
            let bytes = seen.body.to_bytes();
            found.compare(
                &format!("{name}: body"),
                body,
                String::from_utf8_lossy(&bytes),
            );
        }
        if let Some(messages) = &expected.messages {
            let frames = messages.iter().map(|text| frame(text.as_bytes()));
            let expected = frames.collect::<Vec<_>>().concat();
            let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
            found.compare(
                &format!("{name}: messages"),
                shown(&expected),
                shown(&seen.body.to_bytes()),
            );
        }
        if let Some(ending) = expected.ending {
            found.compare(
                &format!("{name}: ending"),
                Ending::name(ending),
                seen.ending.name(),
            );
        }
    }
}
