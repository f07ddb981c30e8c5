//! Hits, latency and failures, read back from the proxy's own `/metrics`.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use modgate_engine::telemetry::{
    CACHE_LOOKUPS_TOTAL, Metric, Outcome, REQUEST_DURATION_MILLISECONDS, REQUESTS_TOTAL,
};
use prometheus_parse::{Sample, Scrape, Value};

use super::stage::Stage;

/// How long `/metrics` may take to show all requests that have ended.
const SETTLED: Duration = Duration::from_secs(10);

/// The outcomes that are failures of a backend or of the way to it.
const FAILURES: &[&str] = &[
    Outcome::UpstreamError.as_str(),
    Outcome::Timeout.as_str(),
    Outcome::Truncated.as_str(),
];

/// What the metrics say, one line for each tenant, sorted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    /// The URL that was read.
    pub(super) url: String,
    /// The tenants.
    pub(super) tenants: Vec<TenantFigures>,
}

/// What the metrics say of one tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TenantFigures {
    /// Its name.
    pub(super) tenant: String,
    /// All requests.
    pub(super) requests: f64,
    /// Those that the policy refused, probes included.
    pub(super) denied: f64,
    /// Those that failed.
    pub(super) failures: f64,
    /// The answers of a backend of whose cache something can be determined.
    pub(super) told: f64,
    /// Those of them that came out of the cache.
    pub(super) hits: f64,
    /// The mean time of a request, in milliseconds.
    pub(super) mean_ms: f64,
    /// The bound, in milliseconds, of the first bucket that 95 per cent of the requests fit under.
    pub(super) p95_ms: f64,
}

impl Figures {
    /// Reads them, as soon as every request that has ended is in them.
    pub(super) fn read(stage: &Stage) -> Result<Self, Box<dyn Error>> {
        let url = format!("http://{}/metrics", stage.filter.admin_address());
        let ended = stage.ended();
        let end = Instant::now() + SETTLED;
        loop {
            let figures = Self::parse(&url, &fetch(&url)?)?;
            let counted: f64 = figures.tenants.iter().map(|t| t.requests).sum();
            // Counts of requests are far below 2^53.
            #[allow(clippy::cast_precision_loss)]
            if counted >= ended as f64 {
                return Ok(figures);
            }
            if Instant::now() > end {
                return Err(format!("{url} shows {counted} requests of {ended}").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn parse(url: &str, text: &str) -> Result<Self, Box<dyn Error>> {
        let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned())))
            .map_err(|error| format!("{url} did not return Prometheus metrics: {error}"))?;
        let samples = Samples(&scrape.samples);
        let mut names: Vec<&str> = scrape
            .samples
            .iter()
            .filter(|sample| sample.metric == REQUESTS_TOTAL.name)
            .filter_map(|sample| sample.labels.get("tenant"))
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(Self {
            url: url.to_owned(),
            tenants: names.into_iter().map(|name| samples.tenant(name)).collect(),
        })
    }
}

struct Samples<'a>(&'a [Sample]);

impl Samples<'_> {
    fn tenant(&self, tenant: &str) -> TenantFigures {
        let requests = |labels: &[(&str, &[&str])]| self.sum(REQUESTS_TOTAL.name, tenant, labels);
        let lookups = |statuses: &[&str]| {
            let labels = [("cache_status", statuses)];
            self.sum(CACHE_LOOKUPS_TOTAL.name, tenant, &labels)
        };
        let part = |suffix: &str| {
            let name = format!("{}{suffix}", REQUEST_DURATION_MILLISECONDS.name);
            self.sum(&name, tenant, &[])
        };
        TenantFigures {
            tenant: tenant.to_owned(),
            requests: requests(&[]),
            denied: requests(&[("outcome", &[Outcome::Denied.as_str()])]),
            failures: requests(&[("outcome", FAILURES)]),
            told: lookups(&["hit", "miss", "stale"]),
            hits: lookups(&["hit"]),
            mean_ms: part("_sum") / part("_count").max(1.0),
            p95_ms: self.bound(&REQUEST_DURATION_MILLISECONDS, tenant, 0.95),
        }
    }

    fn of<'s>(&'s self, name: &'s str, tenant: &'s str) -> impl Iterator<Item = &'s Sample> {
        self.0
            .iter()
            .filter(move |s| s.metric == name && s.labels.get("tenant") == Some(tenant))
    }

    /// The sum of a tenant's series whose labels have one of these values.
    fn sum(&self, name: &str, tenant: &str, labels: &[(&str, &[&str])]) -> f64 {
        let has = |sample: &&Sample| {
            labels.iter().all(|(label, values)| {
                let value = sample.labels.get(label);
                value.is_some_and(|value| values.contains(&value))
            })
        };
        let value = |sample: &Sample| match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
            Value::Histogram(_) | Value::Summary(_) => 0.0,
        };
        // The sum of nothing is -0.0.
        self.of(name, tenant).filter(has).map(value).sum::<f64>() + 0.0
    }

    /// The bound of the first bucket that this share of all observations fits under.
    fn bound(&self, metric: &Metric, tenant: &str, share: f64) -> f64 {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for sample in self.of(metric.name, tenant) {
            let Value::Histogram(counts) = &sample.value else {
                continue;
            };
            for count in counts {
                match buckets
                    .iter_mut()
                    .find(|(bound, _)| *bound == count.less_than)
                {
                    Some((_, sum)) => *sum += count.count,
                    None => buckets.push((count.less_than, count.count)),
                }
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = buckets.last().map_or(0.0, |(_, count)| *count);
        let found = buckets.iter().find(|(_, count)| *count >= all * share);
        found.map_or(f64::INFINITY, |(bound, _)| *bound)
    }
}

fn fetch(url: &str) -> Result<String, Box<dyn Error>> {
    let uri: Uri = url.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let bytes = runtime.block_on(async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let response = client.get(uri).await?;
        if !response.status().is_success() {
            return Err(format!("{url} responded with {}", response.status()).into());
        }
        Ok::<_, Box<dyn Error>>(response.into_body().collect().await?.to_bytes())
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_sums_over_a_tenants_series() {
        let text = "# TYPE modgate_requests counter
modgate_requests_total{tenant=\"web\",operation=\"zip\",backend=\"public\",outcome=\"ok\"} 3
modgate_requests_total{tenant=\"web\",operation=\"mod\",backend=\"public\",outcome=\"timeout\"} 1
modgate_requests_total{tenant=\"ops\",operation=\"mod\",backend=\"none\",outcome=\"denied\"} 2
# TYPE modgate_cache_lookups counter
modgate_cache_lookups_total{tenant=\"web\",cache_status=\"hit\"} 2
modgate_cache_lookups_total{tenant=\"web\",cache_status=\"unknown\"} 5
# TYPE modgate_request_duration_milliseconds histogram
modgate_request_duration_milliseconds_bucket{tenant=\"web\",le=\"1.0\"} 3
modgate_request_duration_milliseconds_bucket{tenant=\"web\",le=\"2.0\"} 4
modgate_request_duration_milliseconds_bucket{tenant=\"web\",le=\"+Inf\"} 4
modgate_request_duration_milliseconds_sum{tenant=\"web\"} 6.0
modgate_request_duration_milliseconds_count{tenant=\"web\"} 4
# EOF
";
        let figures = Figures::parse("http://x/metrics", text).unwrap();
        let [ops, web] = figures.tenants.as_slice() else {
            panic!("two tenants: {figures:?}");
        };
        assert_eq!((ops.requests, ops.denied, ops.failures), (2.0, 2.0, 0.0));
        let expected = TenantFigures {
            tenant: "web".to_owned(),
            requests: 4.0,
            denied: 0.0,
            failures: 1.0,
            told: 2.0,
            hits: 2.0,
            mean_ms: 1.5,
            p95_ms: 2.0,
        };
        assert_eq!(*web, expected);
    }
}
