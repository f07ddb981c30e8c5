//! What a filter's configuration needs of the proxy's clusters, beside that they are there: clusters in
//! which backends stand in for each other, and headers that the proxy adds.

use std::collections::{BTreeMap, BTreeSet};

/// What a configuration needs of the clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    /// Every backend, with its cluster.
    pub backends: Vec<Member>,
    /// The backends that are tried one after the other, by the name of the cluster that they make.
    pub failovers: BTreeMap<String, Vec<Member>>,
    /// The headers that are added to requests to a cluster, where there are some.
    pub headers: BTreeMap<String, Vec<AddedHeader>>,
    /// The hosts that requests to backends of a cluster carry, where the policy says so.
    pub authorities: BTreeMap<String, BTreeSet<String>>,
}

/// A request header that the proxy adds. The filter never knows its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// What the proxy calls the value.
    pub secret: String,
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
