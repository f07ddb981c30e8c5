//! Requests that a split leads to a variant.

use super::*;
use crate::decision::AssignedBy;

/// Everybody gets this variant of `stable` (v1.2.0, the control) and `beta` (v1.4.0-beta.1).
fn split(variant: &str, more: Value) -> Policy {
    split_with(variant, more, json!([{"id": "all", "allow": ["*"]}]))
}

fn split_with(variant: &str, more: Value, rules: Value) -> Policy {
    let mut split = json!({
        "module": "corp.example/lib",
        "variants": {"stable": "v1.2.0", "beta": "v1.4.0-beta.1"},
        "control": "stable",
        "assign": [{"variant": variant}],
    });
    let members = more.as_object().unwrap().clone();
    split.as_object_mut().unwrap().extend(members);
    let document = json!({
        "version": "1", "default": "deny", "contact": "#go-platform",
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"b": {"cluster": "c", "base_path": "/base"}},
        "routes": [{"id": "all", "backend": "b"}],
        "splits": {"lib": split},
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

const VERSIONS: [(&str, u64); 6] = [
    ("v1.0.0", 90),
    ("v1.1.0-rc.1", 80),
    ("v1.2.0", 60),
    ("v1.3.0", 30),
    ("v1.4.0-beta.1", 3),
    ("v2.0.0+incompatible", 2),
];

/// The variant that a request came to, and whether by falling back.
fn came_to(backend: &Backend, policy: &Policy, file: &str) -> (Option<String>, bool) {
    let decision = backend.decide(policy, file);
    let assigned = decision.split.unwrap();
    let name = assigned.variant.map(|variant| variant.name.clone());
    (name, assigned.by == AssignedBy::Fallback)
}

#[test]
fn a_release_hides_what_is_higher_and_a_prerelease_every_release_too() {
    let backend = Backend::with(&VERSIONS);
    let stable = split("stable", json!({}));
    let beta = split("beta", json!({}));
    let list = |policy| backend.get(policy, "list");
    assert_eq!(list(&stable), "200 v1.0.0\nv1.1.0-rc.1\nv1.2.0\n");
    assert_eq!(list(&beta), "200 v1.1.0-rc.1\nv1.4.0-beta.1\n");
    assert_eq!(
        came_to(&backend, &beta, "list"),
        (Some("beta".into()), false)
    );
}

#[test]
fn the_latest_and_every_query_is_the_variants_own_info() {
    let mut backend = Backend::with(&VERSIONS);
    let of_main = info(
        "v1.3.1-0.20240101120000-0123456789ab",
        "2024-01-01T12:00:00Z",
    );
    backend.put("main.info", &of_main);
    backend.put("@latest", &info("v1.3.0", "2026-10-01T00:00:00Z"));
    for (variant, version) in [("stable", "v1.2.0"), ("beta", "v1.4.0-beta.1")] {
        let policy = split(variant, json!({}));
        for file in ["@latest", "main.info", "v1.info"] {
            let answer = backend.get(&policy, file);
            assert!(
                answer.starts_with("200 ") && answer.contains(version),
                "{file}: {answer}"
            );
        }
    }
}

#[test]
fn a_named_version_passes_unless_the_split_is_strict() {
    let backend = Backend::with(&VERSIONS);
    let lenient = split("stable", json!({}));
    let strict = split("stable", json!({"strict": true}));
    // What is listed may be had.
    assert_eq!(backend.get(&strict, "list"), "200 v1.2.0\n");
    backend.requested();
    for file in ["v1.3.0.info", "v1.3.0.mod", "v1.3.0.zip", "v1.2.0.zip"] {
        let forwarded = format!("forward /base/corp.example/lib/@v/{file}");
        assert_eq!(backend.get(&lenient, file), forwarded);
        let answer = backend.get(&strict, file);
        // The go.mod file of what is not built passes, so that go can read the graph.
        if file.starts_with("v1.2.0") || file.ends_with(".mod") {
            assert_eq!(answer, forwarded, "{file}");
            continue;
        }
        assert!(answer.starts_with("403 modgate: "), "{answer}");
        assert!(
            answer.contains("the split lib assigns you v1.2.0 (stable)"),
            "{answer}"
        );
        let decision = evaluate(
            &strict,
            &[
                (":method".to_owned(), b"GET".to_vec()),
                (
                    ":path".to_owned(),
                    format!("/corp.example/lib/@v/{file}").into_bytes(),
                ),
            ],
            &(),
        );
        assert_eq!(decision.decision_labels(), Some(("deny", "split")));
    }
    assert_eq!(backend.requested(), Vec::<String>::new());
}

#[test]
fn a_strict_split_refuses_other_versions_also_where_their_age_counts() {
    let backend = Backend::with(&VERSIONS);
    let week = json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]);
    let strict = split_with("stable", json!({"strict": true}), week);
    for file in ["v1.3.0.info", "v1.3.0.zip"] {
        let answer = backend.get(&strict, file);
        let wanted = "the split lib assigns you v1.2.0 (stable)";
        assert!(
            answer.starts_with("403 ") && answer.contains(wanted),
            "{file}: {answer}"
        );
    }
    assert_eq!(backend.requested(), Vec::<String>::new());
    assert!(backend.get(&strict, "v1.2.0.zip").starts_with("forward "));
    assert!(backend.get(&strict, "v1.3.0.mod").starts_with("forward "));
    // The file of a variant counts for it, whatever must be looked up first.
    let decision = backend.decide(&strict, "v1.2.0.zip");
    let variant = decision.of_variant().and_then(|of| of.variant);
    assert_eq!(variant.map(|variant| &*variant.name), Some("stable"));
}

#[test]
fn a_missing_variant_falls_back_to_the_control() {
    let without_beta = Backend::with(&VERSIONS[..4]);
    let policy = split("beta", json!({}));
    assert_eq!(
        without_beta.get(&policy, "list"),
        "200 v1.0.0\nv1.1.0-rc.1\nv1.2.0\n"
    );
    assert!(without_beta.get(&policy, "@latest").contains("v1.2.0"));
    for file in ["list", "@latest"] {
        let came = came_to(&without_beta, &policy, file);
        assert_eq!(came, (Some("stable".into()), true), "{file}");
    }
    // Without the control variant's version there is nothing to be led to.
    let mut without_both = Backend::with(&[("v1.0.0", 90), ("v1.3.0", 30)]);
    without_both.put("@latest", &info("v1.3.0", "2026-10-01T00:00:00Z"));
    assert_eq!(without_both.get(&policy, "list"), "200 v1.0.0\nv1.3.0\n");
    assert!(without_both.get(&policy, "@latest").contains("v1.3.0"));
    assert_eq!(came_to(&without_both, &policy, "list"), (None, true));
    // A backend that is broken is not one that lacks something.
    let mut broken = Backend::with(&VERSIONS);
    broken.fail("v1.4.0-beta.1.info", 500, "broken");
    assert!(broken.get(&policy, "@latest").starts_with("500 "));
}

/// Nobody builds another version than their own, and whoever would is told which one is missing.
#[test]
fn the_files_of_a_strict_split_do_not_follow_where_a_list_falls_back() {
    let without_beta = Backend::with(&VERSIONS[..4]);
    let policy = split("beta", json!({"strict": true}));
    assert_eq!(without_beta.get(&policy, "list"), "200 v1.2.0\n");
    assert_eq!(
        came_to(&without_beta, &policy, "list"),
        (Some("stable".into()), true)
    );
    for file in ["v1.2.0.info", "v1.2.0.zip"] {
        let answer = without_beta.get(&policy, file);
        let missing = "the split lib assigns you v1.4.0-beta.1 (beta); other versions are refused";
        assert!(
            answer.starts_with("403 ") && answer.contains(missing),
            "{file}: {answer}"
        );
    }
}

#[test]
fn a_split_never_assigns_a_refused_version() {
    let rules = json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]);
    let backend = Backend::with(&VERSIONS);
    let policy = split_with("beta", json!({}), rules);
    // The beta is three days old.
    assert_eq!(
        backend.get(&policy, "list"),
        "200 v1.0.0\nv1.1.0-rc.1\nv1.2.0\n"
    );
    assert!(backend.get(&policy, "@latest").contains("v1.2.0"));
    assert_eq!(
        came_to(&backend, &policy, "list"),
        (Some("stable".into()), true)
    );
    let nobody = split_with("stable", json!({}), json!([{"id": "no", "deny": ["*"]}]));
    let decision = backend.decide(&nobody, "list");
    assert!(decision.split.is_none());
    assert!(backend.get(&nobody, "list").starts_with("403 "));
}

#[test]
fn retracted_versions_stay_out_if_the_split_hides_the_newest() {
    let mut backend = Backend::with(&[("v1.1.0", 90), ("v1.2.0", 60), ("v1.3.0", 30)]);
    backend.put(
        "v1.3.0.mod",
        "module corp.example/lib\n\nretract v1.2.0 // broken\n",
    );
    assert_eq!(
        backend.get(&split("stable", json!({})), "list"),
        "200 v1.1.0\n"
    );
}

#[test]
fn the_variant_header_is_sent_if_the_policy_enables_it() {
    let backend = Backend::with(&VERSIONS);
    for (tell, reported) in [(true, Some("beta")), (false, None)] {
        let policy = split("beta", json!({"tell": tell}));
        for file in ["list", "@latest"] {
            let decision = backend.decide(&policy, file);
            let Decision::LocalReply(reply) = &decision.action else {
                panic!("{file} is answered");
            };
            let headers = reply.headers();
            let header = headers
                .iter()
                .find(|(name, _)| *name == "x-modgate-variant");
            assert_eq!(header.map(|(_, value)| *value), reported, "{file}");
        }
    }
}
