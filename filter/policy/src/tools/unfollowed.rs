//! Redirects that the filter's own questions cannot follow.

use crate::document::{Document, Path, PolicyError, RuleDoc};

/// Warns of redirects that only clients follow, where the filter queries backends itself.
pub(crate) fn warnings(document: &Document, found: &mut Vec<PolicyError>) {
    if !asks(document) {
        return;
    }
    for (name, backend) in &document.backends {
        let at = Path::root().key("backends").key(name).key("redirects");
        let passed = backend.redirects.iter().enumerate();
        let passed = passed.filter(|(_, redirect)| redirect.pass == Some(true));
        for (i, _) in passed {
            let message = "for rules about versions and for splits the filter queries this backend itself and cannot follow a redirect that is passed to the client: such requests fail with 502; use `rewrite`";
            found.push(at.index(i).key("pass").error(message));
        }
    }
}

/// Whether a rule or a split has the filter ask backends for versions.
pub(crate) fn asks(document: &Document) -> bool {
    let is_about_versions =
        |rule: &RuleDoc| rule.versions.is_some() || rule.except.is_some() || rule.min_age.is_some();
    let mut rules = document.rules.values().flatten();
    let splits = document.splits.as_ref();
    rules.any(is_about_versions) || splits.is_some_and(|splits| !splits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::policy_source::PolicySource;
    use serde_json::{Value, json};

    fn warned(rule: Value, splits: Value) -> Vec<String> {
        let document = json!({
            "version": "1", "default": "deny",
            "tenants": {"*": {"rules": ["org"]}}, "rules": {"org": [rule]}, "splits": splits,
            "backends": {"main": {"cluster": "c", "redirects": [
                {"to": "/old", "rewrite": "/"}, {"to": "https://cdn.example", "pass": true},
            ]}},
            "routes": [{"id": "all", "backend": "main"}],
        });
        let policy_source = PolicySource::from_json(document.to_string().as_bytes())
            .unwrap_or_else(|e| panic!("{e:?}"));
        let warnings = policy_source.warnings().into_iter();
        warnings.map(|warning| warning.path).collect()
    }

    #[test]
    fn a_passed_redirect_is_warned_of_where_the_filter_queries_the_backend() {
        let place = ["$.backends.main.redirects[1].pass"];
        let none = || json!({});
        let split = json!({"s": {
            "module": "a.b/c", "variants": {"new": "v1.1.0", "old": "v1.0.0"}, "control": "old",
            "assign": [{"variant": "new"}],
        }});
        assert!(warned(json!({"id": "all", "allow": ["*"]}), none()).is_empty());
        assert_eq!(
            warned(
                json!({"id": "all", "allow": ["*"], "min_age": "7d"}),
                none()
            ),
            place
        );
        assert_eq!(
            warned(
                json!({"id": "all", "allow": ["*"], "versions": "v1"}),
                none()
            ),
            place
        );
        assert_eq!(warned(json!({"id": "all", "allow": ["*"]}), split), place);
    }
}
