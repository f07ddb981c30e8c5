//! Where in a file a policy stands: all of it, or inside what a control plane or Envoy reads.

use plain_yaml::{Kind, Node, Position, Writing};

/// A policy in a file.
#[derive(Debug)]
pub(crate) struct Found {
    /// In words, such as `spec.pluginConfig of the WasmPlugin "modgate"`; `None` for a whole file.
    pub(crate) place: Option<String>,
    pub(crate) policy: Embedded,
    /// The strings that it stands in, the outermost first.
    pub(crate) outer: Vec<(Position, Writing)>,
}

/// How the policy is written there.
#[derive(Debug)]
pub(crate) enum Embedded {
    /// As JSON or YAML like the rest of the file.
    Object(Node),
    /// In a string: as JSON, or as YAML where that is read, too.
    Text { text: String, yaml: bool },
}

/// The type that Envoy's filter chain gives to a WASM filter.
const WASM_FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// What the type of a filter's configuration ends with where the real one stands in `type_url`: in
/// `udpa.type.v1` and `xds.type.v3`.
const TYPED_STRUCT: &str = ".TypedStruct";

/// The policies in a document of a file.
pub(crate) fn policies(document: &Node) -> Vec<Found> {
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
        Some(kind @ ("ConfigMap" | "Secret")) => in_strings(document, kind, &mut found),
        Some(_) => {}
        None => in_envoy(document, &mut found),
    }
    let is_kubernetes = document.get("apiVersion").is_some();
    if found.is_empty() && !is_kubernetes && !is_envoy(document) {
        found.push(Found {
            place: None,
            policy: Embedded::Object(document.clone()),
            outer: Vec::new(),
        });
    }
    found
}

/// The strings of a ConfigMap, or those of a Secret that are not in Base64: each is a file.
fn in_strings(document: &Node, kind: &str, found: &mut Vec<Found>) {
    let name = document.get("metadata").and_then(|meta| meta.get("name"));
    let name = name.and_then(Node::text).unwrap_or_default();
    for map in ["data", "stringData"] {
        let Some(Kind::Object(members)) = document.get(map).map(|map| &map.kind) else {
            continue;
        };
        for member in members {
            let Kind::Text(text, writing) = &member.value.kind else {
                continue;
            };
            let place = format!("{map}[{:?}] of the {kind} {name:?}", member.key);
            let outer = (member.value.at, *writing);
            found.extend(in_file(&member.key, text).into_iter().map(|inner| Found {
                place: Some(match inner.place {
                    Some(inner) => format!("{inner}, {place}"),
                    None => place.clone(),
                }),
                policy: inner.policy,
                outer: std::iter::once(outer).chain(inner.outer).collect(),
            }));
        }
    }
}

/// The policies in a file of that name which stands in a string. What cannot be read is one where its
/// name says that it is a policy: so its errors are reported.
fn in_file(name: &str, text: &str) -> Vec<Found> {
    let is_json = name.ends_with(".json");
    let whole = || Found {
        place: None,
        policy: Embedded::Text {
            text: text.to_owned(),
            yaml: !is_json,
        },
        outer: Vec::new(),
    };
    let Ok(documents) = plain_yaml::parse(text) else {
        return if name.contains("policy") {
            vec![whole()]
        } else {
            Vec::new()
        };
    };
    let is_policy = |document: &Node| {
        if name.contains("policy") {
            return true;
        }
        let keys = ["tenants", "rules", "routes", "backends"];
        keys.iter().any(|key| document.get(key).is_some())
    };
    let mut found = Vec::new();
    for document in &documents {
        for inner in policies(document) {
            if inner.place.is_some() {
                found.push(inner);
            } else if is_policy(document) {
                // All of the string, whatever else stands in it.
                return vec![whole()];
            }
        }
    }
    found
}

fn in_resource(spec: &Node, kind: &str, name: &str, found: &mut Vec<Found>) {
    let mut add = |path: String, node: &Node| {
        found.push(embedded(
            Some(format!("{path} of the {kind} {name:?}")),
            node,
        ));
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
fn in_envoy(node: &Node, found: &mut Vec<Found>) {
    match &node.kind {
        Kind::List(list) => list.iter().for_each(|node| in_envoy(node, found)),
        Kind::Object(members) => {
            if is_wasm_filter(node) {
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
                    found.push(embedded(Some(place), value));
                    return;
                }
            }
            members
                .iter()
                .for_each(|member| in_envoy(&member.value, found));
        }
        Kind::Plain(..) | Kind::Text(..) => {}
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

fn is_wasm_filter(node: &Node) -> bool {
    let text = |key: &str| node.get(key).and_then(Node::text);
    text("@type").is_some_and(|kind| {
        kind == WASM_FILTER || kind.ends_with(TYPED_STRUCT) && text("type_url") == Some(WASM_FILTER)
    })
}

fn embedded(place: Option<String>, node: &Node) -> Found {
    let (policy, outer) = match &node.kind {
        Kind::Text(text, writing) => {
            let text = Embedded::Text {
                text: text.clone(),
                yaml: false,
            };
            (text, vec![(node.at, *writing)])
        }
        _ => (Embedded::Object(node.clone()), Vec::new()),
    };
    Found {
        place,
        policy,
        outer,
    }
}
