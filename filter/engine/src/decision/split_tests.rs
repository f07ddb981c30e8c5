//! Who gets which variant, and what is wrong with splits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::evaluate;
use super::split::AssignedBy;
use super::*;
use modgate_go::http::Header;
use modgate_policy::model::By;

const EXAMPLE: &str = include_str!("../../../../examples/split/policy.json");

/// A client at an address.
struct At(String);

impl Facts for At {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        (path == ["source", "address"]).then(|| self.0.clone().into_bytes())
    }
}

/// The variant that a client gets of the example's module.
fn variant(
    policy: &Policy,
    tenant: &str,
    address: &str,
    group: Option<&str>,
) -> (String, AssignedBy) {
    let path = format!("/t/{tenant}/corp.example/lib/@v/list");
    let mut headers: Vec<Header> = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), path.into_bytes()),
    ];
    let group = group.map(|group| ("x-ab-test".to_owned(), group.as_bytes().to_vec()));
    headers.extend(group);
    let decision = evaluate(policy, &headers, &At(format!("{address}:4711")));
    let assigned = decision.split.unwrap();
    (assigned.variant.unwrap().name.clone(), assigned.by)
}

fn example() -> Policy {
    Policy::from_json(EXAMPLE.as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

fn address(i: u32) -> String {
    format!("10.1.{}.{}", i / 250, i % 250)
}

#[test]
fn of_two_thousand_clients_thirty_percent_of_the_group_get_the_beta() {
    let policy = example();
    let clients = 2000;
    let mut beta = 0;
    for i in 0..clients {
        let address = address(i);
        let (first, by) = variant(&policy, "web", &address, Some("group-b"));
        beta += u32::from(first == "beta");
        assert!(
            matches!(
                by,
                AssignedBy::Draw {
                    assign: 1,
                    by: By::Client,
                    ..
                }
            ),
            "{by:?}"
        );
        // Always the same, and whoever is not in the group never.
        let again = variant(&policy, "web", &address, Some("group-b")).0;
        assert_eq!(again, first, "{address}");
        let rows = [
            ("bank", Some("group-b")),
            ("web", None),
            ("web", Some("group-a")),
        ];
        table_rows::check(rows, |(tenant, group)| {
            let (other, by) = variant(&policy, tenant, &address, group);
            assert_eq!(other, "stable", "{tenant} {group:?}");
            assert!(matches!(by, AssignedBy::Name { .. }));
        });
    }
    let (n, p) = (f64::from(clients), 0.3);
    let spread = (n * p * (1.0 - p)).sqrt();
    let off = (f64::from(beta) - n * p).abs();
    assert!(off < 3.3 * spread, "{beta} of {clients}");
}

#[test]
fn new_weights_move_few_clients_and_a_new_seed_redraws_all() {
    let with = |beta: u32, seed: &str| {
        let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
        document["seed"] = json!(seed);
        let weights = json!({"beta": beta, "stable": 100 - beta});
        document["splits"]["lib-beta"]["assign"][1]["weights"] = weights;
        Policy::from_json(document.to_string().as_bytes()).unwrap()
    };
    let (small, large, anew) = (with(10, "a"), with(20, "a"), with(10, "b"));
    let of = |policy: &Policy, i| variant(policy, "web", &address(i), Some("group-b")).0;
    let mut moved = 0;
    let mut redrawn = 0;
    for i in 0..2000 {
        let before = of(&small, i);
        let after = of(&large, i);
        assert!(before == after || after == "beta", "{i}");
        moved += u32::from(before != after);
        redrawn += u32::from(before != of(&anew, i));
    }
    assert!((150..250).contains(&moved), "{moved}");
    assert!(redrawn > 250, "{redrawn}");
}

#[test]
fn unidentified_clients_get_the_control_and_duplicate_headers_are_ignored() {
    let policy = example();
    let headers: Vec<Header> = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (
            ":path".to_owned(),
            b"/t/web/corp.example/lib/@latest".to_vec(),
        ),
        ("x-ab-test".to_owned(), b"group-b".to_vec()),
    ];
    let decision = evaluate(&policy, &headers, &());
    let assigned = decision.split.unwrap();
    assert_eq!(assigned.variant.unwrap().name, "stable");
    assert_eq!(assigned.by, AssignedBy::Unknown { assign: 1 });
    let twice = [headers.clone(), headers[2..].to_vec()].concat();
    let by = evaluate(&policy, &twice, &At("10.0.0.1:1".into()))
        .split
        .unwrap()
        .by;
    assert_eq!(by, AssignedBy::Name { assign: 2 });
}

/// The errors of the example with one member changed, by their paths.
fn errors(change: impl FnOnce(&mut Value)) -> BTreeMap<String, String> {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    change(&mut document);
    let errors = Policy::from_json(document.to_string().as_bytes())
        .err()
        .unwrap_or_default();
    errors
        .into_iter()
        .map(|error| (error.path, error.message))
        .collect()
}

#[test]
fn errors_in_a_split_have_their_path() {
    const AT: &str = "$.splits.lib-beta";
    let split = |key: &'static str, value: Value| {
        move |document: &mut Value| {
            *document
                .pointer_mut(&format!("/splits/lib-beta/{key}"))
                .unwrap() = value;
        }
    };
    let assign = |value: Value| split("assign", json!([value, {"variant": "stable"}]));
    let weights = |value: Value| assign(json!({"weights": value}));
    let header = |name: &str| assign(json!({"header": name, "variant": "beta"}));
    type Change = Box<dyn FnOnce(&mut Value)>;
    let cases: Vec<(Change, &str, &str)> = vec![
        (
            Box::new(split("module", json!("Corp/lib"))),
            ".module",
            "path",
        ),
        (
            Box::new(split("control", json!("stabel"))),
            ".control",
            "stable",
        ),
        (
            Box::new(split("variants/beta", json!("v1.3"))),
            ".variants.beta",
            "not a canonical version",
        ),
        (
            Box::new(split("variants/beta", json!("v2.0.0"))),
            ".variants.beta",
            "not a canonical version",
        ),
        (
            Box::new(split("variants/beta", json!("v1.2.0"))),
            ".variants.stable",
            "has the same version",
        ),
        (
            Box::new(split(
                "variants/beta",
                json!("v1.3.1-0.20240101120000-0123456789ab"),
            )),
            ".variants.beta",
            "a pseudo-version is in no version list",
        ),
        (
            Box::new(split("assign", json!([]))),
            ".assign",
            "must apply to everybody",
        ),
        (
            Box::new(split(
                "assign",
                json!([{"variant": "beta"}, {"variant": "stable"}]),
            )),
            ".assign[1]",
            "it can never apply",
        ),
        (
            Box::new(weights(json!({"beta": 30, "stable": 60}))),
            ".assign[0].weights",
            "add up to 90.00",
        ),
        (
            Box::new(weights(json!({"beta": 101, "stable": 0}))),
            ".assign[0].weights.beta",
            "from 0 to 100",
        ),
        (
            Box::new(weights(json!({"beat": 30, "stable": 70}))),
            ".assign[0].weights.beat",
            "beta",
        ),
        (
            Box::new(assign(json!({"tiers": ["gold"]}))),
            ".assign[0]",
            "exactly one of variant",
        ),
        (
            Box::new(assign(json!({"tiers": ["gold"], "variant": "beta"}))),
            ".assign[0].tiers[0]",
            "gold",
        ),
        (
            Box::new(assign(json!({"tenants": ["bnak"], "variant": "beta"}))),
            ".assign[0].tenants[0]",
            "bank",
        ),
        (
            Box::new(assign(json!({"variant": "beta", "by": "client"}))),
            ".assign[0].by",
            "`by` needs",
        ),
        (
            Box::new(assign(json!({"variant": "beta", "value": "x"}))),
            ".assign[0].value",
            "needs `header`",
        ),
        (
            Box::new(header("x-modgate-cluster")),
            ".assign[0].header",
            "identifies the client",
        ),
        (
            Box::new(header("a b")),
            ".assign[0].header",
            "not a valid header name",
        ),
    ];
    for (change, place, wanted) in cases {
        let errors = errors(change);
        let at = errors
            .iter()
            .find(|(path, _)| path.ends_with(place))
            .unwrap_or_else(|| panic!("nothing at {AT}{place}: {errors:?}"));
        assert!(at.1.contains(wanted), "{place}: {errors:?}");
    }
    let both = errors(|document| {
        let split = document["splits"]["lib-beta"].clone();
        document["splits"]["other"] = split;
    });
    assert!(both["$.splits.other.module"].contains("\"lib-beta\" already covers this module"));
    let denied = errors(|document| {
        let beta = json!({"id": "no-beta", "deny": ["corp.example"], "versions": ">=1.3.0-0"});
        document["rules"]["corp"]
            .as_array_mut()
            .unwrap()
            .insert(0, beta);
    });
    let place = format!("{AT}.variants.beta");
    assert_eq!(
        denied.get(&place).map(String::as_str),
        Some("the rule no-beta refuses v1.3.0-beta.1 to everybody else")
    );
    let seed = errors(|document| {
        document.as_object_mut().unwrap().remove("splits");
    });
    assert!(seed["$.seed"].contains("no splits"));
}

/// The backend of a request, with shares of the backend `new`.
fn backend(policy: &Policy, path: &str) -> String {
    let headers: Vec<Header> = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), path.as_bytes().to_vec()),
    ];
    evaluate(policy, &headers, &At("10.0.0.1:1".into()))
        .backend()
        .unwrap()
        .name
        .clone()
}

fn shared(new: f64, more: Value) -> Policy {
    let mut route = json!({"id": "all", "backends": {"old": 100.0 - new, "new": new}});
    let more = more.as_object().unwrap().clone();
    route.as_object_mut().unwrap().extend(more);
    let mut tenants: Value = (0..40).map(|i| (format!("t{i}"), json!({}))).collect();
    tenants["*"] = json!({});
    let document = json!({
        "version": "1", "default": "allow",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": tenants,
        "backends": {"old": {"cluster": "a"}, "new": {"cluster": "b"}, "none-of-it": {"cluster": "c"}},
        "routes": [route],
        "sumdb": {"sum.golang.org": {}},
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

#[test]
fn a_module_has_one_backend_and_new_weights_move_few_modules() {
    let (small, large) = (shared(10.0, json!({})), shared(20.0, json!({})));
    let (mut on_new, mut moved) = (0, 0);
    for i in 0..2000 {
        let module = format!("corp.example/team{}/lib{i}", i % 7);
        let of = |policy: &Policy, file: &str| backend(policy, &format!("/t/web/{module}/{file}"));
        let list = of(&small, "@v/list");
        for file in [
            "@latest",
            "@v/v1.0.0.info",
            "@v/v1.0.0.mod",
            "@v/v1.0.0.zip",
            "@v/main.info",
        ] {
            assert_eq!(of(&small, file), list, "{module} {file}");
        }
        let other_tenant = backend(&small, &format!("/t/other/{module}/@v/list"));
        assert_eq!(other_tenant, list, "{module}");
        let after = of(&large, "@v/list");
        assert!(after == list || after == "new", "{module}");
        on_new += u32::from(list == "new");
        moved += u32::from(after != list);
    }
    assert!((155..245).contains(&on_new), "{on_new}");
    assert!((155..245).contains(&moved), "{moved}");
    // Nor is the checksum database torn apart.
    let half = shared(50.0, json!({}));
    let of = |call: &str| backend(&half, &format!("/t/web/sumdb/sum.golang.org/{call}"));
    let latest = of("latest");
    for call in [
        "lookup/corp.example/lib@v1.0.0",
        "tile/8/0/001",
        "tile/8/1/000.p/7",
    ] {
        assert_eq!(of(call), latest, "{call}");
    }
}

#[test]
fn a_route_can_draw_by_tenant() {
    let policy = shared(50.0, json!({"by": "tenant"}));
    let mut seen = std::collections::BTreeSet::new();
    for tenant in 0..40 {
        let of = |i| {
            backend(
                &policy,
                &format!("/t/t{tenant}/corp.example/lib{i}/@v/list"),
            )
        };
        assert!((1..20).all(|i| of(i) == of(0)), "{tenant}");
        seen.insert(of(0));
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn errors_in_backend_weights_have_their_path() {
    for (route, place, wanted) in [
        (
            json!({"id": "r"}),
            "$.routes[0]",
            "exactly one of backend and backends",
        ),
        (
            json!({"id": "r", "backend": "b", "backends": {"b": 100}}),
            "$.routes[0]",
            "exactly one",
        ),
        (
            json!({"id": "r", "backend": "b", "by": "client"}),
            "$.routes[0].by",
            "`by` needs",
        ),
        (
            json!({"id": "r", "backends": {"b": 99.5}}),
            "$.routes[0].backends",
            "add up to 99.50",
        ),
        (
            json!({"id": "r", "backends": {"c": 100}}),
            "$.routes[0].backends.c",
            "no backend is named",
        ),
        (
            json!({"id": "r", "backends": {"b": 100.001}}),
            "$.routes[0].backends.b",
            "two decimals",
        ),
    ] {
        let document = json!({
            "version": "1", "default": "allow", "tenants": {"*": {}},
            "backends": {"b": {"cluster": "c"}}, "routes": [route],
        });
        let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
        let reported = errors
            .iter()
            .any(|e| e.path == place && e.message.contains(wanted));
        assert!(reported, "{place}: {errors:?}");
    }
}

/// The example with this rollout of its split.
fn tried(rollout: Value) -> Policy {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    document["splits"]["lib-beta"]["strict"] = json!(true);
    document["splits"]["lib-beta"]["rollout"] = rollout;
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// The stage of a client's assignment, and whether the request goes on as if there were no split.
fn stage_of(policy: &Policy, address: &str, file: &str) -> (Option<&'static str>, bool) {
    let path = format!("/t/web/corp.example/lib/@v/{file}");
    let headers: Vec<Header> = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), path.into_bytes()),
    ];
    let decision = evaluate(policy, &headers, &At(format!("{address}:4711")));
    let goes_on = matches!(decision.action, super::Decision::Forward { .. });
    (decision.split.map(|assigned| assigned.stage), goes_on)
}

#[test]
fn a_split_in_shadow_only_records_its_assignments() {
    let shadow = tried(json!({"stage": "shadow"}));
    let off = tried(json!({"stage": "off"}));
    let enforced = tried(json!({"stage": "enforce"}));
    for file in ["list", "main.info"] {
        assert_eq!(stage_of(&shadow, "10.0.0.1", file), (Some("shadow"), true));
        assert_eq!(stage_of(&off, "10.0.0.1", file), (None, true));
        assert_eq!(
            stage_of(&enforced, "10.0.0.1", file),
            (Some("enforce"), false)
        );
    }
    // Not even the files that it would refuse.
    assert_eq!(stage_of(&shadow, "10.0.0.1", "v1.1.0.zip"), (None, true));
    assert_eq!(
        stage_of(&enforced, "10.0.0.1", "v1.1.0.zip"),
        (Some("enforce"), false)
    );
}

#[test]
fn a_split_canary_leads_only_its_share() {
    let canary = |percent| tried(json!({"stage": "canary", "percent": percent, "by": "client"}));
    let (small, large) = (canary(20), canary(50));
    let mut members = 0;
    for i in 0..1000 {
        let address = address(i);
        match stage_of(&small, &address, "list") {
            (Some("canary"), false) => {
                members += 1;
                assert_eq!(stage_of(&large, &address, "list").0, Some("canary"));
            }
            found => assert_eq!(found, (Some("shadow"), true)),
        }
    }
    assert!((150..250).contains(&members), "{members}");
}

#[test]
fn errors_in_a_splits_rollout_have_their_path() {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    document["splits"]["lib-beta"]["rollout"] = json!({"stage": "canary", "percent": 101});
    let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for expected in [
        "$.splits.lib-beta.rollout.percent: write a number",
        "$.splits.lib-beta.rollout: a canary needs `by`",
    ] {
        assert!(errors.iter().any(|e| e.starts_with(expected)), "{errors:?}");
    }
}
