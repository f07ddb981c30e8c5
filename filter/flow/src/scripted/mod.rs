//! A proxy in memory, for tests and fuzzing: every answer of it is chosen by whoever plays it.
//!
//! [`ScriptedHost`] is the proxy's side of a stream's callbacks, [`Stream`] one stream through it, with the
//! buffers of Envoy: what is paused is held, and what goes on reaches the client or the backend.

mod faults;
mod stream;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use modgate_go::http::{Header, value_of};

pub use self::faults::Faults;
pub use self::stream::{Client, Stream, Upstream};
use crate::host::{
    CalloutId, CalloutRequest, Expected, Host, LogLevel, Message, MetricId, MetricKind, NotShared,
    Refused, SharedVersion,
};

/// A proxy in memory.
#[derive(Default)]
pub struct ScriptedHost(RefCell<State>);

/// Everything that it holds.
#[derive(Default)]
struct State {
    /// The time since 1970.
    clock: Duration,
    log: Vec<(LogLevel, String)>,
    attributes: BTreeMap<Vec<String>, Vec<u8>>,
    filter_state: BTreeMap<String, String>,
    messages: [Parts; 3],
    local_reply: Option<LocalReply>,
    resumes: Resumes,
    /// The clusters that there are; without a list every one.
    clusters: Option<Vec<String>>,
    callouts: Vec<Callout>,
    shared: HashMap<String, (Vec<u8>, u32)>,
    metrics: Vec<(String, u64)>,
    faults: Faults,
}

/// A message that is held.
#[derive(Clone, Debug, Default)]
struct Parts {
    headers: Vec<Header>,
    body: Vec<u8>,
}

/// What a stream was told beside its callbacks' answers.
#[derive(Clone, Copy, Debug, Default)]
struct Resumes {
    request: bool,
    response: bool,
    reset: bool,
}

/// An answer in the backend's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The status.
    pub status: u16,
    /// The headers, without the status.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A callout that is under way, or was answered.
#[derive(Clone, Debug)]
pub struct Callout {
    /// What its response comes back under.
    pub id: CalloutId,
    /// The cluster.
    pub cluster: String,
    /// The path.
    pub path: String,
    /// The headers, without pseudo-headers.
    pub headers: Vec<Header>,
    /// How long its response may take.
    pub timeout: Duration,
    /// Whether its response is still to come.
    pub is_pending: bool,
}

impl ScriptedHost {
    /// Sets the clock, in seconds since 1970.
    pub fn set_clock(&self, seconds: u64) {
        self.0.borrow_mut().clock = Duration::from_secs(seconds);
    }

    /// Lets time go by.
    pub fn wait(&self, time: Duration) {
        let clock = &mut self.0.borrow_mut().clock;
        *clock = clock.saturating_add(time);
    }

    /// Sets an attribute of the request.
    pub fn set_attribute(&self, path: &[&str], value: &[u8]) {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        self.0.borrow_mut().attributes.insert(path, value.to_vec());
    }

    /// Leaves only these clusters: a callout to another is refused.
    pub fn set_clusters(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.0.borrow_mut().clusters = Some(names);
    }

    /// Chooses the calls that are refused from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.borrow_mut().faults = faults;
    }

    /// How many calls could have been refused so far, since the faults were chosen.
    pub fn calls(&self) -> usize {
        self.0.borrow().faults.calls()
    }

    /// The lines of the log.
    pub fn log(&self) -> Vec<String> {
        let state = self.0.borrow();
        state.log.iter().map(|(_, line)| line.clone()).collect()
    }

    /// What was left for the access log under this name.
    pub fn filter_state(&self, name: &str) -> Option<String> {
        self.0.borrow().filter_state.get(name).cloned()
    }

    /// The callouts so far.
    pub fn callouts(&self) -> Vec<Callout> {
        self.0.borrow().callouts.clone()
    }

    /// The callouts whose responses are still to come.
    pub fn pending_callouts(&self) -> Vec<Callout> {
        let mut all = self.callouts();
        all.retain(|callout| callout.is_pending);
        all
    }

    /// The sum of the metrics of which the name has all these parts.
    pub fn metric(&self, parts: &[&str]) -> u64 {
        let state = self.0.borrow();
        let all = state.metrics.iter();
        let named = all.filter(|(name, _)| parts.iter().all(|part| name.contains(part)));
        named.map(|(_, value)| value).sum()
    }

    /// The value that is shared under a key.
    pub fn shared_value(&self, key: &str) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        state.shared.get(key).map(|(value, _)| value.clone())
    }

    fn is_refused(&self) -> bool {
        self.0.borrow_mut().faults.is_refused()
    }

    fn may(&self) -> Result<(), Refused> {
        if self.is_refused() {
            Err(Refused)
        } else {
            Ok(())
        }
    }

    /// Something of one message.
    fn with<R>(&self, message: Message, f: impl FnOnce(&mut Parts) -> R) -> R {
        let mut state = self.0.borrow_mut();
        let [request, response, callout] = &mut state.messages;
        f(match message {
            Message::Request => request,
            Message::Response => response,
            Message::CalloutResponse => callout,
        })
    }
}

impl Host for ScriptedHost {
    fn now(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.0.borrow().clock)
    }

    fn log(&self, level: LogLevel, line: &str) {
        self.0.borrow_mut().log.push((level, line.to_owned()));
    }

    fn attribute(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.0.borrow().attributes.get(&path).cloned()
    }

    fn set_filter_state(&self, name: &str, value: &str) {
        let mut state = self.0.borrow_mut();
        state.filter_state.insert(name.to_owned(), value.to_owned());
    }

    fn headers(&self, message: Message) -> Vec<Header> {
        match self.may() {
            Ok(()) => self.with(message, |parts| parts.headers.clone()),
            Err(Refused) => Vec::new(),
        }
    }

    fn header(&self, message: Message, name: &str) -> Option<Vec<u8>> {
        self.with(message, |parts| {
            value_of(&parts.headers, name).map(<[u8]>::to_vec)
        })
    }

    fn set_header(&self, message: Message, name: &str, value: &str) -> Result<(), Refused> {
        self.may()?;
        self.with(message, |parts| {
            parts.headers.retain(|(known, _)| known != name);
            parts
                .headers
                .push((name.to_owned(), value.as_bytes().to_vec()));
        });
        Ok(())
    }

    fn remove_header(&self, message: Message, name: &str) -> Result<(), Refused> {
        self.may()?;
        self.with(message, |parts| {
            parts.headers.retain(|(known, _)| known != name);
        });
        Ok(())
    }

    fn body(&self, message: Message, size: usize) -> Result<Vec<u8>, Refused> {
        self.may()?;
        let body = self.with(message, |parts| parts.body.clone());
        body.get(..size).map(<[u8]>::to_vec).ok_or(Refused)
    }

    fn replace_body(&self, message: Message, size: usize, with: &[u8]) -> Result<(), Refused> {
        self.may()?;
        self.with(message, |parts| {
            let end = size.min(parts.body.len());
            parts.body.splice(..end, with.iter().copied());
        });
        Ok(())
    }

    fn append_body(&self, message: Message, bytes: &[u8]) -> Result<(), Refused> {
        self.may()?;
        self.with(message, |parts| parts.body.extend_from_slice(bytes));
        Ok(())
    }

    fn send_local_reply(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter();
        let reply = LocalReply {
            status,
            headers: headers
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            body: body.to_owned(),
        };
        self.0.borrow_mut().local_reply.get_or_insert(reply);
    }

    fn resume_request(&self) {
        self.0.borrow_mut().resumes.request = true;
    }

    fn resume_response(&self) {
        self.0.borrow_mut().resumes.response = true;
    }

    fn reset_response(&self) {
        self.0.borrow_mut().resumes.reset = true;
    }

    fn call_out(&self, request: &CalloutRequest<'_>) -> Result<CalloutId, Refused> {
        self.may()?;
        let mut state = self.0.borrow_mut();
        let is_known = |names: &Vec<String>| names.iter().any(|name| name == request.cluster);
        if !state.clusters.as_ref().is_none_or(is_known) {
            return Err(Refused);
        }
        let id = CalloutId(u32::try_from(state.callouts.len()).unwrap_or(u32::MAX));
        state.callouts.push(Callout {
            id,
            cluster: request.cluster.to_owned(),
            path: request.path.to_owned(),
            headers: request.headers.to_vec(),
            timeout: request.timeout,
            is_pending: true,
        });
        Ok(id)
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, SharedVersion)> {
        self.may().ok()?;
        let state = self.0.borrow();
        let (value, version) = state.shared.get(key)?;
        Some((value.clone(), SharedVersion(*version)))
    }

    fn set_shared_data(
        &self,
        key: &str,
        value: &[u8],
        expected: Expected,
    ) -> Result<(), NotShared> {
        self.may().map_err(|Refused| NotShared::Refused)?;
        let mut state = self.0.borrow_mut();
        let before = state.shared.get(key).map(|(_, version)| *version);
        let is_as_expected = match expected {
            Expected::Anything => true,
            Expected::Nothing => before.is_none(),
            Expected::Version(SharedVersion(version)) => before == Some(version),
        };
        if !is_as_expected {
            return Err(NotShared::Changed);
        }
        let version = before.unwrap_or_default().saturating_add(1);
        state
            .shared
            .insert(key.to_owned(), (value.to_vec(), version));
        Ok(())
    }

    fn define_metric(&self, _kind: MetricKind, name: &str) -> Option<MetricId> {
        self.may().ok()?;
        let metrics = &mut self.0.borrow_mut().metrics;
        let place = metrics.iter().position(|(known, _)| known == name);
        let place = place.unwrap_or_else(|| {
            metrics.push((name.to_owned(), 0));
            metrics.len() - 1
        });
        u32::try_from(place).ok().map(MetricId)
    }

    fn increment(&self, metric: MetricId, by: u64) {
        let metrics = &mut self.0.borrow_mut().metrics;
        if let Some((_, value)) = metrics.get_mut(metric.0 as usize) {
            *value = value.saturating_add(by);
        }
    }

    /// Of a histogram the sum is kept.
    fn record(&self, metric: MetricId, value: u64) {
        let metrics = &mut self.0.borrow_mut().metrics;
        if let Some((_, known)) = metrics.get_mut(metric.0 as usize) {
            *known = known.saturating_add(value);
        }
    }
}
