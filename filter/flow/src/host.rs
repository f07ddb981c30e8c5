//! What one exchange needs of the proxy that it runs in, and nothing else.
//!
//! The plugin implements it by proxy-wasm's hostcalls; the tests by a proxy in memory. What a proxy refuses
//! it logs itself, with its own reason: here it is only [`Refused`], and whoever gets that fails closed.

use std::time::{Duration, SystemTime};

use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;

/// The proxy, in one callback of one stream.
pub trait Host {
    /// The proxy's clock; `None` where it tells none.
    fn now(&self) -> Option<SystemTime>;

    /// Writes one line to the proxy's log. If that fails there is nowhere left to report it.
    fn log(&self, level: LogLevel, line: &str);

    /// An attribute of the request (Envoy: "Attributes"); `None` where the proxy has none of that path.
    fn attribute(&self, path: &[&str]) -> Option<Vec<u8>>;

    /// Leaves a value with the request, for the proxy's access log (Envoy: filter state).
    fn set_filter_state(&self, name: &str, value: &str);

    /// All headers of a message, pseudo-headers included, names in lower case; empty where there are none.
    fn headers(&self, message: Message) -> Vec<Header>;

    /// The first value of one header; `None` where the message does not have it.
    fn header(&self, message: Message, name: &str) -> Option<Vec<u8>>;

    /// Sets a header, in place of every line of that name.
    fn set_header(&self, message: Message, name: &str, value: &str) -> Result<(), Refused>;

    /// Removes every line of a header.
    fn remove_header(&self, message: Message, name: &str) -> Result<(), Refused>;

    /// The first `size` bytes of what the proxy holds of a body, which are all that it holds by now.
    fn body(&self, message: Message, size: usize) -> Result<Vec<u8>, Refused>;

    /// Puts bytes in the place of the first `size` of a body.
    fn replace_body(&self, message: Message, size: usize, with: &[u8]) -> Result<(), Refused>;

    /// Puts bytes behind what the proxy holds of a body.
    fn append_body(&self, message: Message, bytes: &[u8]) -> Result<(), Refused>;

    /// Answers the request in the backend's place.
    fn send_local_reply(&self, status: u16, headers: &[(&str, &str)], body: &str);

    /// Lets a request go on that was held.
    fn resume_request(&self);

    /// Lets a response go on that was held.
    fn resume_response(&self);

    /// Breaks the response off, so that the client sees that it is not whole.
    fn reset_response(&self);

    /// Sends a request to a cluster. Its response, or its time-out, comes back under this id.
    fn call_out(&self, request: &CalloutRequest<'_>) -> Result<CalloutId, Refused>;

    /// A value that all workers of the proxy share, and the number of its version; `None` where there is none.
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, SharedVersion)>;

    /// Sets a shared value, if it is as expected.
    fn set_shared_data(&self, key: &str, value: &[u8], expected: Expected)
    -> Result<(), NotShared>;

    /// Defines a metric, or finds the one of that name.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Option<MetricId>;

    /// Adds to a counter.
    fn increment(&self, metric: MetricId, by: u64);

    /// Sets a gauge, or adds an observation to a histogram.
    fn record(&self, metric: MetricId, value: u64);
}

/// A message of which headers or a body can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The client's request.
    Request,
    /// The backend's response.
    Response,
    /// The response to a callout, while its callback runs.
    CalloutResponse,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something that happens in normal operation.
    Info,
    /// Something that an operator may want to change.
    Warn,
    /// Something that failed.
    Error,
}

/// The proxy did not do what was requested; it has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// A request to a cluster, with GET and no body.
#[derive(Clone, Copy, Debug)]
pub struct CalloutRequest<'a> {
    /// The cluster, as the proxy names it.
    pub cluster: &'a str,
    /// The host that the cluster is asked as.
    pub authority: &'a str,
    /// The path.
    pub path: &'a str,
    /// The other headers. Their values are text.
    pub headers: &'a [Header],
    /// How long its response may take.
    pub timeout: Duration,
}

/// What a callout's response comes back under: no two callouts of a stream have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CalloutId(pub u32);

/// A response to a callout that the proxy announces.
#[derive(Clone, Copy, Debug)]
pub struct CalloutResponse {
    /// Which callout.
    pub id: CalloutId,
    /// How many headers it has; 0 where no response came, or none in time.
    pub headers: usize,
    /// How many bytes its body has.
    pub body_size: usize,
}

/// The version of a shared value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedVersion(pub u32);

/// What must stand in the place of a shared value that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever there is, or nothing.
    Anything,
    /// Nothing: a value that there is stays.
    Nothing,
    /// The value of this version.
    Version(SharedVersion),
}

/// Why a shared value was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotShared {
    /// Another worker has set it meanwhile.
    Changed,
    /// The proxy refused; it has logged why.
    Refused,
}

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It has a value at a time.
    Gauge,
    /// It has a distribution.
    Histogram,
}

/// What a defined metric is found again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(pub u32);

/// The attributes of the request that is being handled, for the engine.
pub(crate) struct Attributes<'h>(pub(crate) &'h dyn Host);

impl Facts for Attributes<'_> {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        self.0.attribute(path)
    }
}
