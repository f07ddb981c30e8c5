//! What was seen when a scenario was played.

use std::time::Duration;

use envoy_wasm_host::{
    LogLevel, StreamEffect,
    http::{Body, Headers},
    stats::Series,
};

use super::expected::{Ending, Outcome, Start};

/// What was seen when a scenario was played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// By request, in the scenario's order.
    pub clients: Vec<ClientSeen>,
    /// In the order in which their headers came.
    pub upstream: Vec<UpstreamSeen>,
    /// The log, with the lines of the start.
    pub log: Vec<(LogLevel, String)>,
    /// Everything that happened, in order.
    pub timeline: Vec<Line>,
    /// The metrics at the end.
    pub series: Vec<Series>,
    /// Why the filter did not start with its configuration.
    pub refused: Option<String>,
    /// What became of the configurations that were handed over later, in the scenario's order; `None`
    /// of one whose time did not come.
    pub configurations: Vec<Option<Start>>,
    /// Why VMs failed, or do not filter.
    pub failures: Vec<String>,
    /// Requests that reached an upstream for which the scenario has no behaviour.
    pub unanswered: Vec<String>,
    /// What the run took of the VMs.
    pub usage: Usage,
    /// Streams that were over and that a VM still had.
    pub leaked: usize,
    /// How many events there were: messages' parts, answers, departures, configurations, and what VMs did
    /// because it was time.
    pub events: u64,
    /// How often shared data were written by the version that was read.
    pub swaps: u64,
    /// The virtual time at the end.
    pub ended: Duration,
}

/// What a client saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientSeen {
    /// With `:status`; `None` where none came.
    pub headers: Option<Headers>,
    /// What came of the body.
    pub body: Body,
    /// Where some came.
    pub trailers: Option<Headers>,
    /// `None` while nothing has ended it.
    pub outcome: Option<Outcome>,
}

impl ClientSeen {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome.unwrap_or(Outcome::Pending)
    }
}

/// What an upstream got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSeen {
    /// The cluster.
    pub cluster: String,
    /// Whether the filter requested it by itself.
    pub callout: bool,
    /// With `:method`, `:path`, `:authority`.
    pub headers: Headers,
    /// What came of the body.
    pub body: Body,
    /// Where some came.
    pub trailers: Option<Headers>,
    /// How it ended.
    pub ending: Ending,
    /// It takes no connection: this is what it would have got.
    pub refused: bool,
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Since the start, in virtual time.
    pub at: Duration,
    /// Which VM; they are counted over the run, replaced ones too.
    pub vm: usize,
    /// What happened.
    pub text: String,
}

/// What a run took of the VMs; starts are left out but for the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The fuel of the dearest call into a VM.
    pub fuel: u64,
    /// The memory of the largest VM, in bytes.
    pub memory: usize,
    /// All hostcalls.
    pub hostcalls: u64,
}

impl ClientSeen {
    pub(super) fn sees(&mut self, effect: StreamEffect) {
        let ended = match effect {
            StreamEffect::DownstreamHeaders {
                headers,
                end_stream,
                ..
            } => {
                self.headers = Some(headers);
                end_stream
            }
            StreamEffect::DownstreamData {
                mut data,
                end_stream,
            } => {
                self.body.append(&mut data);
                end_stream
            }
            StreamEffect::DownstreamTrailers { trailers } => {
                self.trailers = Some(trailers);
                true
            }
            StreamEffect::DownstreamReset => {
                self.outcome.get_or_insert(Outcome::Reset);
                false
            }
            _ => false,
        };
        if ended {
            self.outcome.get_or_insert(Outcome::Complete);
        }
    }
}
