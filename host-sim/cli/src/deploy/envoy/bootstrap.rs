//! The shipped files with the parts that a deployment has of its own, comments and all.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::ascii;

const BOOTSTRAP: &str = include_str!("../../../../../envoy/envoy.yaml");
const FILTER: &str = include_str!("../../../../../envoy/modgate.yaml");

/// What the shipped files have in the places of these parts. A test finds each once.
const LISTENER: &str = "socket_address: {address: 127.0.0.1, port_value: 8080}";
const ROUTES: [&str; 2] = ["          route_config:\n", "          http_filters:\n"];
const CLUSTERS: &str = "  clusters:\n";
const MODULE: &str = "{filename: ./modgate.wasm}";
const POLICY: &str = "        value: |\n";

/// How far the policy stands in its file.
const POLICY_INDENT: usize = 10;

/// The parts of a bootstrap that a deployment has of its own.
pub(super) struct Parts {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The routes, where those of the shipped file are not enough.
    pub(super) routes: Option<Value>,
    pub(super) clusters: Vec<Value>,
    pub(super) secrets: Vec<Value>,
}

/// The bootstrap.
///
/// # Errors
/// Where the shipped file has other places: no user sees that.
pub(super) fn bootstrap(parts: &Parts) -> Result<String, String> {
    let (before, _) = cut(BOOTSTRAP, CLUSTERS)?;
    let before = without_head(before);
    let (start, end) = cut(before, LISTENER)?;
    let address = serde_json::to_string(&parts.address).map_err(|error| error.to_string())?;
    let listener = format!(
        "socket_address: {{address: {address}, port_value: {}}}",
        parts.port
    );
    let mut text = format!("{start}{listener}{end}");
    if let Some(routes) = &parts.routes {
        let [from, to] = ROUTES;
        let (start, rest) = cut(&text, from)?;
        let (_, end) = cut(rest, to)?;
        let routes = indented(&json!({"route_config": routes}), 10)?;
        text = format!("{start}{routes}{to}{end}");
    }
    text.push_str(&indented(&json!({"clusters": parts.clusters}), 2)?);
    if !parts.secrets.is_empty() {
        text.push_str(&indented(&json!({"secrets": parts.secrets}), 2)?);
    }
    Ok(text)
}

/// The filter's own file.
///
/// # Errors
/// As [`bootstrap`].
pub(super) fn filter(module: &str, policy: &Value) -> Result<String, String> {
    let (before, _) = cut(FILTER, POLICY)?;
    let (start, end) = cut(before, MODULE)?;
    let module = serde_json::to_string(module).map_err(|error| error.to_string())?;
    let policy: String = ascii(policy)
        .lines()
        .map(|line| format!("{:POLICY_INDENT$}{line}\n", ""))
        .collect();
    Ok(format!(
        "{start}{{filename: {module}}}{end}{POLICY}{policy}"
    ))
}

/// The comment at the head is for who changes the file by hand.
fn without_head(text: &str) -> &str {
    text.split_once("\n\n").map_or(text, |(_, rest)| rest)
}

fn cut<'t>(text: &'t str, at: &str) -> Result<(&'t str, &'t str), String> {
    text.split_once(at)
        .ok_or_else(|| format!("the shipped file has no {at:?}"))
}

fn indented(value: &Value, by: usize) -> Result<String, String> {
    let text = plain_yaml::to_string(value).map_err(|error| error.to_string())?;
    Ok(text
        .lines()
        .map(|line| format!("{:by$}{line}\n", ""))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_have_each_place_once() {
        for (text, place) in [
            (BOOTSTRAP, LISTENER),
            (BOOTSTRAP, ROUTES[0]),
            (BOOTSTRAP, ROUTES[1]),
            (BOOTSTRAP, CLUSTERS),
            (FILTER, MODULE),
            (FILTER, POLICY),
        ] {
            assert_eq!(text.matches(place).count(), 1, "{place:?}");
        }
        // The clusters and the policy are the last of their files.
        assert!(
            !BOOTSTRAP
                .split_once(CLUSTERS)
                .unwrap()
                .1
                .contains("\n  secrets")
        );
    }
}
