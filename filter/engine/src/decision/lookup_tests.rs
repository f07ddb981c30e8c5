//! Lookups against a backend in memory, from the request to the answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Decision, RequestDecision, evaluate};
use crate::lookup::{Fetched, LookupEnv, QueryId, Step};
use modgate_go::http::Header;
use modgate_policy::model::Policy;

mod offered;
mod variants;

/// 2026-11-23T00:00:00Z.
const NOW: u64 = 1_795_392_000;
const DAY: u64 = 86_400;

/// What a backend has, what was asked of it, and what was noted.
#[derive(Default)]
struct Backend {
    files: BTreeMap<String, (u16, String)>,
    requested: RefCell<Vec<String>>,
    notes: RefCell<BTreeMap<String, Vec<u8>>>,
    /// How many queries were asked at once, each time, and how long that takes.
    rounds: RefCell<Vec<usize>>,
    round_takes: Duration,
    warned: RefCell<Vec<String>>,
}

impl LookupEnv for Backend {
    fn now(&self) -> Option<u64> {
        Some(NOW)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.notes.borrow().get(key).cloned()
    }

    fn note(&self, key: &str, value: &[u8]) {
        self.notes
            .borrow_mut()
            .insert(key.to_owned(), value.to_vec());
    }

    fn waited(&self) -> Duration {
        self.round_takes * u32::try_from(self.rounds.borrow().len()).unwrap()
    }

    fn warn(&self, what: &str) {
        self.warned.borrow_mut().push(what.to_owned());
    }
}

impl Backend {
    /// A module's versions with the age of each in days, each with a go.mod of its own.
    fn with(versions: &[(&str, u64)]) -> Self {
        let mut backend = Self::default();
        let list: String = versions.iter().map(|(v, _)| format!("{v}\n")).collect();
        backend.put("list", &list);
        for (version, days) in versions {
            let time = jiff::Timestamp::from_second((NOW - days * DAY) as i64).unwrap();
            backend.put(
                &format!("{version}.info"),
                &info(version, &time.to_string()),
            );
            backend.put(
                &format!("{version}.mod"),
                "module corp.example/lib\n\ngo 1.21\n",
            );
        }
        backend
    }

    fn put(&mut self, file: &str, body: &str) {
        self.fail(file, 200, body);
    }

    fn fail(&mut self, file: &str, status: u16, body: &str) {
        let path = match file {
            "@latest" => "/base/corp.example/lib/@latest".to_owned(),
            file => format!("/base/corp.example/lib/@v/{file}"),
        };
        self.files.insert(path, (status, body.to_owned()));
    }

    /// What the filter does with a request: `200 body`, `403 body`, or `forward path`.
    fn get(&self, policy: &Policy, file: &str) -> String {
        let decision = self.decide(policy, file);
        match &decision.action {
            Decision::Forward { path, .. } => {
                format!("forward {}", path.as_deref().unwrap_or_default())
            }
            Decision::LocalReply(reply) => format!("{} {}", reply.status, reply.body),
            Decision::Pending { .. } => panic!("it goes on for ever"),
        }
    }

    /// A request, evaluated to the end.
    fn decide<'p>(&self, policy: &'p Policy, file: &str) -> RequestDecision<'p> {
        let path = match file {
            "@latest" => "/corp.example/lib/@latest".to_owned(),
            file => format!("/corp.example/lib/@v/{file}"),
        };
        let headers: [Header; 2] = [
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), path.into_bytes()),
        ];
        let decision = evaluate(policy, &headers, &());
        if matches!(decision.action, Decision::Pending { .. }) {
            return self.run_lookup(policy, decision);
        }
        decision
    }

    fn run_lookup<'p>(
        &self,
        policy: &'p Policy,
        decision: RequestDecision<'p>,
    ) -> RequestDecision<'p> {
        let (suspended, mut lookup) = decision.suspend(policy).unwrap();
        self.rounds.borrow_mut().clear();
        let mut step = lookup.begin(policy, self);
        let mut queries = VecDeque::new();
        loop {
            match step {
                Step::Ask(requested) => {
                    assert!(queries.is_empty() && !requested.is_empty(), "{requested:?}");
                    self.rounds.borrow_mut().push(requested.len());
                    queries.extend(requested);
                }
                Step::Wait => assert!(!queries.is_empty()),
                Step::Proceed(rule_decisions) => {
                    let mut decision = suspended.resume(policy, lookup).unwrap();
                    decision.proceed(rule_decisions);
                    return decision;
                }
                Step::Answer {
                    rule_decisions,
                    reply,
                } => {
                    let mut decision = suspended.resume(policy, lookup).unwrap();
                    decision.conclude(rule_decisions, reply);
                    return decision;
                }
            }
            let query = queries.pop_front().unwrap();
            let path = query.path;
            let found = self.files.get(&path);
            let file = path.replace("/base/corp.example/lib/", "");
            self.requested.borrow_mut().push(file.replace("@v/", ""));
            let headers = text();
            let fetched = Fetched {
                status: Some(found.map_or(404, |(status, _)| *status)),
                body: Some(found.map_or(b"not found: there is none", |(_, body)| body.as_bytes())),
                last_modified: Some("Sat, 01 Nov 2025 00:00:00 GMT"),
                headers: &headers,
                ..Fetched::default()
            };
            step = lookup.answered(policy, self, query.id, fetched);
        }
    }

    fn requested(&self) -> Vec<String> {
        std::mem::take(&mut self.requested.borrow_mut())
    }
}

/// The headers of what is text.
fn text() -> [Header; 1] {
    [("content-type".to_owned(), b"text/plain".to_vec())]
}

fn info(version: &str, time: &str) -> String {
    json!({"Version": version, "Time": time}).to_string()
}

fn policy(rules: Value) -> Policy {
    policy_with(rules, json!({"cluster": "c", "base_path": "/base"}))
}

fn policy_with(rules: Value, backend: Value) -> Policy {
    let document = json!({
        "version": "1", "default": "deny", "contact": "#go-platform",
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"b": backend}, "routes": [{"id": "all", "backend": "b"}],
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

fn old_only(versions: &str) -> Policy {
    policy(json!([
        {"id": "cve", "deny": ["corp.example/lib"], "versions": versions, "reason": "CVE-1"},
        {"id": "all", "allow": ["*"]},
    ]))
}

fn a_week() -> Policy {
    policy(json!([
        {"id": "urgent", "allow": ["corp.example/lib"], "versions": "v1.9.9"},
        {"id": "week", "allow": ["*"], "min_age": "7d"},
    ]))
}

fn week_for_all() -> Policy {
    policy(json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]))
}

#[test]
fn a_list_keeps_the_allowed_versions_in_order() {
    let backend = Backend::with(&[("v1.0.0", 9), ("v1.10.0", 9), ("v1.2.0", 9), ("v1.3.0", 9)]);
    let policy = old_only("<1.3.0");
    assert_eq!(backend.get(&policy, "list"), "200 v1.10.0\nv1.3.0\n");
    assert_eq!(backend.requested(), ["list"]);
    // What is hidden is refused, and what is not is not.
    for file in ["v1.2.0.info", "v1.2.0.zip"] {
        let denied = backend.get(&policy, file);
        let want =
            "403 modgate: denied corp.example/lib@v1.2.0\ntenant: *\nrule: r/cve\nreason: CVE-1";
        assert!(denied.starts_with(want), "{denied}");
    }
    // The go.mod file of a refused version is read, and never built.
    for file in ["v1.3.0.zip", "v1.2.0.mod"] {
        let answer = backend.get(&policy, file);
        assert!(answer.starts_with("forward /base"), "{file}: {answer}");
    }
    assert!(backend.requested().is_empty());
}

#[test]
fn a_go_mod_file_needs_a_lookup_only_if_a_rule_covers_it() {
    let backend = Backend::with(&[("v1.0.0", 9), ("v1.1.0", 1)]);
    let plain = week_for_all();
    for file in ["v1.0.0.mod", "v1.1.0.mod", "v1.9.8.mod"] {
        let answer = backend.get(&plain, file);
        assert!(answer.starts_with("forward /base"), "{file}: {answer}");
    }
    assert!(backend.requested().is_empty(), "its age does not count");

    let strict = policy(json!([
        {"id": "week", "allow": ["*"], "min_age": "7d", "go_mod": "deny"},
    ]));
    assert!(backend.get(&strict, "v1.0.0.mod").starts_with("forward"));
    let young = backend.get(&strict, "v1.1.0.mod");
    assert!(young.starts_with("403 modgate: denied corp.example/lib@v1.1.0"));
    assert!(young.contains("age: 1d; allowed from 7d on"), "{young}");
    assert_eq!(backend.requested(), ["v1.0.0.info", "v1.1.0.info"]);
    // What is noted of a version holds for all its files.
    assert!(backend.get(&strict, "v1.1.0.zip").starts_with("403 "));
    assert!(backend.requested().is_empty());
}

#[test]
fn retractions_of_a_hidden_version_still_count() {
    let mut backend = Backend::with(&[
        ("v1.0.0", 9),
        ("v1.1.0", 9),
        ("v1.2.0", 9),
        ("v1.3.0", 9),
        ("v1.4.0-rc1", 9),
    ]);
    backend.put(
        "v1.3.0.mod",
        "module corp.example/lib\nretract (\n\tv1.2.0\n\t[v1.3.0, v1.4.0]\n)\n",
    );
    let policy = old_only(">=1.3.0");
    assert_eq!(backend.get(&policy, "list"), "200 v1.0.0\nv1.1.0\n");
    assert_eq!(backend.requested(), ["list", "v1.3.0.mod"]);
    // It is asked for once.
    assert_eq!(backend.get(&policy, "list"), "200 v1.0.0\nv1.1.0\n");
    assert_eq!(backend.requested(), ["list"]);
    // A version that was taken back is not denied.
    assert!(backend.get(&policy, "v1.2.0.zip").starts_with("forward"));
    // Where it cannot be read, nobody is given a version that was taken back.
    backend.notes.borrow_mut().clear();
    for status in [404, 410] {
        backend.fail("v1.3.0.mod", status, "not found: no such file");
        let answer = backend.get(&policy, "list");
        let is_reported = answer.starts_with("502 ") && answer.contains(&status.to_string());
        assert!(is_reported, "{answer}");
    }
    // But who may not ask, or not now, is told so.
    for status in [401, 403, 429, 500, 503] {
        backend.fail("v1.3.0.mod", status, "not you, or not now");
        let answer = backend.get(&policy, "list");
        assert_eq!(answer, format!("{status} not you, or not now"));
    }
    // Nothing is asked where the client sees the newest by itself.
    backend.requested();
    let seen = old_only("<1.1.0");
    assert!(backend.get(&seen, "list").starts_with("200 v1.1.0\n"));
    assert_eq!(backend.requested(), ["list"]);
}

#[test]
fn an_unreadable_list_is_an_error_and_not_an_empty_list() {
    let policy = old_only(">=1.3.0");
    let decision = evaluate(&policy, &list_request(), &());
    let Decision::Pending { lookup, .. } = &decision.action else {
        panic!("{:?}", decision.action);
    };
    let answered = |fetched: Fetched<'_>| {
        let env = Backend::default();
        let mut lookup = lookup.clone();
        lookup.begin(&policy, &env);
        match lookup.answered(&policy, &env, QueryId(0), fetched) {
            Step::Answer { reply, .. } => reply,
            step => panic!("{step:?}"),
        }
    };
    let compressed = answered(Fetched {
        status: Some(200),
        body: Some(b"\x1f\x8b\x08\0v1.0.0\n"),
        ..Fetched::default()
    });
    assert_eq!(compressed.status, 502);
    assert!(
        compressed.body.contains("its list is no text"),
        "{}",
        compressed.body
    );
    let refused = answered(Fetched {
        status: Some(200),
        why_no_body: Some("its answer is called gzip and is not"),
        ..Fetched::default()
    });
    assert_eq!(refused.status, 502);
    assert!(
        refused
            .body
            .contains("the backend b: its answer is called gzip"),
        "{}",
        refused.body
    );
    let headers = [
        ("retry-after", "30"),
        ("www-authenticate", "Basic realm=x"),
        ("server", "x"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let limited = answered(Fetched {
        status: Some(429),
        headers: &headers,
        body: Some(b"slow down"),
        ..Fetched::default()
    });
    assert_eq!((limited.status, limited.body.as_str()), (429, ""));
    for header in [("retry-after", "30"), ("www-authenticate", "Basic realm=x")] {
        assert!(limited.headers().contains(&header), "{limited:?}");
    }
    assert_eq!(answered(Fetched::default()).status, 502);
}

fn list_request() -> [Header; 2] {
    [
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), b"/corp.example/lib/@v/list".to_vec()),
    ]
}

#[test]
fn latest_is_what_go_would_pick_from_the_filtered_list() {
    let mut backend = Backend::with(&[
        ("v1.0.0", 9),
        ("v1.1.0", 9),
        ("v1.2.0-rc1", 9),
        ("v1.2.0", 9),
    ]);
    backend.put("@latest", &info("v1.2.0", "2026-11-01T00:00:00Z"));
    // As the backend says, where that is allowed.
    let answer = backend.get(&old_only("<1.2.0"), "@latest");
    assert!(
        answer.starts_with("200 {") && answer.contains("v1.2.0"),
        "{answer}"
    );
    assert_eq!(backend.requested(), ["@latest"]);

    let answer = backend.get(&old_only(">=1.2.0"), "@latest");
    assert!(
        answer.starts_with("200 {") && answer.contains("\"v1.1.0\""),
        "{answer}"
    );
    assert_eq!(
        backend.requested(),
        ["@latest", "list", "v1.2.0.mod", "v1.1.0.info"]
    );
    // The highest prerelease where there is no release.
    let answer = backend.get(&old_only("v1.0 || v1.1 || =1.2.0"), "@latest");
    assert!(answer.contains("\"v1.2.0-rc1\""), "{answer}");
    // Nothing is left.
    let answer = backend.get(&old_only("v1"), "@latest");
    assert!(
        answer.starts_with("403 modgate: denied corp.example/lib@v1.2.0"),
        "{answer}"
    );
    assert!(answer.contains("contact: #go-platform"), "{answer}");
    // What the backend has not, go looks for in the list.
    backend.fail("@latest", 404, "not found: no such module");
    assert_eq!(
        backend.get(&old_only("v1"), "@latest"),
        "404 not found: no such module"
    );
}

#[test]
fn incompatible_versions_are_latest_only_without_a_go_mod() {
    let mut backend = Backend::with(&[
        ("v1.0.0", 9),
        ("v2.0.0+incompatible", 9),
        ("v3.0.0+incompatible", 9),
    ]);
    backend.put(
        "@latest",
        &info("v3.0.0+incompatible", "2026-11-01T00:00:00Z"),
    );
    let policy = old_only("v3");
    assert!(backend.get(&policy, "@latest").contains("\"v1.0.0\""));
    backend.put("v1.0.0.mod", "module corp.example/lib\n");
    assert!(
        backend
            .get(&policy, "@latest")
            .contains("v2.0.0+incompatible")
    );
}

#[test]
fn a_branch_is_evaluated_by_the_version_in_the_answer() {
    let mut backend = Backend::with(&[]);
    let pseudo = "v1.2.1-0.20261101000000-0123456789ab";
    backend.put("main.info", &info(pseudo, "2026-11-01T00:00:00Z"));
    let denied = backend.get(&old_only(">=1.2.0"), "main.info");
    assert!(
        denied.starts_with(&format!("403 modgate: denied corp.example/lib@{pseudo}")),
        "{denied}"
    );
    assert!(
        backend
            .get(&old_only("<1.2.0"), "main.info")
            .starts_with("200 {")
    );
    for (bad, why) in [
        (r#"{"Version":"v1.0.0","version":"v1.2.0"}"#, "twice"),
        (r#"{"Version":"main"}"#, "none that the module can have"),
        (r#"{"Version":"v2.0.0"}"#, "none that the module can have"),
        ("<html>", "cannot be read"),
    ] {
        backend.put("main.info", bad);
        let answer = backend.get(&old_only("<1.2.0"), "main.info");
        assert!(
            answer.starts_with("502 ") && answer.contains(why),
            "{answer}"
        );
    }
    backend.fail("main.info", 302, "elsewhere");
    assert!(
        backend
            .get(&old_only("<1.2.0"), "main.info")
            .starts_with("502 ")
    );
    backend.fail("main.info", 410, "gone");
    assert_eq!(backend.get(&old_only("<1.2.0"), "main.info"), "410 gone");
}

#[test]
fn a_young_version_is_neither_listed_nor_served() {
    let mut backend = Backend::with(&[
        ("v1.0.0", 400),
        ("v1.1.0", 30),
        ("v1.2.0", 7),
        ("v1.3.0", 6),
        ("v1.4.0", 0),
        ("v1.5.0-rc1", 1),
    ]);
    backend.put("@latest", &info("v1.4.0", "2026-11-22T23:00:00Z"));
    let policy = a_week();
    assert_eq!(backend.get(&policy, "list"), "200 v1.0.0\nv1.1.0\nv1.2.0\n");
    assert_eq!(
        backend.requested(),
        [
            "list",
            "v1.4.0.info",
            "v1.3.0.info",
            "v1.2.0.info",
            "v1.1.0.info",
            "v1.0.0.info",
            "v1.5.0-rc1.info",
            "v1.4.0.mod"
        ]
    );
    assert_eq!(*backend.rounds.borrow(), [1, 6, 1], "all ages at once");
    assert!(backend.get(&policy, "@latest").contains("\"v1.2.0\""));
    // Each is evaluated when it is asked for, the zip by itself, too.
    let rows = [
        ("v1.3.0.zip", "6d"),
        ("v1.4.0.info", "0s"),
        ("v1.5.0-rc1.zip", "1d"),
    ];
    table_rows::check(rows, |(file, days)| {
        let denied = backend.get(&policy, file);
        let want = format!("age: {days}; allowed from 7d on\n");
        assert!(
            denied.starts_with("403 ") && denied.contains(&want),
            "{denied}"
        );
        assert!(
            denied.contains("rule: r/week\nreason: the version is too new\n"),
            "{denied}"
        );
    });
    backend.requested();
    assert!(
        backend
            .get(&policy, "v1.1.0.zip")
            .starts_with("forward /base")
    );
    assert!(backend.requested().is_empty(), "its age is known");
}

#[test]
fn an_unknown_age_is_not_old_enough() {
    let mut backend = Backend::with(&[("v1.0.0", 400), ("v1.1.0", 30), ("v1.9.9", 0)]);
    let policy = a_week();
    for (answer, status) in [("not there", 404), ("down", 503)] {
        backend.fail("v1.1.0.info", status, answer);
        assert_eq!(
            backend.get(&policy, "v1.1.0.zip"),
            format!("{status} {answer}")
        );
        let others = backend.get(&week_for_all(), "list");
        // What is not there is not offered; what cannot be told of the newest one is a failure.
        let want = match status {
            404 => "200 v1.0.0\n",
            _ => "503 down",
        };
        assert_eq!(others, want);
    }
    for time in ["null", "\"\"", "\"yesterday\"", "\"2999-01-01T00:00:00Z\""] {
        let body = format!("{{\"Version\":\"v1.1.0\",\"Time\":{time}}}");
        backend.put("v1.1.0.info", &body);
        let denied = backend.get(&policy, "v1.1.0.zip");
        assert!(!denied.starts_with("forward"), "{time}: {denied}");
    }
    backend.notes.borrow_mut().clear();
    // Another version's answer says nothing of this one's age.
    backend.put("v1.1.0.info", &info("v1.0.0", "2001-01-01T00:00:00Z"));
    let denied = backend.get(&policy, "v1.1.0.zip");
    assert!(denied.starts_with("502 "), "{denied}");
    // An exception needs no age.
    backend.requested();
    assert!(backend.get(&policy, "v1.9.9.zip").starts_with("forward"));
    assert!(backend.requested().is_empty());
}

#[test]
fn the_policy_chooses_the_source_of_ages() {
    let backend = Backend::with(&[("v1.0.0", 0)]);
    assert!(
        backend
            .get(&week_for_all(), "v1.0.0.zip")
            .starts_with("403 ")
    );
    let rules = json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]);
    let by_header = json!({"cluster": "c", "base_path": "/base", "age": "last_modified"});
    let policy = policy_with(rules, by_header);
    assert!(backend.get(&policy, "v1.0.0.zip").starts_with("forward"));
}

#[test]
fn a_min_age_denial_passes_old_versions_to_the_next_rule() {
    let backend = Backend::with(&[("v1.0.0", 400), ("v1.1.0", 3)]);
    let policy = policy(json!([
        {"id": "fresh", "deny": ["*"], "min_age": "7d", "reason": "too fresh"},
        {"id": "public", "allow": ["corp.example"]},
    ]));
    let denied = backend.get(&policy, "v1.1.0.zip");
    assert!(
        denied.contains("rule: r/fresh\nreason: too fresh\nage: 3d"),
        "{denied}"
    );
    assert!(backend.get(&policy, "v1.0.0.zip").starts_with("forward"));
    assert_eq!(backend.get(&policy, "list"), "200 v1.0.0\n");
}

#[test]
fn a_missing_list_is_passed_on_unchanged() {
    let mut backend = Backend::default();
    let policy = old_only("<1.0.0");
    assert_eq!(backend.get(&policy, "list"), "404 not found: there is none");
    backend.fail("list", 500, "oops");
    assert_eq!(backend.get(&policy, "list"), "500 oops");
    backend.put("list", "");
    assert_eq!(backend.get(&policy, "list"), "200 ");
}
