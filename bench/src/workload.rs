//! A policy of a given size, and requests that it allows.

use serde_json::{Map, Value, json};

use super::identity::Credentials;

/// The cluster that every request goes to.
pub const CLUSTER: &str = "upstream";

/// How large the policy is.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// The number of tenants.
    pub tenants: usize,
    /// The number of rules in all rule sets together.
    pub rules: usize,
    /// Whether the filter tells the proxy's access log of requests.
    pub access_log: bool,
}

/// One request, a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path as it goes out.
    pub path: String,
    /// The one header that matters, name and value.
    pub header: Option<(&'static str, String)>,
}

impl Workload {
    /// Half of the rules are the organisation's, which hold for all; the others are shared out among
    /// the tenants' own sets, which are asked first. All are denials of modules that nobody asks
    /// for, as deny lists are, but one of each tenant's, for the modules of its own, and the last.
    pub fn policy(&self, credentials: &Credentials) -> Value {
        let own_rules = self.own_rules();
        let org_rules = self.rules.saturating_sub(own_rules * self.tenants).max(1);
        let mut tenants = Map::new();
        let mut rules = Map::new();
        for tenant in 0..self.tenants {
            let name = tenant_name(tenant);
            let set: Vec<Value> = (0..own_rules)
                .map(|rule| match rule {
                    0 => json!({"id": "own", "allow": [format!("corp.example/{name}")]}),
                    _ => denial(rule, &format!("github.com/{name}-owner/module-{rule}")),
                })
                .collect();
            rules.insert(format!("own-{name}"), json!(set));
            tenants.insert(
                name.clone(),
                json!({"rules": [format!("own-{name}"), "org"]}),
            );
        }
        let mut org: Vec<Value> = (1..org_rules)
            .map(|rule| {
                denial(
                    rule,
                    &format!("github.com/bad-owner-{}/module-{rule}", rule % 97),
                )
            })
            .collect();
        org.push(json!({"id": "public", "allow": ["*"]}));
        rules.insert("org".to_owned(), json!(org));
        json!({
            "version": "bench",
            "access_log": self.access_log,
            "default": "deny",
            "contact": "#go-platform",
            "identity": [credentials.source()],
            "tenants": tenants,
            "rules": rules,
            "backends": {"main": {"cluster": CLUSTER}},
            "routes": [{"id": "all", "backend": "main"}]
        })
    }

    /// So many `.info` requests of tenants chosen by chance: a tenth for modules of the tenant's own,
    /// the others for public ones. The same seed gives the same requests.
    pub fn requests(&self, credentials: &Credentials, count: usize, seed: u64) -> Vec<Request> {
        let tenants = if credentials.any_tenant() {
            self.tenants
        } else {
            1
        };
        let known: Vec<_> = (0..tenants)
            .map(|tenant| credentials.request(&tenant_name(tenant)))
            .collect();
        let mut random = fastrand::Rng::with_seed(seed);
        let request = |_| {
            let number = random.usize(..tenants);
            let tenant = tenant_name(number);
            let module = match random.u8(..10) {
                0 => format!("corp.example/{tenant}/service-{}", random.u8(..100)),
                _ => format!(
                    "github.com/owner-{}/module-{}",
                    random.u8(..200),
                    random.u16(..500)
                ),
            };
            let version = format!("v1.{}.{}", random.u8(..20), random.u8(..20));
            let path = format!("/{module}/@v/{version}.info");
            let (prefix, header) = &known[number];
            Request {
                path: format!("{prefix}{path}"),
                header: header.clone(),
            }
        };
        (0..count).map(request).collect()
    }

    fn own_rules(&self) -> usize {
        self.rules / 2 / self.tenants
    }
}

/// The names of so many tenants.
pub fn tenant_names(count: usize) -> Vec<String> {
    (0..count).map(tenant_name).collect()
}

fn tenant_name(number: usize) -> String {
    format!("team-{number:04}")
}

fn denial(rule: usize, module: &str) -> Value {
    json!({"id": format!("deny-{rule}"), "deny": [module], "reason": "not reviewed"})
}

#[cfg(test)]
mod tests {
    use super::super::identity::Kind;
    use super::*;

    #[test]
    fn the_policy_has_the_size_that_was_asked_for() {
        let workload = Workload {
            tenants: 1_000,
            rules: 10_000,
            access_log: false,
        };
        let credentials = Credentials::new(Kind::Path, tenant_names(1));
        let policy = workload.policy(&credentials);
        let sets = policy["rules"].as_object().expect("an object");
        let rules: usize = sets
            .values()
            .filter_map(Value::as_array)
            .map(Vec::len)
            .sum();
        assert_eq!(rules, 10_000);
        assert_eq!(policy["tenants"].as_object().map(Map::len), Some(1_000));
    }
}
