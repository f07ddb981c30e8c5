//! A worker to run guests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use super::guest::{PRELUDE, assemble, guest};
use bytes::Bytes;
use envoy_wasm_host::clock::VirtualClock;
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{
    Callout, Downstream, Effect, Engine, EngineOptions, Module, PluginConfig, Proxy, ProxyConfig,
    RootId, Route, StreamEffect, StreamId, StreamSummary, VmConfig, Worker,
};

/// A callback in which the guest runs these instructions, and answers a request with Continue.
pub fn on_request(instructions: &str) -> Vec<u8> {
    guest(&format!(
        "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)
           {instructions} (i32.const 0))"
    ))
}

/// A worker with one plugin, on a clock that stands still.
pub struct Host {
    pub worker: Worker,
    pub root: RootId,
    pub clock: Arc<VirtualClock>,
}

/// What a host is made with, to be changed before it starts.
pub struct Setup {
    pub proxy: ProxyConfig,
    pub vm: VmConfig,
    pub plugin: PluginConfig,
    pub clock: Arc<VirtualClock>,
}

impl Default for Setup {
    fn default() -> Self {
        // 2024-01-01T00:00:00Z
        let clock = Arc::new(VirtualClock::new(Duration::from_secs(1_704_067_200)));
        let proxy = ProxyConfig {
            clusters: BTreeSet::from(["up".to_owned(), "other".to_owned()]),
            route: Route::Cluster("up".to_owned()),
            clock: clock.clone(),
            ..ProxyConfig::default()
        };
        Self {
            proxy,
            vm: VmConfig::default(),
            plugin: PluginConfig::default(),
            clock,
        }
    }
}

impl Setup {
    pub fn start(self, binary: &[u8]) -> Host {
        let proxy = Proxy::new(self.proxy);
        Host::join(&proxy, self.clock, self.vm, self.plugin, binary)
    }
}

pub fn engine() -> Engine {
    Engine::new(&EngineOptions::default()).unwrap()
}

impl Host {
    /// A host with the defaults.
    pub fn new(binary: &[u8]) -> Self {
        Setup::default().start(binary)
    }

    /// One more worker of a proxy.
    pub fn join(
        proxy: &Arc<Proxy>,
        clock: Arc<VirtualClock>,
        vm: VmConfig,
        plugin: PluginConfig,
        binary: &[u8],
    ) -> Self {
        let module = Module::new(&engine(), binary).unwrap();
        let mut worker = Worker::new(&module, vm, proxy.clone()).unwrap();
        let root = worker.start_plugin(plugin).unwrap();
        Self {
            worker,
            root,
            clock,
        }
    }

    /// A stream whose request is this, without a body.
    pub fn get(&mut self, path: &str) -> StreamId {
        self.request(&[(":method", "GET"), (":path", path)], true)
    }

    /// A stream with these headers, to which `:authority` and `:scheme` are added.
    pub fn request(&mut self, headers: &[(&'static str, &str)], end_stream: bool) -> StreamId {
        let mut map = Headers::from_pairs([(":authority", "proxy"), (":scheme", "http")]);
        for (name, value) in headers {
            map.add(*name, value.to_string());
        }
        let stream = self.worker.create_stream(self.root, Downstream::default());
        self.worker.request_headers(stream, map, end_stream);
        stream
    }

    pub fn body(&mut self, stream: StreamId, data: &'static str, end: bool) {
        self.worker
            .request_body(stream, Bytes::from_static(data.as_bytes()), end);
    }

    pub fn respond(
        &mut self,
        stream: StreamId,
        headers: &[(&'static str, &'static str)],
        end: bool,
    ) {
        let headers = Headers::from_pairs(headers.iter().copied());
        self.worker.response_headers(stream, headers, end);
    }

    pub fn response_body(&mut self, stream: StreamId, data: &'static str, end: bool) {
        self.worker
            .response_body(stream, Bytes::from_static(data.as_bytes()), end);
    }

    /// Moves the clock and lets the worker do what is due.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.worker.run_due();
    }

    /// What happened since the last call.
    pub fn take(&mut self) -> Vec<Effect> {
        self.worker.effects().collect()
    }

    /// What happened since the last call: log lines as they are, effects in short.
    pub fn story(&mut self) -> Vec<String> {
        self.take().iter().map(tell).collect()
    }

    /// The log lines since the last call.
    pub fn lines(&mut self) -> Vec<String> {
        self.take()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Log(_, line) => Some(line),
                _ => None,
            })
            .collect()
    }
}

/// The effect in a few words.
pub fn tell(effect: &Effect) -> String {
    let effect = match effect {
        Effect::Log(_, line) => return line.clone(),
        Effect::Callout(callout) => return tell_callout(callout),
        Effect::Crossing(crossing) => return format!("{crossing:?}"),
        Effect::GrpcCallout(callout) => {
            return format!("gRPC {} to {}", callout.token.number(), callout.cluster);
        }
        Effect::GrpcData {
            data, end_stream, ..
        } => return format!("gRPC {} bytes, {end_stream}", data.len()),
        Effect::CancelCallout(token) => return format!("cancel callout {}", token.number()),
        Effect::Stream(_, effect) => effect,
    };
    let end = |end: &bool| if *end { " end" } else { "" };
    match effect {
        StreamEffect::UpstreamHeaders {
            cluster,
            headers,
            end_stream,
        } => {
            let path = headers.get(":path").map(text).unwrap_or_default();
            format!("to {cluster}: {path}{}", end(end_stream))
        }
        StreamEffect::UpstreamData { data, end_stream } => {
            format!("to upstream: {}{}", text(&data.to_bytes()), end(end_stream))
        }
        StreamEffect::UpstreamTrailers { trailers } => {
            format!("to upstream: {} trailers", trailers.len())
        }
        StreamEffect::DownstreamHeaders {
            headers,
            end_stream,
            ..
        } => format!("client: {}{}", headers.status().unwrap(), end(end_stream)),
        StreamEffect::DownstreamData { data, end_stream } => {
            format!("client: {}{}", text(&data.to_bytes()), end(end_stream))
        }
        StreamEffect::DownstreamTrailers { trailers } => {
            format!("client: {} trailers", trailers.len())
        }
        StreamEffect::DownstreamReset => "reset".to_owned(),
        StreamEffect::Paused { direction, at } => format!("paused {direction:?} {at:?}"),
        StreamEffect::Resumed { direction } => format!("resumed {direction:?}"),
        StreamEffect::StopReading { direction } => format!("stop reading {direction:?}"),
        StreamEffect::ResumeReading { direction } => format!("resume reading {direction:?}"),
        StreamEffect::Ended { summary } => tell_end(summary),
    }
}

fn tell_callout(callout: &Callout) -> String {
    format!("callout {} to {}", callout.token.number(), callout.cluster)
}

fn tell_end(summary: &StreamSummary) -> String {
    format!("ended {}", summary.code_details)
}

pub fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
