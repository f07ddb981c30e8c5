//! The policy by which requests are judged, `policies/every-source.json`, and what it means in plain
//! words: written down a second time, without the engine.

use std::sync::LazyLock;

use modgate_engine::judge::Judgement;
use modgate_engine::policy::Policy;

/// A policy with every identity source that there is.
pub static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let document = include_bytes!("../policies/every-source.json");
    Policy::from_json(document).expect("the fuzz targets' own policy is good")
});

/// The same without `require`: who is who, whatever proves it.
pub static OPEN: LazyLock<Policy> = LazyLock::new(|| {
    let document = include_str!("../policies/every-source.json");
    let open = document.replace(r#", "require": ["mtls", "jwt"]"#, "");
    assert_ne!(open, document, "no tenant of the policy requires anything");
    Policy::from_json(open.as_bytes()).expect("good without require too")
});

/// Every value that the label `rule` can have under this policy.
pub const RULE_LABELS: [&str; 12] = [
    "default",
    "identity",
    "route",
    "sumdb",
    "own",
    "vault",
    "typosquat",
    "private",
    "tests",
    "evil",
    "secret",
    "tools",
];

/// The label of the rule that lets most modules through.
pub const PUBLIC: &str = "public";

/// Whether a tenant may have a module, by the rules as a person reads them.
pub fn may_have(tenant: &str, module: &str) -> bool {
    let at_or_below = |place: &str| {
        let rest = module.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if tenant == "vault" {
        return at_or_below("vault.example");
    }
    if tenant == "payments" && at_or_below("corp.example/payments") {
        return true;
    }
    let on_github = module
        .strip_prefix("github.com/")
        .and_then(|rest| rest.split_once('/'));
    let denied = at_or_below("github.com/boltdb-go/bolt")
        || at_or_below("corp.example")
        || module.to_ascii_lowercase().starts_with("github.com/evil")
        || on_github.is_some_and(|(_, name)| name.ends_with("-test") || name.starts_with("secret"));
    let tool = module
        .strip_prefix("tools.example/")
        .and_then(|rest| rest.strip_suffix("/cmd"));
    let allowed = ["github.com", "golang.org", "gopkg.in", "go.dev"]
        .into_iter()
        .any(at_or_below)
        || tool.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
        });
    allowed && !denied
}

/// What stands before the module upstream, and what a client writes in its place behind the tenant's
/// prefix, for the route that was taken.
///
/// # Panics
/// For a route that the document has not.
pub fn prefixes(judgement: &Judgement<'_>) -> (&'static str, &'static str) {
    const PRIVATE: &str = "/artifactory/api/go/go-virtual";
    match judgement.route.map(|route| route.id.as_str()) {
        Some("v1") => (
            "/artifactory/api/go/go-virtual/private.proxy/v1",
            "/go.dev/v1",
        ),
        Some("kept") => ("/go.dev/v1/kept", "/go.dev/v1/kept"),
        Some("corp") => (PRIVATE, ""),
        Some("rest") => ("", ""),
        Some(other) => panic!("no route is named {other}"),
        // A database with a backend of its own.
        None => (PRIVATE, ""),
    }
}
