//! What a scenario's file says is to come of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::expect::Selector;
use super::values::Pairs;

/// What a client is expected to see; what is not there is not looked at, but for `outcome`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The status.
    pub status: Option<u16>,
    /// These headers with exactly these values; `null` for one that is not there.
    pub headers: BTreeMap<String, Option<String>>,
    /// The whole body.
    pub body: Option<String>,
    /// Parts of the body.
    pub body_contains: Vec<String>,
    /// How long the body is, in bytes.
    pub body_size: Option<usize>,
    /// The body's SHA-256, in hexadecimal.
    pub body_sha256: Option<String>,
    /// All trailers.
    pub trailers: Option<Pairs>,
    /// How it ends: `complete` unless said otherwise.
    pub outcome: Outcome,
}

/// How a request ends for the client.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a whole answer.
    #[default]
    Complete,
    /// The stream was reset.
    Reset,
    /// The client went first.
    Left,
    /// Not at all.
    Pending,
}

impl Outcome {
    /// As it is written in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Reset => "reset",
            Self::Left => "left",
            Self::Pending => "pending",
        }
    }
}

/// What is expected besides what clients see.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Whether the filter takes its configuration.
    pub start: Start,
    /// Every request that upstreams get, in order.
    pub upstream: Option<Vec<Upstream>>,
    /// The sum of the series that fit: `name{label=value}`; of a histogram, its observations.
    pub metrics: BTreeMap<Selector, u64>,
    /// Each is part of a log line.
    pub log: Vec<String>,
    /// None is part of a log line.
    pub no_log: Vec<String>,
    /// Whether a VM fails.
    pub fails: bool,
    /// What must not be exceeded.
    pub budget: Budgets,
}

/// Whether the filter takes a configuration.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// It does.
    #[default]
    Taken,
    /// It does not. Where it is the first one, no request is sent.
    Refused,
}

impl Start {
    /// As it is written in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}

/// A request that an upstream is expected to get; what is not there is not looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The cluster.
    pub cluster: String,
    /// `:method`
    pub method: Option<String>,
    /// `:path`
    pub path: Option<String>,
    /// Whether it is a callout.
    pub callout: Option<bool>,
    /// These headers with exactly these values; `null` for one that is not there.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The whole body.
    pub body: Option<String>,
    /// The whole body, as messages of gRPC.
    pub messages: Option<Vec<String>>,
    /// How it ends.
    pub ending: Option<Ending>,
}

/// How a request ends for the upstream.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It came whole.
    Complete,
    /// The proxy gave it up before it, or its answer, had come whole.
    Cancelled,
    /// It was still coming.
    Pending,
}

impl Ending {
    /// As it is written in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Pending => "pending",
        }
    }
}

/// What must not be exceeded.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budgets {
    /// The fuel of the dearest call into a VM, starts left out.
    pub fuel: Option<u64>,
    /// The memory of the largest VM, in bytes.
    pub memory: Option<usize>,
    /// All hostcalls, starts left out.
    pub hostcalls: Option<u64>,
}
