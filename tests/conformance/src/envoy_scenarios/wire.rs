//! Messages of a scenario over HTTP/2, the same for clients and upstreams.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use envoy_wasm_scenario::Step;
use h2::{RecvStream, SendStream};
use http_status::{HeaderMap, HeaderName, HeaderValue};

/// What was written has this long to get out before what must not come with it.
pub(super) const FLUSH: Duration = Duration::from_millis(100);

/// Flow control is not what scenarios are about, bytes.
pub(super) const WINDOW: u32 = 1 << 24;

/// How sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All is sent.
    All,
    /// What comes next is a fault.
    UntilFault,
    /// The other side does not want the rest.
    Unwanted,
}

/// Sends what comes behind the headers, each part when it is due.
pub(super) async fn send(
    stream: &mut SendStream<Bytes>,
    steps: VecDeque<(Duration, Step)>,
) -> Sent {
    for (after, step) in steps {
        // An end that comes by itself must not come in one packet with what is before it.
        let alone = matches!(&step, Step::Data(data, true) if data.is_empty())
            || matches!(&step, Step::Fails(_));
        let after = if alone { after + FLUSH } else { after };
        tokio::select! {
            _ = poll_fn(|cx| stream.poll_reset(cx)) => return Sent::Unwanted,
            () = tokio::time::sleep(after) => {}
        }
        let sent = match step {
            Step::Data(data, end) => stream.send_data(data, end),
            Step::Trailers(trailers) => stream.send_trailers(map(&trailers)),
            Step::Headers(..) => Ok(()),
            Step::Fails(_) => return Sent::UntilFault,
        };
        if sent.is_err() {
            return Sent::Unwanted;
        }
    }
    Sent::All
}

/// Reads what comes behind the headers; the trailers, where some come.
pub(super) async fn read(
    mut from: RecvStream,
    mut push: impl FnMut(Bytes),
) -> Result<Option<Headers>, h2::Error> {
    while let Some(data) = from.data().await {
        let data = data?;
        from.flow_control().release_capacity(data.len())?;
        push(data);
    }
    let trailers = from.trailers().await?;
    Ok(trailers.map(|map| with_pseudo([], &map)))
}

/// Pseudo-headers, and then those of a message.
pub(super) fn with_pseudo<const N: usize>(
    pseudo: [(&'static str, String); N],
    map: &HeaderMap,
) -> Headers {
    let mut headers = Headers::from_pairs(pseudo);
    for (name, value) in map {
        headers.add(name.to_string(), Bytes::copy_from_slice(value.as_bytes()));
    }
    headers
}

/// All but pseudo-headers, as HTTP/2 has them.
pub(super) fn map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(b":")) {
        let pair = HeaderName::from_bytes(name)
            .ok()
            .zip(HeaderValue::from_bytes(value).ok());
        let (name, value) = pair.unwrap_or_else(|| panic!("no header: {name:?}: {value:?}"));
        map.append(name, value);
    }
    map
}

/// The value, whatever became of the threads that had it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
