//! The gauges of the active policy: its version, the stages of its rollouts and its weights.

use super::series::{self, stat_name};
use super::{
    MAX_LABEL_VALUES, POLICY_INFO, ROLLOUT_INFO, ROUTE_WEIGHT_BASIS_POINTS,
    SPLIT_WEIGHT_BASIS_POINTS,
};
use modgate_policy::model::route::To;
use modgate_policy::model::{Gets, Policy};

/// The name of a gauge's stat, and its value.
pub type PolicyGauge = (String, u64);

/// The gauges while the policy is active, by the names of their stats; the first is the policy's own. Each
/// must be set to 0 when the policy is replaced.
pub fn policy_gauges(policy: &Policy) -> Vec<PolicyGauge> {
    let version = series::label_value_from(policy.version());
    let mut all = vec![(stat_name(&POLICY_INFO, &[&version, policy.hash()]), 1)];
    all.extend(rollouts(policy).take(MAX_LABEL_VALUES));
    all.extend(splits(policy).take(MAX_LABEL_VALUES));
    all.extend(routes(policy).take(MAX_LABEL_VALUES));
    all
}

fn rollouts(policy: &Policy) -> impl Iterator<Item = PolicyGauge> + '_ {
    policy.tenants().iter().filter_map(|tenant| {
        let stage = tenant.rollout.as_ref()?.stage.as_str();
        let name = if tenant.is_anyone() {
            series::OTHER
        } else {
            &tenant.name
        };
        Some((stat_name(&ROLLOUT_INFO, &[name, stage]), 1))
    })
}

fn splits(policy: &Policy) -> impl Iterator<Item = PolicyGauge> + '_ {
    let splits = policy.splits().iter().filter(|split| split.stage.is_some());
    let assigns = splits.flat_map(|split| {
        let assigns = split.assign.iter().enumerate();
        assigns.map(move |(place, assign)| (split, place.to_string(), &assign.gets))
    });
    assigns.flat_map(|(split, place, gets)| {
        let weights = match gets {
            Gets::Drawn { weights, .. } => weights.as_slice(),
            Gets::Variant(_) => &[],
        };
        let drawn = split.variants.iter().zip(weights);
        drawn.map(move |(variant, weight)| {
            let labels = [&*split.name, &place, &variant.name];
            let name = stat_name(&SPLIT_WEIGHT_BASIS_POINTS, &labels);
            (name, u64::from(*weight))
        })
    })
}

fn routes(policy: &Policy) -> impl Iterator<Item = PolicyGauge> + '_ {
    policy.routes.routes().flat_map(|route| {
        let weights = match &route.to {
            To::Drawn(drawn) => drawn.weights.as_slice(),
            To::Backend(_) => &[],
        };
        let drawn = policy.backends().iter().zip(weights);
        drawn
            .filter(|(_, weight)| **weight > 0)
            .map(|(backend, weight)| {
                let labels = [&*route.id, &*backend.name];
                let name = stat_name(&ROUTE_WEIGHT_BASIS_POINTS, &labels);
                (name, u64::from(*weight))
            })
    })
}
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rollouts_and_weights_stand_beside_the_policy() {
        let document = json!({
            "version": "2026.1", "default": "deny",
            "identity": [{"path_prefix": "/t/{tenant}"}],
            "tenants": {
                "off": {"rules": ["r"], "rollout": {"candidate": ["r"], "stage": "off"}},
                "some": {"rules": ["r"], "rollout": {
                    "candidate": ["r"], "stage": "canary", "percent": 5, "by": "client"}},
                "*": {"rules": ["r"], "rollout": {"candidate": ["r"], "stage": "shadow"}},
            },
            "rules": {"r": [{"id": "own", "allow": ["corp.example/**"]}]},
            "backends": {"a": {"cluster": "a"}, "b": {"cluster": "b"}, "c": {"cluster": "c"}},
            "routes": [
                {"id": "try", "modules": ["corp.example/**"], "backends": {"a": 87.5, "b": 12.5}},
                {"id": "all", "backend": "c"},
            ],
            "splits": {"lib": {
                "module": "corp.example/lib",
                "variants": {"beta": "v1.3.0-beta.1", "stable": "v1.2.0"},
                "control": "stable",
                "assign": [
                    {"tenants": ["off"], "variant": "beta"},
                    {"weights": {"beta": 30, "stable": 70}, "by": "client"},
                ],
            }},
        });
        let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
        let policy_gauges = policy_gauges(&policy);
        let labels = |labels: &[(&str, &str)]| -> String {
            let each = labels
                .iter()
                .map(|(name, value)| format!("{name}=.={value};.;"));
            each.collect()
        };
        assert!(
            policy_gauges[0]
                .0
                .starts_with("modgate_policy_infopolicy_version=.=2026_1;.;")
        );
        let split = |variant| {
            let labels = labels(&[("split", "lib"), ("assign", "1"), ("variant", variant)]);
            format!("modgate_split_weight_basis_points{labels}")
        };
        let route = |backend| {
            let labels = labels(&[("route", "try"), ("backend", backend)]);
            format!("modgate_route_weight_basis_points{labels}")
        };
        let rollout = |tenant, stage| {
            let labels = labels(&[("tenant", tenant), ("stage", stage)]);
            format!("modgate_rollout_info{labels}")
        };
        let mut rest = policy_gauges[1..].to_vec();
        rest.sort();
        let mut wanted = vec![
            (rollout("other", "shadow"), 1),
            (rollout("some", "canary"), 1),
            (split("beta"), 3000),
            (split("stable"), 7000),
            (route("a"), 8750),
            (route("b"), 1250),
        ];
        wanted.sort();
        assert_eq!(rest, wanted);
    }
}
