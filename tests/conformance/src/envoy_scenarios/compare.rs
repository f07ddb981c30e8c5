//! Where two runs of a scenario differ: the simulator's and Envoy's.

use std::collections::BTreeMap;

use envoy_wasm_host::http::Headers;
use envoy_wasm_host::stats::{Series, Value};
use envoy_wasm_scenario::{ClientSeen, Difference, Run, Scenario, UpstreamSeen};

/// What is otherwise in Envoy: than the scenario expects, or than the simulator's run. Those that the
/// scenario lists are left out; one that it lists and that is not there is a difference itself.
pub fn differences(scenario: &Scenario, simulator: &Run, envoy: &Run) -> Vec<Difference> {
    let mut found = scenario.differences(envoy);
    found.extend(of_runs(simulator, envoy));
    for (what, why) in &scenario.differs {
        if !found
            .iter()
            .any(|difference| difference.what.starts_with(what))
        {
            found.push(Difference {
                what: format!("differs: {what}"),
                expected: why.clone(),
                seen: "the two agree".to_owned(),
            });
        }
    }
    let listed = |what: &str| scenario.differs.keys().any(|known| what.starts_with(known));
    found.retain(|difference| !listed(&difference.what));
    found
}

/// Where Envoy's run differs from the simulator's in what clients and upstreams see, and in metrics.
fn of_runs(simulator: &Run, envoy: &Run) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |what: String, expected: String, seen: String| {
        if expected != seen {
            found.push(Difference {
                what,
                expected,
                seen,
            });
        }
    };
    compare(
        "start".to_owned(),
        simulator.refused.is_some().to_string(),
        envoy.refused.is_some().to_string(),
    );
    if simulator.refused.is_some() {
        return found;
    }
    for (i, (sim, real)) in simulator
        .configurations
        .iter()
        .zip(&envoy.configurations)
        .enumerate()
    {
        let what = format!("configuration {} as in the simulator", i + 1);
        compare(what, format!("{sim:?}"), format!("{real:?}"));
    }
    for (i, (sim, real)) in simulator.clients.iter().zip(&envoy.clients).enumerate() {
        for ((part, expected), (_, seen)) in client(sim).into_iter().zip(client(real)) {
            compare(
                format!("request {}: {part} as in the simulator", i + 1),
                expected,
                seen,
            );
        }
    }
    let requests = |run: &Run| {
        let mut requests: Vec<_> = run
            .upstream
            .iter()
            .filter(|seen| !seen.refused)
            .map(upstream)
            .collect();
        requests.sort();
        requests.join("\n")
    };
    compare(
        "upstreams as in the simulator".to_owned(),
        requests(simulator),
        requests(envoy),
    );
    let (expected, seen) = (figures(&simulator.series), figures(&envoy.series));
    let mut names: Vec<_> = expected.keys().chain(seen.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let value = |of: &BTreeMap<String, u64>| of.get(name).copied().unwrap_or(0).to_string();
        compare(
            format!("metric {name} as in the simulator"),
            value(&expected),
            value(&seen),
        );
    }
    found
}

/// What a client saw, part by part.
fn client(seen: &ClientSeen) -> [(&'static str, String); 4] {
    let body = seen.body.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let lines = |headers: &Option<Headers>| headers.as_ref().map(lines).unwrap_or_default();
    [
        ("outcome", seen.outcome().name().to_owned()),
        ("headers", lines(&seen.headers)),
        ("body", body),
        ("trailers", lines(&seen.trailers)),
    ]
}

fn upstream(seen: &UpstreamSeen) -> String {
    let body = seen.body.to_bytes();
    format!(
        "{}, callout {}, {}\n{}\nbody {}\ntrailers {}",
        seen.cluster,
        seen.callout,
        seen.ending.name(),
        lines(&seen.headers),
        String::from_utf8_lossy(&body),
        seen.trailers.as_ref().map(lines).unwrap_or_default(),
    )
}

/// Headers without those that a proxy adds in its own name, sorted.
fn lines(headers: &Headers) -> String {
    const OWN: &[&str] = &["date", "server", "x-request-id", "x-forwarded-proto"];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = headers
        .iter()
        .map(|(name, value)| (text(name), text(value)));
    let shown =
        all.filter(|(name, _)| !name.starts_with("x-envoy-") && !OWN.contains(&name.as_str()));
    let mut lines: Vec<_> = shown
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    lines.sort();
    lines.join("\n")
}

/// Every series that is not 0; of histograms the number of observations.
fn figures(series: &[Series]) -> BTreeMap<String, u64> {
    let mut figures = BTreeMap::new();
    for one in series {
        let labels: Vec<_> = one.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let (Value::Counter(value) | Value::Gauge(value) | Value::Histogram { count: value, .. }) =
            one.value;
        if value != 0 {
            figures.insert(format!("{}{{{}}}", one.name, labels.join(",")), value);
        }
    }
    figures
}
