//! Responses to the requests that the filter sends itself, to the proxy's clusters.

use std::time::Duration;

use modgate_engine::lookup::Fetched;
use modgate_engine::question;
use modgate_go::http::{Header, value_of};

use crate::host::{CalloutResponse, Host, Message};

/// How long a backend may take for a response: what Envoy gives a request that it passes on
/// (`stream_idle_timeout`), and `modgate serve`. A proxy that does not have a module yet fetches it from its
/// repository meanwhile. It does have an end, since a callout outlives the client that left.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

/// What came of a request.
pub(crate) struct ReceivedResponse {
    /// The status; `None` where no response came in time, or none at all.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<Header>,
    /// The whole body, without its content coding; `Err` says why there is none.
    pub(crate) body: Result<Vec<u8>, String>,
    /// Whether the response comes from another place than the one that was requested first.
    pub(crate) was_redirected: bool,
}

impl ReceivedResponse {
    /// Reads the response that the proxy has just announced, of which at most `limit` bytes are wanted.
    pub(crate) fn read(host: &dyn Host, response: CalloutResponse, limit: usize) -> Self {
        if response.headers == 0 {
            return Self {
                status: None,
                headers: Vec::new(),
                body: Err("it did not answer".to_owned()),
                was_redirected: false,
            };
        }
        let headers = host.headers(Message::CalloutResponse);
        Self {
            status: status_of(&headers),
            body: body(host, &headers, response.body_size, limit).map_err(ToOwned::to_owned),
            headers,
            was_redirected: false,
        }
    }

    /// The same for the engine.
    pub(crate) fn fetched(&self) -> Fetched<'_> {
        let last_modified = value_of(&self.headers, "last-modified");
        Fetched {
            status: self.status,
            body: self.body.as_deref().ok(),
            why_no_body: self.body.as_ref().err().map(String::as_str),
            last_modified: last_modified.and_then(|value| std::str::from_utf8(value).ok()),
            headers: &self.headers,
        }
    }
}

/// The value of `:status`; `None` where there is none that is a number.
pub(crate) fn status_of(headers: &[Header]) -> Option<u16> {
    let status = value_of(headers, ":status")?;
    std::str::from_utf8(status).ok()?.parse().ok()
}

fn body(
    host: &dyn Host,
    headers: &[Header],
    size: usize,
    limit: usize,
) -> Result<Vec<u8>, &'static str> {
    if size > limit {
        return Err("its answer is too long");
    }
    let body = host.body(Message::CalloutResponse, size);
    let body = body.map_err(|_| "its answer did not come whole")?;
    question::decode(headers, body, limit)
}
