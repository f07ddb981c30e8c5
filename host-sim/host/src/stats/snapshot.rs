//! Metrics as they are at one moment.

/// A metric's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// How far it has grown.
    Counter(u64),
    /// What it was last set to.
    Gauge(u64),
    /// Observations.
    Histogram {
        /// The sum of all values.
        sum: f64,
        /// How many there were.
        count: u64,
        /// For each upper bound, the last of them infinite, how many values lie between the bound
        /// before and it.
        buckets: Vec<(f64, u64)>,
    },
}

/// One series, as Prometheus would name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name without labels.
    pub name: String,
    /// Labels by name, sorted.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: Value,
}

impl Series {
    /// The label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        let (_, value) = self.labels.iter().find(|(label, _)| label == name)?;
        Some(value)
    }
}
