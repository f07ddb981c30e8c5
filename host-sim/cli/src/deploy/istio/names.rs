//! How Istio names the clusters of its proxies.

use std::net::IpAddr;

use crate::deploy::address::{Address, Host, is_dns_label, is_dns_name};

/// The end of the names of Kubernetes' own services.
const SERVICES: &str = ".svc.cluster.local";

/// The end of the names that are made for addresses, which Istio needs a host for. `internal` is for private use.
const MADE: &str = ".modgate.internal";

/// The port of a host that is reached by TLS, within the mesh: its applications speak HTTP to it, and the proxy TLS to
/// the host's own port. At 443 Istio would take the applications' own TLS for HTTP.
const BEFORE_TLS: u16 = 80;

/// Where a route of Istio leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Destination {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) subset: Option<String>,
}

/// A host outside of Kubernetes, which Istio does not know by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct External {
    pub(super) ip: Option<IpAddr>,
    /// The port at which it listens itself.
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

impl Destination {
    /// Reads a cluster's name: `outbound|PORT|SUBSET|HOST`.
    pub(super) fn parse(cluster: &str) -> Option<Self> {
        let mut parts = cluster.split('|');
        let direction = parts.next()?;
        let port = parts.next()?.parse().ok()?;
        let subset = parts.next()?;
        let host = parts.next()?;
        let is_whole = parts.next().is_none() && direction == "outbound" && is_dns_name(host);
        is_whole.then(|| Self {
            host: host.to_owned(),
            port,
            subset: Some(subset.to_owned()).filter(|subset| !subset.is_empty()),
        })
    }

    /// Where an address of the policy's cluster is in the mesh, and what the mesh needs to know of it where it is outside.
    ///
    /// # Errors
    /// Where a name is to be made of the cluster's own, and that is no label of DNS.
    pub(super) fn of(cluster: &str, address: &Address) -> Result<(Self, Option<External>), String> {
        let (host, external) = match &address.host {
            Host::Ip(ip) if is_dns_label(cluster) => (format!("{cluster}{MADE}"), Some(Some(*ip))),
            Host::Ip(_) => {
                return Err(format!(
                    "Istio needs a host name; for an IP address it is made of the cluster's name, and {cluster:?} is not of `a-z 0-9 -`"
                ));
            }
            Host::Name(name)
                if address.is_tls && (name.ends_with(SERVICES) || name.ends_with(".svc")) =>
            {
                return Err("the mesh itself encrypts what goes to its services; write http:// and the port".to_owned());
            }
            Host::Name(name) if name.ends_with(SERVICES) => (name.clone(), None),
            Host::Name(name) if name.ends_with(".svc") => (format!("{name}.cluster.local"), None),
            Host::Name(name) if !name.contains('.') => {
                return Err(format!(
                    "{name:?} is a name within one namespace; write the service as {name}.NAMESPACE.svc"
                ));
            }
            Host::Name(name) => (name.clone(), Some(None)),
        };
        let external = external.map(|ip| External {
            ip,
            port: address.port,
            is_tls: address.is_tls,
        });
        let is_made_tls = external.as_ref().is_some_and(|external| external.is_tls);
        let port = if is_made_tls {
            BEFORE_TLS
        } else {
            address.port
        };
        Ok((
            Self {
                host,
                port,
                subset: None,
            },
            external,
        ))
    }

    /// The cluster's name.
    pub(super) fn cluster(&self) -> String {
        let subset = self.subset.as_deref().unwrap_or_default();
        format!("outbound|{}|{subset}|{}", self.port, self.host)
    }
}

/// The cluster by which a sidecar reaches its own pod.
pub(super) fn inbound(port: u16) -> String {
    format!("inbound|{port}||")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::address;

    #[test]
    fn a_cluster_has_the_name_that_istio_gives_it() {
        let rows = [
            (
                "a service",
                "a=http://athens.tools.svc:3000",
                Ok(("outbound|3000||athens.tools.svc.cluster.local", false)),
            ),
            (
                "its whole name",
                "a=http://athens.tools.svc.cluster.local",
                Ok(("outbound|80||athens.tools.svc.cluster.local", false)),
            ),
            (
                "a service with TLS",
                "a=https://athens.tools.svc",
                Err("the mesh itself encrypts"),
            ),
            (
                "a host outside",
                "a=http://goproxy.corp.example:8081",
                Ok(("outbound|8081||goproxy.corp.example", true)),
            ),
            (
                "with TLS",
                "a=https://goproxy.corp.example:8443",
                Ok(("outbound|80||goproxy.corp.example", true)),
            ),
            (
                "an address",
                "files=http://10.0.0.7:3000",
                Ok(("outbound|3000||files.modgate.internal", true)),
            ),
            (
                "an address, an odd name",
                "my_files=http://10.0.0.7:3000",
                Err("is not of `a-z 0-9 -`"),
            ),
            (
                "one label",
                "a=http://athens:3000",
                Err("athens.NAMESPACE.svc"),
            ),
        ];
        table_rows::check(rows, |(_, text, expected)| {
            let (cluster, address) = address::parse(text).unwrap();
            match (Destination::of(&cluster, &address), expected) {
                (Ok((found, external)), Ok((name, is_external))) => {
                    assert_eq!(found.cluster(), name);
                    assert_eq!(external.is_some(), is_external);
                    assert_eq!(Destination::parse(name), Some(found));
                }
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{found:?}"),
            }
        });
    }

    #[test]
    fn only_outbound_clusters_of_istio_are_read() {
        for other in [
            "athens",
            "inbound|80||",
            "outbound|80||",
            "outbound|x||a.svc",
            "outbound|80||a.svc|",
            "outbound|80|a.svc",
        ] {
            assert_eq!(Destination::parse(other), None, "{other}");
        }
        let subset = Destination::parse("outbound|80|v2|a.tools.svc.cluster.local").unwrap();
        assert_eq!(subset.subset.as_deref(), Some("v2"));
        assert_eq!(subset.cluster(), "outbound|80|v2|a.tools.svc.cluster.local");
    }
}
