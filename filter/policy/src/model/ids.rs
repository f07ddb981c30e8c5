//! Which of a policy's parts something is. An id is found in its own policy only, and an id of one kind of part is never
//! taken for that of another.

use super::rollout::RolloutSide;
use crate::pattern::Rank;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) usize);
    )*};
}

ids! {
    /// One of a policy's tenants.
    TenantId;
    /// One of a policy's backends.
    BackendId;
    /// One of a policy's splits.
    SplitId;
    /// One of a split's variants.
    VariantId;
    /// One of a policy's rule sets.
    RuleSetId;
}

/// One of a policy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// The rule set.
    pub set: RuleSetId,
    /// The rule's position in it.
    pub(crate) rank: Rank,
}

/// One of a policy's routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteId {
    /// Whether it is in force, or one of those that are tried.
    pub(crate) side: RolloutSide,
    /// The position of its name space in the table.
    pub(crate) space: usize,
    /// Its own position there.
    pub(crate) rank: Rank,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::{Age, Policy, RolloutSide, Subject};
    use modgate_go::gomod::semver;

    #[test]
    fn every_part_is_found_by_its_own_id() {
        let routes = |first: &str| {
            json!([
                {"id": "long", "path_prefix": "/longer", "backend": first},
                {"id": "lib", "modules": ["corp.example"], "backends": {"a": 40, "b": 60}},
                {"id": "short", "path_prefix": "/x", "backend": "b"},
                {"id": "all", "backend": first},
            ])
        };
        let document = json!({
            "version": "1", "default": "deny",
            "tenants": {"*": {"rules": ["second", "first"]}, "web": {
                "rules": ["second"], "rollout": {"candidate": ["first"], "stage": "shadow"},
            }},
            "rules": {
                "first": [{"id": "z", "allow": ["a.b"]}, {"id": "y", "deny": ["corp.example/no"]}],
                "second": [{"id": "x", "deny": ["a.b/no"]}, {"id": "all", "allow": ["corp.example"]}],
            },
            "backends": {"a": {"cluster": "a"}, "b": {"cluster": "b"}},
            "routes": routes("a"),
            "routes_rollout": {"stage": "shadow", "candidate": routes("b")},
            "splits": {
                "lib": {
                    "module": "corp.example/lib", "control": "old",
                    "variants": {"old": "v1.0.0", "new": "v1.1.0"}, "assign": [{"variant": "new"}],
                },
                "tool": {
                    "module": "corp.example/tool", "control": "only",
                    "variants": {"only": "v1.0.0"}, "assign": [{"variant": "only"}],
                },
            },
        });
        let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
        for tenant in policy.tenants() {
            assert_eq!(policy.tenant_by_id(tenant.id), Some(tenant));
        }
        for backend in policy.backends() {
            assert_eq!(policy.backend(backend.id), Some(backend));
        }
        for split in policy.splits() {
            assert_eq!(policy.split(split.id), Some(split));
            for variant in &split.variants {
                assert_eq!(split.variant(variant.id), Some(variant));
            }
        }
        // A name alone does not tell a route that is tried from one in force.
        assert_eq!(policy.all_routes().count(), 8);
        for route in policy.all_routes() {
            let found = policy.route(route.key).unwrap();
            assert!(std::ptr::eq(found, route), "{}", route.id);
        }
        let mut rules = Vec::new();
        for module in ["a.b", "a.b/no", "corp.example", "corp.example/no"] {
            let parts = semver::parse("v1.0.0").unwrap();
            let subject = Subject::Version(parts, Age::Unasked);
            for tenant in policy.tenants() {
                for side in [RolloutSide::Active, RolloutSide::Candidate] {
                    let verdict = policy.decide(tenant, side, module, &subject, false);
                    let Some(matched) = verdict.rule else {
                        continue;
                    };
                    let found = policy.rule(matched.id).unwrap();
                    assert!(std::ptr::eq(found.rule, matched.rule), "{module}");
                    assert!(std::ptr::eq(found.set, matched.set), "{module}");
                    rules.push(format!("{}/{}", found.set.name, found.rule.id));
                }
            }
        }
        rules.sort();
        rules.dedup();
        assert_eq!(rules, ["first/y", "first/z", "second/all", "second/x"]);
    }
}
