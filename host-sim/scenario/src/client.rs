//! What comes in, from a client or from an upstream, step by step.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::{UpstreamFailure, http::Headers};

use super::model::{Fault, Request};
use super::timeline;
use super::values::{Chunks, Pairs};

/// One part of a message; the last, but for a failure, ends it.
#[derive(Clone, Debug)]
pub enum Step {
    /// An answer's headers, and whether nothing comes behind them.
    Headers(Headers, bool),
    /// A part of the body, and whether it is the last.
    Data(Bytes, bool),
    /// The trailers.
    Trailers(Headers),
    /// The upstream fails.
    Fails(UpstreamFailure),
}

/// What is still to come of a message, each with its delay.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub steps: VecDeque<(Duration, Step)>,
    /// The proxy reads no more for now.
    pub stopped: bool,
    /// A step is due, but the proxy does not read.
    pub waiting: bool,
}

/// A message's body, trailers and end; whether its headers end it already. With a fault there is no
/// end.
pub(super) fn after_headers(
    body: &Chunks,
    trailers: &Pairs,
    late_end: bool,
    breaks: Option<Fault>,
) -> (bool, VecDeque<(Duration, Step)>) {
    let mut steps = VecDeque::new();
    let whole = breaks.is_none();
    let ends_itself = trailers.0.is_empty() && !late_end && whole;
    for (i, chunk) in body.0.iter().enumerate() {
        let last = i + 1 == body.0.len();
        let step = Step::Data(chunk.data.clone(), last && ends_itself);
        steps.push_back((chunk.after, step));
    }
    if let Some(fault) = breaks {
        if let Some(failure) = fault.failure() {
            steps.push_back((Duration::ZERO, Step::Fails(failure)));
        }
    } else if !trailers.0.is_empty() {
        steps.push_back((Duration::ZERO, Step::Trailers(trailers.headers())));
    } else if late_end {
        steps.push_back((Duration::ZERO, Step::Data(Bytes::new(), true)));
    }
    (whole && steps.is_empty(), steps)
}

impl Request {
    /// The headers as Envoy shows them to its filters, with the id of the request of this number;
    /// whether nothing comes behind them; and what comes, each part with its delay.
    pub fn message(&self, number: usize) -> (Headers, bool, VecDeque<(Duration, Step)>) {
        let mut headers = Headers::from_pairs([
            (":authority", self.authority.clone()),
            (":path", self.path.clone()),
            (":method", self.method.clone()),
            (":scheme", "http".to_owned()),
        ]);
        self.headers.add_to(&mut headers);
        for (name, value) in [
            ("x-forwarded-proto", "http".to_owned()),
            (
                "x-request-id",
                format!("00000000-0000-4000-8000-{number:012}"),
            ),
        ] {
            if headers.get(name).is_none() {
                headers.add(name, value);
            }
        }
        let (end, steps) = after_headers(&self.body, &self.trailers, self.late_end, None);
        (headers, end, steps)
    }
}

impl Fault {
    /// What the proxy takes it for; nothing where it is silence.
    pub(super) fn failure(self) -> Option<UpstreamFailure> {
        Some(match self {
            Self::Refused => {
                UpstreamFailure::Connect("delayed connect error: Connection refused".to_owned())
            }
            Self::Closed => UpstreamFailure::ConnectionTermination,
            Self::Reset => UpstreamFailure::RemoteReset,
            Self::Garbled => UpstreamFailure::Protocol,
            Self::TimedOut => UpstreamFailure::Timeout,
            Self::Silent => return None,
        })
    }
}

impl Step {
    /// Whether nothing of the message comes behind it.
    pub(super) const fn ends(&self) -> bool {
        match self {
            Self::Headers(_, end) | Self::Data(_, end) => *end,
            Self::Trailers(_) | Self::Fails(_) => true,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers(headers, end) => {
                let (list, end) = (timeline::list(headers), timeline::end(*end));
                write!(f, "{list}{end} come")
            }
            Self::Data(data, end) => {
                write!(f, "{} bytes{} come", data.len(), timeline::end(*end))
            }
            Self::Trailers(trailers) => write!(f, "trailers {} come", timeline::list(trailers)),
            Self::Fails(failure) => write!(f, "the upstream fails: {failure:?}"),
        }
    }
}
