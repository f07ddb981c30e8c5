//! What others read of Modgate: the catalogue of metrics as Envoy's and Istio's configuration, as data
//! and as the reference page, and Envoy's routes for a policy.

mod envoy;
mod istio;
mod json;
mod markdown;
mod routes;

pub use envoy::envoy;
pub use istio::istio;
pub use json::json;
pub use markdown::markdown;
pub use routes::EnvoyRoutes;

use modgate_engine::telemetry::{CATALOGUE, Kind};

/// What Envoy puts before the name of every metric of a filter.
const NAMESPACE: &str = "wasmcustom";

/// Each histogram by the prefix that its stats have in Envoy, with its buckets.
fn histograms() -> impl Iterator<Item = (String, &'static [f64])> {
    CATALOGUE.iter().filter_map(|metric| match metric.kind {
        Kind::Histogram { buckets } => Some((format!("{NAMESPACE}.{}", metric.name), buckets)),
        Kind::Counter | Kind::Gauge => None,
    })
}

/// The prefixes that histograms' stats have in Envoy, for which its bootstrap has buckets.
pub(crate) fn histogram_prefixes() -> impl Iterator<Item = String> {
    histograms().map(|(prefix, _)| prefix)
}

/// Whole numbers without a point, as one would write them.
fn number(bound: f64) -> serde_json::Value {
    #[allow(clippy::cast_possible_truncation)] // whole and small, or kept as it is
    let whole = bound as i64;
    #[allow(clippy::cast_precision_loss)]
    if (whole as f64 - bound).abs() < f64::EPSILON {
        whole.into()
    } else {
        bound.into()
    }
}
