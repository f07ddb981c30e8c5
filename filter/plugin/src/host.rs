//! What the filter asks of the proxy. A call that the proxy refuses is logged and survived: the
//! answers are chosen so that the stream is then refused, or a figure is missing.

use std::time::{Duration, SystemTime};

use modgate_go::http::Header;
use modgate_go::http::wire::HOST_METADATA;
use modgate_policy::model::identity::Facts;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, Status};

/// How often another worker may be first.
const RACES: usize = 16;

/// A moment by the proxy's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Option<SystemTime>);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(hostcalls::get_current_time().ok())
    }

    /// Milliseconds since 1970.
    pub(crate) fn unix_milliseconds(self) -> Option<u64> {
        let since = self.0?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    }

    /// The time since; zero where the clock went backwards.
    pub(crate) fn elapsed(self) -> Duration {
        let (Some(then), Some(now)) = (self.0, Self::now().0) else {
            return Duration::ZERO;
        };
        now.duration_since(then).unwrap_or_default()
    }
}

/// Writes one line to the proxy's log.
pub(crate) fn log(level: LogLevel, line: &str) {
    // Nothing is left to be told where telling fails.
    let _ = hostcalls::log(level, line);
}

/// The plugin's configuration; empty where there is none.
pub(crate) fn configuration() -> Vec<u8> {
    match hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(status) => {
            report("reading the configuration", status);
            Vec::new()
        }
    }
}

/// All headers of one map, in one call.
pub(crate) fn headers(map: MapType) -> Vec<Header> {
    hostcalls::get_map_bytes(map).unwrap_or_else(|status| {
        report("reading headers", status);
        Vec::new()
    })
}

/// Sets a header, in place of all of its name. Whether the proxy took it.
pub(crate) fn set_header(map: MapType, name: &str, value: &str) -> bool {
    took(
        "setting a header",
        hostcalls::set_map_value(map, name, Some(value)),
    )
}

/// Removes a header, every line of it. Whether the proxy did.
pub(crate) fn remove_header(map: MapType, name: &str) -> bool {
    took("removing a header", hostcalls::remove_map_value(map, name))
}

/// Answers the request.
pub(crate) fn reply(status: u16, headers: Vec<(&str, &str)>, body: &str) {
    let result = hostcalls::send_http_response(u32::from(status), headers, Some(body.as_bytes()));
    if let Err(status) = result {
        report("answering a request", status);
    }
}

/// So many bytes of a body, all that there are by now.
pub(crate) fn body(body: BufferType, size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    let read = hostcalls::get_buffer(body, 0, size);
    let bytes = read
        .map_err(|status| report("reading a body", status))
        .ok()??;
    (bytes.len() == size).then_some(bytes)
}

/// Puts bytes in the place of so many of a body. Whether the proxy took them.
pub(crate) fn replace_body(body: BufferType, size: usize, bytes: &[u8]) -> bool {
    took(
        "changing a body",
        hostcalls::set_buffer(body, 0, size, bytes),
    )
}

/// Puts bytes behind what the proxy holds of a body. Whether the proxy took them.
pub(crate) fn append_body(body: BufferType, bytes: &[u8]) -> bool {
    // Behind the end of any body: proxies add what begins there.
    const BEHIND: usize = u32::MAX as usize;
    let append = || hostcalls::set_buffer(body, BEHIND, 0, bytes);
    bytes.is_empty() || took("adding to a body", append())
}

/// Lets a request go on that was held.
pub(crate) fn resume_request() {
    if let Err(status) = hostcalls::resume_http_request() {
        report("letting a request go on", status);
    }
}

/// Lets an answer go on that was held.
pub(crate) fn resume_response() {
    if let Err(status) = hostcalls::resume_http_response() {
        report("letting an answer go on", status);
    }
}

/// Breaks the answer off, so that the client sees that it is not whole.
pub(crate) fn reset_response() {
    if let Err(status) = hostcalls::reset_http_response() {
        report("breaking an answer off", status);
    }
}

/// What the proxy knows of the request that is being handled.
pub(crate) struct Proxy;

impl Facts for Proxy {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        property(path)
    }
}

/// Leaves a value with the request, for the proxy's access log.
pub(crate) fn leave(name: &str, value: &str) {
    if let Err(status) = hostcalls::set_property(vec![name], Some(value.as_bytes())) {
        report("telling the access log", status);
    }
}

/// A string that the proxy knows under this path; `None` where it does not.
pub(crate) fn property(path: &[&str]) -> Option<Vec<u8>> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// What the upstream host that answers says of whose it is ([`HOST_METADATA`]).
pub(crate) fn upstream_backend() -> Option<Vec<u8>> {
    let [namespace, key] = HOST_METADATA;
    let path = [
        "xds",
        "upstream_host_metadata",
        "filter_metadata",
        namespace,
        key,
    ];
    property(&path).filter(|name| !name.is_empty())
}

/// Whether the client was sent so many bytes as the answer's body, as far as the proxy says. An encoding that a filter
/// nearer to the client has put on them makes another number of them.
pub(crate) fn has_sent(bytes: u64) -> bool {
    let sent = property(&["response", "size"]).and_then(|size| size.try_into().ok());
    let Some(sent) = sent.map(u64::from_le_bytes) else {
        return true;
    };
    let encoding =
        || hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, "content-encoding");
    sent == bytes || encoding().is_ok_and(|encoding| encoding.is_some())
}

/// How many upstream hosts were asked for this request, one after the other.
pub(crate) fn upstream_attempts() -> u64 {
    let attempts = property(&["upstream", "request_attempt_count"]);
    let bytes = attempts.and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

/// Defines a metric, or finds the one of that name.
pub(crate) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    hostcalls::define_metric(kind, name)
        .map_err(|status| report("defining a metric", status))
        .ok()
}

/// Adds to a counter. Zero is not worth a call.
pub(crate) fn count(metric: Option<u32>, by: u64) {
    if let (Some(metric), 1..) = (metric, by) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let _ = hostcalls::increment_metric(metric, by);
    }
}

/// Sets a gauge or adds an observation to a histogram.
pub(crate) fn record(metric: Option<u32>, value: u64) {
    if let Some(metric) = metric {
        let _ = hostcalls::record_metric(metric, value);
    }
}

/// The value that the VMs of this process share under a key.
pub(crate) fn shared(key: &str) -> Option<Vec<u8>> {
    numbered(key).map(|(value, _)| value)
}

/// A shared value, and the number by which it can be changed unless another VM was first.
fn numbered(key: &str) -> Option<(Vec<u8>, u32)> {
    let (value, number) = hostcalls::get_shared_data(key).ok()?;
    // An empty value comes as none, but with its number.
    Some((value.unwrap_or_default(), number?))
}

/// Changes a shared value, which is made, empty, where there is none: `change` gives the new one, or
/// nothing where it stays, and is called again with the value of another VM that was first. `None` where
/// the proxy refuses, or others are first too often.
pub(crate) fn change_shared<R>(
    key: &str,
    mut change: impl FnMut(&[u8]) -> (R, Option<Vec<u8>>),
) -> Option<R> {
    for _ in 0..RACES {
        let made = || {
            share_new(key, &[]);
            numbered(key)
        };
        let (value, number) = numbered(key).or_else(made)?;
        let (result, new) = change(&value);
        let Some(new) = new else {
            return Some(result);
        };
        match hostcalls::set_shared_data(key, Some(&new), Some(number)) {
            Ok(()) => return Some(result),
            Err(Status::CasMismatch) => {}
            Err(status) => {
                report("changing shared data", status);
                return None;
            }
        }
    }
    None
}

/// Shares a value, unless there is one.
pub(crate) fn share_new(key: &str, value: &[u8]) {
    // A number that no value has got: what is there is not overwritten, and what is not there is made.
    const NOT_THERE: u32 = u32::MAX;
    match hostcalls::set_shared_data(key, Some(value), Some(NOT_THERE)) {
        Ok(()) | Err(Status::CasMismatch) => {}
        Err(status) => report("sharing data", status),
    }
}

/// Adds one to a shared number, unless the proxy refuses, or others are first too often.
pub(crate) fn count_shared(key: &str) {
    change_shared(key, |value| {
        let number = shared_number(value).saturating_add(1);
        ((), Some(number.to_le_bytes().to_vec()))
    });
}

/// A shared number; 0 where there is none yet.
pub(crate) fn shared_number(value: &[u8]) -> u32 {
    value.try_into().map_or(0, u32::from_le_bytes)
}

/// Shares a value, whatever was there.
pub(crate) fn share(key: &str, value: &[u8]) {
    if let Err(status) = hostcalls::set_shared_data(key, Some(value), None) {
        report("sharing data", status);
    }
}

/// Whether the proxy did what it was asked; where not, the log says so.
fn took(what: &str, result: Result<(), Status>) -> bool {
    result.map_err(|status| report(what, status)).is_ok()
}

/// Notes what the proxy refused.
pub(crate) fn report(what: &str, status: Status) {
    log(
        LogLevel::Error,
        &format!("modgate: {what}: the proxy answered {status:?}"),
    );
}
