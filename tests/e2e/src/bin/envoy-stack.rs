//! `make envoy`: real Envoy with the filter in front of real Go proxies, to be tried by hand.
//! With `--check` it tries itself and ends.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use modgate_harness::go::{Go, Sumdb};
use modgate_harness::grafana_server::GrafanaServer;
use modgate_harness::stack::Stack;

const DENIED: &str = "github.com/boltdb-go/bolt@v1.3.1";
const ALLOWED: &str = "golang.org/x/text@v0.14.0";

fn main() {
    let check = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => {
            eprintln!("usage: scripts/envoy [--check]");
            std::process::exit(2);
        }
    };
    // Before anything runs, so that a Ctrl-C during the start stops what has started.
    let (stop, stopped) = mpsc::channel();
    let on_signal = move || {
        // Nobody listens where everything has stopped already.
        let _ = stop.send(());
    };
    if let Err(error) = ctrlc::set_handler(on_signal) {
        eprintln!("envoy-stack: Ctrl-C cannot be caught: {error}");
        std::process::exit(1);
    }
    println!("Starting goproxy, Athens, Envoy with the filter, and Prometheus ...");
    let stack = Stack::start();
    let grafana = GrafanaServer::find().and_then(|program| {
        println!("Starting Grafana ({}) ...", program.display());
        GrafanaServer::start(&program, stack.prometheus.address())
    });
    if check {
        try_it(&stack);
        look_at_it(&stack, grafana.as_ref());
        return;
    }
    explain(&stack);
    look_at_it(&stack, grafana.as_ref());
    println!("\nCtrl-C stops everything.");
    // A closed channel is no reason to go on.
    let _ = stopped.recv();
    println!("\nStopping.");
}

fn explain(stack: &Stack) {
    let envoy = stack.envoy.address();
    let prometheus = stack.prometheus.address();
    println!(
        "
Envoy      http://{envoy}   in front of goproxy http://{} and Athens http://{}
admin      http://{}/stats/prometheus
Prometheus http://{prometheus}/api/v1/query?query=modgate_requests_total   (Debian packages it without its web pages)

Try, in a folder with a go.mod (GOFLAGS=-modcacherw GOMODCACHE=$(mktemp -d) keeps your own cache out of it):

  # tenant web may have everything public, from goproxy, verified by the checksum database
  GOPROXY=http://{envoy}/t/web go mod download -x {ALLOWED}

  # but not this, and go says why
  GOPROXY=http://{envoy}/t/web go mod download {DENIED}

  # tenant payments may have golang.org/x/text and nothing else
  GOPROXY=http://{envoy}/t/payments go list -m -versions golang.org/x/text

  # behind the prefix /go.dev/v1 the modules come from Athens
  GOPROXY=http://{envoy}/t/web/go.dev/v1 go mod download {ALLOWED}

The policy is examples/envoy/policy.json.",
        stack.goproxy.address(),
        stack.athens.address(),
        stack.envoy.admin(),
    );
}

/// Where the dashboards are, or how a Grafana gets them.
fn look_at_it(stack: &Stack, grafana: Option<&GrafanaServer>) {
    if let Some(grafana) = grafana {
        println!("\nGrafana    {}", grafana.url());
        return;
    }
    println!(
        "
No `grafana` on PATH that starts. To see the dashboards in a Grafana of your own, start it with

  GF_PATHS_PROVISIONING=$PWD/grafana/provisioning MODGATE_DASHBOARDS=$PWD/grafana/dashboards \\
  MODGATE_PROMETHEUS=http://{}

or add that Prometheus as a data source and import grafana/dashboards/*.json.",
        stack.prometheus.address()
    );
}

/// One download that is allowed, one through the prefix, one that is denied, and their figures.
fn try_it(stack: &Stack) {
    let go = |path: &str| {
        Go::new(
            format!("http://{}{path}", stack.envoy.address()),
            Sumdb::Verify,
        )
    };
    go("/t/web").run(&["mod", "download", ALLOWED]).expect_ok();
    go("/t/web/go.dev/v1")
        .run(&["mod", "download", ALLOWED])
        .expect_ok();
    let denied = go("/t/web").run(&["mod", "download", DENIED]);
    assert!(
        denied.expect_failure().contains("rule: org/typosquat"),
        "{denied:?}"
    );
    for query in [
        "sum(modgate_requests_total{tenant=\"web\",backend=\"goproxy\",outcome=\"ok\"})",
        "sum(modgate_requests_total{tenant=\"web\",backend=\"athens\",outcome=\"ok\"})",
        "sum(modgate_decisions_total{decision=\"deny\",rule=\"typosquat\"})",
        "sum(modgate_policy_info)",
    ] {
        let start = Instant::now();
        while stack
            .prometheus
            .query(query)
            .is_none_or(|value| value < 1.0)
        {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "Prometheus has nothing for {query}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    println!("All of it works: two downloads, a denial, and their figures in Prometheus.");
}
