//! Where requests go: by host, by share, to those that stand in, and as routes that are tried would.

use serde_json::{Value, json};

use super::*;
use modgate_policy::model::BackendId;

fn document() -> Value {
    json!({
        "version": "1", "default": "allow",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {}, "web": {}},
        "backends": {
            "a": {"cluster": "ca"}, "b": {"cluster": "cb"}, "c": {"cluster": "cc"},
            "hub": {
                "cluster": "hub", "authority": "hub.corp.example",
                "headers": {"Authorization": {"secret": "hub-token"}, "x-team": {"secret": "team"}},
            },
        },
        "routes": [
            {"id": "hub", "hosts": ["hub.example", "*.hub.example"], "backend": "hub"},
            {"id": "docs", "hosts": ["docs.example"], "modules": ["corp.example"], "backend": "b"},
            {"id": "corp", "modules": ["corp.example"], "backends": {"a": 0, "b": 10, "c": 90},
             "on_failure": "next"},
            {"id": "rest", "backend": "a"},
        ],
    })
}

fn policy_of(document: &Value) -> Policy {
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// The document's errors, as `path: message`.
fn errors(document: &Value) -> Vec<String> {
    let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn requested(module: &str, authorities: &[&str]) -> Vec<Header> {
    let mut headers = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (
            ":path".to_owned(),
            format!("/{module}/@v/list").into_bytes(),
        ),
    ];
    let authorities = authorities.iter();
    headers.extend(authorities.map(|a| (":authority".to_owned(), a.as_bytes().to_vec())));
    headers
}

/// The route, the backend and the cluster.
fn destination(policy: &Policy, headers: &[Header]) -> [String; 3] {
    let decision = evaluate(policy, headers, &());
    let route = decision.route.map(|route| route.id.clone());
    match decision.action {
        Decision::Forward {
            backend, cluster, ..
        } => [route.unwrap(), backend.name.clone(), cluster.to_owned()],
        action => panic!("{action:?}"),
    }
}

#[test]
fn a_host_chooses_among_routes_as_a_module_does() {
    let policy = policy_of(&document());
    for (authorities, module, expected) in [
        (&["hub.example"][..], "x.example/m", ["hub", "hub", "hub"]),
        (&["HUB.example.:8080"], "x.example/m", ["hub", "hub", "hub"]),
        (&["eu.hub.example"], "corp.example/m", ["hub", "hub", "hub"]),
        (&["docs.example"], "corp.example/m", ["docs", "b", "cb"]),
        (&["docs.example"], "x.example/m", ["rest", "a", "ca"]),
        (&["evilhub.example"], "x.example/m", ["rest", "a", "ca"]),
        // What is said twice, or is no host, is no host that a route could want.
        (
            &["hub.example", "hub.example"],
            "x.example/m",
            ["rest", "a", "ca"],
        ),
        (&["hub.example/x"], "x.example/m", ["rest", "a", "ca"]),
        (&[], "x.example/m", ["rest", "a", "ca"]),
    ] {
        let found = destination(&policy, &requested(module, authorities));
        assert_eq!(found, expected, "{authorities:?} {module}");
    }
}

#[test]
fn a_host_without_a_route_is_refused() {
    let mut document = document();
    document["routes"] = json!([{"id": "hub", "hosts": ["hub.example"], "backend": "hub"}]);
    let policy = policy_of(&document);
    let decision = evaluate(&policy, &requested("x.example/m", &["other.example"]), &());
    let Decision::LocalReply(reply) = decision.action else {
        panic!("{:?}", decision.action);
    };
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert!(
        reply.body.contains("no route of the policy"),
        "{}",
        reply.body
    );
}

#[test]
fn failover_uses_one_cluster_per_first_backend() {
    let policy = policy_of(&document());
    let mut clusters: Vec<String> = (0..40)
        .map(|i| destination(&policy, &requested(&format!("corp.example/m{i}"), &[])))
        .inspect(|[route, ..]| assert_eq!(route, "corp"))
        .map(|[_, backend, cluster]| {
            assert_eq!(cluster, format!("modgate.next.corp.{backend}"));
            cluster
        })
        .collect();
    clusters.sort();
    clusters.dedup();
    assert_eq!(clusters, ["modgate.next.corp.b", "modgate.next.corp.c"]);

    let names = |order: &[BackendId]| -> Vec<&str> {
        let name = |id: &BackendId| &*policy.backend(*id).unwrap().name;
        order.iter().map(name).collect()
    };
    let failovers: Vec<_> = policy
        .failovers()
        .map(|failover| (&*failover.cluster, names(&failover.order)))
        .collect();
    assert_eq!(
        failovers,
        [
            ("modgate.next.corp.a", vec!["a", "c", "b"]),
            ("modgate.next.corp.b", vec!["b", "c", "a"]),
            ("modgate.next.corp.c", vec!["c", "b", "a"]),
        ]
    );
}

#[test]
fn clients_cannot_set_headers_that_the_proxy_adds() {
    let policy = policy_of(&document());
    let with_token = |authority| {
        let mut headers = requested("x.example/m", &[authority]);
        for name in ["authorization", "x_team", "accept"] {
            headers.push((name.to_owned(), b"mine".to_vec()));
        }
        let mut removed = evaluate(&policy, &headers, &()).remove_headers;
        removed.sort();
        removed
    };
    assert_eq!(with_token("hub.example"), ["authorization", "x_team"]);
    assert_eq!(with_token("other.example"), ["x_team"]);
}

fn tried(stage: Value) -> Policy {
    let mut document = document();
    document["routes_rollout"] = stage;
    document["routes_rollout"]["candidate"] = json!([
        {"id": "corp", "modules": ["corp.example"], "backends": {"b": 50, "c": 50}, "on_failure": "next"},
        {"id": "rest", "modules": ["public.example"], "backend": "c"},
    ]);
    policy_of(&document)
}

/// The backend, the stage, and the backend of the other routes.
fn trial(policy: &Policy, module: &str) -> [String; 3] {
    let decision = evaluate(policy, &requested(module, &[]), &());
    let trial = decision.route_trial.unwrap();
    let alternative = trial
        .alternative
        .map_or("none", |(_, backend)| &backend.name);
    let backend = decision.backend().map_or("none", |backend| &backend.name);
    [backend, trial.stage, alternative].map(ToOwned::to_owned)
}

#[test]
fn routes_in_shadow_only_record_where_they_would_lead() {
    let policy = tried(json!({"stage": "shadow"}));
    assert_eq!(trial(&policy, "public.example/m"), ["a", "enforce", "c"]);
    assert_eq!(trial(&policy, "other.example/m"), ["a", "enforce", "none"]);
    assert_eq!(
        evaluate(&policy_of(&document()), &requested("x.example/m", &[]), &()).route_trial,
        None
    );
}

#[test]
fn a_canary_of_routes_takes_its_share_and_keeps_it() {
    let policy = tried(json!({"stage": "canary", "percent": 25, "by": "module"}));
    let all: Vec<_> = (0..400)
        .map(|i| trial(&policy, &format!("public.example/m{i}")))
        .collect();
    let members = all
        .iter()
        .filter(|found| **found == ["c", "canary", "a"])
        .count();
    let others = all
        .iter()
        .filter(|found| **found == ["a", "enforce", "c"])
        .count();
    assert_eq!(members + others, 400);
    assert!((60..140).contains(&members), "{members}");
    let larger = tried(json!({"stage": "canary", "percent": 60, "by": "module"}));
    for (i, found) in all
        .iter()
        .enumerate()
        .filter(|(_, found)| found[1] == "canary")
    {
        assert_eq!(trial(&larger, &format!("public.example/m{i}")), *found);
    }
    // Where the candidate leads nowhere, its share is refused.
    let all = tried(json!({"stage": "canary", "percent": 100, "by": "module"}));
    assert_eq!(trial(&all, "other.example/m"), ["none", "canary", "a"]);
}

#[test]
fn enforced_routes_lead_all_and_draw_in_clusters_of_their_own() {
    let policy = tried(json!({"stage": "enforce"}));
    assert_eq!(trial(&policy, "public.example/m"), ["c", "enforce", "a"]);
    let [_, backend, cluster] = destination(&policy, &requested("corp.example/m", &[]));
    assert_eq!(cluster, format!("modgate.candidate.corp.{backend}"));
    let off = tried(json!({"stage": "off"}));
    assert_eq!(
        evaluate(&off, &requested("x.example/m", &[]), &()).route_trial,
        None
    );
}

#[test]
fn errors_in_routes_have_their_path() {
    let change = |at: &str, value: Value| {
        let mut document = document();
        *document.pointer_mut(at).unwrap() = value;
        errors(&document)
    };
    let rows = [
        (
            "/routes/0/hosts",
            json!([]),
            "$.routes[0].hosts: an empty list matches no host",
        ),
        (
            "/routes/0/hosts",
            json!(["a b"]),
            "$.routes[0].hosts[0]: \"a b\" is not a valid host",
        ),
        (
            "/routes/0/hosts",
            json!(["a:80"]),
            "$.routes[0].hosts[0]: \"a:80\" is not a valid host",
        ),
        (
            "/routes/0/hosts",
            json!(["a.*"]),
            "$.routes[0].hosts[0]: \"a.*\" is not a valid host",
        ),
        (
            "/routes/2/backends",
            json!({"b": 100}),
            "$.routes[2].on_failure: a single backend has no fallback",
        ),
        (
            "/routes/2/backends",
            json!({"b": 50, "hub": 50}),
            "$.routes[2].on_failure: the backends \"b\" and \"hub\" differ in headers",
        ),
        (
            "/backends/c/cluster",
            json!("cb"),
            "$.routes[2].on_failure: the backends \"b\" and \"c\" have the same cluster",
        ),
        (
            "/backends/a/cluster",
            json!("modgate.next.corp.a"),
            "$.backends.a.cluster: names that begin with \"modgate.\" are reserved",
        ),
        (
            "/backends/hub/authority",
            json!("hub corp"),
            "$.backends.hub.authority: \"hub corp\" is not a valid host",
        ),
        (
            "/backends/hub/headers",
            json!({"host": {"secret": "s"}}),
            "$.backends.hub.headers.host: \"host\" cannot be set for a backend",
        ),
        (
            "/backends/hub/headers",
            json!({"x-modgate-cluster": {"secret": "s"}}),
            "$.backends.hub.headers.x-modgate-cluster: ",
        ),
        (
            "/backends/hub/headers",
            json!({"x-a": {"secret": "s"}, "X_A": {"secret": "s"}}),
            "$.backends.hub.headers.x-a: many servers treat it as the same header",
        ),
        (
            "/backends/hub/cluster",
            json!("ca"),
            "$.backends.hub.headers: the backend \"a\" has the same cluster but different headers",
        ),
    ];
    table_rows::check(rows, |(at, value, expected)| {
        let found = change(at, value.clone());
        assert!(
            found.iter().any(|error| error.starts_with(expected)),
            "{at} {value}: {found:?}"
        );
    });
    // What stands in a secret's place may be the secret.
    let found = change(
        "/backends/hub/headers/x-team/secret",
        json!("Bearer s3cret"),
    );
    assert!(
        found[0].starts_with("$.backends.hub.headers.x-team.secret: "),
        "{found:?}"
    );
    assert!(!found[0].contains("s3cret"), "{found:?}");
    let found = change(
        "/routes/3",
        json!({"id": "rest", "backend": "a", "on_failure": "next"}),
    );
    assert!(
        found[0].starts_with("$.routes[3].on_failure: "),
        "{found:?}"
    );
}

#[test]
fn errors_in_candidate_routes_have_their_path() {
    let with = |rollout: Value| {
        let mut document = document();
        document["routes_rollout"] = rollout;
        errors(&document)
    };
    let route = json!([{"id": "r", "backend": "nope"}]);
    let found = with(json!({"stage": "canary", "candidate": route}));
    for expected in [
        "$.routes_rollout: a canary needs `percent`",
        "$.routes_rollout: a canary needs `by`",
        "$.routes_rollout.candidate[0].backend: no backend is named \"nope\"",
    ] {
        assert!(
            found.iter().any(|e| e.starts_with(expected)),
            "{expected}: {found:?}"
        );
    }
    let prefixed =
        json!([{"id": "r", "path_prefix": "/new", "backend": "a"}, {"id": "s", "backend": "a"}]);
    let found = with(json!({"stage": "shadow", "candidate": prefixed}));
    assert!(
        found[0].starts_with("$.routes_rollout.candidate: its path prefixes"),
        "{found:?}"
    );
}
