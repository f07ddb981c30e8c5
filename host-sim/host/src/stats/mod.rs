//! Metrics with Envoy's rules: names as the filter gives them, labels cut out by `stats_tags`.

mod config;
mod metric;
mod prometheus;
mod snapshot;
mod store;

pub use config::StatsConfig;
pub(crate) use metric::{Metric, MetricKind};
pub use prometheus::{CONTENT_TYPE, render};
pub use snapshot::{Series, Value};
pub use store::Stats;
