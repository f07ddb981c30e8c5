//! From any type of serde's to a document.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::quote::{Style, inline};

/// The longest key in bytes, quotes included, that stands before its colon without more: readers of
/// YAML 1.1 look no further than 1024 characters for it.
const LONGEST_KEY: usize = 500;

/// Writes a value as YAML in blocks, which readers of YAML 1.1 and of YAML 1.2 read back equal. Strings
/// are quoted where any of them would take them for something else: `on`, `12:30`, `1e3`; those of several
/// lines are blocks (`|`). The members of objects stand as [`serde_json::Value`] has them.
///
/// # Errors
/// What JSON cannot say: maps whose keys are neither strings nor numbers.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let value = serde_json::to_value(value)?;
    let mut text = String::new();
    match &value {
        Value::Array(list) if !list.is_empty() => elements(&mut text, list, 0),
        Value::Object(object) if !object.is_empty() => members(&mut text, object, 0),
        scalar => on_line(&mut text, scalar, 2),
    }
    Ok(text)
}

/// The elements of a list, from the column on that the text has come to.
fn elements(text: &mut String, list: &[Value], indent: usize) {
    for (i, element) in list.iter().enumerate() {
        if i > 0 {
            push_spaces(text, indent);
        }
        text.push_str("- ");
        match element {
            Value::Array(list) if !list.is_empty() => elements(text, list, indent + 2),
            Value::Object(object) if !object.is_empty() => members(text, object, indent + 2),
            scalar => on_line(text, scalar, indent + 2),
        }
    }
}

/// The members of an object, from the column on that the text has come to.
fn members(text: &mut String, object: &Map<String, Value>, indent: usize) {
    for (i, (key, value)) in object.iter().enumerate() {
        if i > 0 {
            push_spaces(text, indent);
        }
        let key = inline(key);
        if key.len() > LONGEST_KEY {
            text.push_str(&format!("? {key}\n"));
            push_spaces(text, indent);
            text.push(':');
        } else {
            text.push_str(&key);
            text.push(':');
        }
        match value {
            Value::Array(list) if !list.is_empty() => {
                text.push('\n');
                push_spaces(text, indent);
                elements(text, list, indent);
            }
            Value::Object(object) if !object.is_empty() => {
                text.push('\n');
                push_spaces(text, indent + 2);
                members(text, object, indent + 2);
            }
            scalar => {
                text.push(' ');
                on_line(text, scalar, indent + 2);
            }
        }
    }
}

/// What needs no lines of its own but those of a block, which are indented so far.
fn on_line(text: &mut String, scalar: &Value, indent: usize) {
    match scalar {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => text.push_str(&number(value)),
        Value::String(value) => match Style::of(value) {
            Style::Block(sign) => {
                text.push_str(sign);
                for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
                    text.push('\n');
                    if !line.is_empty() {
                        push_spaces(text, indent);
                        text.push_str(line);
                    }
                }
            }
            _ => text.push_str(&inline(value)),
        },
        // The others never come here.
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
    }
    text.push('\n');
}

/// A number as YAML 1.1 knows it too: with an exponent it is one only if it has a dot.
fn number(number: &Number) -> String {
    let text = number.to_string();
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

fn push_spaces(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n(' ', count));
}
