//! Hashes checked while files stream: real go behind real Envoy, with no checksum database, so that
//! only the filter protects it.

use std::path::Path;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::chunked::Chunked;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::pki::{Authority, Holder};
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const MODULE: &str = "corp.example/lib@v1.0.0";
const ZIP: &str = "/t/web/corp.example/lib/@v/v1.0.0.zip";
const GO_MOD: &str = "/t/web/corp.example/lib/@v/v1.0.0.mod";
/// The hash of something else.
const WRONG: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// A folder of modules, served. Larger than what proxies hold in their buffers.
struct Files {
    dir: tempfile::TempDir,
    server: Server,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 7);
        let server = Server::start(dir.path()).unwrap();
        Self { dir, server }
    }

    /// The same version with another content.
    fn change(&self) {
        write(self.dir.path(), 8);
    }

    fn zip(&self) -> std::path::PathBuf {
        self.dir.path().join("corp.example/lib/@v/v1.0.0.zip")
    }

    /// The lines that go itself would write into a go.sum: of the zip, and of the go.mod.
    fn sums(&self) -> [String; 2] {
        let go = Go::new(format!("http://{}", self.server.address()), Sumdb::Off);
        let said = go.run(&["mod", "download", "-json", MODULE]);
        let said: Value = serde_json::from_str(said.expect_ok()).unwrap();
        let sum = |key: &str| said[key].as_str().unwrap().to_owned();
        [
            format!("corp.example/lib v1.0.0 {}", sum("Sum")),
            format!("corp.example/lib v1.0.0/go.mod {}", sum("GoModSum")),
        ]
    }
}

fn write(folder: &Path, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let noise: Vec<u8> = (0..600_000).map(|_| random.u8(..)).collect();
    let module = Module::new("corp.example/lib", "v1.0.0")
        .file("lib.go", format!("package lib // {seed}\n"))
        .file("noise.bin", noise);
    Tree::write(folder, &[module]).unwrap();
}

fn policy(integrity: Value) -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}, "trial": {"rules": ["org"], "integrity": "shadow"}},
        "rules": {"org": [{"id": "all", "allow": ["*"]}]},
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
        "integrity": integrity
    })
}

fn pinned(pins: &[String]) -> Value {
    policy(json!({
        "mode": "enforce", "pins": pins, "on_unknown": "refuse",
        "allow_on_headers_stop_iteration": true
    }))
}

fn download(proxy: impl std::fmt::Display, tenant: &str) -> (Go, modgate_harness::go::Output) {
    let go = Go::new(format!("http://{proxy}/t/{tenant}"), Sumdb::Off);
    let said = go.run(&["mod", "download", MODULE]);
    (go, said)
}

/// Nothing of the module that go could use is in its cache.
#[track_caller]
fn assert_nothing_kept(go: &Go) {
    assert!(!go.has("corp.example/lib@v1.0.0"));
    let files = go.downloads().join("corp.example/lib/@v");
    let kept = |end: &str| files.join(format!("v1.0.0.{end}")).exists();
    assert!(!kept("zip") && !kept("ziphash"), "{}", files.display());
}

/// The hash that go itself computed of the zip in its cache.
fn ziphash(go: &Go) -> String {
    let file = go.downloads().join("corp.example/lib/@v/v1.0.0.ziphash");
    std::fs::read_to_string(file).unwrap()
}

fn checks(envoy: &Envoy, labels: &[(&str, &str)]) -> f64 {
    Figures::parse(&envoy.prometheus()).sum("modgate_integrity_checks_total", labels)
}

#[test]
fn what_is_pinned_arrives_whole_or_not_at_all() {
    let files = Files::new();
    let [zip, go_mod] = files.sums();
    let clusters = [("backend", files.server.address())];
    let right = pinned(&[zip.clone(), go_mod.clone()]);
    let mut envoy = Envoy::start(&Config::new(right, &clusters));
    let (go, said) = download(envoy.address(), "web");
    said.expect_ok();
    assert!(go.has("corp.example/lib@v1.0.0"));
    let by_pin = [
        ("result", "verified"),
        ("evidence", "pin"),
        ("tenant", "web"),
    ];
    assert_eq!(checks(&envoy, &by_pin), 2.0);
    let served = std::fs::metadata(files.zip()).unwrap().len() as f64;
    let figures = Figures::parse(&envoy.prometheus());
    let zips = [("artifact", "zip")];
    assert_eq!(figures.sum("modgate_integrity_bytes_total", &zips), served);

    // A tag of the file would let a client go on where it was broken off.
    let answer = http::get(envoy.address(), GO_MOD);
    assert_eq!(
        (answer.header("etag"), answer.header("last-modified")),
        (None, None)
    );
    let headers = [("range", "bytes=0-9"), ("accept-encoding", "gzip")];
    let part = http::request(envoy.address(), "GET", GO_MOD, &headers);
    assert_eq!((part.status, part.body), (200, answer.body));

    let wrong_zip = pinned(&[format!("corp.example/lib v1.0.0 {WRONG}"), go_mod]);
    assert!(envoy.reload(&wrong_zip));
    let (go, said) = download(envoy.address(), "web");
    let said = said.expect_failure();
    assert!(
        said.contains("EOF") || said.contains("stream error"),
        "{said}"
    );
    assert_nothing_kept(&go);
    assert_eq!(
        checks(&envoy, &[("result", "mismatch"), ("artifact", "zip")]),
        1.0
    );
    let log = envoy.process().log();
    let got = zip.rsplit_once(' ').unwrap().1;
    for part in ["modgate: integrity: {", WRONG, got, "\"refused\":true"] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    let outcome = [("outcome", "integrity"), ("operation", "zip")];
    assert_eq!(
        Figures::parse(&envoy.prometheus()).sum("modgate_requests_total", &outcome),
        1.0
    );
    // A tenant in shadow gets the file, and it is counted.
    let (_, said) = download(envoy.address(), "trial");
    said.expect_ok();
    assert_eq!(
        checks(&envoy, &[("result", "mismatch"), ("tenant", "trial")]),
        1.0
    );

    let wrong_mod = pinned(&[zip, format!("corp.example/lib v1.0.0/go.mod {WRONG}")]);
    assert!(envoy.reload(&wrong_mod));
    let (go, said) = download(envoy.address(), "web");
    let said = said.expect_failure();
    for part in [
        "502",
        "modgate: not verified: corp.example/lib@v1.0.0 go.mod",
        WRONG,
        "#go-platform",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_nothing_kept(&go);
}

#[test]
fn what_nothing_is_known_of_is_refused_or_counted_as_the_policy_says() {
    let files = Files::new();
    let clusters = [("backend", files.server.address())];
    let mut envoy = Envoy::start(&Config::new(pinned(&[]), &clusters));
    let (go, said) = download(envoy.address(), "web");
    let said = said.expect_failure();
    assert!(
        said.contains("403") && said.contains("has none for this one"),
        "{said}"
    );
    assert_nothing_kept(&go);
    let requested = files.server.requests();
    assert!(
        requested.iter().all(|r| r.path.ends_with(".info")),
        "{requested:?}"
    );
    // It is a denial like every other: in the log and in what go prints, by the same request id.
    let lines = envoy.process().json_lines(2);
    let denied = lines.iter().find(|line| line["operation"] != "info");
    let denied = denied.unwrap_or_else(|| panic!("{lines:?}"));
    let expected = json!({
        "decision": "deny", "rule": "integrity", "outcome": "denied", "backend": "-", "status": 403
    });
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&denied[member], value, "{member} of {denied}");
    }
    let request_id = denied["request_id"].as_str().unwrap();
    assert!(said.contains(request_id), "{request_id} is not in {said}");

    let allow = policy(json!({"mode": "enforce", "on_unknown": "allow"}));
    assert!(envoy.reload(&allow));
    download(envoy.address(), "web").1.expect_ok();
    assert!(checks(&envoy, &[("result", "unknown"), ("evidence", "none")]) >= 2.0);
}

#[test]
fn a_version_that_changes_is_refused() {
    let files = Files::new();
    let remembered = policy(json!({
        "mode": "enforce", "first_seen": ["corp.example"], "on_unknown": "refuse"
    }));
    let mut config = Config::new(remembered.clone(), &[("backend", files.server.address())]);
    config.concurrency = 2;
    let mut envoy = Envoy::start(&config);
    download(envoy.address(), "web").1.expect_ok();
    assert_eq!(
        checks(&envoy, &[("result", "first"), ("evidence", "first_seen")]),
        2.0
    );
    download(envoy.address(), "web").1.expect_ok();
    files.change();
    let (go, said) = download(envoy.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
    // It is remembered when the policy changes.
    let mut next = remembered;
    next["version"] = json!("2");
    assert!(envoy.reload(&next));
    let (go, said) = download(envoy.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
    assert_eq!(
        checks(&envoy, &[("result", "mismatch"), ("artifact", "zip")]),
        2.0
    );
}

#[test]
fn a_forged_zip_does_not_pass_over_http2_either() {
    let files = Files::new();
    let authority = Authority::new();
    let server = authority.issue(&Holder {
        names: &["localhost"],
        ..Holder::default()
    });
    let remembered = policy(json!({
        "mode": "enforce", "first_seen": ["*"], "on_unknown": "refuse"
    }));
    let config = Config::new(remembered, &[("backend", files.server.address())]);
    let mut envoy = Envoy::start_with(&config, |listener| listener.serve_https(&server, None));
    let download = |envoy: &Envoy| {
        let url = format!("https://localhost:{}/t/web", envoy.address().port());
        let go = Go::new(url, Sumdb::Off).trusting(&authority);
        let said = go.run(&["mod", "download", MODULE]);
        (go, said)
    };
    let (go, said) = download(&envoy);
    said.expect_ok();
    let right = ziphash(&go);
    assert!(
        envoy.stat("http.goproxy.downstream_cx_http2_total") > 0,
        "go spoke no HTTP/2"
    );
    let good = std::fs::read(files.zip()).unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..8 {
        let mut forged = good.clone();
        let at = random.usize(..forged.len());
        forged[at] ^= 1 << random.u8(..8);
        std::fs::write(files.zip(), &forged).unwrap();
        let (go, said) = download(&envoy);
        if said.ok() {
            // A time stamp is in no hash: to Go such a zip is the same one.
            assert_eq!(ziphash(&go), right, "the bit at byte {at}");
        } else {
            assert_nothing_kept(&go);
        }
    }
    std::fs::write(files.zip(), &good[..good.len() - 1]).unwrap();
    let (go, said) = download(&envoy);
    said.expect_failure();
    assert_nothing_kept(&go);
    let log = envoy.process().log();
    assert!(log.contains("\"result\":\"malformed\""), "{log}");
}

#[test]
fn a_file_in_chunks_is_checked_like_one_with_a_length() {
    let files = Files::new();
    let [zip, go_mod] = files.sums();
    let chunked = Chunked::start(files.dir.path(), false).unwrap();
    let clusters = [("backend", chunked.address())];
    let mut envoy = Envoy::start(&Config::new(pinned(&[zip, go_mod.clone()]), &clusters));
    let (go, said) = download(envoy.address(), "web");
    said.expect_ok();
    assert!(go.has("corp.example/lib@v1.0.0"));
    let wrong = pinned(&[format!("corp.example/lib v1.0.0 {WRONG}"), go_mod]);
    assert!(envoy.reload(&wrong));
    let (go, said) = download(envoy.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
    let mismatches = [("result", "mismatch"), ("artifact", "zip")];
    assert_eq!(checks(&envoy, &mismatches), 1.0);
}

#[test]
fn however_little_the_proxy_holds_a_file_arrives_whole_or_not_at_all() {
    let files = Files::new();
    let [zip, go_mod] = files.sums();
    let clusters = [("backend", files.server.address())];
    let right = pinned(&[zip, go_mod.clone()]);
    let wrong = pinned(&[format!("corp.example/lib v1.0.0 {WRONG}"), go_mod]);
    for limit in [1024, 32 << 10] {
        let config = Config::new(right.clone(), &clusters);
        let mut envoy = Envoy::start_with(&config, |listener| listener.limit_buffers(limit));
        download(envoy.address(), "web").1.expect_ok();
        assert!(envoy.reload(&wrong));
        let (go, said) = download(envoy.address(), "web");
        said.expect_failure();
        assert_nothing_kept(&go);
        let mismatches = [("result", "mismatch"), ("artifact", "zip")];
        assert_eq!(checks(&envoy, &mismatches), 1.0, "{limit}");
    }
}

/// Envoy ends where a filter gives it more to hold than its limit: 32 KiB is what it advises at the
/// edge, and the least that the filter wants where it holds go.mod files.
#[test]
fn a_held_go_mod_stays_within_the_proxys_limit() {
    let files = Files::new();
    let remembered = policy(json!({
        "mode": "enforce", "first_seen": ["corp.example"], "on_unknown": "refuse",
        "allow_on_headers_stop_iteration": true
    }));
    let config = Config::new(remembered, &[("backend", files.server.address())]);
    let envoy = Envoy::start_with(&config, |listener| listener.limit_buffers(32 << 10));
    for requirements in [500, 530, 560, 700, 720, 740, 900] {
        let name = format!("corp.example/long{requirements}");
        let long = (0..requirements).fold(Module::new(&name, "v1.0.0"), |module, n| {
            module.requires(format!("example.com/required/number{n}"), "v1.0.0")
        });
        Tree::write(files.dir.path(), &[long]).unwrap();
        let path = format!("{name}/@v/v1.0.0.mod");
        let whole = std::fs::read_to_string(files.dir.path().join(&path)).unwrap();
        let answer = http::get(envoy.address(), &format!("/t/web/{path}"));
        assert_eq!((answer.status, answer.body), (200, whole), "{requirements}");
    }
}

/// No filter can put what it held back in front of trailers, so such a zip is refused, good or bad.
#[test]
fn a_zip_that_ends_with_trailers_is_refused() {
    let files = Files::new();
    let sums = files.sums();
    let chunked = Chunked::start(files.dir.path(), true).unwrap();
    let mut serve = Serve::start(&pinned(&sums), &[("backend", chunked.address())]);
    let (go, said) = download(serve.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
    let log = serve.process().log();
    assert!(log.contains("the backend ends it with trailers"), "{log}");
    let shadow = download(serve.address(), "trial");
    shadow.1.expect_ok();
}

#[test]
fn the_simulator_remembers_what_it_saw_first() {
    let files = Files::new();
    let remembered = policy(json!({
        "mode": "enforce", "first_seen": ["corp.example"], "on_unknown": "refuse"
    }));
    let serve = Serve::start(&remembered, &[("backend", files.server.address())]);
    download(serve.address(), "web").1.expect_ok();
    download(serve.address(), "web").1.expect_ok();
    files.change();
    let (go, said) = download(serve.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
}

#[test]
fn the_simulator_breaks_it_off_in_the_same_way() {
    let files = Files::new();
    let [zip, go_mod] = files.sums();
    let clusters = [("backend", files.server.address())];
    let serve = Serve::start(&pinned(&[zip, go_mod.clone()]), &clusters);
    download(serve.address(), "web").1.expect_ok();
    let wrong = [
        format!("corp.example/lib v1.0.0 {WRONG}"),
        format!("corp.example/lib v1.0.0/go.mod {WRONG}"),
    ];
    let serve = Serve::start(&pinned(&[wrong[0].clone(), go_mod]), &clusters);
    let (go, said) = download(serve.address(), "web");
    said.expect_failure();
    assert_nothing_kept(&go);
    let cut = http::try_request(serve.address(), "GET", ZIP, &[]).unwrap();
    let length: usize = cut.header("content-length").unwrap().parse().unwrap();
    assert!(length > 600_000);
    let serve = Serve::start(&pinned(&wrong), &clusters);
    let answer = http::get(serve.address(), GO_MOD);
    assert_eq!(answer.status, 502, "{}", answer.body);
}
