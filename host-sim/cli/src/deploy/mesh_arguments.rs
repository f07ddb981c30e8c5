//! The arguments that Istio and Envoy Gateway have in common.

use super::address::{is_dns_label, is_dns_name};
use super::kubernetes::Names;

/// Where in a cluster the filter is, and by which names it is reached.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Istio and Envoy Gateway")]
pub(super) struct MeshArgs {
    /// The namespace of all that is written; in Istio that of the pods that have the filter.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// A name by which clients reach the gateway; `*` for all.
    #[arg(long = "host", value_name = "NAME", value_parser = host)]
    pub(super) hosts: Vec<String>,
    /// The Secret with the gateway's certificate.
    #[arg(long, value_name = "SECRET")]
    pub(super) tls_secret: Option<String>,
    /// Use this Gateway, which is there already, and write none.
    #[arg(long, value_name = "[NAMESPACE/]NAME", conflicts_with_all = ["listen", "tls_secret", "mutual_tls"], value_parser = gateway)]
    pub(super) gateway: Option<String>,
}

impl MeshArgs {
    /// The names of what is written.
    ///
    /// # Errors
    /// Where there is no namespace.
    pub(super) fn names(&self, name: &str) -> Result<Names, String> {
        let namespace = self
            .namespace
            .as_ref()
            .ok_or("--namespace is needed: that of all that is written")?;
        if !is_dns_label(namespace) {
            return Err(format!(
                "--namespace {namespace:?} is not a name of Kubernetes (`a-z 0-9 -`)"
            ));
        }
        Ok(Names {
            name: name.to_owned(),
            namespace: namespace.clone(),
        })
    }

    /// The port of a gateway that is written.
    pub(super) fn port(&self, listen: Option<u16>) -> u16 {
        listen.unwrap_or(if self.tls_secret.is_some() { 443 } else { 80 })
    }

    /// Whether something is said of a gateway.
    pub(super) const fn concerns_a_gateway(&self) -> bool {
        self.tls_secret.is_some() || self.gateway.is_some() || !self.hosts.is_empty()
    }

    /// Whether one of these arguments is there.
    pub(super) const fn is_given(&self) -> bool {
        self.namespace.is_some() || self.concerns_a_gateway()
    }
}

/// A host as both take it: a name, a name below `*.`, or `*`.
fn host(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let bare = name.strip_prefix("*.").unwrap_or(&name);
    if name != "*" && !is_dns_name(bare) {
        return Err(format!(
            "{text:?} is not a host name; a port does not belong here"
        ));
    }
    if name != "*" && !bare.contains('.') {
        return Err(format!(
            "Istio takes {text:?} for a service of the namespace; write the name with its domain"
        ));
    }
    Ok(name)
}

fn gateway(text: &str) -> Result<String, String> {
    let mut parts = text.split('/');
    let is_sound = parts.clone().count() <= 2 && parts.all(is_dns_label);
    is_sound
        .then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is not the name of a Gateway"))
}
