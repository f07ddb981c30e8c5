//! What a policy asks of the proxy's clusters. Envoy's configuration for it is made of this, and
//! `modgate serve` does it by itself.

use envoy_wasm_serve::clusters::{AddedHeader, Clusters, Member};
use modgate_policy::model::{self as policy, Policy};

/// What this policy asks.
pub fn of(policy: &Policy) -> Clusters {
    let mut clusters = Clusters::default();
    for backend in policy.backends() {
        clusters.backends.push(Member {
            backend: backend.name.clone(),
            cluster: backend.cluster.clone(),
        });
        if !backend.headers.is_empty() {
            let cluster = backend.cluster.clone();
            clusters.headers.insert(cluster, added(&backend.headers));
        }
        if let Some(authority) = &backend.authority {
            let of_cluster = clusters.authorities.entry(backend.cluster.clone());
            of_cluster.or_default().insert(authority.clone());
        }
    }
    for failover in policy.failovers() {
        let backends = failover.order.iter();
        let backends = backends.filter_map(|id| policy.backend(*id));
        let members: Vec<Member> = backends
            .map(|backend| Member {
                backend: backend.name.clone(),
                cluster: backend.cluster.clone(),
            })
            .collect();
        clusters.failovers.insert(failover.cluster.clone(), members);
    }
    clusters
}

fn added(headers: &[policy::AddedHeader]) -> Vec<AddedHeader> {
    let header = |header: &policy::AddedHeader| AddedHeader {
        name: header.name.clone(),
        secret: header.secret.clone(),
    };
    headers.iter().map(header).collect()
}
