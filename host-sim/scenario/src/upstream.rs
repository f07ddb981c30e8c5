//! What upstreams answer.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use envoy_wasm_host::{
    CalloutAnswer,
    http::{Body, Headers},
};

use super::client::{Step, after_headers};
use super::model::{Behaviour, Fault};
use super::schedule::FaultAt;

/// The behaviours of all clusters, and how often each was requested.
#[derive(Clone, Debug)]
pub struct Upstreams {
    clusters: BTreeMap<String, Vec<Behaviour>>,
    used: HashMap<(String, usize), u32>,
    /// Requests so far.
    requests: usize,
    fault: Option<FaultAt>,
}

impl Upstreams {
    /// None of these has got a request yet.
    pub fn new(clusters: &BTreeMap<String, Vec<Behaviour>>) -> Self {
        Self {
            clusters: clusters.clone(),
            used: HashMap::new(),
            requests: 0,
            fault: None,
        }
    }

    /// With this fault besides those of the behaviours.
    pub(super) fn failing(self, fault: Option<FaultAt>) -> Self {
        Self { fault, ..self }
    }

    /// The first behaviour that fits and is not used up; the headers have `:method` and `:path`.
    pub fn choose(&mut self, cluster: &str, headers: &Headers) -> Option<Behaviour> {
        self.requests += 1;
        let fault = self.fault.filter(|at| at.request == self.requests);
        let fits = |wanted: &Option<String>, name| {
            let wanted = wanted.as_ref();
            wanted.is_none_or(|w| headers.get(name).is_some_and(|seen| seen == w.as_bytes()))
        };
        let (cluster, behaviours) = self.clusters.get_key_value(cluster)?;
        for (i, behaviour) in behaviours.iter().enumerate() {
            if !fits(&behaviour.method, ":method") || !fits(&behaviour.path, ":path") {
                continue;
            }
            let used = self.used.entry((cluster.clone(), i)).or_default();
            if behaviour.times.is_none_or(|times| *used < times) {
                *used += 1;
                return Some(behaviour.failing(fault));
            }
        }
        None
    }
}

impl Behaviour {
    /// The same with this fault.
    fn failing(&self, fault: Option<FaultAt>) -> Self {
        let mut behaviour = self.clone();
        match fault {
            None => {}
            Some(FaultAt {
                fault,
                chunks: None,
                ..
            }) => behaviour.fault = Some(fault),
            Some(FaultAt {
                fault,
                chunks: Some(chunks),
                ..
            }) => {
                behaviour.body.0.truncate(chunks);
                behaviour.breaks = Some(fault);
            }
        }
        behaviour
    }

    /// Whether it takes no connection.
    pub fn refuses(&self) -> bool {
        self.fault == Some(Fault::Refused)
    }

    fn answer_headers(&self) -> Headers {
        let mut headers = Headers::from_pairs([(":status", self.status.to_string())]);
        self.headers.add_to(&mut headers);
        headers
    }

    /// The answer to a client's request, each part with its delay; without a body where the request's
    /// method is HEAD.
    pub fn steps(&self, head: bool) -> VecDeque<(Duration, Step)> {
        if let Some(fault) = self.fault {
            let failure = fault.failure().map(Step::Fails);
            return failure
                .map(|step| (self.after.0, step))
                .into_iter()
                .collect();
        }
        if head {
            let headers = Step::Headers(self.answer_headers(), true);
            return VecDeque::from([(self.after.0, headers)]);
        }
        let (end, mut steps) =
            after_headers(&self.body, &self.trailers, self.late_end, self.breaks);
        let headers = Step::Headers(self.answer_headers(), end);
        steps.push_front((self.after.0, headers));
        steps
    }

    /// When the headers of the answer to a callout come, where its end is not known to come with them.
    pub(super) fn callout_begins(&self) -> Option<Duration> {
        let at_once = self.body.0.iter().all(|chunk| chunk.after.is_zero());
        let begins = self.fault.is_none() && !(at_once && self.breaks.is_none());
        begins.then_some(self.after.0)
    }

    /// The answer to a callout, and when it comes; nothing where it never does.
    pub(super) fn callout(&self) -> Option<(Duration, CalloutAnswer)> {
        let body = self
            .body
            .0
            .iter()
            .map(|chunk| chunk.after)
            .sum::<Duration>();
        if let Some(fault) = self.fault {
            return Some((self.after.0, CalloutAnswer::Failed(fault.failure()?)));
        }
        let after = self.after.0 + body;
        if let Some(fault) = self.breaks {
            fault.failure()?;
            return Some((after, CalloutAnswer::BrokenOff));
        }
        let mut body = Body::new();
        for chunk in &self.body.0 {
            body.push(chunk.data.clone());
        }
        let trailers = Some(self.trailers.headers()).filter(|trailers| !trailers.is_empty());
        let headers = self.answer_headers();
        let answer = CalloutAnswer::Response {
            headers,
            body,
            trailers,
        };
        Some((after, answer))
    }
}
