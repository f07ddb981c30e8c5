//! What Modgate's filter needs of who runs it: how its metrics' names are cut, the header in which it names
//! a cluster, what it leaves for the access log.

use std::sync::Arc;

use envoy_wasm_host::Route;
use envoy_wasm_host::stats::StatsConfig;
use envoy_wasm_scenario::Scenario;
use envoy_wasm_serve::clusters::Clusters;
use envoy_wasm_serve::{Conventions, ModuleSource, Policy, ServeConfig, Upstream};
use modgate_engine::telemetry::{CATALOGUE, Kind, LABELS, series};
use modgate_go::http::headers::{ACCESS_PROPERTY, CLUSTER_HEADER, HOST_METADATA};

use crate::clusters;

/// What the catalogue of metrics needs: the same patterns and buckets that `modgate metrics --format envoy`
/// prints, and what each metric means.
pub fn stats() -> StatsConfig {
    let mut config = StatsConfig::default();
    for label in LABELS {
        // The pattern is made from a constant name; a test builds every one of them.
        if let Ok(with) = config
            .clone()
            .tag(label.name, &series::tag_regex(label.name))
        {
            config = with;
        }
    }
    for metric in CATALOGUE {
        config = config.help(metric.name, metric.help);
        if let Kind::Histogram { buckets } = metric.kind {
            config = config.buckets(metric.name, buckets);
        }
    }
    config
}

/// The route by the header in which the filter names a cluster.
pub fn route() -> Route {
    Route::ClusterHeader(CLUSTER_HEADER.to_owned())
}

/// A proxy that runs the filter, with the defaults of [`ServeConfig::new`].
pub fn serve(module: ModuleSource, policy: Policy, upstreams: Vec<Upstream>) -> ServeConfig {
    let mut config = ServeConfig::new(module, policy, upstreams);
    config.conventions = Conventions {
        name: "modgate".to_owned(),
        cluster_header: Some(CLUSTER_HEADER.to_owned()),
        access_property: Some(ACCESS_PROPERTY.to_owned()),
        host_metadata: Some(HOST_METADATA.map(str::to_owned)),
    };
    config.policy_reader = Some(Arc::new(clusters_of));
    config.stats = stats();
    config
}

/// A scenario as it is played for the filter: without a route of its own it has the filter's.
pub fn scenario(mut scenario: Scenario) -> Scenario {
    let route = &mut scenario.route;
    if route.cluster.is_none() && route.header.is_none() {
        route.header = Some(CLUSTER_HEADER.to_owned());
    }
    scenario.stats = stats();
    scenario
}

/// The clusters that a policy needs. Of a bad one nothing: what is wrong with it the filter says better.
fn clusters_of(policy: &[u8]) -> Clusters {
    let policy = modgate_policy::model::Policy::from_json(policy);
    policy.map_or_else(|_| Clusters::default(), |policy| clusters::of(&policy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use modgate_engine::telemetry::{REQUEST_DURATION_MILLISECONDS, REQUESTS_TOTAL};

    #[test]
    fn every_label_of_the_catalogue_is_cut_out() {
        for label in LABELS {
            let (name, labels) = stats().cut(&format!("hits{}=.=x;.;", label.name));
            assert_eq!(name, "hits");
            assert_eq!(labels, [(label.name.to_owned(), "x".to_owned())]);
        }
    }

    #[test]
    fn a_metric_is_shown_with_its_labels_and_buckets() {
        let stat = series::stat_name(&REQUESTS_TOTAL, &["acme", "zip", "public", "ok"]);
        let (name, labels) = stats().cut(&stat);
        assert_eq!(name, "modgate_requests_total");
        let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            labels,
            [
                "backend=public",
                "operation=zip",
                "outcome=ok",
                "tenant=acme"
            ]
        );
        let stat = series::stat_name(&REQUEST_DURATION_MILLISECONDS, &["a", "zip", "b"]);
        assert_eq!(stats().bounds_of(&stat).len(), 15);
    }

    #[test]
    fn a_policy_needs_the_clusters_of_its_backends() {
        let policy = br##"{"version": "1", "default": "deny", "contact": "#a", "tenants": {"*": {"rules": ["r"]}},
          "rules": {"r": [{"id": "all", "allow": ["*"]}]},
          "backends": {"public": {"cluster": "athens"}},
          "routes": [{"id": "all", "backend": "public"}]}"##;
        let module = ModuleSource::Bytes(Vec::new());
        let config = serve(module, Policy::Fixed(policy.to_vec()), Vec::new());
        let read = config.policy_reader.unwrap();
        let backends = read(policy).backends;
        let named = backends
            .iter()
            .map(|member| (&*member.backend, &*member.cluster));
        assert_eq!(named.collect::<Vec<_>>(), [("public", "athens")]);
        assert_eq!(read(b"{}"), Clusters::default());
    }
}
