//! Rules about versions, as their writers mean them.

use serde_json::{Value, json};

use super::*;
use modgate_go::gomod::semver;

fn policy(rules: Value) -> Policy {
    let document = json!({
        "version": "1", "default": "deny",
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// `MODULE@VERSION`, or the module as a whole.
fn verdict(policy: &Policy, requested: &str) -> (RuleOutcome, String, bool) {
    let (module, version) = requested.split_once('@').unwrap_or((requested, ""));
    let subject = semver::parse(version).map_or(Subject::Module, |version| {
        Subject::Version(version, Age::Unasked)
    });
    let tenant = policy.tenant(None).unwrap();
    let verdict = policy.decide(tenant, RolloutSide::Active, module, &subject, false);
    (
        verdict.decision,
        verdict.rule_label().to_owned(),
        verdict.needs_lookup,
    )
}

#[track_caller]
fn assert_verdicts(policy: &Policy, wanted: &[(&str, RuleOutcome, &str)]) {
    for (requested, decision, rule) in wanted {
        let (got, by, _) = verdict(policy, requested);
        assert_eq!((got, by.as_str()), (*decision, *rule), "{requested}");
    }
}

use crate::model::{Age, RolloutSide, RuleOutcome, Subject, Verdict};
use RuleOutcome::{Allow, Deny};

#[test]
fn a_rule_is_about_its_versions_and_the_next_decides_on_the_others() {
    let policy = policy(json!([
        {"id": "cve", "deny": ["golang.org/x/crypto"], "versions": "<0.31.0", "except": "v0.30.7"},
        {"id": "beta", "allow": ["corp.example/lib"], "versions": ">=2.0.0-0"},
        {"id": "public", "allow": ["golang.org"]},
    ]));
    assert_verdicts(
        &policy,
        &[
            ("golang.org/x/crypto@v0.30.0", Deny, "cve"),
            ("golang.org/x/crypto@v0.31.0-rc.1", Deny, "cve"),
            (
                "golang.org/x/crypto@v0.0.0-20200622213623-75b288015ac9",
                Deny,
                "cve",
            ),
            ("golang.org/x/crypto@v0.30.7", Allow, "public"),
            ("golang.org/x/crypto@v0.31.0", Allow, "public"),
            ("golang.org/x/crypto/nested@v0.1.0", Deny, "cve"),
            ("golang.org/x/text@v0.1.0", Allow, "public"),
            ("corp.example/lib@v1.9.0", Deny, "default"),
            ("corp.example/lib@v2.0.0+incompatible", Allow, "beta"),
            ("corp.example/lib/v3@v3.0.0-alpha", Allow, "beta"),
        ],
    );
}

#[test]
fn a_module_with_an_allowed_version_is_served() {
    let policy = policy(json!([
        {"id": "cve", "deny": ["golang.org/x/crypto"], "versions": "<0.31.0"},
        {"id": "beta", "allow": ["corp.example/lib"], "versions": "v2"},
        {"id": "never", "deny": ["golang.org/x/net"]},
        {"id": "late", "deny": ["golang.org/x/text"], "versions": "v0.3"},
        {"id": "text", "allow": ["golang.org/x/text/sub"]},
        {"id": "public", "allow": ["golang.org"]},
        {"id": "too-late", "deny": ["golang.org/x/mod"], "versions": "v0.3"},
    ]));
    let rows = [
        ("golang.org/x/crypto", (Allow, "public", true)),
        ("golang.org/x/mod", (Allow, "public", false)),
        ("golang.org/x/text/sub", (Allow, "text", true)),
        ("golang.org/x/net", (Deny, "never", false)),
        ("corp.example/lib", (Allow, "beta", true)),
        ("corp.example/other", (Deny, "default", false)),
    ];
    table_rows::check(rows, |(module, want)| {
        let (decision, rule, needs_lookup) = verdict(&policy, module);
        assert_eq!((decision, rule.as_str(), needs_lookup), want, "{module}");
    });
}

#[test]
fn a_denied_repository_is_denied_under_gopkg_in_too() {
    let policy = policy(json!([
        {"id": "yaml", "deny": ["github.com/go-yaml/yaml"], "versions": "<3.0.1"},
        {"id": "user", "deny": ["re:github\\.com/evil/.*"]},
        {"id": "major", "deny": ["github.com/go-check/check/v2"]},
        {"id": "alone", "deny": ["github.com/go-exact/exact"], "exact": true},
        {"id": "mine", "allow": ["github.com/go-tomb"]},
        {"id": "tomb", "deny": ["gopkg.in/tomb.v1"]},
        {"id": "public", "allow": ["*"]},
    ]));
    assert_verdicts(
        &policy,
        &[
            ("gopkg.in/yaml.v3@v3.0.0", Deny, "yaml"),
            ("gopkg.in/yaml.v3@v3.0.1", Allow, "public"),
            ("gopkg.in/yaml.v1@v1.0.0", Deny, "yaml"),
            ("gopkg.in/yaml.v2-unstable@v2.0.0", Deny, "yaml"),
            ("gopkg.in/evil/lib.v2@v2.0.0", Deny, "user"),
            ("gopkg.in/good/lib.v2@v2.0.0", Allow, "public"),
            ("gopkg.in/check.v1@v1.0.0", Allow, "public"),
            ("gopkg.in/check.v2@v2.0.0", Deny, "major"),
            ("gopkg.in/exact.v1@v1.0.0", Allow, "public"),
            // What is allowed under one name is not allowed under the other.
            ("gopkg.in/tomb.v1@v1.0.0", Deny, "tomb"),
        ],
    );
    // The list is shaped by the same rule.
    assert_eq!(
        verdict(&policy, "gopkg.in/yaml.v3"),
        (Allow, "public".into(), true)
    );
}

#[test]
fn a_denial_covers_what_lies_below_unless_it_is_exact() {
    let policy = policy(json!([
        {"id": "exact", "deny": ["corp.example/a"], "exact": true},
        {"id": "test", "deny": ["re:corp\\.example/.*-test"]},
        {"id": "fold", "deny": ["github.com/BoltDB-go/bolt"], "fold_case": true},
        {"id": "root", "allow": ["corp.example/root"], "exact": true},
        {"id": "re", "allow": ["re:corp\\.example/[abc](-test)?", "github.com"]},
    ]));
    assert_verdicts(
        &policy,
        &[
            ("corp.example/a@v1.0.0", Deny, "exact"),
            ("corp.example/a/v2@v2.0.0", Deny, "default"),
            ("corp.example/b-test/v2@v2.0.0", Deny, "test"),
            ("corp.example/b@v1.0.0", Allow, "re"),
            ("corp.example/b/sub@v1.0.0", Deny, "default"),
            ("github.com/boltdb-go/BOLT/v2@v2.0.0", Deny, "fold"),
            ("corp.example/root@v1.0.0", Allow, "root"),
            ("corp.example/root/sub@v1.0.0", Deny, "default"),
        ],
    );
}

/// The verdict on a version's go.mod file, of whatever age.
fn on_go_mod(policy: &Policy, requested: &str, age: Age) -> (RuleOutcome, String, bool) {
    let (module, version) = requested.split_once('@').unwrap();
    let subject = Subject::GoMod(semver::parse(version).unwrap(), age);
    let tenant = policy.tenant(None).unwrap();
    let verdict = policy.decide(tenant, RolloutSide::Active, module, &subject, false);
    let rule = verdict.rule_label().to_owned();
    (verdict.decision, rule, verdict.needs_lookup)
}

#[test]
fn a_go_mod_file_is_refused_by_rules_about_whole_modules_only() {
    let policy = policy(json!([
        {"id": "cve", "deny": ["golang.org/x/crypto"], "versions": "<0.31.0"},
        {"id": "closed", "deny": ["golang.org/x/net"], "versions": "<0.40.0", "go_mod": "deny"},
        {"id": "secret", "deny": ["corp.example/secret"], "except": "v1.0.0", "hide": true},
        {"id": "gone", "deny": ["golang.org/x/exp"]},
        {"id": "old", "deny": ["golang.org/x/text"], "versions": "<0.3.0"},
        {"id": "text", "deny": ["golang.org/x/text"]},
        {"id": "approved", "allow": ["corp.example/lib"], "versions": "v1.2.3 || v1.4.0"},
        {"id": "listed", "allow": ["corp.example/only"], "versions": "v1.2", "go_mod": "deny"},
        {"id": "rest", "deny": ["corp.example/lib/v2", "corp.example/lib"]},
        {"id": "young", "deny": ["corp.example/new"], "min_age": "7d"},
        {"id": "fresh", "deny": ["corp.example/fresh"], "min_age": "7d", "go_mod": "deny"},
        {"id": "corp", "allow": ["corp.example/new", "corp.example/fresh", "corp.example/secret"]},
        {"id": "public", "allow": ["golang.org"]},
        {"id": "yaml", "deny": ["github.com/go-yaml/yaml"]},
        {"id": "gopkg", "allow": ["gopkg.in"]},
    ]));
    let rows = [
        // Refused as zips, read as go.mod files.
        ("golang.org/x/crypto@v0.10.0", (Allow, "public", false)),
        (
            "golang.org/x/crypto@v0.0.0-20200622213623-75b288015ac9",
            (Allow, "public", false),
        ),
        (
            "golang.org/x/crypto@v0.10.0+incompatible",
            (Allow, "public", false),
        ),
        (
            "golang.org/x/crypto/nested@v0.1.0",
            (Allow, "public", false),
        ),
        // Unless the rule says otherwise, or hides.
        ("golang.org/x/net@v0.39.0", (Deny, "closed", false)),
        ("golang.org/x/net@v0.40.0", (Allow, "public", false)),
        (
            "corp.example/secret@v1.1.0",
            (RuleOutcome::Hide, "secret", false),
        ),
        ("corp.example/secret@v1.0.0", (Allow, "corp", false)),
        // A rule below about the whole module still counts.
        ("golang.org/x/exp@v0.1.0", (Deny, "gone", false)),
        ("golang.org/x/text@v0.1.0", (Deny, "text", false)),
        ("golang.org/x/text@v0.3.0", (Deny, "text", false)),
        ("gopkg.in/yaml.v3@v3.0.1", (Deny, "yaml", false)),
        // Of a module with approved versions all go.mod files, of one without none.
        ("corp.example/lib@v1.2.3", (Allow, "approved", false)),
        ("corp.example/lib@v1.3.0", (Allow, "approved", false)),
        ("corp.example/lib/v2@v2.0.0", (Allow, "approved", false)),
        ("corp.example/only@v1.2.9", (Allow, "listed", false)),
        ("corp.example/only@v1.3.0", (Deny, "default", false)),
        ("corp.example/other@v1.0.0", (Deny, "default", false)),
        // No age is looked up where it does not count.
        ("corp.example/new@v1.0.0", (Allow, "corp", false)),
        ("corp.example/fresh@v1.0.0", (Deny, "fresh", true)),
    ];
    table_rows::check(rows, |(requested, want)| {
        let (decision, rule, needs_lookup) = on_go_mod(&policy, requested, Age::Unasked);
        assert_eq!((decision, rule.as_str(), needs_lookup), want, "{requested}");
    });
    let old = Age::Known(std::time::Duration::MAX);
    let fresh = on_go_mod(&policy, "corp.example/fresh@v1.0.0", old);
    assert_eq!(fresh, (Allow, "corp".to_owned(), false));
}

/// Every policy of up to three rules out of these: what holds of all of them.
#[test]
fn a_version_that_is_served_has_its_go_mod_file_and_its_module_too() {
    let rules = [
        json!({"allow": ["a.b"]}),
        json!({"deny": ["a.b"]}),
        json!({"allow": ["a.b"], "versions": "v1.0.0"}),
        json!({"deny": ["a.b"], "versions": "v1.0.0"}),
        json!({"allow": ["a.b"], "min_age": "7d"}),
        json!({"deny": ["a.b"], "min_age": "7d"}),
        json!({"allow": ["a.b"], "versions": "v1.0.0", "min_age": "7d"}),
        json!({"deny": ["a.b"], "except": "v1.0.0", "min_age": "7d"}),
        json!({"deny": ["a.b"], "versions": "v1.0.0", "hide": true}),
        json!({"allow": ["a.b"], "versions": "v1.0.0", "go_mod": "deny"}),
        json!({"deny": ["a.b"], "versions": "v1.0.0", "go_mod": "deny"}),
        json!({"allow": ["a.b"], "min_age": "7d", "go_mod": "deny"}),
        json!({"deny": ["a.b"], "min_age": "7d", "go_mod": "deny"}),
    ];
    let means_go_mod = |rule: &Value| rule.get("go_mod").is_some() || rule.get("hide").is_some();
    let count = rules.len();
    for n in 0..count.pow(3) {
        let mut chosen: Vec<Value> = [n % count, n / count % count, n / count / count]
            .map(|i| rules[i].clone())
            .into();
        for (i, rule) in chosen.iter_mut().enumerate() {
            rule["id"] = json!(format!("r{i}"));
        }
        let policy = policy(json!(chosen));
        let tenant = policy.tenant(None).unwrap();
        let of = |subject| policy.decide(tenant, RolloutSide::Active, "a.b", &subject, false);
        let module = of(Subject::Module);
        for version in ["v1.0.0", "v1.1.0"] {
            let version = semver::parse(version).unwrap();
            for age in [
                Age::Unasked,
                Age::Unknown,
                Age::Known(std::time::Duration::ZERO),
                Age::Known(std::time::Duration::MAX),
            ] {
                let zip = of(Subject::Version(version, age));
                let go_mod = of(Subject::GoMod(version, age));
                let by =
                    |verdict: &Verdict<'_>| (verdict.decision, verdict.rule_label().to_owned());
                let context = format!("{chosen:?} {version:?} {age:?}");
                if zip.decision == Allow && !zip.needs_lookup {
                    assert_eq!(
                        (go_mod.decision, go_mod.needs_lookup),
                        (Allow, false),
                        "{context}"
                    );
                }
                if go_mod.decision == Allow {
                    assert_eq!(module.decision, Allow, "{context}");
                }
                if !chosen.iter().any(means_go_mod) {
                    assert_eq!(by(&go_mod), by(&module), "{context}");
                    assert!(
                        !go_mod.needs_lookup && go_mod.too_young.is_none(),
                        "{context}"
                    );
                }
                if chosen.iter().all(means_go_mod) {
                    assert_eq!(
                        (by(&go_mod), go_mod.needs_lookup),
                        (by(&zip), zip.needs_lookup),
                        "{context}"
                    );
                }
            }
        }
    }
}

#[test]
fn invalid_versions_are_refused_with_their_place() {
    let document = json!({
        "version": "1", "default": "deny",
        "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [
            {"id": "a", "deny": ["a.b"], "versions": "<1.x", "except": ""},
            {"id": "b", "allow": ["a.b"], "fold_case": true},
            {"id": "d", "allow": ["a.b"], "go_mod": "deny"},
            {"id": "e", "deny": ["a.b"], "go_mod": "deny"},
            {"id": "c", "allow": ["a.b"], "versions": 1.2},
        ]},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    let mut without = document.clone();
    let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(shown[0].starts_with("$.rules.r[4].versions: "), "{shown:?}");
    assert!(shown[0].contains("quote"), "{shown:?}");

    without["rules"]["r"].as_array_mut().unwrap().pop();
    let errors = Policy::from_json(without.to_string().as_bytes()).unwrap_err();
    let places: Vec<&str> = errors.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(
        places,
        [
            "$.rules.r[0].versions",
            "$.rules.r[0].except",
            "$.rules.r[1].fold_case",
            "$.rules.r[2].go_mod"
        ]
    );
}
