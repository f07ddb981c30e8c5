//! Where in a file a policy stands: all of it, or inside what a control plane or Envoy reads.

use super::spans::{Kind, Node, Position, Writing};

/// A policy in a file.
#[derive(Debug)]
pub(crate) struct Found<'n> {
    /// In words, such as `spec.pluginConfig of the WasmPlugin "modgate"`; `None` for a whole file.
    pub(crate) place: Option<String>,
    pub(crate) policy: Embedded<'n>,
}

/// How the policy is written there.
#[derive(Debug)]
pub(crate) enum Embedded<'n> {
    /// As JSON or YAML like the rest of the file.
    Object(&'n Node),
    /// As JSON in a string.
    Text {
        text: &'n str,
        at: Position,
        writing: Writing,
    },
}

/// The type that Envoy's filter chain gives to a WASM filter.
const WASM_FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// The policies in a document of a file.
pub(crate) fn policies(document: &Node) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    match document.get("kind").and_then(Node::text) {
        Some("List") => {
            if let Some(Kind::List(items)) = document.get("items").map(|items| &items.kind) {
                found.extend(items.iter().flat_map(policies));
            }
        }
        Some(
            kind @ ("WasmPlugin" | "TrafficExtension" | "EnvoyExtensionPolicy" | "EnvoyFilter"),
        ) => {
            let name = document.get("metadata").and_then(|meta| meta.get("name"));
            let name = name.and_then(Node::text).unwrap_or_default();
            if let Some(spec) = document.get("spec") {
                in_resource(spec, kind, name, &mut found);
            }
        }
        Some(_) => {}
        None => in_envoy(document, &mut found),
    }
    let is_kubernetes = document.get("apiVersion").is_some();
    if found.is_empty() && !is_kubernetes && !is_envoy(document) {
        found.push(Found {
            place: None,
            policy: Embedded::Object(document),
        });
    }
    found
}

fn in_resource<'n>(spec: &'n Node, kind: &str, name: &str, found: &mut Vec<Found<'n>>) {
    let mut add = |path: String, node: &'n Node| {
        let place = Some(format!("{path} of the {kind} {name:?}"));
        let policy = embedded(node);
        found.push(Found { place, policy });
    };
    match kind {
        "WasmPlugin" => {
            if let Some(node) = spec.get("pluginConfig") {
                add("spec.pluginConfig".to_owned(), node);
            }
        }
        "TrafficExtension" => {
            if let Some(node) = spec.get("wasm").and_then(|wasm| wasm.get("pluginConfig")) {
                add("spec.wasm.pluginConfig".to_owned(), node);
            }
        }
        "EnvoyExtensionPolicy" => {
            if let Some(Kind::List(list)) = spec.get("wasm").map(|wasm| &wasm.kind) {
                for (i, wasm) in list.iter().enumerate() {
                    if let Some(node) = wasm.get("config") {
                        add(format!("spec.wasm[{i}].config"), node);
                    }
                }
            }
        }
        _ => in_envoy(spec, found),
    }
}

/// Every WASM filter with a configuration, wherever in Envoy's configuration it stands.
fn in_envoy<'n>(node: &'n Node, found: &mut Vec<Found<'n>>) {
    match &node.kind {
        Kind::List(list) => list.iter().for_each(|node| in_envoy(node, found)),
        Kind::Object(members) => {
            if node.get("@type").and_then(Node::text) == Some(WASM_FILTER) {
                let config = node
                    .get("config")
                    .or_else(|| node.get("value")?.get("config"));
                if let Some(configuration) = config.and_then(|config| config.get("configuration")) {
                    let name = config
                        .and_then(|config| config.get("name"))
                        .and_then(Node::text);
                    let place = format!(
                        "the configuration of the filter {:?}",
                        name.unwrap_or_default()
                    );
                    let value = configuration.get("value").unwrap_or(configuration);
                    found.push(Found {
                        place: Some(place),
                        policy: embedded(value),
                    });
                    return;
                }
            }
            members
                .iter()
                .for_each(|member| in_envoy(&member.value, found));
        }
        Kind::Plain(_) | Kind::Text(..) => {}
    }
}

/// Whether a document is Envoy's and not a policy: none of these is a key of a policy.
fn is_envoy(document: &Node) -> bool {
    [
        "static_resources",
        "dynamic_resources",
        "resources",
        "admin",
        "@type",
    ]
    .iter()
    .any(|key| document.get(key).is_some())
}

fn embedded(node: &Node) -> Embedded<'_> {
    match &node.kind {
        Kind::Text(text, writing) => Embedded::Text {
            text,
            at: node.at,
            writing: *writing,
        },
        _ => Embedded::Object(node),
    }
}
