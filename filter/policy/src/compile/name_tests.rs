//! Names that metrics, logs or paths mean something else by.

use crate::document::reserved_error;
use crate::model::Policy;
use serde_json::{Value, json};

#[test]
fn reserved_names_are_refused() {
    let document = |pointer: &str, name: &str| -> String {
        let named =
            |kind: &str, plain: &str| (if kind == pointer { name } else { plain }).to_owned();
        let document: Value = json!({
            "version": "1", "default": "deny",
            "tenants": {named("tenant", "web"): {"rules": [named("rule set", "org")], "tier": named("tier", "gold")}},
            "rules": {named("rule set", "org"): [{"id": named("rule", "all"), "allow": ["*"]}]},
            "backends": {named("backend", "main"): {"cluster": "c"}},
            "routes": [{"id": named("route", "rest"), "backend": named("backend", "main")}],
            "splits": {named("split", "lib"): {
                "module": "a.b/c", "control": named("variant", "old"),
                "variants": {named("variant", "old"): "v1.0.0", "new": "v1.1.0"},
                "assign": [{"variant": "new"}]
            }}
        });
        document.to_string()
    };
    let kinds = [
        "tenant", "tier", "rule set", "rule", "backend", "route", "split", "variant",
    ];
    for kind in kinds {
        for name in [
            "-", "other", "none", "unknown", "default", "sumdb", "identity", "fine",
        ] {
            let read = Policy::from_json(document(kind, name).as_bytes());
            let refused = matches!(
                (kind, name),
                (_, "-")
                    | ("tenant", "other" | "sumdb")
                    | ("rule", "other" | "default" | "sumdb" | "identity")
                    | ("backend", "none" | "unknown")
                    | ("split" | "variant", "none" | "other")
            );
            assert_eq!(
                reserved_error(kind, name).is_some(),
                refused,
                "{kind} {name}"
            );
            match read {
                Ok(_) => assert!(!refused, "{kind} {name}"),
                Err(errors) => {
                    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                    let said = format!("the {kind} {name:?}: ");
                    assert!(
                        refused && errors.iter().all(|e| e.contains(&said)),
                        "{errors:?}"
                    );
                }
            }
        }
    }
}
