//! Which series of a metric are meant.

use std::fmt;
use std::str::FromStr;

use envoy_wasm_host::stats::{Series, Value};
use serde::de::{Deserialize, Deserializer, Error};

/// A metric's name, and labels that a series must have: `name{label=value,other=value}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    name: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// The sum of the series that fit; of a histogram, its observations. 0 where there is none.
    pub fn sum(&self, series: &[Series]) -> u64 {
        let fits = |series: &&Series| {
            let mut labels = self.labels.iter();
            series.name == self.name && labels.all(|(name, v)| series.label(name) == Some(v))
        };
        let values = series.iter().filter(fits).map(|series| match series.value {
            Value::Counter(value) | Value::Gauge(value) => value,
            Value::Histogram { count, .. } => count,
        });
        values.fold(0, u64::saturating_add)
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not of the form name{{label=value}}");
        let (name, labels) = match text.split_once('{') {
            None => (text, ""),
            Some((name, rest)) => (name, rest.strip_suffix('}').ok_or_else(wrong)?),
        };
        if name.is_empty() {
            return Err(wrong());
        }
        let mut pairs = Vec::new();
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').ok_or_else(wrong)?;
            pairs.push((
                name.trim().to_owned(),
                value.trim().trim_matches('"').to_owned(),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            labels: pairs,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        let labels = self
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        write!(f, "{{{}}}", labels.collect::<Vec<_>>().join(","))
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
