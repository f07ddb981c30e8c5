//! The arguments of `modgate deploy --target istio`.

use std::collections::BTreeMap;

use super::address::{is_dns_label, is_dns_name};
use super::istio::{Istio, Kind, Listens, Place};
use super::module_source::ModuleSource;

/// What only Istio has.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Istio")]
pub(super) struct IstioArgs {
    /// In which proxy the filter is.
    #[arg(long, value_enum)]
    at: Option<Place>,
    /// The namespace of the pods that have the filter, and of all that is written.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// A label of the pods that have the filter; of several a pod must have all.
    #[arg(long = "selector", value_name = "LABEL=VALUE", value_parser = label)]
    selector: Vec<(String, String)>,
    /// A name by which clients reach the gateway.
    #[arg(long = "host", value_name = "NAME", value_parser = host)]
    hosts: Vec<String>,
    /// The Secret with the gateway's certificate.
    #[arg(long, value_name = "SECRET")]
    tls_secret: Option<String>,
    /// Let the gateway ask every client for a certificate.
    #[arg(long, requires = "tls_secret")]
    mutual_tls: bool,
    /// Use this Gateway, which is there already, and write none.
    #[arg(long, value_name = "[NAMESPACE/]NAME", conflicts_with_all = ["listen", "tls_secret", "mutual_tls"])]
    gateway: Option<String>,
    /// Write a WasmPlugin in place of the TrafficExtension, for Istio before 1.30.
    #[arg(long)]
    wasm_plugin: bool,
}

impl IstioArgs {
    /// Istio, as these arguments want it.
    ///
    /// # Errors
    /// Where one is missing, or has no use at that place.
    pub(super) fn istio(
        &self,
        name: &str,
        listen: Option<u16>,
        module: ModuleSource,
    ) -> Result<Istio, String> {
        let place = self
            .at
            .ok_or("--target istio needs --at gateway or --at sidecar")?;
        let namespace = self.namespace.as_ref();
        let namespace = namespace
            .ok_or("--target istio needs --namespace: that of the pods that have the filter")?;
        if !is_dns_label(namespace) {
            return Err(format!(
                "--namespace {namespace:?} is not a name of Kubernetes (`a-z 0-9 -`)"
            ));
        }
        if self.selector.is_empty() && self.gateway.is_none() {
            return Err("--target istio needs --selector: without it the filter is in every pod of the namespace".to_owned());
        }
        if self.selector.is_empty() {
            return Err(
                "--gateway needs --selector, too: the labels of that gateway's pods".to_owned(),
            );
        }
        let mut selector = BTreeMap::new();
        for (label, value) in &self.selector {
            if selector.insert(label.clone(), value.clone()).is_some() {
                return Err(format!(
                    "--selector {label} is there twice, and no pod has two values of a label"
                ));
            }
        }
        match place {
            Place::Gateway if self.hosts.is_empty() => {
                return Err(
                    "--at gateway needs --host: the name by which clients reach it".to_owned(),
                );
            }
            Place::Sidecar if listen.is_some() || self.concerns_a_gateway() => {
                return Err("--host, --listen, --tls-secret, --mutual-tls and --gateway are for --at gateway".to_owned());
            }
            _ => {}
        }
        let port = if self.tls_secret.is_some() { 443 } else { 80 };
        Ok(Istio {
            place,
            kind: if self.wasm_plugin {
                Kind::WasmPlugin
            } else {
                Kind::TrafficExtension
            },
            name: name.to_owned(),
            namespace: namespace.clone(),
            selector,
            module,
            listens: Listens {
                hosts: self.hosts.clone(),
                port: listen.unwrap_or(port),
                tls_secret: self.tls_secret.clone(),
                mutual: self.mutual_tls,
                gateway: self.gateway.clone(),
            },
        })
    }

    fn concerns_a_gateway(&self) -> bool {
        self.tls_secret.is_some() || self.gateway.is_some() || !self.hosts.is_empty()
    }

    /// Whether one of these arguments is there.
    pub(super) fn is_given(&self) -> bool {
        let of_pods = self.at.is_some() || self.namespace.is_some() || !self.selector.is_empty();
        of_pods || self.wasm_plugin || self.concerns_a_gateway()
    }
}

/// A label as Kubernetes takes it.
fn label(text: &str) -> Result<(String, String), String> {
    let (label, value) = text.split_once('=').ok_or("it must be LABEL=VALUE")?;
    let (prefix, name) = label.rsplit_once('/').unwrap_or(("x", label));
    if !is_dns_name(prefix) || name.is_empty() || !is_label_text(name) {
        return Err(format!("{label:?} is not a label's name"));
    }
    if !is_label_text(value) {
        return Err(format!(
            "{value:?} is not a label's value: at most 63 of `A-Z a-z 0-9 - _ .`"
        ));
    }
    Ok((label.to_owned(), value.to_owned()))
}

fn is_label_text(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_end = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    let ends = is_end(text.bytes().next()) && is_end(text.bytes().last());
    text.len() <= 63 && text.bytes().all(is_plain) && ends
}

/// A host as Istio takes it: a name, a name below `*.`, or `*`.
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
