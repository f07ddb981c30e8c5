//! What a scalar without quotes is.

use serde_json::{Number, Value};

use crate::node::{Kind, Writing};

/// What YAML 1.1 makes of a scalar without quotes, as Kubernetes' reader does.
pub(crate) fn plain(text: String) -> Kind {
    let value = match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Some(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Some(Value::Bool(false))
        }
        text => number(text),
    };
    match value {
        Some(value) => Kind::Plain(value, text),
        None => Kind::Text(text, Writing::Bare),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    if let Ok(number) = plain.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = plain.parse::<u64>() {
        return Some(number.into());
    }
    if let Some(Ok(number)) = digits
        .strip_prefix("0x")
        .map(|hex| i64::from_str_radix(hex, 16))
    {
        return Some(number.into());
    }
    let number: f64 = plain.parse().ok()?;
    Number::from_f64(number).map(Value::Number)
}
