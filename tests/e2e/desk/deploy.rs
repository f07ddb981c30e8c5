//! `modgate deploy`: the same bytes for the same input, and a refusal at its place for what cannot hold there.
//! tests/mesh applies what it writes.

use std::path::Path;
use std::process::Output;

use modgate_harness::modgate::{modgate, stderr, stdout};
use serde_json::{Value, json};

const DIGEST: &str = "oci://registry.corp.example/modgate@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The arguments for a gateway.
const GATEWAY: &[&str] = &[
    "--target",
    "istio",
    "--at",
    "gateway",
    "--namespace",
    "tools",
    "--selector",
    "istio=gateway",
    "--host",
    "goproxy.corp.example",
    "--module",
    DIGEST,
];

/// The arguments for a sidecar.
const SIDECAR: &[&str] = &[
    "--target",
    "istio",
    "--at",
    "sidecar",
    "--namespace",
    "tools",
    "--selector",
    "app=athens",
    "--module",
    DIGEST,
];

const ATHENS: &[&str] = &["--cluster", "athens=http://athens.tools.svc:3000"];
const BOTH: &[&str] = &[
    "--cluster",
    "athens=http://athens.tools.svc:3000",
    "--cluster",
    "b=http://goproxy.tools.svc",
];
const LOCAL: &[&str] = &["--cluster", "athens=http://127.0.0.1:3000"];

fn policy() -> Value {
    json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {"rules": ["all"]}},
        "rules": {"all": [{"id": "ok", "allow": ["*"]}]},
        "backends": {"main": {"cluster": "athens"}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// A name, the place, the clusters, a change of the policy, and what is said of it.
type Refused = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    fn(&mut Value),
    &'static str,
);

fn deploy(policy: &Value, out: &Path, arguments: &[&[&str]]) -> Output {
    let text = format!("{policy:#}");
    let out = out.to_string_lossy();
    let fixed = ["deploy", "-", "--out", &out];
    modgate(
        fixed.iter().chain(arguments.iter().copied().flatten()),
        text.as_bytes(),
    )
}

fn written(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("extra")] {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_file() {
                files.push((
                    entry.path().display().to_string(),
                    std::fs::read(entry.path()).unwrap(),
                ));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_same_input_gives_the_same_bytes_which_check_reads_back() {
    for (arguments, cluster) in [(GATEWAY, ATHENS), (SIDECAR, LOCAL)] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("deploy");
        let first = deploy(&policy(), &out, &[arguments, cluster]);
        assert!(first.status.success(), "{}", stderr(&first));
        let files = written(&out);
        assert_eq!(files.len(), 6, "{files:?}");
        assert!(
            deploy(&policy(), &out, &[arguments, cluster])
                .status
                .success()
        );
        assert_eq!(written(&out), files);

        let filter = out.join("3-filter.yaml").display().to_string();
        let checked = modgate(["check", &filter], b"");
        assert!(
            checked.status.success(),
            "{}{}",
            stdout(&checked),
            stderr(&checked)
        );
        let text = std::fs::read_to_string(&filter).unwrap();
        let hash = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("modgate/policy-hash: "))
            .unwrap();
        assert!(
            stdout(&checked).contains(hash.trim_matches('\'')),
            "{hash}: {}",
            stdout(&checked)
        );
        let tested = modgate(["explain", "--policy", &filter, "example.org/words"], b"");
        assert!(tested.status.success(), "{}", stderr(&tested));
    }
}

#[test]
fn what_cannot_hold_in_istio_is_refused_at_its_place_and_writes_nothing() {
    let large = |p: &mut Value| {
        let modules = (0..30_000).map(|n| json!(format!("example.org/a-module/number-{n}")));
        p["rules"]["all"][0] = json!({"id": "no", "deny": modules.collect::<Vec<_>>()});
    };
    let shared = |p: &mut Value| {
        p["backends"]["other"] = json!({"cluster": "b"});
        p["routes"][0] = json!({"id": "all", "backends": {"main": 50, "other": 50}});
    };
    #[rustfmt::skip]
    let rows: [Refused; 20] = [
        ("a bad policy", GATEWAY, ATHENS, |p| p["default"] = json!("maybe"), "$.default"),
        ("a cluster that nothing defines", GATEWAY, &[], |_| {}, "$.backends.main.cluster: nothing says where the cluster \"athens\" is"),
        ("the same in a sidecar", SIDECAR, &[], |_| {}, "$.backends.main.cluster: nothing says"),
        ("a secret for a backend", GATEWAY, ATHENS, |p| p["backends"]["main"]["headers"] = json!({"authorization": {"secret": "s"}}), "$.backends.main.headers: Istio cannot"),
        ("a fallback", GATEWAY, BOTH, |p| {
            p["backends"]["other"] = json!({"cluster": "b"});
            p["routes"][0] = json!({"id": "all", "backends": {"main": 50, "other": 50}, "on_failure": "next"});
        }, "$.routes[0].on_failure: Istio makes no cluster of several"),
        ("certificates without TLS", GATEWAY, ATHENS, |p| p["identity"][0] = json!({"mtls_uri_san": "spiffe://corp/{tenant}"}), "$.identity[0].mtls_uri_san: the gateway asks no client"),
        ("a server name without TLS", GATEWAY, ATHENS, |p| p["identity"][0] = json!({"sni": "{tenant}.corp.example"}), "$.identity[0].sni: there is no server name"),
        ("passwords", SIDECAR, LOCAL, |p| p["identity"][0] = json!({"basic_user": "x-user"}), "$.identity[0].basic_user: Istio has no basic_auth"),
        ("another payload's name", GATEWAY, ATHENS, |p| p["identity"][0] = json!({"jwt_claim": "tenant", "payload": "modgate"}), "$.identity[0].payload: Istio names"),
        ("localhost at a gateway", GATEWAY, &["--cluster", "athens=http://localhost:3000"], |_| {}, "$.backends.main.cluster: localhost is the gateway's own pod"),
        ("a service of no namespace", GATEWAY, &["--cluster", "athens=http://athens"], |_| {}, "$.backends.main.cluster: \"athens\" is a name within one namespace"),
        ("one host with and without TLS", GATEWAY, &["--cluster", "athens=http://a.corp.example", "--cluster", "b=https://a.corp.example"], shared, "$.backends.other.cluster: Istio has one way to a.corp.example"),
        ("another pod behind a sidecar", SIDECAR, ATHENS, |_| {}, "$.backends.main.cluster: the sidecar of the Go proxy's pods leads to the Go proxy in the same pod"),
        ("TLS within the pod", SIDECAR, &["--cluster", "athens=https://127.0.0.1"], |_| {}, "$.backends.main.cluster: in the sidecar of the Go proxy's pods the Go proxy is reached without TLS"),
        ("two Go proxies in a pod", SIDECAR, &["--cluster", "athens=http://127.0.0.1:3000", "--cluster", "b=http://127.0.0.1:3001"], shared, "there is one Go proxy, at one port"),
        ("another pod by Istio's own name", SIDECAR, &[], |p| p["backends"]["main"]["cluster"] = json!("outbound|80||athens.tools.svc.cluster.local"), "$.backends.main.cluster: the sidecar of the Go proxy's pods leads to"),
        ("a database at another port of the pod", SIDECAR, &["--cluster", "athens=http://127.0.0.1:3000", "--cluster", "b=http://127.0.0.1:4000"], |p| p["backends"]["other"] = json!({"cluster": "b"}), "$.backends.other.cluster: in the sidecar of the Go proxy's pods there is one Go proxy"),
        ("TLS to a service of the mesh", GATEWAY, &["--cluster", "athens=https://athens.tools.svc"], |_| {}, "$.backends.main.cluster: the mesh itself encrypts"),
        ("two clusters, one unknown", GATEWAY, ATHENS, shared, "$.backends.other.cluster: nothing says where the cluster \"b\" is"),
        ("a policy that no API server stores", GATEWAY, ATHENS, large, "an API server does not store more than"),
    ];
    table_rows::check(rows, |(_, place, clusters, change, expected)| {
        let mut policy = policy();
        change(&mut policy);
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("deploy");
        let output = deploy(&policy, &out, &[place, clusters]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(
            said.starts_with("error: standard input:"),
            "no place: {said}"
        );
        assert!(!out.exists(), "something was written");
    });
}

#[test]
fn arguments_that_leave_a_way_open_are_refused() {
    let without = |argument: &str| -> Vec<&'static str> {
        let at = GATEWAY.iter().position(|known| *known == argument).unwrap();
        [&GATEWAY[..at], &GATEWAY[at + 2..]].concat()
    };
    let with = |more: &[&'static str]| [GATEWAY, more].concat();
    let module = |url: &'static str| [without("--module"), vec!["--module", url]].concat();
    let rows = [
        (
            "an address that no backend uses",
            with(&["--cluster", "athen=http://a.example"]),
            1,
            "no backend of the policy has that cluster",
        ),
        (
            "an option of Envoy's",
            with(&["--address", "0.0.0.0"]),
            1,
            "for --target envoy",
        ),
        (
            "an option of Envoy Gateway's",
            with(&["--gateway-class", "eg"]),
            1,
            "for --target envoy-gateway",
        ),
        (
            "no selector",
            without("--selector"),
            1,
            "without it the filter is in every pod",
        ),
        ("no namespace", without("--namespace"), 1, "--namespace"),
        (
            "no place",
            without("--at"),
            1,
            "--at gateway or --at sidecar",
        ),
        ("no host", without("--host"), 1, "--host"),
        ("no module", without("--module"), 1, "--module"),
        (
            "a tag",
            module("oci://registry.corp.example/modgate:v1"),
            1,
            "@sha256:",
        ),
        (
            "no scheme",
            module("registry.corp.example/modgate"),
            1,
            "must begin with oci://",
        ),
        (
            "no digest of a file",
            module("https://files.corp.example/modgate.wasm"),
            1,
            "--sha256",
        ),
        (
            "a host without a domain",
            with(&["--host", "goproxy"]),
            2,
            "write the name with its domain",
        ),
        (
            "a host with a port",
            with(&["--host", "goproxy.corp.example:80"]),
            2,
            "a port does not belong",
        ),
        (
            "a label twice",
            with(&["--selector", "istio=other"]),
            1,
            "is there twice",
        ),
        ("no label", with(&["--selector", "istio"]), 2, "LABEL=VALUE"),
        (
            "a gateway's option at a sidecar",
            [SIDECAR, &["--host", "a.example"]].concat(),
            1,
            "are for --at gateway",
        ),
        (
            "certificates without a secret",
            with(&["--mutual-tls"]),
            2,
            "--tls-secret",
        ),
    ];
    table_rows::check(rows, |(_, arguments, status, expected)| {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("deploy");
        let output = deploy(&policy(), &out, &[&arguments, ATHENS]);
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!out.exists(), "something was written");
    });
}

#[test]
fn a_key_is_only_in_what_must_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deploy");
    let output = deploy(&policy(), &out, &[GATEWAY, ATHENS]);
    let text = std::fs::read_to_string(out.join("route-keys")).unwrap();
    let keys: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(keys.len(), 3);
    let with_a_key = |file: &str| {
        let text = std::fs::read_to_string(out.join(file)).unwrap_or_default();
        keys.iter().filter(|key| text.contains(**key)).count()
    };
    let rows = [
        ("2-routes.yaml", 3),
        ("3-filter.yaml", 1),
        ("extra/pod-template.yaml", 0),
        ("extra/alerts.yaml", 0),
    ];
    table_rows::check(rows, |(file, expected)| {
        assert_eq!(with_a_key(file), expected)
    });
    let said = [stdout(&output), stderr(&output)].concat();
    assert!(keys.iter().all(|key| !said.contains(key)), "{said}");
    #[cfg(unix)]
    for file in ["route-keys", "2-routes.yaml", "3-filter.yaml"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(out.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn without_a_folder_the_objects_are_one_stream() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys").display().to_string();
    let text = policy().to_string();
    let fixed = ["deploy", "-", "--route-keys", &keys];
    let output = modgate(fixed.iter().chain(GATEWAY).chain(ATHENS), text.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let documents = plain_yaml::parse(&stdout(&output)).unwrap();
    let kinds: Vec<&str> = documents
        .iter()
        .filter_map(|document| document.get("kind")?.text())
        .collect();
    assert_eq!(kinds, ["Gateway", "VirtualService", "TrafficExtension"]);
    let no_keys = modgate(
        ["deploy", "-"].iter().chain(GATEWAY).chain(ATHENS),
        text.as_bytes(),
    );
    assert!(
        stderr(&no_keys).contains("--route-keys FILE"),
        "{}",
        stderr(&no_keys)
    );
}

/// What is written was applied to a real Envoy Gateway by hand; this keeps what made it shut.
#[test]
fn in_envoy_gateway_only_the_filter_opens_a_route() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deploy");
    let arguments = [
        "--target=envoy-gateway",
        "--namespace=tools",
        "--host=goproxy.corp.example",
        "--module",
        DIGEST,
    ];
    let output = deploy(&policy(), &out, &[&arguments, ATHENS]);
    assert!(output.status.success(), "{}", stderr(&output));
    let files = written(&out);
    assert!(
        deploy(&policy(), &out, &[&arguments, ATHENS])
            .status
            .success()
    );
    assert_eq!(written(&out), files, "the same input, other bytes");

    let text = std::fs::read_to_string(out.join("2-routes.yaml")).unwrap();
    let documents = plain_yaml::parse(&text).unwrap();
    let routes: Vec<Value> = documents
        .iter()
        .map(plain_yaml::Node::value)
        .filter(|object| object["kind"] == "HTTPRoute")
        .collect();
    let keys = std::fs::read_to_string(out.join("route-keys")).unwrap();
    let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with('#')).collect();
    let mut open = 0;
    for route in &routes {
        let [rule] = route["spec"]["rules"].as_array().unwrap().as_slice() else {
            panic!("{route}");
        };
        if rule.get("backendRefs").is_none() {
            continue;
        }
        open += 1;
        let values: Vec<&str> = rule["matches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["headers"][0]["value"].as_str().unwrap())
            .collect();
        let cluster = "httproute/tools/modgate-athens/rule/0";
        let expected: Vec<String> = keys.iter().map(|key| format!("{key}:{cluster}")).collect();
        assert_eq!(values, expected);
        assert_eq!(
            rule["filters"][0]["requestHeaderModifier"]["remove"][0],
            "x-modgate-cluster"
        );
    }
    assert_eq!((routes.len(), open), (2, 1), "{text}");

    let filter = out.join("3-filter.yaml");
    let text = std::fs::read_to_string(&filter).unwrap();
    let object: Value = plain_yaml::from_str(&text).unwrap();
    let on: Vec<&str> = object["spec"]["targetRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        on,
        ["modgate", "modgate-athens"],
        "a route without the filter"
    );
    assert_eq!(object["spec"]["wasm"][0]["failOpen"], false);
    assert_eq!(object["spec"]["wasm"][0]["config"]["route_key"], keys[1]);
    let checked = modgate(["check", &filter.display().to_string()], b"");
    assert!(checked.status.success(), "{}", stderr(&checked));
}
