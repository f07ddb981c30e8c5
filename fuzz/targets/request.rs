//! Whole requests, as `modgate_fuzz::asked` reads them, judged by a policy with every identity source.
//! What goes upstream is what was judged, once more judged the same, and what the tenant may have.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_engine::access_log::AccessMembers;
use modgate_engine::decision::{Decision, RequestDecision, evaluate};
use modgate_engine::reply::MAX_DENIAL_BYTES;
use modgate_engine::telemetry::Outcome;
use modgate_fuzz::asked::Asked;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::fixed::{POLICY, PUBLIC, RULE_LABELS, may_have, prefixes};
use modgate_fuzz::upstream;
use modgate_go::gomod::is_canonical_for;
use modgate_go::goproxy::MAX_PATH_BYTES;
use modgate_policy::model::RuleOutcome;

fuzz_target!(|input: &[u8]| {
    let asked = Asked::read(input);
    let decision = within(OF_A_REQUEST, || evaluate(&POLICY, &asked.headers, &asked));
    check_labels(&decision);
    check_log(&asked, &decision);
    check_order(&asked, &decision);
    match &decision.action {
        Decision::Forward { path, .. } | Decision::Pending { path, .. } => {
            check_forwarded(&asked, &decision, path.as_deref());
        }
        Decision::LocalReply(reply) => check_reply(reply.status, &reply.body),
    }
});

/// What a client writes never becomes a label of its own.
fn check_labels(decision: &RequestDecision<'_>) {
    if let Some((outcome, rule)) = decision.decision_labels() {
        assert!(rule == PUBLIC || RULE_LABELS.contains(&rule), "{rule}");
        let forwards = matches!(decision.action, Decision::Forward { .. });
        assert!(!forwards || outcome == RuleOutcome::Allow.as_str());
    }
}

/// What a client writes never ends a line of the access log, or a member of it.
fn check_log(asked: &Asked, decision: &RequestDecision<'_>) {
    let members = AccessMembers::of(&POLICY, &asked.headers, decision);
    let members = members.expect("the access log is on");
    let text = format!(
        "{{\"modgate\":\"{}\"}}",
        members.ended(None, None, Outcome::Ok)
    );
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let tenant = decision.tenant.map_or("-", |tenant| &tenant.name);
    assert_eq!(line["tenant"], tenant);
    let module = decision.module.as_deref().unwrap_or("-");
    let logged = line["module"].as_str().expect("a string");
    // What is very long is cut, and says so.
    let start = logged
        .strip_suffix("...")
        .filter(|start| start.len() > 1000);
    assert!(logged == module || start.is_some_and(|start| module.starts_with(start)));
}

/// The order of headers means nothing.
fn check_order(asked: &Asked, decision: &RequestDecision<'_>) {
    let mut other = asked.clone();
    other.headers.reverse();
    let reversed = evaluate(&POLICY, &other.headers, &other);
    assert_eq!(described(&reversed), described(decision));
}

/// What comes of a request, without the texts for people, which have the last request id.
fn described(decision: &RequestDecision<'_>) -> String {
    let tenant = decision.tenant.map(|tenant| &tenant.name);
    let route = decision.route.map(|route| &route.id);
    match &decision.action {
        Decision::Forward {
            backend,
            cluster,
            path,
        } => format!(
            "{tenant:?} {route:?} {:?} {} {cluster} {path:?}",
            decision.operation, backend.name
        ),
        Decision::Pending { path, .. } => format!("{tenant:?} {route:?} consults {path:?}"),
        Decision::LocalReply(reply) => format!("{tenant:?} {route:?} {}", reply.status),
    }
}

fn check_forwarded(asked: &Asked, decision: &RequestDecision<'_>, rewritten: Option<&str>) {
    let method = asked.value(":method").expect("a method");
    assert!(matches!(method, b"GET" | b"HEAD"));
    assert_eq!(asked.values(":path").count(), 1, "two paths");
    let came = asked.value(":path").expect("a path");
    assert_ne!(
        rewritten.map(str::as_bytes),
        Some(came),
        "rewritten to itself"
    );
    let went = rewritten.unwrap_or_else(|| std::str::from_utf8(came).expect("text"));

    let (before, _) = prefixes(decision);
    let canonical = went
        .strip_prefix(before)
        .expect("the backend's own beginning");
    let read = upstream::read(canonical);
    let module = read.as_ref().map(|read| read.module.as_str());
    let version = read.as_ref().and_then(|read| read.version.as_deref());
    assert_eq!(module, decision.module.as_deref(), "{went}");
    assert_eq!(version, decision.version.as_deref(), "{went}");

    let tenant = &decision.tenant.expect("nobody is sent upstream").name;
    if let Some(module) = module {
        let version = version.filter(|version| is_canonical_for(module, version).is_ok());
        assert!(
            may_have(tenant, module, version),
            "{tenant} got {module} {version:?}"
        );
        let by_version = ["golang.org/x/crypto", "go.dev/fresh"];
        let waits = matches!(decision.action, Decision::Pending { .. });
        let may_wait = by_version.iter().any(|place| module.starts_with(place));
        assert!(may_wait || !waits, "{module} waits");
    }
    check_again(asked, decision, canonical, went);
}

/// What went upstream, asked of the filter, goes upstream the same.
fn check_again(asked: &Asked, decision: &RequestDecision<'_>, canonical: &str, went: &str) {
    let (_, inside) = prefixes(decision);
    let path = format!(
        "/{}{}",
        decision.tenant_prefix,
        &inside.trim_start_matches('/')
    );
    let path = format!("{}{canonical}", path.trim_end_matches('/'));
    // Encoding makes a path longer.
    if path.len() > MAX_PATH_BYTES {
        return;
    }
    let again = asked.with(":path", &path);
    let second = evaluate(&POLICY, &again.headers, &again);
    assert_eq!(
        described_without_path(&second),
        described_without_path(decision),
        "{path}"
    );
    let (Decision::Forward { path: second, .. } | Decision::Pending { path: second, .. }) =
        second.action
    else {
        panic!("the canonical path {path} is refused");
    };
    assert_eq!(second.as_deref().unwrap_or(&path), went, "{path}");
}

fn described_without_path(decision: &RequestDecision<'_>) -> String {
    let tenant = decision.tenant.map(|tenant| &tenant.name);
    let route = decision.route.map(|route| &route.id);
    let backend = decision.backend().map(|backend| &backend.name);
    format!(
        "{tenant:?} {route:?} {backend:?} {:?} {:?} {:?}",
        decision.operation, decision.module, decision.version
    )
}

/// What the Go command prints whole: 8 lines, no blank one among them, every character graphic.
fn check_reply(status: u16, body: &str) {
    assert!(matches!(status, 200 | 400 | 403 | 404 | 405), "{status}");
    assert_eq!(status == 200, body.is_empty());
    assert!(body.len() <= MAX_DENIAL_BYTES, "{} bytes", body.len());
    assert!(body.lines().count() <= 8, "{body}");
    assert!(body.lines().all(|line| !line.trim().is_empty()), "{body}");
    let graphic = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    assert!(body.bytes().all(graphic), "{body:?}");
}
