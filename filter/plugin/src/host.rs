//! What the filter asks of the proxy. A call that the proxy refuses is logged and survived: the
//! answers are chosen so that the stream is then refused, or a figure is missing.

use std::time::{Duration, SystemTime};

use modgate_engine::judge::Header;
use modgate_engine::policy::Facts;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, Status};

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

/// Sets a request header, in place of all of its name. Whether the proxy took it.
pub(crate) fn set_request_header(name: &str, value: &str) -> bool {
    let result = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
    result
        .map_err(|status| report("setting a header", status))
        .is_ok()
}

/// Removes a request header, every line of it. Whether the proxy did.
pub(crate) fn remove_request_header(name: &str) -> bool {
    let result = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
    result
        .map_err(|status| report("removing a header", status))
        .is_ok()
}

/// Answers the request.
pub(crate) fn reply(status: u16, headers: Vec<(&str, &str)>, body: &str) {
    let result = hostcalls::send_http_response(u32::from(status), headers, Some(body.as_bytes()));
    if let Err(status) = result {
        report("answering a request", status);
    }
}

/// Puts a header into a backend's answer, in place of all of its name. Whether the proxy took it.
pub(crate) fn set_response_header(name: &str, value: &str) -> bool {
    let result = hostcalls::set_map_value(MapType::HttpResponseHeaders, name, Some(value));
    result
        .map_err(|status| report("setting a header of the answer", status))
        .is_ok()
}

/// Removes a header of a backend's answer, every line of it.
pub(crate) fn remove_response_header(name: &str) {
    if let Err(status) = hostcalls::remove_map_value(MapType::HttpResponseHeaders, name) {
        report("removing a header of the answer", status);
    }
}

/// So many bytes of the answer's body, all that there are by now.
pub(crate) fn response_body(size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    let read = hostcalls::get_buffer(BufferType::HttpResponseBody, 0, size);
    let bytes = read
        .map_err(|status| report("reading an answer", status))
        .ok()??;
    (bytes.len() == size).then_some(bytes)
}

/// Puts bytes in the place of so many of the answer's body. Whether the proxy took them.
pub(crate) fn replace_response_body(size: usize, bytes: &[u8]) -> bool {
    let result = hostcalls::set_buffer(BufferType::HttpResponseBody, 0, size, bytes);
    result
        .map_err(|status| report("changing an answer", status))
        .is_ok()
}

/// Takes so many bytes out of the request's body. Whether the proxy let them go.
pub(crate) fn drop_request_body(size: usize) -> bool {
    let result = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, size, &[]);
    result
        .map_err(|status| report("dropping a request's body", status))
        .is_ok()
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
    let (value, number) = hostcalls::get_shared_data(key).ok()?;
    // An empty value comes as none, but with its number.
    number.map(|_| value.unwrap_or_default())
}

/// What came of changing a shared value.
pub(crate) enum Changed {
    /// It is changed.
    Done,
    /// Another VM was first.
    Raced,
    /// There is no such value, or the proxy refuses.
    Refused,
}

/// Changes a shared value that is there: `change` gives the new one, or nothing where it stays.
pub(crate) fn change_shared<R>(
    key: &str,
    change: impl Fn(&[u8]) -> (R, Option<Vec<u8>>),
) -> (Option<R>, Changed) {
    // An empty value comes as none, but with its number.
    let Ok((bytes, Some(number))) = hostcalls::get_shared_data(key) else {
        return (None, Changed::Refused);
    };
    let (result, new) = change(&bytes.unwrap_or_default());
    let Some(new) = new else {
        return (Some(result), Changed::Done);
    };
    match hostcalls::set_shared_data(key, Some(&new), Some(number)) {
        Ok(()) => (Some(result), Changed::Done),
        Err(Status::CasMismatch) => (None, Changed::Raced),
        Err(status) => {
            report("remembering", status);
            (None, Changed::Refused)
        }
    }
}

/// Shares a value, whatever was there.
pub(crate) fn share(key: &str, value: &[u8]) {
    if let Err(status) = hostcalls::set_shared_data(key, Some(value), None) {
        report("sharing data", status);
    }
}

fn report(what: &str, status: Status) {
    log(
        LogLevel::Error,
        &format!("modgate: {what}: the proxy answered {status:?}"),
    );
}
