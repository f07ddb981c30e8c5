//! The arguments of `modgate deploy --target istio`.

use std::collections::BTreeMap;

use super::address::is_dns_name;
use super::istio::{Istio, Kind, Listens, Place};
use super::kubernetes::Names;
use super::mesh_arguments::MeshArgs;
use super::module_source::ModuleSource;

/// What only Istio has.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Istio")]
pub(super) struct IstioArgs {
    /// In which proxy the filter is.
    #[arg(long, value_enum)]
    at: Option<Place>,
    /// A label of the pods that have the filter; of several a pod must have all.
    #[arg(long = "selector", value_name = "LABEL=VALUE", value_parser = label)]
    selector: Vec<(String, String)>,
    /// Let the gateway ask every client for a certificate.
    #[arg(long, requires = "tls_secret")]
    mutual_tls: bool,
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
        names: Names,
        mesh: &MeshArgs,
        listen: Option<u16>,
        module: ModuleSource,
    ) -> Result<Istio, String> {
        let place = self
            .at
            .ok_or("--target istio needs --at gateway or --at sidecar")?;
        if self.selector.is_empty() {
            return Err("--target istio needs --selector: without it the filter is in every pod of the namespace".to_owned());
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
            Place::Gateway if mesh.hosts.is_empty() => {
                return Err(
                    "--at gateway needs --host: the name by which clients reach it".to_owned(),
                );
            }
            Place::Sidecar if listen.is_some() || mesh.concerns_a_gateway() => {
                return Err("--host, --listen, --tls-secret, --mutual-tls and --gateway are for --at gateway".to_owned());
            }
            _ => {}
        }
        Ok(Istio {
            place,
            kind: if self.wasm_plugin {
                Kind::WasmPlugin
            } else {
                Kind::TrafficExtension
            },
            names,
            selector,
            module,
            listens: Listens {
                hosts: mesh.hosts.clone(),
                port: mesh.port(listen),
                tls_secret: mesh.tls_secret.clone(),
                mutual: self.mutual_tls,
                gateway: mesh.gateway.clone(),
            },
        })
    }

    /// Whether one of these arguments is there.
    pub(super) const fn is_given(&self) -> bool {
        self.at.is_some() || !self.selector.is_empty() || self.wasm_plugin || self.mutual_tls
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
