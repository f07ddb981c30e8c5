//! A worker of the shipped module whose fuel is counted.

use std::rc::Rc;
use std::sync::LazyLock;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{
    Budget, CalloutAnswer, Crossing, Downstream, Effect, Engine, EngineOptions, Module,
    PluginConfig, Proxy, ProxyConfig, RootId, StreamEffect, StreamId, VmConfig, Worker,
};
use modgate::filter;
use modgate_harness::tools::dist;
use serde_json::Value;

/// The most that a call may take.
pub const MOST: u64 = 600_000_000;

/// The same where so few bytes inflate to a thousand times as many, which are hashed.
pub const MOST_INFLATED: u64 = 2_000_000_000;

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
pub struct Counted {
    worker: Worker,
    plugin: RootId,
    pub dearest: u64,
    /// More of the client's headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What is answered to the filter's own questions beside what [`Counted::get`] is given, by their path.
    pub database: Option<Rc<Answers>>,
    /// Where the backend leads the client.
    pub redirect: Option<String>,
}

/// A body for a path; nothing is 404.
pub type Answers = dyn Fn(&str) -> Option<Vec<u8>>;

/// What a client sees.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub is_broken_off: bool,
}

impl Counted {
    pub fn start(policy: &Value) -> Self {
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
            allow_on_headers_stop_iteration: true,
            ..PluginConfig::default()
        });
        let plugin = plugin.unwrap();
        worker.effects().for_each(drop);
        Self {
            worker,
            plugin,
            dearest: 0,
            headers: Vec::new(),
            database: None,
            redirect: None,
        }
    }

    /// A request whose backend answers so, the filter's own questions by their path and the client's by
    /// its body, in chunks of this size.
    pub fn get(
        &mut self,
        path: &str,
        answers: &[(&str, &str)],
        body: &[u8],
        chunk: usize,
    ) -> Answer {
        self.dearest = 0;
        let stream = self
            .worker
            .create_stream(self.plugin, Downstream::default());
        let request = [(":method", "GET"), (":path", path), (":authority", "a")];
        let request = request.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
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
            let mut requested = Vec::new();
            for effect in self.worker.effects() {
                match effect {
                    Effect::Crossing(Crossing::Returned { fuel, .. }) => {
                        self.dearest = self.dearest.max(fuel.unwrap());
                    }
                    Effect::Callout(callout) => requested.push(callout),
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
            if requested.is_empty() {
                return is_sent;
            }
            for callout in requested {
                let path = callout.headers.get(":path").unwrap().to_owned();
                let path = String::from_utf8_lossy(path.as_ref()).into_owned();
                let found = answers.iter().find(|(end, _)| path.ends_with(end));
                let found = found.map(|(_, body)| body.as_bytes().to_vec());
                let found = found.or_else(|| self.database.as_ref()?(&path));
                let status = if found.is_some() { "200" } else { "404" };
                let body = found.unwrap_or_default();
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
    pub fn assert_bounded(&self, what: &str) {
        self.assert_within(what, MOST);
    }

    #[track_caller]
    pub fn assert_within(&self, what: &str, most: u64) {
        assert!(self.worker.failure().is_none(), "{what}: the VM failed");
        println!("{what}: {} units", self.dearest);
        assert!(
            self.dearest <= most,
            "{what}: a call took {} units",
            self.dearest
        );
    }
}
