//! How much the filter does in one call, counted in fuel of the module that ships: about one unit for an
//! instruction, and the same on every machine. A worker of Envoy does nothing else meanwhile.
//!
//! Each input is the worst that its limits allow. `docs/performance.md` says what the figures are in
//! milliseconds.

use std::sync::LazyLock;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{
    Budget, CalloutAnswer, Crossing, Downstream, Effect, Engine, EngineOptions, Module,
    PluginConfig, Proxy, ProxyConfig, RootId, StreamEffect, StreamId, VmConfig, Worker,
};
use modgate::filter;
use modgate_tests::forge::{self, Forge, MODULE, Style, VERSION};
use modgate_tests::tools::dist;
use serde_json::{Value, json};

/// The most that a call may take.
const MOST: u64 = 600_000_000;

/// The same where so few bytes inflate to a thousand times as many, which are hashed.
const MOST_INFLATED: u64 = 2_000_000_000;

/// Where the filter would be stopped, far behind what it may take: a test says by how much it is too much.
const LIMIT: u64 = 100_000_000_000;

/// Compiled once for all tests.
static FILTER: LazyLock<Module> = LazyLock::new(|| {
    let engine = Engine::new(&EngineOptions {
        fuel: true,
        ..EngineOptions::default()
    });
    Module::from_file(&engine.unwrap(), &dist("modgate.wasm")).unwrap()
});

/// A worker, and what its dearest call took.
struct Counted {
    worker: Worker,
    plugin: RootId,
    dearest: u64,
    /// More of the client's headers.
    headers: Vec<(String, String)>,
    /// Where the backend leads the client.
    redirect: Option<String>,
}

/// What a client sees.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    body: Vec<u8>,
    is_broken_off: bool,
}

impl Counted {
    fn start(policy: &Value) -> Self {
        let config = VmConfig {
            budget: Budget::Fuel(LIMIT),
            trace: true,
            ..VmConfig::default()
        };
        let proxy = Proxy::new(ProxyConfig {
            clusters: ["backend".to_owned()].into(),
            route: filter::route(),
            ..ProxyConfig::default()
        });
        let mut worker = Worker::new(&FILTER, config, proxy).unwrap();
        let plugin = worker.start_plugin(PluginConfig {
            configuration: policy.to_string().into_bytes(),
            ..PluginConfig::default()
        });
        let plugin = plugin.unwrap();
        worker.effects().for_each(drop);
        Self {
            worker,
            plugin,
            dearest: 0,
            headers: Vec::new(),
            redirect: None,
        }
    }

    /// A request whose backend answers so, the filter's own questions by their path and the client's by
    /// its body, in chunks of this size.
    fn get(&mut self, path: &str, answers: &[(&str, &str)], body: &[u8], chunk: usize) -> Answer {
        self.dearest = 0;
        let stream = self
            .worker
            .create_stream(self.plugin, Downstream::default());
        let request = [(":method", "GET"), (":path", path), (":authority", "a")];
        let request = request.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = request.into_iter().chain(self.headers.iter().cloned());
        let request = Headers::from_pairs(request);
        self.worker.request_headers(stream, request, true);
        let mut answer = Answer::default();
        let mut is_sent = self.go_on(stream, answers, &mut answer);
        if !is_sent {
            return answer;
        }
        let location = self
            .redirect
            .iter()
            .map(|place| ("location", place.clone()));
        let status = if self.redirect.is_some() {
            "302"
        } else {
            "200"
        };
        let headers = [(":status", status.to_owned())].into_iter().chain(location);
        let headers = Headers::from_pairs(headers);
        self.worker.response_headers(stream, headers, false);
        for piece in body.chunks(chunk) {
            let piece = Bytes::copy_from_slice(piece);
            self.worker.response_body(stream, piece, false);
            is_sent &= !self.go_on(stream, answers, &mut answer);
            if answer.is_broken_off {
                return answer;
            }
        }
        assert!(is_sent);
        self.worker.response_body(stream, Bytes::new(), true);
        self.go_on(stream, answers, &mut answer);
        answer
    }

    /// Answers the filter's questions until it has none. Whether the request went to its backend.
    fn go_on(&mut self, stream: StreamId, answers: &[(&str, &str)], answer: &mut Answer) -> bool {
        let mut is_sent = false;
        loop {
            let mut asked = Vec::new();
            for effect in self.worker.effects() {
                match effect {
                    Effect::Crossing(Crossing::Returned { fuel, .. }) => {
                        self.dearest = self.dearest.max(fuel.unwrap());
                    }
                    Effect::Callout(callout) => asked.push(callout),
                    Effect::Stream(of, effect) if of == stream => match effect {
                        StreamEffect::UpstreamHeaders { .. } => is_sent = true,
                        StreamEffect::DownstreamHeaders { headers, .. } => {
                            answer.status = headers.status().unwrap();
                        }
                        StreamEffect::DownstreamData { data, .. } => {
                            answer.body.extend_from_slice(&data.to_bytes());
                        }
                        StreamEffect::DownstreamReset => answer.is_broken_off = true,
                        _ => {}
                    },
                    _ => {}
                }
            }
            if asked.is_empty() {
                return is_sent;
            }
            for callout in asked {
                let path = callout.headers.get(":path").unwrap().to_owned();
                let path = String::from_utf8_lossy(path.as_ref()).into_owned();
                let found = answers.iter().find(|(end, _)| path.ends_with(end));
                let status = if found.is_some() { "200" } else { "404" };
                let body = found.map_or("", |(_, body)| *body).to_owned();
                self.worker.callout_begun(callout.token);
                self.worker.callout_answered(
                    callout.token,
                    CalloutAnswer::Response {
                        headers: Headers::from_pairs([(":status", status)]),
                        body: body.into(),
                        trailers: None,
                    },
                );
            }
        }
    }

    #[track_caller]
    fn assert_bounded(&self, what: &str) {
        self.assert_within(what, MOST);
    }

    #[track_caller]
    fn assert_within(&self, what: &str, most: u64) {
        assert!(self.worker.failure().is_none(), "{what}: the VM failed");
        println!("{what}: {} units", self.dearest);
        assert!(
            self.dearest <= most,
            "{what}: a call took {} units",
            self.dearest
        );
    }
}

/// A tenant with rules about versions, as somebody writes them who approves versions one by one.
fn policy(rules: &Value) -> Value {
    json!({
        "version": "1", "default": "deny", "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    })
}

/// Hides what is highest, so that the retractions of the newest version are read too.
fn by_range() -> Value {
    policy(&json!([
        {"id": "new", "deny": ["corp.example"], "versions": ">=1.9999999.0 || v0"},
        {"id": "all", "allow": ["*"]},
    ]))
}

fn approved_one_by_one() -> Value {
    let versions: Vec<String> = (0..64).map(|n| format!("=1.{n}.7")).collect();
    policy(
        &json!([{"id": "ok", "allow": ["re:corp\\.example/.*"], "versions": versions.join(" || ")}]),
    )
}

fn cooldown() -> Value {
    policy(&json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]))
}

const VERSIONS: usize = 16_384;
const BYTES: usize = 512 << 10;

/// As many of a go.mod.
const GO_MOD_BYTES: usize = 1 << 20;

/// As many versions as a list may have, in no order, whose prereleases make each as long as it can be.
fn list(prerelease: impl Fn(usize, usize) -> String) -> String {
    let width = BYTES / VERSIONS - "v1.0.0-\n".len();
    let mut lines: Vec<String> = (0..VERSIONS)
        .map(|n| format!("v1.0.0-{}\n", prerelease(n, width)))
        .collect();
    fastrand::Rng::with_seed(1).shuffle(&mut lines);
    let list = lines.concat();
    let end = list.floor_char_boundary(BYTES);
    let whole = list[..end].rfind('\n').map_or(0, |at| at + 1);
    list[..whole].to_owned()
}

fn lists() -> [(&'static str, String); 4] {
    let mut short: Vec<String> = (0..VERSIONS).map(|n| format!("v1.{n}.0\n")).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut short);
    [
        ("short versions", short.concat()),
        (
            "versions that differ in their last bytes",
            list(|n, width| format!("{}{n:05}", "a".repeat(width - 5))),
        ),
        (
            "prereleases of many parts",
            list(|n, width| format!("{}a{n:05}", "0.".repeat((width - 6) / 2))),
        ),
        (
            "pseudo-versions",
            list(|n, _| format!("0.202401020304{:02}-{n:012x}", n % 60)),
        ),
    ]
}

#[test]
fn a_list_as_long_as_it_may_be_is_shaped_within_the_bound() {
    for (rules, policy) in [
        ("a range", by_range()),
        ("versions one by one", approved_one_by_one()),
        ("a cooldown", cooldown()),
    ] {
        for (what, list) in lists() {
            let mut counted = Counted::start(&policy);
            let answers = [
                ("/@v/list", list.as_str()),
                (".mod", "module corp.example/lib\n"),
            ];
            let path = "/corp.example/lib/@v/list";
            let answer = counted.get(path, &answers, b"", 1);
            assert_eq!(answer.status, 200, "{what}");
            counted.assert_bounded(&format!("{rules}, {what}"));
            // The second time the list is known.
            let first = counted.dearest;
            let again = counted.get(path, &answers, b"", 1);
            assert!(again.body == answer.body, "{what}");
            println!("  again: {} units", counted.dearest);
            assert!(
                counted.dearest <= first,
                "{what}: {} units again",
                counted.dearest
            );
        }
    }
}

#[test]
fn what_is_longer_than_it_may_be_is_refused_with_a_reason_at_once() {
    let many: String = (0..400_000).map(|n| format!("v1.{n}.0\n")).collect();
    let few: String = (0..=VERSIONS).map(|n| format!("v1.{n}.0\n")).collect();
    let long = format!("v1.0.0\n{}", "x".repeat(BYTES));
    for (list, reason) in [
        (many, "its answer is too long"),
        (
            few,
            "its list cannot be shaped: it has more than 16384 versions",
        ),
        (long, "its answer is too long"),
    ] {
        let mut counted = Counted::start(&by_range());
        let answer = counted.get("/corp.example/lib/@v/list", &[("/@v/list", &list)], b"", 1);
        let said = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 502, "{said}");
        assert!(said.contains(reason), "{said}");
        counted.assert_bounded(reason);
    }
}

#[test]
fn retractions_are_read_and_applied_within_the_bound() {
    let (_, list) = &lists()[1];
    let list = format!(
        "{}v1.9999999.0\n",
        list.rsplit_once("\nv").unwrap().0.to_owned() + "\n"
    );
    let intervals: String = (0..4096)
        .map(|n| {
            format!(
                "\t[v1.0.0-{}{n:05}, v1.0.0-{0}{:05}]\n",
                "a".repeat(20),
                n + 3
            )
        })
        .collect();
    let retracting = format!("module corp.example/lib\nretract (\n{intervals})\n");
    let line = "a( \"b\" [c],`d` // e\n";
    for (what, go_mod) in [
        ("as many as there may be", retracting),
        ("many short tokens", "a ".repeat(GO_MOD_BYTES / 2 - 1)),
        ("many lines", "x\n".repeat(GO_MOD_BYTES / 2 - 1)),
        (
            "many directives",
            line.replace('(', "").repeat(GO_MOD_BYTES / line.len()),
        ),
        ("one long word", "a".repeat(GO_MOD_BYTES)),
        ("no text", "\u{fffd}".repeat(GO_MOD_BYTES / 3)),
    ] {
        let mut counted = Counted::start(&by_range());
        let answers = [("/@v/list", list.as_str()), (".mod", go_mod.as_str())];
        counted.get("/corp.example/lib/@v/list", &answers, b"", 1);
        counted.assert_bounded(what);
    }
}

#[test]
fn an_info_is_read_within_the_bound() {
    const BYTES: usize = 64 << 10;
    for (what, body) in [
        (
            "many members",
            format!(
                "{{{}\"Version\":\"v1.0.0\"}}",
                "\"a\":0,".repeat(BYTES / 6 - 8)
            ),
        ),
        ("deep", format!("{{\"a\":{}", "[".repeat(BYTES - 8))),
        (
            "escapes",
            format!("{{\"{}\":0}}", "\\u0130".repeat(BYTES / 6 - 4)),
        ),
        ("spaces", " ".repeat(BYTES)),
    ] {
        let mut counted = Counted::start(&cooldown());
        counted.get("/corp.example/lib/@latest", &[("/@latest", &body)], b"", 1);
        counted.assert_bounded(what);
    }
}

/// The zip of as many files as there can be, with names of this many bytes in the module.
fn zip(name: impl Fn(usize) -> String, content: &[u8], most: usize) -> Vec<u8> {
    const INDEX: usize = 16 << 20;
    let data = forge::deflate(content, 9);
    let mut zip = Forge::empty();
    let mut taken = 0;
    for n in 0..most {
        let name = name(n);
        taken += 96 + name.len();
        if taken > INDEX {
            break;
        }
        zip.add_data(&forge::name(&name), content, data.clone(), Style::Streamed);
    }
    zip.lay_out();
    zip.bytes()
}

/// Half of the letters in upper case, another half for each number, so that comparing has to fold them.
fn mixed(n: usize, width: usize) -> String {
    let mut letters: String = (0..width)
        .map(|bit| if n >> (bit % 16) & 1 == 0 { 'a' } else { 'A' })
        .collect();
    letters.push_str(&format!("{n:06}"));
    letters
}

/// What a cluster's buffer has of an answer at a time, as envoy/envoy.yaml sets it.
const CHUNK: usize = 16 << 10;

#[test]
fn a_zip_is_hashed_within_the_bound() {
    let checked = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "integrity": {"mode": "enforce", "first_seen": ["*"], "on_unknown": "refuse"},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let random = |n: usize| (n * 7_919) % 1_000_003;
    let path = format!("/{MODULE}/@v/{VERSION}.zip");
    for (what, zip) in [
        (
            "many files",
            zip(|n| format!("{:06}", random(n)), b"", 65_000),
        ),
        (
            "many files whose names differ by case",
            zip(|n| mixed(random(n), 90), b"", 65_000),
        ),
        (
            "long names",
            zip(
                |n| format!("{}{:06}", "a".repeat(4_000), random(n)),
                b"",
                1_000_000,
            ),
        ),
        (
            "long names that differ by case",
            zip(|n| mixed(random(n), 4_000), b"", 65_000),
        ),
        (
            "what inflates most",
            zip(|n| n.to_string(), &vec![0; 32 << 20], 2),
        ),
    ] {
        let mut counted = Counted::start(&checked);
        let answer = counted.get(&path, &[], &zip, CHUNK);
        assert!(answer.status == 200 && answer.body == zip, "{what}");
        let most = if what == "what inflates most" {
            MOST_INFLATED
        } else {
            MOST
        };
        counted.assert_within(what, most);
    }
}

#[test]
fn a_go_mod_is_hashed_within_the_bound() {
    let checked = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "integrity": {"mode": "enforce", "first_seen": ["*"], "on_unknown": "refuse"},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let mut counted = Counted::start(&checked);
    let path = format!("/{MODULE}/@v/{VERSION}.mod");
    let go_mod = vec![b'\n'; 16 << 20];
    assert!(counted.get(&path, &[], &go_mod, CHUNK).body == go_mod);
    counted.assert_bounded("a go.mod");
}

/// Headers of 60 KiB, which is what Envoy takes of one request, and a path as long as it may be.
#[test]
fn a_request_is_judged_within_the_bound() {
    let sources: Vec<Value> = (0..32)
        .map(|n| json!({"header": format!("x-team-{n}")}))
        .chain([json!({"path_prefix": "/t/{tenant}"})])
        .collect();
    let rules: Vec<Value> = (0..64)
        .map(|n| json!({"id": format!("r{n}"), "deny": [format!("re:(a|b)*/{n}x*(/.*)?$")]}))
        .chain([json!({"id": "all", "allow": ["*/*/*/*/x"]})])
        .collect();
    let policy = json!({
        "version": "1", "default": "deny", "identity": sources,
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let elements = format!("/a.b{}/@v/v1.0.0.zip", "/a".repeat(2000));
    let short = "/a.b/c/@v/v1.0.0.zip".to_owned();
    let escaped = format!("/a.b/{}/@latest", "!a%61".repeat(800));
    let many = |name: &dyn Fn(usize) -> String, count| -> Vec<(String, String)> {
        (0..count).map(|n| (name(n), "v".to_owned())).collect()
    };
    for (what, path, headers) in [
        ("no headers", &elements, Vec::new()),
        ("escapes", &escaped, Vec::new()),
        ("short headers", &short, many(&|n| format!("{n:x}"), 10_000)),
        (
            "the same header",
            &short,
            many(&|_| "x-team-7".to_owned(), 5_000),
        ),
        (
            "headers that almost name a tenant",
            &short,
            many(&|n| format!("x-team-{n}"), 4_000),
        ),
        (
            "a long header",
            &elements,
            vec![("x-team-7".to_owned(), "v".repeat(60 << 10))],
        ),
    ] {
        let mut counted = Counted::start(&policy);
        counted.headers = headers;
        counted.get(path, &[], b"", 1);
        counted.assert_bounded(what);
    }
}

/// The most that a checksum database, or a backend in its place, answers to one question, and a redirect.
#[test]
fn a_redirect_is_read_within_the_bound() {
    let policy = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    for place in [
        "a/".repeat(30 << 10),
        "%".repeat(60 << 10),
        "../".repeat(20 << 10),
    ] {
        let mut counted = Counted::start(&policy);
        counted.redirect = Some(format!("https://a.b/{place}"));
        let answer = counted.get("/a.b/c/@v/v1.0.0.zip", &[], b"", 1);
        assert_eq!(answer.status, 502);
        counted.assert_bounded("a redirect");
    }
}
