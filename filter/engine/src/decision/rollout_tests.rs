//! Candidate rules: on nobody, on some, on all.

use serde_json::{Value, json};

use super::*;

fn policy(rollout: Value) -> Policy {
    let document = json!({
        "version": "1", "default": "deny",
        "identity": [
            {"path_prefix": "/t/{tenant}"},
            {"basic_user": "x-user", "map": {"anna": "web", "bob": "web"}},
            {"jwt_claim": "tenant", "payload": "p"},
        ],
        "tenants": {"web": {"rules": ["now"], "rollout": rollout}, "free": {"rules": ["now"]}},
        "rules": {
            "now": [{"id": "all", "allow": ["*"]}],
            "next": [{"id": "own", "allow": ["corp.example"]}, {"id": "no", "deny": ["*"]}],
        },
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// What the host knows of a client.
struct Known(&'static [(&'static str, &'static str)]);

impl Facts for Known {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path = path.join(".");
        let known = self.0.iter().find(|(name, _)| *name == path);
        known.map(|(_, value)| value.as_bytes().to_vec())
    }
}

fn headers(tenant: &str, module: &str) -> Vec<Header> {
    let path = format!("/t/{tenant}/{module}/@v/list");
    vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), path.into_bytes()),
    ]
}

/// The decision that holds and its stage, the other one, and whether they agree.
fn ruled(policy: &Policy, tenant: &str, module: &str, facts: &Known) -> String {
    let decision = evaluate(policy, &headers(tenant, module), facts);
    let rule_decisions = decision.rule_decisions.unwrap();
    let other = rule_decisions
        .shadow
        .map_or("-", |other| other.decision.as_str());
    let (outcome, agreement) = (
        rule_decisions.effective.decision.as_str(),
        rule_decisions.agreement(),
    );
    format!("{} {outcome}, {other}, {agreement}", decision.stage.name)
}

const NOBODY: Known = Known(&[]);

#[test]
fn a_candidate_decides_by_its_stage() {
    let rows = [
        ("off", "enforce allow, -, none", "enforce allow, -, none"),
        (
            "shadow",
            "enforce allow, deny, differ",
            "enforce allow, allow, agree",
        ),
        (
            "enforce",
            "enforce deny, allow, differ",
            "enforce allow, allow, agree",
        ),
    ];
    table_rows::check(rows, |(stage, denied, own)| {
        let policy = policy(json!({"candidate": ["next"], "stage": stage}));
        assert_eq!(ruled(&policy, "web", "golang.org/x/text", &NOBODY), denied);
        assert_eq!(ruled(&policy, "web", "corp.example/lib", &NOBODY), own);
        let others = ruled(&policy, "free", "golang.org/x/text", &NOBODY);
        assert_eq!(others, "enforce allow, -, none");
    });
}

#[test]
fn a_canary_decides_on_its_share_and_on_nobody_else() {
    let canary = |percent: f64, by: &str| {
        policy(json!({"candidate": ["next"], "stage": "canary", "percent": percent, "by": by}))
    };
    let modules: Vec<String> = (0..400).map(|i| format!("golang.org/x/m{i}")).collect();
    let tried = |policy: &Policy| {
        let in_canary = |module: &&String| match &*ruled(policy, "web", module, &NOBODY) {
            "canary deny, allow, differ" => true,
            "enforce allow, deny, differ" => false,
            other => panic!("{other}"),
        };
        modules.iter().filter(in_canary).count()
    };
    assert_eq!(tried(&canary(0.0, "module")), 0);
    assert!((20..=60).contains(&tried(&canary(10.0, "module"))));
    assert_eq!(tried(&canary(100.0, "module")), 400);
    assert!(matches!(tried(&canary(50.0, "tenant")), 0 | 400));
    // Of whom nothing is known nobody is made a part of it.
    assert_eq!(tried(&canary(100.0, "client")), 0);
}

#[test]
fn a_canary_uses_the_most_exact_client_identity() {
    let policy = policy(json!({
        "candidate": ["next"], "stage": "canary", "percent": 50, "by": "client"
    }));
    const CERTIFICATE: (&str, &str) = ("connection.uri_san_peer_certificate", "spiffe://a/b");
    const TENANT: (&str, &str) = (
        "metadata.filter_metadata.envoy.filters.http.jwt_authn.p.tenant",
        "web",
    );
    const SUBJECT: (&str, &str) = (
        "metadata.filter_metadata.envoy.filters.http.jwt_authn.p.sub",
        "anna@corp.example",
    );
    const ADDRESS: (&str, &str) = ("source.address", "10.1.2.3:4567");
    let reported_by = |known: &'static [(&'static str, &'static str)], user: Option<&str>| {
        let mut headers = headers("web", "golang.org/x/text");
        headers.extend(user.map(|user| ("x-user".to_owned(), user.as_bytes().to_vec())));
        evaluate(&policy, &headers, &Known(known)).stage
    };
    let by = |known, user| reported_by(known, user).client;
    assert_eq!(
        by(&[CERTIFICATE, TENANT, SUBJECT, ADDRESS], Some("anna")),
        Some("mtls_uri_san")
    );
    assert_eq!(
        by(&[TENANT, SUBJECT, ADDRESS], Some("anna")),
        Some("jwt_sub")
    );
    assert_eq!(by(&[ADDRESS], Some("anna")), Some("basic_user"));
    assert_eq!(by(&[ADDRESS], None), Some("address"));
    assert_eq!(by(&[], None), None);
    // Another connection of the same client is the same client.
    let sides = |port: &'static [(&'static str, &'static str)]| reported_by(port, None).side;
    assert_eq!(
        sides(&[("source.address", "10.1.2.3:1")]),
        sides(&[("source.address", "10.1.2.3:65535")])
    );
}

#[test]
fn errors_in_a_rollout_have_their_path() {
    for (rollout, place, why) in [
        (
            json!({"candidate": ["nex"], "stage": "shadow"}),
            "$.tenants.web.rollout.candidate[0]",
            "nex",
        ),
        (
            json!({"candidate": ["next"], "stage": "canary"}),
            "$.tenants.web.rollout",
            "percent",
        ),
        (
            json!({"candidate": ["next"], "stage": "canary", "percent": 101, "by": "client"}),
            "$.tenants.web.rollout.percent",
            "from 0 to 100",
        ),
        (
            json!({"candidate": ["next"], "stage": "half"}),
            "$.tenants.web.rollout.stage",
            "half",
        ),
    ] {
        let document = json!({
            "version": "1", "default": "deny",
            "tenants": {"web": {"rules": ["next"], "rollout": rollout}},
            "rules": {"next": [{"id": "all", "allow": ["*"]}]},
            "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
        });
        let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
        let found = errors
            .iter()
            .any(|e| e.path == place && e.message.contains(why));
        assert!(found, "{errors:?}");
    }
}
