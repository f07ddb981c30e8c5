//! The filter in a gateway of Istio.

use modgate_harness::go::{Go, Sumdb};
use modgate_harness::metrics::Figures;
use modgate_harness::ports::free_port;
use modgate_mesh::{Deploy, Mesh, Pod};

use crate::support::{BARE_LIST, LIST, Parts, ask, known_values, local, policy, sha256, status};

/// The backend's cluster, as Istio names it.
fn cluster(parts: &Parts) -> String {
    format!(
        "outbound|{}||files.modgate.internal",
        parts.files.address().port()
    )
}

#[test]
fn go_gets_what_the_policy_allows_and_the_figures_have_their_labels() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let deploy = Deploy::new(&policy(1), parts.at_gateway(port));
    mesh.apply_folder(&deploy.folder());
    let pod = Pod::gateway("gateway", ("istio", "gateway"))
        .patched(&deploy.file("extra/pod-template.yaml"));
    let mut proxy = mesh.run(&pod);
    proxy.wait_until("serving", || {
        (status(local(port), LIST)? == 200).then_some(())
    });

    let go = Go::new(format!("http://localhost:{port}/t/web"), Sumdb::Off);
    go.run(&["get", "example.org/words@v0.1.0"]).expect_ok();
    let denied = go.run(&["get", "example.org/bad@v0.1.0"]);
    assert!(
        denied
            .expect_failure()
            .contains("typosquat of example.org/good"),
        "{denied:?}"
    );
    // Without a tenant.
    assert_eq!(status(local(port), BARE_LIST), Some(403));

    let figures = proxy.figures();
    let sum = |name: &str, labels: &[(&str, &str)]| figures.sum(name, labels);
    assert!(
        sum(
            "modgate_requests_total",
            &[("tenant", "web"), ("outcome", "ok")]
        ) >= 4.0
    );
    assert!(
        sum(
            "modgate_requests_total",
            &[("tenant", "web"), ("outcome", "denied")]
        ) >= 1.0
    );
    assert_eq!(sum("modgate_policy_info", &[("policy_version", "1")]), 1.0);
    let zips = [("operation", "zip"), ("tenant", "web")];
    let shown = Figures::once_at_least(
        || proxy.prometheus(),
        "modgate_request_duration_milliseconds_count",
        &zips,
        1.0,
    );
    assert!(shown.sum("modgate_request_duration_milliseconds_count", &[]) >= 4.0);
    let text = proxy.prometheus();
    let bounds = |bound: &str| {
        text.lines()
            .filter(|line| {
                line.starts_with("modgate_") && line.contains(&format!("le=\"{bound}\""))
            })
            .count()
    };
    // The filter's own buckets, and not Envoy's, which end elsewhere.
    assert!(
        bounds("2") > 0 && bounds("60000") > 0 && bounds("1800000") == 0,
        "{text}"
    );
    for request in parts.files.requests() {
        let seen = format!("{request:?}");
        assert!(
            deploy.keys().iter().all(|key| !seen.contains(key)),
            "the Go proxy has seen a key: {seen}"
        );
    }
}

#[test]
fn without_the_filter_nobody_gets_a_module() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let deploy = Deploy::new(&policy(1), parts.at_gateway_of("goproxy.test", port));
    mesh.apply_folder(&deploy.folder());
    let mut proxy = mesh.run(&Pod::gateway("gateway", ("istio", "gateway")));
    let address = local(port);
    let filter = deploy.text("3-filter.yaml");
    let ways = [
        (
            "a selector that fits nothing",
            filter.replace("istio: gateway", "istio: other"),
            404,
        ),
        (
            "a module that is not to be had",
            filter.replace("modgate.wasm", "gone.wasm"),
            403,
        ),
        (
            "a module with other bytes",
            filter.replace(&sha256(), &"a".repeat(64)),
            403,
        ),
        ("the object deleted", String::new(), 404),
    ];
    for (way, broken, expected) in ways {
        mesh.apply(&filter);
        proxy.wait_until("serving", || (status(address, LIST)? == 200).then_some(()));
        match broken.as_str() {
            "" => mesh.delete(&deploy.file("3-filter.yaml")),
            _ => mesh.apply(&broken),
        }
        proxy.wait_until(way, || (status(address, LIST)? == expected).then_some(()));
        let before = parts.files.requests().len();
        for value in known_values(&deploy, &cluster(&parts)) {
            for path in [LIST, BARE_LIST, "/example.org/words/@v/v0.1.0.zip"] {
                let found = ask(address, path, value.as_deref()).map(|answer| answer.status);
                assert_eq!(found, Some(expected), "{way}, {value:?}, {path}");
            }
        }
        assert_eq!(
            parts.files.requests().len(),
            before,
            "{way}: the Go proxy was reached"
        );
    }
}

#[test]
fn both_kinds_of_object_at_once_are_refused_and_counted() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let deploy = Deploy::new(&policy(1), parts.at_gateway(port));
    mesh.apply_folder(&deploy.folder());
    let mut proxy = mesh.run(&Pod::gateway("gateway", ("istio", "gateway")));
    proxy.wait_until("serving", || {
        (status(local(port), LIST)? == 200).then_some(())
    });

    deploy.again(&policy(1), &["--wasm-plugin"]);
    mesh.apply_folder(&deploy.folder());
    let twice = proxy.wait_until("refusing", || {
        ask(local(port), LIST, None).filter(|answer| answer.status == 503)
    });
    assert!(twice.body.contains("twice"), "{}", twice.body);
    assert!(proxy.figures().sum("modgate_filter_twice_total", &[]) >= 1.0);

    mesh.kubectl(&[
        "delete",
        "trafficextension",
        "modgate",
        "-n",
        modgate_mesh::NAMESPACE,
    ]);
    proxy.wait_until("serving again", || {
        (status(local(port), LIST)? == 200).then_some(())
    });
}
