//! Another way in which the same exchange may come about.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use envoy_wasm_host::rng::Rng;

use super::model::{Fault, Scenario};
use super::values::{Chunk, Chunks, Pairs};

/// Another way in which the exchange of a scenario may come about. It is written as words:
/// `cuts=1,7 empty late trailers request-trailers leave=1@4 fault=2:reset@1 drop=2:closed@7 tick=5
/// configure=6 contend=1 order=3 spread=4`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Every body comes in chunks that end here.
    pub cuts: Vec<usize>,
    /// An empty chunk comes before every chunk.
    pub empty: bool,
    /// The end of every message comes by itself.
    pub late: bool,
    /// Answers have trailers.
    pub trailers: bool,
    /// Requests have trailers.
    pub request_trailers: bool,
    /// The client of this request, counted from 1, goes after so many events.
    pub leave: Option<(usize, u64)>,
    /// What goes wrong at an upstream, as part of its answer.
    pub fault: Option<FaultAt>,
    /// What goes wrong at an upstream, whatever it is at.
    pub drop: Option<DropAt>,
    /// Every VM that has requested ticks gets one after so many events, before its time.
    pub tick: Option<u64>,
    /// The configuration in force is handed to every VM anew after so many events; what is under way
    /// keeps the old one.
    pub configure: Option<u64>,
    /// At this write of shared data that names a version, counted from 1, another worker has written the
    /// same value meanwhile.
    pub contend: Option<u64>,
    /// What is due at the same time happens in an order that is drawn from this.
    pub order: Option<u64>,
    /// Requests come to workers that are drawn from this, of which there are two at least.
    pub spread: Option<u64>,
}

/// A connection to an upstream, or the upstream's time, ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropAt {
    /// At which request to any upstream, callouts included, counted from 1.
    pub request: usize,
    /// What it is.
    pub fault: Fault,
    /// After so many events.
    pub events: u64,
}

/// A fault of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultAt {
    /// At which request to any upstream, callouts included, counted from 1.
    pub request: usize,
    /// What it is.
    pub fault: Fault,
    /// After the answer's headers and so many chunks; `None` is instead of an answer.
    pub chunks: Option<usize>,
}

impl Schedule {
    /// Whether it changes only how messages are cut, of which nobody should see anything.
    pub fn is_harmless(&self) -> bool {
        self.leave.is_none() && self.fault.is_none() && self.drop.is_none()
    }

    /// The scenario with its messages cut so.
    pub(super) fn apply(&self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        for behaviour in scenario.upstreams.values_mut().flatten() {
            behaviour.body = self.cut(&behaviour.body);
            if behaviour.ends_in_its_headers() {
                continue;
            }
            behaviour.late_end |= self.late;
            if self.trailers {
                add_trailers(&mut behaviour.trailers);
            }
        }
        for request in &mut scenario.requests {
            request.body = self.cut(&request.body);
            request.late_end |= self.late;
            if self.request_trailers {
                add_trailers(&mut request.trailers);
            }
        }
        if let Some(seed) = self.spread {
            spread(&mut scenario, seed);
        }
        scenario
    }

    fn cut(&self, body: &Chunks) -> Chunks {
        let mut chunks = Vec::new();
        let mut passed = 0;
        for chunk in &body.0 {
            let end = passed + chunk.data.len();
            let inside = self.cuts.iter().copied();
            let mut from = passed;
            let mut after = chunk.after;
            for to in inside
                .filter(|cut| (passed + 1..end).contains(cut))
                .chain([end])
            {
                if self.empty {
                    let data = Bytes::new();
                    chunks.push(Chunk { after, data });
                    after = std::time::Duration::ZERO;
                }
                let data = chunk.data.slice(from - passed..to - passed);
                chunks.push(Chunk { after, data });
                after = std::time::Duration::ZERO;
                from = to;
            }
            passed = end;
        }
        Chunks(chunks)
    }

    /// The same with one thing less, in every way.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut Self)| {
            let mut simpler = self.clone();
            change(&mut simpler);
            simpler
        };
        let mut all = vec![
            with(&|s| s.empty = false),
            with(&|s| s.late = false),
            with(&|s| s.trailers = false),
            with(&|s| s.request_trailers = false),
            with(&|s| s.leave = None),
            with(&|s| s.fault = None),
            with(&|s| s.drop = None),
            with(&|s| s.tick = None),
            with(&|s| s.configure = None),
            with(&|s| s.contend = None),
            with(&|s| s.order = None),
            with(&|s| s.spread = None),
            with(&|s| s.cuts.clear()),
        ];
        for i in 0..self.cuts.len() {
            all.push(with(&|s| _ = s.cuts.remove(i)));
        }
        all.retain(|simpler| simpler != self);
        all
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if !self.cuts.is_empty() {
            let cuts: Vec<_> = self.cuts.iter().map(ToString::to_string).collect();
            words.push(format!("cuts={}", cuts.join(",")));
        }
        for (there, word) in [
            (self.empty, "empty"),
            (self.late, "late"),
            (self.trailers, "trailers"),
            (self.request_trailers, "request-trailers"),
        ] {
            if there {
                words.push(word.to_owned());
            }
        }
        if let Some((request, events)) = self.leave {
            words.push(format!("leave={request}@{events}"));
        }
        if let Some(at) = self.fault {
            let chunks = at.chunks.map(|chunks| format!("@{chunks}"));
            let (request, fault) = (at.request, at.fault.name());
            words.push(format!(
                "fault={request}:{fault}{}",
                chunks.unwrap_or_default()
            ));
        }
        if let Some(at) = self.drop {
            let (request, fault, events) = (at.request, at.fault.name(), at.events);
            words.push(format!("drop={request}:{fault}@{events}"));
        }
        for (number, word) in [
            (self.tick, "tick"),
            (self.configure, "configure"),
            (self.contend, "contend"),
            (self.order, "order"),
            (self.spread, "spread"),
        ] {
            words.extend(number.map(|number| format!("{word}={number}")));
        }
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut schedule = Self::default();
        for word in text.split_whitespace() {
            schedule.read(word).ok_or_else(|| {
                format!(
                    "`{word}` is not one of cuts=N,N empty late trailers request-trailers leave=N@N \
                     fault=N:FAULT[@N] drop=N:FAULT@N tick=N configure=N contend=N order=N spread=N"
                )
            })?;
        }
        Ok(schedule)
    }
}

impl Schedule {
    fn read(&mut self, word: &str) -> Option<()> {
        match word.split_once('=').unwrap_or((word, "")) {
            ("empty", "") => self.empty = true,
            ("late", "") => self.late = true,
            ("trailers", "") => self.trailers = true,
            ("request-trailers", "") => self.request_trailers = true,
            ("cuts", cuts) => {
                let cuts: Result<Vec<usize>, _> = cuts.split(',').map(str::parse).collect();
                self.cuts = cuts.ok()?;
                self.cuts.sort_unstable();
                self.cuts.dedup();
            }
            ("leave", at) => {
                let (request, events) = at.split_once('@')?;
                self.leave = Some((counted(request)?, events.parse().ok()?));
            }
            ("fault", at) => {
                let (request, rest) = at.split_once(':')?;
                let (fault, chunks) = match rest.split_once('@') {
                    Some((fault, chunks)) => (fault, Some(chunks.parse().ok()?)),
                    None => (rest, None),
                };
                self.fault = Some(FaultAt {
                    request: counted(request)?,
                    fault: Fault::named(fault)?,
                    chunks,
                });
            }
            ("drop", at) => {
                let (request, rest) = at.split_once(':')?;
                let (fault, events) = rest.split_once('@')?;
                self.drop = Some(DropAt {
                    request: counted(request)?,
                    fault: Fault::named(fault)?,
                    events: events.parse().ok()?,
                });
            }
            ("tick", events) => self.tick = Some(events.parse().ok()?),
            ("configure", events) => self.configure = Some(events.parse().ok()?),
            ("contend", write) => self.contend = Some(write.parse().ok()?),
            ("order", seed) => self.order = Some(seed.parse().ok()?),
            ("spread", seed) => self.spread = Some(seed.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

/// A number of things that are counted from 1.
fn counted(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| *number > 0)
}

/// Gives requests to workers that are drawn from the seed.
fn spread(scenario: &mut Scenario, seed: u64) {
    let workers = scenario.filter.workers.max(2);
    scenario.filter.workers = workers;
    let mut rng = Rng::new(seed);
    for request in &mut scenario.requests {
        request.worker = rng.below(workers);
    }
}

/// Trailers where there are none.
fn add_trailers(trailers: &mut Pairs) {
    if trailers.0.is_empty() {
        trailers.0.push(("x-end".to_owned(), "1".to_owned()));
    }
}
