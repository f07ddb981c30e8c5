//! The document's JSON Schema, made of its types, for editors and other tools. It tells the shape alone:
//! what a policy means is checked by compiling it.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{ClaimDoc, Document, Text};

/// The schema of the whole document (draft 7, which editors know best), with keys in order.
pub fn of_document() -> Value {
    let settings = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(without_formats))
        .with_transform(RecursiveTransform(with_nulls));
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    let mut schema = Value::from(schema);
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "A policy of Modgate".into());
    }
    sorted(schema)
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

impl JsonSchema for ClaimDoc {
    fn schema_name() -> Cow<'static, str> {
        "ClaimDoc".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A claim's name, or its path as a list of names.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        })
    }
}

/// A rule either allows or denies.
pub(super) fn one_effect(schema: &mut Schema) {
    one_of(schema, &["allow", "deny"]);
}

/// An assignment either names a variant or draws one.
pub(super) fn one_assignment(schema: &mut Schema) {
    one_of(schema, &["variant", "weights"]);
}

/// A route leads to one backend or to one of several.
pub(super) fn one_target(schema: &mut Schema) {
    one_of(schema, &["backend", "backends"]);
}

/// A redirect either stays here or passes.
pub(super) fn one_way(schema: &mut Schema) {
    one_of(schema, &["rewrite", "pass"]);
}

/// An entry of `identity` is one source.
pub(super) fn one_source(schema: &mut Schema) {
    let sources = [
        "path_prefix",
        "header",
        "basic_user",
        "mtls_uri_san",
        "mtls_dns_san",
        "mtls_subject",
        "jwt_claim",
        "jwt_claim_list",
        "sni",
        "listener",
    ];
    one_of(schema, &sources);
}

/// Exactly one of these members is there. One that is null is as if it were not.
fn one_of(schema: &mut Schema, keys: &[&str]) {
    let there =
        |key: &&str| json!({"required": [key], "properties": {*key: {"not": {"type": "null"}}}});
    let all: Vec<Value> = keys.iter().map(there).collect();
    schema.insert("oneOf".to_owned(), all.into());
}

/// Drops the names that the generator has for kinds of numbers: no validator knows them.
fn without_formats(schema: &mut Schema) {
    schema.remove("format");
}

/// What may be left out may be null, lists and objects too.
fn with_nulls(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |key: &str| {
        let mut all = required.as_array().into_iter().flatten();
        all.any(|known| known == key)
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (key, property) in properties {
        let Some(kind) = property.get_mut("type") else {
            continue;
        };
        if kind.is_string() && !is_required(key) {
            *kind = json!([kind, "null"]);
        }
    }
}

/// The same with keys in order, whatever order this build's JSON keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let in_order: std::collections::BTreeMap<_, _> = members.into_iter().collect();
            let all = in_order
                .into_iter()
                .map(|(key, value)| (key, sorted(value)));
            Value::Object(all.collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        plain => plain,
    }
}
