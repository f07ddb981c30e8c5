//! What a policy asks of the proxy's clusters, beside that they are there: clusters in which backends
//! stand in for each other, and headers that the proxy adds. Envoy's configuration for it is made of
//! this, and `modgate serve` does it by itself.

use std::collections::{BTreeMap, BTreeSet};

use modgate_policy::model::{AddedHeader, Policy};

/// What a policy asks of the clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    /// Every backend, with its cluster.
    pub backends: Vec<Member>,
    /// The backends that are asked one after the other, by the name of the cluster that they make.
    pub failovers: BTreeMap<String, Vec<Member>>,
    /// The headers that are added to requests to a cluster, where there are some.
    pub headers: BTreeMap<String, Vec<AddedHeader>>,
    /// The hosts that backends of a cluster are asked as, where the policy says so.
    pub authorities: BTreeMap<String, BTreeSet<String>>,
}

/// A backend and its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in the policy.
    pub backend: String,
    /// Its own cluster.
    pub cluster: String,
}

impl Clusters {
    /// What this policy asks.
    pub fn of(policy: &Policy) -> Self {
        let mut clusters = Self::default();
        for backend in policy.backends() {
            clusters.backends.push(Member {
                backend: backend.name.clone(),
                cluster: backend.cluster.clone(),
            });
            if !backend.headers.is_empty() {
                let cluster = backend.cluster.clone();
                clusters.headers.insert(cluster, backend.headers.clone());
            }
            if let Some(authority) = &backend.authority {
                let of_cluster = clusters.authorities.entry(backend.cluster.clone());
                of_cluster.or_default().insert(authority.clone());
            }
        }
        for failover in policy.failovers() {
            let backends = failover.order.iter();
            let backends = backends.filter_map(|&place| policy.backends().get(place));
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

    /// The cluster's members, one after the other; its own name where it is no cluster of several.
    pub fn members<'a>(&'a self, cluster: &'a str) -> Vec<(&'a str, Option<&'a str>)> {
        match self.failovers.get(cluster) {
            None => vec![(cluster, None)],
            Some(members) => members
                .iter()
                .map(|member| (&*member.cluster, Some(&*member.backend)))
                .collect(),
        }
    }

    /// The names of the secrets that the headers hold, each once.
    pub fn secrets(&self) -> BTreeSet<&str> {
        let headers = self.headers.values().flatten();
        headers.map(|header| header.secret.as_str()).collect()
    }
}
