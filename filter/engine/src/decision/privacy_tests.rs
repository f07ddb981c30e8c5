//! Private names: which checksum database hears of which module, and which caches keep what.

use super::*;
use serde_json::{Value, json};

use super::integrity_tests::KEY;

fn policy_of(document: &Value) -> Policy {
    Policy::from_json(document.to_string().as_bytes()).unwrap()
}

fn evaluate<'p>(policy: &'p Policy, path: &str, more: &[(&str, &str)]) -> RequestDecision<'p> {
    let own = [(":method", "GET"), (":path", path)];
    let headers: Vec<Header> = own
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    super::evaluate(policy, &headers, &())
}

fn document() -> Value {
    json!({
        "version": "1", "default": "deny", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["own", "org"]}, "guest": {"rules": ["org"]}},
        "rules": {
            "own": [{"id": "own", "allow": ["corp.example", "github.com/corp", "gopkg.in/corp"]}],
            "org": [{"id": "corp", "deny": ["corp.example"]}, {"id": "all", "allow": ["*"]}]
        },
        "backends": {"public": {"cluster": "public"}, "private": {"cluster": "private"}},
        "routes": [{"id": "rest", "backend": "public"}],
        "sumdb": {
            "sum.golang.org": {"backend": "public", "private": ["github.com/corp"]},
            "sum.corp.example": {"backend": "private", "modules": ["corp.example/team"]}
        },
        "integrity": {
            "mode": "shadow", "private": ["corp.example/", "re:[^/]+\\.corp\\.example", "*.corp.test/*"],
            "sumdb": {"key": KEY, "backend": "public"}
        }
    })
}

/// What is answered to a lookup, or the cluster that gets it.
fn looked_up(
    policy: &Policy,
    tenant: &str,
    database: &str,
    module: &str,
) -> Result<String, String> {
    let path = format!("/t/{tenant}/sumdb/{database}/lookup/{module}@v1.0.0");
    match evaluate(policy, &path, &[]).action {
        Decision::LocalReply(reply) => Err(format!("{} {}", reply.status, reply.body)),
        Decision::Forward { cluster, .. } => Ok(cluster.to_owned()),
        Decision::Pending { .. } => panic!("no rule is about versions"),
    }
}

#[test]
fn private_names_reach_no_other_checksum_database() {
    let policy = policy_of(&document());
    let rows = [
        ("corp.example/lib", "corp.example"),
        ("corp.example/team/lib", "corp.example"),
        ("corp.example/%74eam/lib", "corp.example"),
        ("corp.example/!team/lib", "corp.example"),
        ("corp.example/lib/v2/sub", "corp.example"),
        ("github.com/corp/lib", "github.com/corp"),
        // To the host it is the same repository; to go's own pattern it is not.
        ("github.com/!corp/lib", "github.com/Corp/lib"),
        ("github.com/%21co%72p/lib", "github.com/Corp/lib"),
        ("gopkg.in/corp/lib.v1", "gopkg.in/corp/lib.v1"),
        ("git.corp.example/a/b", "git.corp.example/a/b"),
        ("git.corp.test/a/b", "*.corp.test/*"),
    ];
    table_rows::check(rows, |(module, set)| {
        let said = looked_up(&policy, "web", "sum.golang.org", module);
        let refused = said.unwrap_err();
        assert!(refused.starts_with("403 "), "{module}: {refused}");
        let line = format!("set GONOSUMDB={set}\n");
        assert!(refused.contains(&line), "{module}: {refused}");
    });
    let rows = [
        ("web", "sum.golang.org", "golang.org/x/text", "public"),
        ("web", "sum.golang.org", "corp.example.org/lib", "public"),
        ("web", "sum.golang.org", "github.com/corpus/lib", "public"),
        ("web", "sum.golang.org", "git.corp.test", "public"),
        (
            "web",
            "sum.corp.example",
            "corp.example/team/lib",
            "private",
        ),
        ("web", "sum.corp.example", "golang.org/x/text", "private"),
    ];
    table_rows::check(rows, |(tenant, database, module, cluster)| {
        let said = looked_up(&policy, tenant, database, module);
        assert_eq!(said.as_deref(), Ok(cluster), "{database} {module}");
    });
    // A private name is none of another private database's business.
    let other = looked_up(&policy, "web", "sum.corp.example", "github.com/corp/lib");
    assert!(other.unwrap_err().contains("GONOSUMDB=github.com/corp\n"));
    // Who may not have the module hears that, as before.
    let guest = looked_up(&policy, "guest", "sum.golang.org", "corp.example/lib");
    assert!(guest.unwrap_err().contains("rule: org/corp\n"));
}

#[test]
fn a_long_private_name_leaves_room_for_what_to_set() {
    let policy = policy_of(&document());
    let module = format!("github.com/!corp/{}", "x".repeat(1000));
    let refused = looked_up(&policy, "web", "sum.golang.org", &module).unwrap_err();
    assert!(refused.len() < crate::reply::MAX_DENIAL_BYTES, "{refused}");
    assert!(
        refused.contains("GONOSUMDB=github.com/Corp/xxx"),
        "{refused}"
    );
}

#[test]
fn the_filter_queries_no_checksum_database_for_private_names() {
    let requested = |document: &Value, module: &str| {
        let policy = policy_of(document);
        let decision = evaluate(&policy, &format!("/t/web/{module}/@v/v1.0.0.zip"), &[]);
        match decision.plan {
            Plan::Check(checked) => Some(checked.evidence.as_str()),
            _ => None,
        }
    };
    let mut document = document();
    assert_eq!(requested(&document, "golang.org/x/text"), Some("sumdb"));
    for private in [
        "corp.example/lib",
        "github.com/corp/lib",
        "github.com/!corp/lib",
    ] {
        assert_eq!(requested(&document, private), None, "{private}");
    }
    // Of the database that is its own it asks, unless `integrity` says otherwise.
    document["sumdb"]["sum.golang.org"]["modules"] = json!(["github.com/corp"]);
    assert_eq!(requested(&document, "github.com/corp/lib"), Some("sumdb"));
    document["integrity"]["private"] = json!(["github.com/corp"]);
    assert_eq!(requested(&document, "github.com/corp/lib"), None);
}

#[test]
fn errors_in_private_patterns_have_their_path() {
    let rows = [
        (
            "private",
            json!(["corp"]),
            "$.sumdb.sum.golang.org.private[0]: the pattern",
        ),
        (
            "modules",
            json!([]),
            "$.sumdb.sum.golang.org.modules: an empty list",
        ),
        (
            "private",
            json!(["a.b", "re:("]),
            "$.sumdb.sum.golang.org.private[1]: the pattern",
        ),
    ];
    table_rows::check(rows, |(key, patterns, error)| {
        let mut document = document();
        document["sumdb"]["sum.golang.org"][key] = patterns;
        let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let error = error.replace(".sum.golang.org", "['sum.golang.org']");
        assert!(errors.iter().any(|e| e.starts_with(&error)), "{errors:?}");
    });
}

/// Whether a shared cache may keep the answer to a request.
fn is_shared(policy: &Policy, path: &str, more: &[(&str, &str)]) -> bool {
    let decision = evaluate(policy, path, more);
    assert!(
        !matches!(decision.action, Decision::LocalReply(_)),
        "{path}"
    );
    decision.cache_scope == CacheScope::Shared
}

fn of_tenants(identity: Value) -> Value {
    json!({
        "version": "1", "default": "allow", "identity": identity,
        "tenants": {"web": {"rules": ["r"]}, "guest": {}, "*": {}},
        "rules": {"r": [{"id": "r", "deny": ["x.y"]}]},
        "backends": {"b": {"cluster": "b"}, "c": {"cluster": "c"}}, "routes": [{"id": "r", "backend": "b"}],
    })
}

#[test]
fn an_answer_is_shared_if_the_path_or_nothing_identifies_the_tenant() {
    const FILE: &str = "/a.b/c/@v/v1.0.0.zip";
    let header = json!([{"header": "x-team", "trusted": true}]);
    let prefix = json!([{"path_prefix": "/t/{tenant}"}, {"header": "x-old"}]);
    let both = json!([{"path_prefix": "/t/{tenant}"}, {"header": "x-team", "trusted": true}]);
    let of_web = format!("/t/web{FILE}");
    for (identity, path, shared) in [
        (json!([]), FILE, true),
        (prefix.clone(), &of_web, true),
        (prefix.clone(), FILE, true),
        (header.clone(), FILE, false),
        (json!([{"sni": "{tenant}.go.example"}]), FILE, false),
        (json!([{"mtls_subject": "OU={tenant}"}]), FILE, false),
        (json!([{"jwt_claim": "t", "payload": "p"}]), FILE, false),
        (json!([{"basic_user": "x-user"}]), FILE, false),
        // Another source could contradict the path.
        (both, &of_web, false),
        // What no rule is about is everybody's.
        (header.clone(), "/sumdb/sum.golang.org/tile/8/0/001", true),
        (
            header.clone(),
            "/sumdb/sum.golang.org/lookup/a.b/c@v1.0.0",
            false,
        ),
    ] {
        let policy = policy_of(&of_tenants(identity.clone()));
        assert_eq!(is_shared(&policy, path, &[]), shared, "{identity} {path}");
    }
    // Tenants to whom the same is said.
    let mut alike = of_tenants(header);
    alike["tenants"]["web"] = json!({"tier": "gold"});
    assert!(is_shared(&policy_of(&alike), FILE, &[]));
    let mut some = alike.clone();
    some["tenants"]["web"] = json!({"rollout": {"candidate": ["r"], "stage": "enforce"}});
    assert!(!is_shared(&policy_of(&some), FILE, &[("x-team", "guest")]));
    some = alike.clone();
    some["routes"] = json!([{"id": "r", "backends": {"b": 50, "c": 50}, "by": "tenant"}]);
    assert!(!is_shared(&policy_of(&some), FILE, &[]));
    // Nobody would be refused.
    some = alike.clone();
    some["tenants"] = json!({"web": {}, "guest": {}});
    assert!(!is_shared(&policy_of(&some), FILE, &[("x-team", "web")]));
    some = alike;
    some["require"] = json!(["header"]);
    assert!(!is_shared(&policy_of(&some), FILE, &[("x-team", "web")]));
}

#[test]
fn an_answer_that_depends_on_the_client_is_private() {
    const FILE: &str = "/t/web/a.b/c/@v/v1.0.0.zip";
    let plain = || of_tenants(json!([{"path_prefix": "/t/{tenant}"}]));
    assert!(is_shared(&policy_of(&plain()), FILE, &[]));
    assert!(!is_shared(
        &policy_of(&plain()),
        FILE,
        &[("authorization", "Basic eA==")]
    ));
    let mut named = plain();
    named["backends"]["b"]["forward_headers"] = json!(["private-token"]);
    assert!(!is_shared(
        &policy_of(&named),
        FILE,
        &[("private-token", "x")]
    ));
    assert!(is_shared(&policy_of(&named), FILE, &[("other-token", "x")]));

    for (by, shared) in [("client", false), ("tenant", true), ("module", true)] {
        let mut drawn = plain();
        drawn["routes"] = json!([{"id": "r", "backends": {"b": 50, "c": 50}, "by": by}]);
        assert_eq!(is_shared(&policy_of(&drawn), FILE, &[]), shared, "{by}");
        let mut tried = plain();
        tried["tenants"]["web"]["rollout"] =
            json!({"candidate": ["r"], "stage": "canary", "percent": 50, "by": by});
        assert_eq!(is_shared(&policy_of(&tried), FILE, &[]), shared, "{by}");
        let mut routed = plain();
        routed["routes_rollout"] = json!({
            "candidate": [{"id": "r", "backend": "c"}], "stage": "canary", "percent": 50, "by": by
        });
        assert_eq!(is_shared(&policy_of(&routed), FILE, &[]), shared, "{by}");
        let mut split = plain();
        split["splits"] = json!({"s": {
            "module": "a.b/c", "variants": {"x": "v1.0.0", "y": "v1.1.0"}, "control": "x", "strict": true,
            "assign": [{"variant": "x", "tenants": ["web"], "header": "x-ring"}, {"weights": {"x": 100, "y": 0}, "by": by}]
        }});
        assert!(!is_shared(&policy_of(&split), FILE, &[]));
        split["splits"]["s"]["assign"][0] = json!({"variant": "x", "tenants": ["guest"]});
        assert_eq!(is_shared(&policy_of(&split), FILE, &[]), shared, "{by}");
    }
}

#[test]
fn local_replies_are_not_cached() {
    let policy = policy_of(&document());
    for path in [
        "/t/web/sumdb/sum.golang.org/supported",
        "/t/guest/corp.example/lib/@v/list",
        "/t/guest/corp.example/lib/@v/v1.0.0.zip",
        "/t/nobody/a.b/c/@v/list",
        "/t/web/a.b/c/@v/v1.0.0.ziphash",
    ] {
        let Decision::LocalReply(reply) = evaluate(&policy, path, &[]).action else {
            panic!("{path} goes on");
        };
        assert!(
            reply.headers().contains(&("cache-control", "no-store")),
            "{path}"
        );
    }
    assert!(
        LocalReply::unavailable("x")
            .headers()
            .contains(&("cache-control", "no-store"))
    );
}

/// As docs/guides/private-names.md has it: routes go by the exact name.
#[test]
fn another_spelling_of_a_private_name_can_be_denied() {
    let policy = policy_of(&json!({
        "version": "1", "default": "allow", "tenants": {"*": {"rules": ["all"]}},
        "rules": {"all": [
            {"id": "ours", "allow": ["github.com/corp"]},
            {"id": "misspelt", "deny": ["github.com/corp"], "fold_case": true, "reason": "write github.com/corp"}
        ]},
        "backends": {"public": {"cluster": "a", "public": true}, "private": {"cluster": "b"}},
        "routes": [
            {"id": "corp", "modules": ["github.com/corp"], "backend": "private"},
            {"id": "rest", "backend": "public"}
        ],
        "sumdb": {"sum.golang.org": {"backend": "public", "private": ["github.com/corp"]}}
    }));
    let rows = [
        ("/github.com/corp/lib/@v/list", Some("private")),
        ("/github.com/!corp/lib/@v/list", None),
        ("/gopkg.in/corp/lib.v1/@v/list", None),
        ("/github.com/other/lib/@v/list", Some("public")),
    ];
    table_rows::check(rows, |(path, backend)| {
        let decision = evaluate(&policy, path, &[]);
        let led_to = decision.backend().map(|backend| backend.name.as_str());
        assert_eq!(led_to, backend, "{path}");
    });
}
