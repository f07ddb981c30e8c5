//! A value of Envoy's configuration and where it stands.

use std::time::Duration;

use modgate_policy::document::member_path;
use serde_json::Value;

/// A value, the file that it stands in, and its JSON path there.
#[derive(Clone, Debug)]
pub(super) struct At<'v> {
    /// The place of the file among those that were given.
    pub(super) file: usize,
    pub(super) path: String,
    pub(super) value: &'v Value,
}

impl<'v> At<'v> {
    /// A whole file.
    pub(super) fn root(file: usize, value: &'v Value) -> Self {
        Self {
            file,
            path: "$".to_owned(),
            value,
        }
    }

    /// A member that is set; its key as Envoy's types have it, or as JSON of them has it
    /// (`static_resources`, `staticResources`).
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let is_there = |key: &str| self.value.get(key).is_some_and(|value| !value.is_null());
        let camel = camel_case(key);
        let key = [key, &*camel].into_iter().find(|key| is_there(key))?;
        Some(Self {
            file: self.file,
            path: member_path(&self.path, key),
            value: self.value.get(key)?,
        })
    }

    /// A member of a member.
    pub(super) fn find(&self, keys: &[&str]) -> Option<Self> {
        let mut found = self.clone();
        for key in keys {
            found = found.get(key)?;
        }
        Some(found)
    }

    /// The elements of a list that is a member; none where it is not there.
    pub(super) fn list(&self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else {
            return Vec::new();
        };
        let elements = list.value.as_array().into_iter().flatten();
        let element = |(i, value)| Self {
            file: list.file,
            path: format!("{}[{i}]", list.path),
            value,
        };
        elements.enumerate().map(element).collect()
    }

    /// The members of an object by their keys.
    pub(super) fn members(&self) -> Vec<(&'v str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        let member = |(key, value): (&'v String, &'v Value)| {
            let at = Self {
                file: self.file,
                path: member_path(&self.path, key),
                value,
            };
            (key.as_str(), at)
        };
        members.map(member).collect()
    }

    /// A member that is a string.
    pub(super) fn text(&self, key: &str) -> Option<&'v str> {
        self.get(key)?.value.as_str()
    }

    /// Whether a member is true.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|at| at.value == &Value::Bool(true))
    }

    /// A member that is a number, also one that stands in a string, as 64 bits do.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        let value = self.get(key)?.value;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A member that is a time span as protobuf writes one in JSON (`1.5s`): seconds alone, with a fraction,
    /// where a policy has whole numbers and a unit.
    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        let seconds: f64 = self.text(key)?.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether a member is this value of an enumeration, which may stand there as its number.
    pub(super) fn is_one(&self, key: &str, name: &str, number: u64) -> bool {
        let value = self.get(key).map(|at| at.value);
        value.is_some_and(|value| value == name || value.as_u64() == Some(number))
    }

    /// What an extension is configured with: the name of its type without the domain, and the
    /// configuration, also where it stands in a `TypedStruct`.
    pub(super) fn typed(&self) -> Option<(&'v str, Self)> {
        let kind = self.text("@type")?;
        if kind.ends_with(".TypedStruct") {
            let kind = self.text("type_url")?;
            return Some((short(kind), self.get("value")?));
        }
        Some((short(kind), self.clone()))
    }
}

fn short(kind: &str) -> &str {
    kind.rsplit('/').next().unwrap_or(kind)
}

fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_of_a_key_and_all_of_a_number_are_read() {
        let value = json!({
            "staticResources": {"a": 1}, "limit": "65536", "timeout": "1.5s", "off": null,
            "action": 1, "list": ["x"],
        });
        let at = At::root(0, &value);
        let found = at.find(&["static_resources", "a"]).unwrap();
        assert_eq!(found.path, "$.staticResources.a");
        assert_eq!(at.number("limit"), Some(65536));
        assert_eq!(at.duration("timeout"), Some(Duration::from_millis(1500)));
        assert!(at.get("off").is_none());
        assert!(at.is_one("action", "FIRST", 1));
        assert_eq!(at.list("list")[0].path, "$.list[0]");
        let typed = json!({
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": "type.googleapis.com/a.B", "value": {"c": 1},
        });
        let (kind, inner) = At::root(0, &typed).typed().unwrap();
        assert_eq!((kind, inner.path.as_str()), ("a.B", "$.value"));
    }
}
