//! Splits: which version of a module real go comes to, behind real Envoy and behind the simulator.

mod commands;
mod explain;
mod routing;
mod trials;

use std::net::{Ipv4Addr, SocketAddr};

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::metrics::Figures;
use modgate_harness::modgate;
use modgate_harness::serve::Serve;
use modgate_harness::tools::root;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime;

const LIB: &str = "corp.example/lib";
const VERSIONS: [&str; 5] = ["v1.0.0", "v1.2.0", "v1.3.0-beta.1", "v1.3.0", "v1.4.0"];

/// The example that is shipped.
fn example() -> Value {
    let file = root().join("examples/split/policy.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The same, with everybody of `t/beta` on the beta, and who is `t/stable` on the release.
fn by_tenant(more: Value) -> Value {
    let mut policy = example();
    policy["tenants"]["beta"] = json!({"rules": ["corp"]});
    let split = &mut policy["splits"]["lib-beta"];
    split["assign"] = json!([{"tenants": ["beta"], "variant": "beta"}, {"variant": "stable"}]);
    let more = more.as_object().unwrap().clone();
    split.as_object_mut().unwrap().extend(more);
    policy
}

fn lib(version: &str) -> Module {
    Module::new(LIB, version).file("lib.go", format!("package lib // {version}\n"))
}

fn files(modules: &[Module]) -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), modules).unwrap();
    let server = Server::start(dir.path()).unwrap();
    (dir, server)
}

/// The version that a developer's go.mod names after these commands.
#[track_caller]
fn got(host: &Host, tenant: &str, commands: &[&[&str]]) -> String {
    let go = host.go(tenant);
    for command in commands {
        go.run(command).expect_ok();
    }
    let listed = go.run(&["list", "-m", "-f", "{{.Version}}", LIB]);
    listed.expect_ok().trim().to_owned()
}

const ASSIGNED: &str = "modgate_split_assignments_total";

#[test]
fn go_comes_to_the_variant_however_it_asks() {
    let (dir, server) = files(&VERSIONS.map(lib));
    let main = dir.path().join(format!("{LIB}/@v/main.info"));
    let info =
        json!({"Version": "v1.4.1-0.20260101000000-0123456789ab", "Time": "2026-01-01T00:00:00Z"});
    std::fs::write(main, info.to_string()).unwrap();
    for host in Host::both(&by_tenant(json!({})), server.address()) {
        let rows = [
            ("beta", "v1.3.0-beta.1"),
            ("web", "v1.2.0"),
            ("bank", "v1.2.0"),
        ];
        table_rows::check(rows, |(tenant, version)| {
            for query in ["latest", "upgrade", "v1", "main"] {
                let wanted = format!("{LIB}@{query}");
                let got = got(&host, tenant, &[&["get", &wanted]]);
                assert_eq!(got, version, "{tenant} {query}");
            }
            let old = format!("{LIB}@v1.0.0");
            let updated = got(&host, tenant, &[&["get", &old], &["get", "-u", LIB]]);
            assert_eq!(updated, version, "{tenant} -u");
            // A version that is named is obeyed, and found again.
            let named = format!("{LIB}@v1.3.0");
            assert_eq!(
                got(&host, tenant, &[&["get", &named], &["mod", "download"]]),
                "v1.3.0"
            );
        });
        let go = host.go("web");
        go.run(&["get", &format!("{LIB}@v1.0.0")]).expect_ok();
        let newer = go.run(&["list", "-m", "-u", "-versions", LIB]);
        assert_eq!(newer.expect_ok().trim(), format!("{LIB} v1.0.0 v1.2.0"));
        let line = go.run(&["list", "-m", "-u", LIB]);
        assert_eq!(line.expect_ok().trim(), format!("{LIB} v1.0.0 [v1.2.0]"));
        for variant in ["beta", "stable"] {
            let labels = [("split", "lib-beta"), ("variant", variant)];
            assert!(host.figures().sum(ASSIGNED, &labels) >= 4.0, "{variant}");
            // Who is led there is counted with it, and so are the files of its version.
            for operation in ["list", "zip"] {
                let reported =
                    [&labels[..], &[("operation", operation), ("outcome", "ok")]].concat();
                let reported = host.figures().sum("modgate_requests_total", &reported);
                assert!(reported >= 1.0, "{variant} {operation}");
            }
            let took = "modgate_request_duration_milliseconds_count";
            Figures::once_at_least(|| host.prometheus(), took, &labels, 4.0);
        }
        let of_none = [("split", "none"), ("variant", "none"), ("operation", "zip")];
        let of_none = host.figures().sum("modgate_requests_total", &of_none);
        assert!(of_none >= 1.0, "v1.3.0 is no variant's");
        assert_eq!(
            host.figures().sum("modgate_split_fallbacks_total", &[]),
            0.0
        );
        let answer = host.get(&format!("/t/beta/{LIB}/@latest"));
        assert_eq!(answer.header("x-modgate-variant"), Some("beta"));
    }
}

#[test]
fn a_dependency_that_needs_a_hidden_version_gets_it_unless_the_split_is_strict() {
    let needs = Module::new("corp.example/app", "v1.0.0")
        .requires(LIB, "v1.3.0")
        .file("app.go", "package app\n\nimport _ \"corp.example/lib\"\n");
    let modules: Vec<Module> = VERSIONS.map(lib).into_iter().chain([needs]).collect();
    let (_dir, server) = files(&modules);
    for host in Host::both(&by_tenant(json!({})), server.address()) {
        let got = got(&host, "web", &[&["get", "corp.example/app@latest"]]);
        assert_eq!(got, "v1.3.0");
    }
    for host in Host::both(&by_tenant(json!({"strict": true})), server.address()) {
        let said = host.go("web").run(&["get", "corp.example/app@latest"]);
        let said = said.expect_failure();
        assert!(
            said.contains("the split lib-beta assigns you v1.2.0 (stable)"),
            "{said}"
        );
        assert_eq!(
            got(&host, "web", &[&["get", &format!("{LIB}@latest")]]),
            "v1.2.0"
        );
        let denied = [("rule", "split"), ("decision", "deny")];
        assert!(host.figures().sum("modgate_decisions_total", &denied) >= 1.0);
    }
}

#[test]
fn what_was_taken_back_is_not_chosen_though_the_split_hides_who_says_so() {
    let newest = lib("v1.4.0").retracts("v1.2.0", "it loses data");
    let modules = [
        lib("v1.0.0"),
        lib("v1.1.0"),
        lib("v1.2.0"),
        lib("v1.3.0-beta.1"),
        newest,
    ];
    let (_dir, server) = files(&modules);
    for host in Host::both(&by_tenant(json!({})), server.address()) {
        assert_eq!(
            got(&host, "web", &[&["get", &format!("{LIB}@latest")]]),
            "v1.1.0"
        );
        assert_eq!(
            got(&host, "beta", &[&["get", &format!("{LIB}@latest")]]),
            "v1.3.0-beta.1"
        );
    }
}

/// The budget is `MAX_TENANT_VARIANTS`: what is more is counted, and not told apart.
#[test]
fn tenants_and_variants_are_distinguished_up_to_a_thousand() {
    let (_dir, server) = files(&VERSIONS.map(lib));
    let mut policy = by_tenant(json!({}));
    let names: Vec<String> = (0..1010).map(|i| format!("t{i}")).collect();
    for name in &names {
        policy["tenants"][name] = json!({"rules": ["corp"]});
    }
    // Of one worker: each has a budget of its own.
    let clusters = [("backend", server.address())];
    let envoy = Envoy::start(&Config::new(policy.clone(), &clusters));
    let serve = Serve::start_with(&policy, &clusters, &["--workers=1".to_owned()]);
    for host in [Host::Envoy(Box::new(envoy)), Host::Serve(Box::new(serve))] {
        for name in &names {
            assert_eq!(host.get(&format!("/t/{name}/{LIB}/@v/list")).status, 200);
        }
        let figures = host.figures();
        let count = |labels: &[(&str, &str)]| figures.sum("modgate_requests_total", labels);
        assert_eq!(count(&[("variant", "stable")]), 1000.0);
        assert_eq!(count(&[("split", "other"), ("variant", "other")]), 10.0);
        let overflow = [("label_name", "variant")];
        assert_eq!(figures.sum("modgate_label_overflow_total", &overflow), 10.0);
    }
}

#[test]
fn without_the_beta_everybody_gets_the_control() {
    let (_dir, server) = files(&[lib("v1.0.0"), lib("v1.2.0"), lib("v1.4.0")]);
    for mut host in Host::both(&by_tenant(json!({})), server.address()) {
        for _ in 0..5 {
            assert_eq!(
                got(&host, "beta", &[&["get", &format!("{LIB}@latest")]]),
                "v1.2.0"
            );
        }
        let fallbacks = host
            .figures()
            .sum("modgate_split_fallbacks_total", &[("split", "lib-beta")]);
        assert!(fallbacks >= 5.0);
        let log = host.process().log();
        let reported = log
            .matches("the split lib-beta led a request to stable")
            .count();
        // Once by each worker.
        assert!((1..=2).contains(&reported), "{log}");
    }
}

/// The answer that a client at an address of the loopback gets.
fn from_address(from: Ipv4Addr, to: SocketAddr, request: &str) -> String {
    let asking = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let mut stream = socket.connect(to).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(asking).unwrap()
}

/// Whether a client is on the beta, by the list that it gets.
fn client_address(client: u32) -> Ipv4Addr {
    Ipv4Addr::new(127, 20, (client / 250) as u8, (client % 250 + 1) as u8)
}

fn is_on_beta(to: SocketAddr, client: u32, group: Option<&str>) -> bool {
    let from = client_address(client);
    let header = group.map_or(String::new(), |group| format!("x-ab-test: {group}\r\n"));
    let path = format!("/t/web/{LIB}/@v/list");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: goproxy.test\r\n{header}connection: close\r\n\r\n");
    let answer = from_address(from, to, &request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let is_beta = answer.contains("v1.3.0-beta.1\n");
    let reported = if is_beta { "beta" } else { "stable" };
    let header = format!("x-modgate-variant: {reported}\r\n");
    assert!(answer.contains(&header), "{answer}");
    is_beta
}

/// The table of the example: thirty percent of the group on the beta, everybody else on the release,
/// the same clients in Envoy, in its second worker, after a reload, and in the simulator.
#[test]
fn of_two_thousand_clients_the_same_thirty_percent_get_the_beta_everywhere() {
    let (_dir, server) = files(&VERSIONS.map(lib));
    let clusters = [("backend", server.address())];
    let mut config = Config::new(example(), &clusters);
    config.concurrency = 2;
    let mut envoy = Envoy::start(&config);
    let serve = Serve::start(&example(), &clusters);
    let clients = 2000;
    let of = |to: SocketAddr| -> Vec<bool> {
        (0..clients)
            .map(|client| is_on_beta(to, client, Some("group-b")))
            .collect()
    };
    let first = of(envoy.address());
    let beta = first.iter().filter(|is_beta| **is_beta).count() as f64;
    let (n, p) = (f64::from(clients), 0.3);
    let spread = (n * p * (1.0 - p)).sqrt();
    assert!((beta - n * p).abs() < 3.3 * spread, "{beta} of {clients}");
    let mut changed = example();
    changed["version"] = json!("2");
    assert!(envoy.reload(&changed));
    assert!(of(envoy.address()) == first, "a client has changed sides");
    assert!(
        of(serve.address()) == first,
        "the simulator has other sides"
    );
    let list: String = (0..clients)
        .map(|client| format!("web {}\n", client_address(client)))
        .collect();
    let foreseen = split_shares(&list, &["--header", "x-ab-test: group-b"]);
    let of_beta = foreseen[0]["groups"].as_array().unwrap();
    let of_beta = of_beta.iter().find(|group| group["variant"] == "beta");
    assert_eq!(of_beta.unwrap()["clients"], json!(beta as u64));
    for client in 0..50 {
        assert!(!is_on_beta(envoy.address(), client, None));
        assert!(!is_on_beta(envoy.address(), client, Some("group-a")));
    }
}

/// A tenth, a half, all of the modules from a new backend: each from one of them, whole.
#[test]
fn a_module_comes_whole_from_the_backend_that_its_share_gives() {
    let names: Vec<String> = (0..12).map(|i| format!("corp.example/lib{i}")).collect();
    let modules: Vec<Module> = names
        .iter()
        .map(|name| Module::new(name, "v1.0.0").file("lib.go", "package lib\n"))
        .collect();
    let servers = [files(&modules), files(&modules)];
    let clusters = [
        ("old", servers[0].1.address()),
        ("new", servers[1].1.address()),
    ];
    let mut policy = json!({
        "version": "1", "default": "allow", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {}},
        "backends": {"old": {"cluster": "old"}, "new": {"cluster": "new"}},
        "routes": [{"id": "all", "backends": {"old": 50, "new": 50}}],
    });
    let mut envoy = Envoy::start(&Config::new(policy.clone(), &clusters));
    let serve = Serve::start(&policy, &clusters);
    // Which server each module was asked of.
    let requested = |proxy: SocketAddr| -> Vec<usize> {
        let of = |name: &String| {
            for (_, server) in &servers {
                server.forget_requests();
            }
            let go = Go::new(format!("http://{proxy}/t/web"), Sumdb::Off);
            go.run(&["get", &format!("{name}@latest")]).expect_ok();
            let of_it = |server: &Server| {
                let requests = server.requests();
                requests
                    .iter()
                    .filter(|r| r.path.starts_with(&format!("/{name}/")))
                    .count()
            };
            let counts = [of_it(&servers[0].1), of_it(&servers[1].1)];
            assert!(counts.contains(&0), "{name} was asked of both: {counts:?}");
            counts.iter().position(|count| *count > 0).unwrap()
        };
        names.iter().map(of).collect()
    };
    let half = requested(envoy.address());
    assert!(half.contains(&0) && half.contains(&1), "{half:?}");
    assert_eq!(requested(serve.address()), half);
    policy["routes"] = json!([{"id": "all", "backends": {"old": 20, "new": 80}}]);
    assert!(envoy.reload(&policy));
    let most = requested(envoy.address());
    let stays = half
        .iter()
        .zip(&most)
        .all(|(then, now)| then == now || *now == 1);
    assert!(stays && most != half, "{half:?} {most:?}");
}

/// What `modgate split` says of a list of clients.
fn split_shares(list: &str, more: &[&str]) -> Value {
    let policy = root().join("examples/split/policy.json");
    let arguments = ["split", policy.to_str().unwrap(), "--clients=-", "--json"];
    let said = modgate::modgate(arguments.iter().chain(more), list.as_bytes());
    assert!(said.status.success(), "{}", modgate::stderr(&said));
    serde_json::from_slice(&said.stdout).unwrap()
}

#[test]
fn who_would_get_what_is_computed_from_lists_and_from_logs() {
    let list = "# who\nbank 10.0.0.1\nweb 10.0.0.1\n\nweb 10.0.0.1\nweb\nthree are too many\n";
    let log = json!({"tenant": "web", "source": "10.0.0.9", "path": "/"});
    let shares = split_shares(&format!("{list}{log}\n"), &[]);
    let stable =
        json!({"variant": "stable", "version": "v1.2.0", "stage": "enforce", "clients": 4});
    assert_eq!(shares[0]["groups"], json!([stable]));

    let policy = root().join("examples/split/policy.json");
    let ask = |input: &str, more: &[&str]| {
        let arguments = ["split", policy.to_str().unwrap(), "--clients=-"];
        modgate::modgate(arguments.iter().chain(more), input.as_bytes())
    };
    let reported = modgate::stdout(&ask(list, &[]));
    assert!(
        reported.contains("lib-beta, corp.example/lib: 3 clients"),
        "{reported}"
    );
    assert!(reported.contains("100.0 %"), "{reported}");
    assert!(
        reported.contains("1 line not read, the first is line 7: it is neither"),
        "{reported}"
    );
    let rows = [
        ("", &[][..], "standard input has no client"),
        (
            "a b c\n",
            &[],
            "standard input has no client: line 1: it is neither",
        ),
        ("{\"path\": \"/\"}\n", &[], "line 1: it names no tenant"),
        (
            "web a\n",
            &["--split", "nope"],
            "no split is named \"nope\"; there are: lib-beta",
        ),
        ("web a\n", &["--header", "nope"], "write NAME: VALUE"),
    ];
    table_rows::check(rows, |(input, more, expected)| {
        let said = ask(input, more);
        let error = modgate::stderr(&said);
        assert!(
            !said.status.success() && error.contains(expected),
            "{error}"
        );
    });
}
