//! The filter in a gateway of Istio.

use modgate_harness::go::{Go, Sumdb};
use modgate_harness::metrics::Figures;

use crate::support::{
    BARE_LIST, Gateway, LIST, answers, ask, nobody_gets_a_module, policy, sha256, status,
};

#[test]
fn go_gets_what_the_policy_allows_and_the_figures_have_their_labels() {
    let Gateway {
        address,
        deploy,
        proxy,
        parts,
        mesh: _mesh,
    } = Gateway::serving("*");
    let go = Go::new(
        format!("http://localhost:{}/t/web", address.port()),
        Sumdb::Off,
    );
    go.run(&["get", "example.org/words@v0.1.0"]).expect_ok();
    let denied = go.run(&["get", "example.org/bad@v0.1.0"]);
    assert!(
        denied
            .expect_failure()
            .contains("typosquat of example.org/good"),
        "{denied:?}"
    );
    // Without a tenant.
    assert_eq!(status(address, BARE_LIST), Some(403));

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
    let Gateway {
        address,
        deploy,
        mut proxy,
        mesh,
        parts,
    } = Gateway::serving("goproxy.test");
    let port = parts.files.address().port();
    let cluster = format!("outbound|{port}||files.modgate.internal");
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
        println!("{way}");
        mesh.apply(&filter);
        answers(&mut proxy, address, LIST, Some(200));
        match broken.as_str() {
            "" => mesh.delete(&deploy.file("3-filter.yaml")),
            _ => mesh.apply(&broken),
        }
        answers(&mut proxy, address, LIST, Some(expected));
        nobody_gets_a_module(&parts, &deploy, (address, &cluster), Some(expected));
    }
}

#[test]
fn both_kinds_of_object_at_once_are_refused_and_counted() {
    let Gateway {
        address,
        deploy,
        mut proxy,
        mesh,
        parts: _parts,
    } = Gateway::serving("*");
    deploy.again(&policy(1), &["--wasm-plugin"]);
    mesh.apply_folder(&deploy.folder());
    let twice = proxy.wait_until("refusing", || {
        ask(address, LIST, None).filter(|answer| answer.status == 503)
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
    answers(&mut proxy, address, LIST, Some(200));
}
