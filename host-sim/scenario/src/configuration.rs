//! A configuration of the filter: the one that it begins with, and those that take its place.

use serde::Deserialize;
use serde_json::Value;

use super::expected::Start;
use super::model::Filter;
use super::values::Span;

/// A configuration that is handed over while the proxy runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// When.
    pub at: Span,
    /// Handed to the filter as text: a text as it is, all else as JSON.
    #[serde(default)]
    pub configuration: Value,
    /// The same from a file, from the scenario's folder.
    #[serde(default)]
    pub configuration_file: Option<String>,
    /// Whether the proxy takes it. One that it refuses leaves the one before in force.
    #[serde(default)]
    pub expect: Start,
}

impl Configuration {
    /// What the filter gets.
    pub fn text(&self) -> String {
        text(&self.configuration)
    }
}

impl Filter {
    /// What the filter gets at the start.
    pub fn configuration_text(&self) -> String {
        text(&self.configuration)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
