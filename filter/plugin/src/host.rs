//! What `modgate_flow` needs of a proxy, by proxy-wasm's hostcalls. What the proxy refuses is logged here, with its
//! status.

use std::time::SystemTime;

use modgate_flow::Host;
use modgate_flow::host::{
    CalloutId, CalloutRequest, Expected, LogLevel, Message, MetricId, MetricKind, NotShared,
    Refused, SharedVersion,
};
use modgate_go::http::Header;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType, Status};

/// The proxy, in whichever callback it has called.
pub(crate) struct ProxyWasm;

/// The plugin's configuration; empty where there is none.
pub(crate) fn configuration() -> Vec<u8> {
    let read = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    done("reading the configuration", read)
        .ok()
        .flatten()
        .unwrap_or_default()
}

impl Host for ProxyWasm {
    fn now(&self) -> Option<SystemTime> {
        hostcalls::get_current_time().ok()
    }

    fn log(&self, level: LogLevel, line: &str) {
        let level = match level {
            LogLevel::Info => proxy_wasm::types::LogLevel::Info,
            LogLevel::Warn => proxy_wasm::types::LogLevel::Warn,
            LogLevel::Error => proxy_wasm::types::LogLevel::Error,
        };
        // If logging fails there is nowhere left to report it.
        let _ = hostcalls::log(level, line);
    }

    fn attribute(&self, path: &[&str]) -> Option<Vec<u8>> {
        hostcalls::get_property(path.to_vec()).ok().flatten()
    }

    fn set_filter_state(&self, name: &str, value: &str) {
        let set = hostcalls::set_property(vec![name], Some(value.as_bytes()));
        let _ = done("telling the access log", set);
    }

    fn headers(&self, message: Message) -> Vec<Header> {
        let read = hostcalls::get_map_bytes(map_of(message));
        done("reading headers", read).unwrap_or_default()
    }

    fn header(&self, message: Message, name: &str) -> Option<Vec<u8>> {
        let read = hostcalls::get_map_value_bytes(map_of(message), name);
        read.ok().flatten()
    }

    fn set_header(&self, message: Message, name: &str, value: &str) -> Result<(), Refused> {
        let set = hostcalls::set_map_value(map_of(message), name, Some(value));
        done("setting a header", set)
    }

    fn remove_header(&self, message: Message, name: &str) -> Result<(), Refused> {
        let removed = hostcalls::remove_map_value(map_of(message), name);
        done("removing a header", removed)
    }

    fn body(&self, message: Message, size: usize) -> Result<Vec<u8>, Refused> {
        if size == 0 {
            return Ok(Vec::new());
        }
        let read = hostcalls::get_buffer(body_of(message), 0, size);
        let bytes = done("reading a body", read)?.unwrap_or_default();
        // Less than was announced is not what the proxy will send.
        if bytes.len() == size {
            Ok(bytes)
        } else {
            Err(Refused)
        }
    }

    fn replace_body(&self, message: Message, size: usize, with: &[u8]) -> Result<(), Refused> {
        let set = hostcalls::set_buffer(body_of(message), 0, size, with);
        done("changing a body", set)
    }

    fn append_body(&self, message: Message, bytes: &[u8]) -> Result<(), Refused> {
        // Behind the end of any body: proxies add what begins there.
        const BEHIND: usize = u32::MAX as usize;
        let set = hostcalls::set_buffer(body_of(message), BEHIND, 0, bytes);
        done("adding to a body", set)
    }

    fn send_local_reply(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let body = Some(body.as_bytes());
        let sent = hostcalls::send_http_response(u32::from(status), headers.to_vec(), body);
        let _ = done("answering a request", sent);
    }

    fn resume_request(&self) {
        let resumed = hostcalls::resume_http_request();
        let _ = done("letting a request go on", resumed);
    }

    fn resume_response(&self) {
        let resumed = hostcalls::resume_http_response();
        let _ = done("letting an answer go on", resumed);
    }

    fn reset_response(&self) {
        let reset = hostcalls::reset_http_response();
        let _ = done("breaking an answer off", reset);
    }

    fn call_out(&self, request: &CalloutRequest<'_>) -> Result<CalloutId, Refused> {
        let mut headers = vec![
            (":method", "GET"),
            (":path", request.path),
            (":authority", request.authority),
        ];
        headers.extend(request.headers.iter().filter_map(|(name, value)| {
            // A callout's headers are text, so none is lost.
            Some((name.as_str(), std::str::from_utf8(value).ok()?))
        }));
        let (body, trailers) = (None, Vec::new());
        let sent = hostcalls::dispatch_http_call(
            request.cluster,
            headers,
            body,
            trailers,
            request.timeout,
        );
        done("asking a cluster", sent).map(CalloutId)
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, SharedVersion)> {
        let (value, version) = hostcalls::get_shared_data(key).ok()?;
        // An empty value comes as none, but with its version.
        Some((value.unwrap_or_default(), SharedVersion(version?)))
    }

    fn set_shared_data(
        &self,
        key: &str,
        value: &[u8],
        expected: Expected,
    ) -> Result<(), NotShared> {
        let cas = match expected {
            Expected::Anything => None,
            // A number that no value has got: what is there is not overwritten, and what is not there is made.
            Expected::Nothing => Some(u32::MAX),
            Expected::Version(SharedVersion(version)) => Some(version),
        };
        match hostcalls::set_shared_data(key, Some(value), cas) {
            Ok(()) => Ok(()),
            Err(Status::CasMismatch) => Err(NotShared::Changed),
            Err(status) => {
                report("sharing data", status);
                Err(NotShared::Refused)
            }
        }
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Option<MetricId> {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
        };
        let defined = hostcalls::define_metric(kind, name);
        done("defining a metric", defined).ok().map(MetricId)
    }

    fn increment(&self, metric: MetricId, by: u64) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let _ = hostcalls::increment_metric(metric.0, by);
    }

    fn record(&self, metric: MetricId, value: u64) {
        let _ = hostcalls::record_metric(metric.0, value);
    }
}

const fn map_of(message: Message) -> MapType {
    match message {
        Message::Request => MapType::HttpRequestHeaders,
        Message::Response => MapType::HttpResponseHeaders,
        Message::CalloutResponse => MapType::HttpCallResponseHeaders,
    }
}

const fn body_of(message: Message) -> BufferType {
    match message {
        Message::Request => BufferType::HttpRequestBody,
        Message::Response => BufferType::HttpResponseBody,
        Message::CalloutResponse => BufferType::HttpCallResponseBody,
    }
}

/// What the proxy gave; where it refused, the log says so.
fn done<T>(what: &str, result: Result<T, Status>) -> Result<T, Refused> {
    result.map_err(|status| {
        report(what, status);
        Refused
    })
}

fn report(what: &str, status: Status) {
    let line = format!("modgate: {what}: the proxy answered {status:?}");
    ProxyWasm.log(LogLevel::Error, &line);
}
