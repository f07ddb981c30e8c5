//! The filter in the sidecar of the Go proxy's pods.

use modgate_harness::go::{Go, Sumdb};
use modgate_harness::ports::free_port;
use modgate_mesh::{Deploy, Mesh, NAMESPACE, Pod};

use crate::support::{BARE_LIST, LIST, Parts, answers, local, nobody_gets_a_module, policy};

/// In the place of iptables, which would lead the pod's connections to the sidecar: it listens itself, before the Go
/// proxy.
fn listener(parts: &Parts, port: u16, protocol: &str) -> String {
    let files = parts.files.address();
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: athens, namespace: {NAMESPACE}}}\n\
         spec: {{selector: {{app: athens}}, ports: [{{name: http, port: {port}, targetPort: {port}}}]}}\n---\n\
         apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: athens, namespace: {NAMESPACE}}}\n\
         spec:\n  workloadSelector: {{labels: {{app: athens}}}}\n  egress: [{{hosts: ['istio-system/*']}}]\n\
         \x20 ingress: [{{port: {{number: {port}, protocol: {protocol}, name: port}}, bind: 127.0.0.1, defaultEndpoint: '{files}', captureMode: NONE}}]\n"
    )
}

#[test]
fn the_go_proxy_answers_only_what_has_passed_the_filter() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let address = local(port);
    mesh.apply(&listener(&parts, port, "HTTP"));
    let deploy = Deploy::new(&policy(1), parts.at_sidecar(port));
    let pod =
        Pod::sidecar("athens", ("app", "athens")).patched(&deploy.file("extra/pod-template.yaml"));
    let mut proxy = mesh.run(&pod);
    // Without anything of Modgate the Go proxy is open.
    answers(&mut proxy, address, BARE_LIST, Some(200));

    mesh.apply_folder(&deploy.folder());
    answers(&mut proxy, address, LIST, Some(200));
    let go = Go::new(format!("http://{address}/t/web"), Sumdb::Off);
    go.run(&["get", "example.org/words@v0.1.0"]).expect_ok();
    let denied = go.run(&["get", "example.org/bad@v0.1.0"]);
    assert!(
        denied
            .expect_failure()
            .contains("typosquat of example.org/good"),
        "{denied:?}"
    );
    let served = [("tenant", "web"), ("outcome", "ok")];
    assert!(proxy.figures().sum("modgate_requests_total", &served) >= 4.0);

    // What the rules of `modgate deploy` select.
    let listener = format!("http_conn_manager_prefix=\"inbound_127.0.0.1_{port}\"");
    let shown = proxy.prometheus();
    assert!(shown.contains(&listener), "{listener}");
    let rules = deploy.text("extra/alerts.yaml");
    assert!(
        rules.contains(&format!("http_conn_manager_prefix=~\"inbound_.*_{port}\"")),
        "{rules}"
    );

    let filter = deploy.text("3-filter.yaml");
    let ways = [
        (
            "a selector that fits nothing",
            filter.replace("app: athens", "app: other"),
        ),
        (
            "a port that fits nothing",
            filter.replace(&format!("number: {port}"), "number: 1"),
        ),
        (
            "a module that is not to be had",
            filter.replace("modgate.wasm", "gone.wasm"),
        ),
        ("the object deleted", String::new()),
    ];
    for (way, broken) in ways {
        println!("{way}");
        mesh.apply(&filter);
        answers(&mut proxy, address, LIST, Some(200));
        match broken.as_str() {
            "" => mesh.delete(&deploy.file("3-filter.yaml")),
            _ => mesh.apply(&broken),
        }
        answers(&mut proxy, address, LIST, Some(403));
        nobody_gets_a_module(
            &parts,
            &deploy,
            (address, &format!("inbound|{port}||")),
            Some(403),
        );
    }
}

/// Istio takes a port without a protocol's name for TCP, and Envoy has no filters for HTTP there.
#[test]
fn a_port_that_istio_takes_for_tcp_is_shut() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let address = local(port);
    mesh.apply(&listener(&parts, port, "TCP"));
    let mut proxy = mesh.run(&Pod::sidecar("athens", ("app", "athens")));
    answers(&mut proxy, address, BARE_LIST, Some(200));
    let deploy = Deploy::new(&policy(1), parts.at_sidecar(port));
    mesh.apply_folder(&deploy.folder());
    answers(&mut proxy, address, BARE_LIST, None);
    nobody_gets_a_module(
        &parts,
        &deploy,
        (address, &format!("inbound|{port}||")),
        None,
    );
}
