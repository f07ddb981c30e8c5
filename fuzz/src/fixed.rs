//! The policy by which requests are judged, `policies/every-source.json`, and what it means in plain
//! words: written down a second time, without the engine.

use std::sync::LazyLock;

use modgate_engine::decision::RequestDecision;
use modgate_policy::model::Policy;

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
pub const RULE_LABELS: [&str; 15] = [
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
    "cve",
    "fresh",
    "fold",
    "tools",
];

/// The label of the rule that lets most modules through.
pub const PUBLIC: &str = "public";

/// Whether a tenant may have a module, or a version of it where one is named, by the rules as a person
/// reads them.
pub fn may_have(tenant: &str, module: &str, version: Option<&str>) -> bool {
    let at_or_below = |place: &str| is_at_or_below(module, place);
    if tenant == "vault" {
        return at_or_below("vault.example");
    }
    if tenant == "payments" && at_or_below("corp.example/payments") {
        return true;
    }
    let crypto = at_or_below("golang.org/x/crypto") && version.is_some_and(is_below_0_31);
    let denied = is_denied(module) || behind_gopkg_in(module).is_some_and(|m| is_denied(&m));
    let tool = module
        .strip_prefix("tools.example/")
        .and_then(|rest| rest.strip_suffix("/cmd"));
    let allowed = ["github.com", "golang.org", "gopkg.in", "go.dev"]
        .into_iter()
        .any(at_or_below)
        || tool.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
        });
    allowed && !denied && !crypto
}

fn is_at_or_below(module: &str, place: &str) -> bool {
    let rest = module.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_denied(module: &str) -> bool {
    let lower = module.to_ascii_lowercase();
    let mut below_owner = module
        .strip_prefix("github.com/")
        .and_then(|rest| rest.split_once('/'))
        .into_iter()
        .flat_map(|(_, names)| names.split('/').enumerate());
    is_at_or_below(module, "github.com/boltdb-go/bolt")
        || is_at_or_below(module, "corp.example")
        || is_at_or_below(&lower, "github.com/fold/case")
        || lower.starts_with("github.com/evil")
        || below_owner
            .any(|(i, name)| name.ends_with("-test") || (i == 0 && name.starts_with("secret")))
}

/// `gopkg.in/NAME.vN` is `github.com/go-NAME/NAME`, `gopkg.in/USER/NAME.vN` is `github.com/USER/NAME`.
fn behind_gopkg_in(module: &str) -> Option<String> {
    let rest = module.strip_prefix("gopkg.in/")?;
    let (name, _) = rest.rsplit_once(".v")?;
    Some(if name.contains('/') {
        format!("github.com/{name}")
    } else {
        format!("github.com/go-{name}/{name}")
    })
}

/// Whether a good version stands before v0.31.0, prereleases of that included.
fn is_below_0_31(version: &str) -> bool {
    let Some(rest) = version.strip_prefix("v0.") else {
        return false;
    };
    let (minor, rest) = rest.split_once('.').unwrap_or((rest, ""));
    match minor.parse::<u64>() {
        Ok(31) => rest.starts_with("0-"),
        Ok(minor) => minor < 31,
        Err(_) => false,
    }
}

/// What stands before the module upstream, and what a client writes in its place behind the tenant's
/// prefix, for the route that was taken.
///
/// # Panics
/// For a route that the document has not.
pub fn prefixes(decision: &RequestDecision<'_>) -> (&'static str, &'static str) {
    const PRIVATE: &str = "/artifactory/api/go/go-virtual";
    match decision.route.map(|route| route.id.as_str()) {
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
