//! What stands in a scenario's file. Every key is in docs/reference/scenarios.md.

use std::collections::BTreeMap;

use envoy_wasm_host::{DEFAULT_BUFFER_LIMIT, FailPolicy, Profile, stats::StatsConfig};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::configuration::Configuration;
use super::expected::{Client, Expect};
use super::grpc::GrpcAnswer;
use super::values::{Chunks, Pairs, Span};

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a few words.
    pub name: String,
    /// Where the random numbers of every VM start.
    #[serde(default)]
    pub seed: u64,
    /// When it ends, for requests that do not.
    #[serde(default = "half_a_minute")]
    pub until: Span,
    /// The filter and its VM.
    #[serde(default)]
    pub filter: Filter,
    /// The configurations that are handed over while the proxy runs.
    #[serde(default)]
    pub configurations: Vec<Configuration>,
    /// How the proxy finds a request's cluster.
    #[serde(default)]
    pub route: RouteTo,
    /// The clusters that exist, and what each answers: the first behaviour that fits.
    #[serde(default)]
    pub upstreams: BTreeMap<String, Vec<Behaviour>>,
    /// What clients send.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// What is expected besides what clients see.
    #[serde(default)]
    pub expect: Expect,
    /// What may come of it when it is explored.
    #[serde(default)]
    pub explore: Exploration,
    /// What of it is otherwise in real Envoy, and why: how a [`Difference`](super::Difference) begins,
    /// with the reason. Nothing here is looked at when the scenario is played.
    #[serde(default)]
    pub differs: BTreeMap<String, String>,
    /// How the names of metrics are cut into labels, and the buckets of histograms. No file has it.
    #[serde(skip)]
    pub stats: StatsConfig,
}

/// What may come of a scenario when it is explored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exploration {
    /// Statuses below 500 that a client may see when an upstream fails.
    pub statuses: Vec<u16>,
}

const fn half_a_minute() -> Span {
    Span(std::time::Duration::from_secs(30))
}

impl Scenario {
    /// Reads a scenario: YAML, or JSON, which is YAML too.
    ///
    /// # Errors
    /// What is wrong, with its path and line; keys that no scenario has among it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut scenario: Self = plain_yaml::from_str(text).map_err(|error| error.to_string())?;
        for behaviour in scenario.upstreams.values_mut().flatten() {
            behaviour.spell_out_grpc()?;
        }
        if scenario.filter.workers == 0 {
            return Err("filter.workers: must be at least 1".to_owned());
        }
        for (i, request) in scenario.requests.iter().enumerate() {
            if request.worker >= scenario.filter.workers {
                let workers = scenario.filter.workers;
                return Err(format!(
                    "requests[{i}].worker: must be below {workers}, the number of workers"
                ));
            }
        }
        Ok(scenario)
    }
}

/// The filter and its VM.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The module's file, from the scenario's folder; without it whoever plays the scenario has one.
    pub wasm: Option<String>,
    /// Handed to the filter as text: a text as it is, all else as JSON.
    pub configuration: serde_json::Value,
    /// The same from a file, from the scenario's folder.
    pub configuration_file: Option<String>,
    /// Handed to the filter in `on_vm_start`.
    pub vm_configuration: String,
    /// Which of the module's plugins it is.
    pub root_id: String,
    /// Envoy's setting of this name.
    pub allow_on_headers_stop_iteration: bool,
    /// As which Envoy the proxy behaves.
    #[serde(deserialize_with = "profile")]
    pub profile: Profile,
    /// Envoy's `failure_policy`.
    pub fail_policy: VmFailPolicy,
    /// How many workers there are, each with a VM.
    pub workers: usize,
    /// How much of a held body is kept, in bytes.
    pub buffer_limit: usize,
    /// The most memory of a VM, in bytes.
    pub memory_limit: usize,
    /// The most fuel of one call into a VM, about one unit for each instruction.
    pub fuel_limit: u64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            wasm: None,
            configuration: serde_json::Value::Null,
            configuration_file: None,
            vm_configuration: String::new(),
            root_id: String::new(),
            allow_on_headers_stop_iteration: false,
            profile: Profile::default(),
            fail_policy: VmFailPolicy::Closed,
            workers: 1,
            buffer_limit: DEFAULT_BUFFER_LIMIT,
            memory_limit: 1 << 30,
            fuel_limit: 10_000_000_000,
        }
    }
}

fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
    let name = String::deserialize(deserializer)?;
    let mut known = Profile::ALL.into_iter();
    let named = known.find(|profile| profile.name() == name);
    named.ok_or_else(|| D::Error::unknown_variant(&name, &Profile::NAMES))
}

/// What happens to requests once a VM has failed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum VmFailPolicy {
    /// They are answered 503.
    Closed,
    /// They pass unfiltered.
    Open,
    /// They are answered 503 until a new VM is made, at most one in a second.
    Reload,
}

impl From<VmFailPolicy> for FailPolicy {
    fn from(policy: VmFailPolicy) -> Self {
        match policy {
            VmFailPolicy::Closed => Self::Closed,
            VmFailPolicy::Open => Self::Open,
            VmFailPolicy::Reload => Self::Reload,
        }
    }
}

/// How the proxy finds a request's cluster.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct RouteTo {
    /// This one.
    pub cluster: Option<String>,
    /// The one that this request header names. Without both there is no route.
    pub header: Option<String>,
}

/// What a cluster does with a request, be it a client's or a callout.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Only for requests of this method.
    pub method: Option<String>,
    /// Only for requests of this path, query included.
    pub path: Option<String>,
    /// Only for so many requests.
    pub times: Option<u32>,
    /// It answers a request's headers and does not wait for its end.
    pub early: bool,
    /// How long until the answer's headers, or its fault, come.
    pub after: Span,
    /// Instead of an answer.
    pub fault: Option<Fault>,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    pub headers: Pairs,
    /// The answer's body.
    pub body: Chunks,
    /// The answer's trailers.
    pub trailers: Pairs,
    /// The answer is one of gRPC: its headers, body and trailers are made of this.
    pub grpc: Option<GrpcAnswer>,
    /// The end of the answer comes by itself, after its last chunk.
    pub late_end: bool,
    /// Instead of the answer's end.
    pub breaks: Option<Fault>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            times: None,
            early: false,
            after: Span::default(),
            fault: None,
            status: 200,
            headers: Pairs::default(),
            body: Chunks::default(),
            trailers: Pairs::default(),
            grpc: None,
            late_end: false,
            breaks: None,
        }
    }
}

/// How an upstream fails.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It takes no connection.
    Refused,
    /// It closes the connection.
    Closed,
    /// It resets the request.
    Reset,
    /// It sends what is no HTTP.
    Garbled,
    /// The proxy gives up on it.
    TimedOut,
    /// It says nothing more.
    Silent,
}

impl Fault {
    pub(super) const ALL: [Self; 6] = [
        Self::Refused,
        Self::Closed,
        Self::Reset,
        Self::Garbled,
        Self::TimedOut,
        Self::Silent,
    ];

    /// By its name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// As it is written in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Garbled => "garbled",
            Self::TimedOut => "timed_out",
            Self::Silent => "silent",
        }
    }
}

/// A client's request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// When its headers come.
    #[serde(default)]
    pub at: Span,
    /// The worker that it comes to, counted from 0.
    #[serde(default)]
    pub worker: usize,
    /// `:method`
    #[serde(default = "get")]
    pub method: String,
    /// `:path`
    pub path: String,
    /// `:authority`
    #[serde(default = "authority")]
    pub authority: String,
    /// All other headers.
    #[serde(default)]
    pub headers: Pairs,
    /// Its body.
    #[serde(default)]
    pub body: Chunks,
    /// Its trailers.
    #[serde(default)]
    pub trailers: Pairs,
    /// Its end comes by itself, after the headers or the last chunk.
    #[serde(default)]
    pub late_end: bool,
    /// How long after its headers the client goes.
    #[serde(default)]
    pub leaves: Option<Span>,
    /// What the client is expected to see.
    #[serde(default)]
    pub expect: Client,
}

fn get() -> String {
    "GET".to_owned()
}

fn authority() -> String {
    "proxy.example".to_owned()
}
