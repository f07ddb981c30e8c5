//! Plays a scenario: what is due next happens next, and the clock moves there.

mod agenda;
mod effects;
mod exchange;
mod grpc;
mod interleaving;
mod vms;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::{
    CalloutAnswer, CalloutToken, Direction, Module, Proxy, ProxyConfig, Route, StartError,
    StreamId, Worker, clock::VirtualClock,
};

use self::agenda::Agenda;
use self::exchange::Exchange;
use self::grpc::GrpcFlow;
use self::vms::{Known, Role, Thread, Vm};
use super::client::Flow;
use super::model::{RouteTo, Scenario};
use super::run::{ClientSeen, Line, Run};
use super::schedule::Schedule;
use super::timeline;
use super::upstream::Upstreams;

/// 2024-01-01T00:00:00Z, when every scenario begins.
const START: Duration = Duration::from_secs(1_704_067_200);

impl Scenario {
    /// Plays the scenario with this module. A configuration that the filter refuses is part of what
    /// was seen.
    ///
    /// # Errors
    /// A module that cannot be used.
    pub fn play(&self, module: &Module) -> Result<Run, StartError> {
        self.play_as(module, &Schedule::default())
    }

    /// As [`Scenario::play`], with the messages coming so.
    ///
    /// # Errors
    /// As [`Scenario::play`].
    pub fn play_as(&self, module: &Module, schedule: &Schedule) -> Result<Run, StartError> {
        let scenario = schedule.apply(self);
        let mut driver = Driver::new(&scenario, module, schedule);
        if let Some(write) = schedule.contend {
            driver.proxy.contend(write);
        }
        match driver.start() {
            Ok(()) => {}
            Err(error @ (StartError::Module(_) | StartError::NoFuel)) => return Err(error),
            Err(refused) => {
                driver.run.refused = Some(refused.to_string());
                return Ok(driver.run);
            }
        }
        driver.starting = false;
        driver.play();
        Ok(driver.finish())
    }

    fn proxy(&self, clock: Arc<VirtualClock>) -> Arc<Proxy> {
        let mut config = ProxyConfig {
            clusters: self.upstreams.keys().cloned().collect(),
            profile: self.filter.profile,
            buffer_limit: self.filter.buffer_limit,
            stats: self.stats.clone(),
            clock,
            seed: self.seed,
            ..ProxyConfig::default()
        };
        match &self.route {
            RouteTo {
                cluster: Some(cluster),
                ..
            } => config.route = Route::Cluster(cluster.clone()),
            RouteTo {
                header: Some(header),
                ..
            } => config.route = Route::ClusterHeader(header.clone()),
            _ => {}
        }
        Proxy::new(config)
    }
}

/// What happens at some time.
#[derive(Debug)]
enum Event {
    /// The configuration of this number is handed over.
    Configures(usize),
    Begins(usize),
    /// The next step of a request, or of its response.
    Comes(usize, Direction),
    Leaves(usize),
    /// The headers of the answer to a callout come.
    AnswerBegins(usize, CalloutToken),
    Answers(usize, CalloutToken, Box<CalloutAnswer>),
    /// The next step of the answer to a gRPC request.
    GrpcComes(usize, CalloutToken),
}

struct Driver<'s> {
    scenario: &'s Scenario,
    module: &'s Module,
    schedule: &'s Schedule,
    agenda: Agenda,
    proxy: Arc<Proxy>,
    /// By their numbers; one that has gone leaves a gap.
    vms: BTreeMap<usize, Vm>,
    /// VMs so far.
    made: usize,
    /// The main thread, then the workers.
    threads: Vec<Thread>,
    known: Known,
    /// What is called now is of no request: it does not count as usage.
    starting: bool,
    exchanges: Vec<Option<Exchange>>,
    streams: HashMap<(usize, StreamId), usize>,
    callouts: HashMap<(usize, CalloutToken), usize>,
    grpc: HashMap<(usize, CalloutToken), GrpcFlow>,
    upstreams: Upstreams,
    run: Run,
}

impl<'s> Driver<'s> {
    fn new(scenario: &'s Scenario, module: &'s Module, schedule: &'s Schedule) -> Self {
        let clock = Arc::new(VirtualClock::new(START));
        let requests = scenario.requests.len();
        Self {
            scenario,
            module,
            proxy: scenario.proxy(clock.clone()),
            agenda: Agenda::new(clock, schedule.order),
            schedule,
            vms: BTreeMap::new(),
            made: 0,
            threads: Vec::new(),
            known: Known::default(),
            starting: true,
            exchanges: std::iter::repeat_with(|| None).take(requests).collect(),
            streams: HashMap::new(),
            callouts: HashMap::new(),
            grpc: HashMap::new(),
            upstreams: Upstreams::new(&scenario.upstreams).failing(schedule.fault),
            run: Run {
                clients: vec![ClientSeen::default(); requests],
                configurations: vec![None; scenario.configurations.len()],
                ..Run::default()
            },
        }
    }

    fn play(&mut self) {
        for (i, later) in self.scenario.configurations.iter().enumerate() {
            self.agenda.plan(later.at.0, Event::Configures(i));
        }
        for (i, request) in self.scenario.requests.iter().enumerate() {
            self.agenda.plan(request.at.0, Event::Begins(i));
        }
        while let Some(next) = self.next() {
            self.agenda.advance_to(next);
            if self.agenda.timers_first() {
                self.run_due();
            }
            if let Some(event) = self.agenda.take_due(next) {
                self.happens(event);
                self.after_event();
            }
            // Once more for each VM, for what they leave for each other.
            for _ in 0..=self.vms.len() {
                self.run_due();
            }
        }
    }

    /// When something happens next; nothing once all that was planned is over.
    fn next(&self) -> Option<Duration> {
        let event = self.agenda.next();
        let has_requests = !self.scenario.requests.is_empty();
        let over = self
            .exchanges
            .iter()
            .flatten()
            .all(|exchange| exchange.over);
        if event.is_none() && has_requests && over {
            return None;
        }
        let timers = self.vms.values().filter_map(|vm| vm.worker.next_deadline());
        let next = timers.chain(event).min()?;
        (next <= self.scenario.until.0).then_some(next)
    }

    fn run_due(&mut self) {
        let numbers: Vec<usize> = self.vms.keys().copied().collect();
        for number in numbers {
            let before = self.run.timeline.len();
            self.with(number, Worker::run_due);
            if self.run.timeline.len() > before {
                self.after_event();
            }
        }
    }

    /// Calls a worker and does what comes of it.
    fn with(&mut self, number: usize, call: impl FnOnce(&mut Worker)) {
        self.in_vm(number, call);
    }

    /// The same, with the call's answer; `None` where there is no such VM.
    fn in_vm<R>(&mut self, number: usize, call: impl FnOnce(&mut Worker) -> R) -> Option<R> {
        let vm = self.vms.get_mut(&number)?;
        let answer = call(&mut vm.worker);
        let effects: Vec<_> = vm.worker.effects().collect();
        self.dispatch(number, effects);
        Some(answer)
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Configures(i) => self.configure(i),
            Event::Begins(i) => self.begin(i),
            Event::Comes(i, direction) => self.step(i, direction),
            Event::Leaves(i) => self.leave(i),
            Event::AnswerBegins(vm, token) => {
                self.note(
                    vm,
                    format!("the answer to callout {} begins", token.number()),
                );
                self.with(vm, |worker| worker.callout_begun(token));
            }
            Event::GrpcComes(vm, token) => self.grpc_step(vm, token),
            Event::Answers(vm, token, answer) => {
                if self.callouts.remove(&(vm, token)).is_some() {
                    self.note(vm, format!("callout {} is answered", token.number()));
                    self.with(vm, |worker| worker.callout_answered(token, *answer));
                }
            }
        }
    }

    fn begin(&mut self, i: usize) {
        let scenario = self.scenario;
        let Some(request) = scenario.requests.get(i) else {
            return;
        };
        let Some((number, stream)) = self.stream(request.worker) else {
            return;
        };
        let (headers, end, steps) = request.message(i + 1);
        self.streams.insert((number, stream), i);
        let exchange = Exchange {
            vm: number,
            stream,
            request: Flow {
                steps,
                ..Flow::default()
            },
            response: Flow::default(),
            behaviour: None,
            upstream: None,
            answering: false,
            answered: false,
            head: request.method == "HEAD",
            over: false,
        };
        if let Some(slot) = self.exchanges.get_mut(i) {
            *slot = Some(exchange);
        }
        if let Some(after) = request.leaves {
            self.agenda.plan_after(after.0, Event::Leaves(i));
        }
        self.plan_step(i, Direction::Request);
        let line = format!("request {} comes: {}", i + 1, timeline::list(&headers));
        self.note(number, line + timeline::end(end));
        self.with(number, |worker| {
            worker.request_headers(stream, headers, end)
        });
    }

    fn is_trial(&self, vm: usize) -> bool {
        self.vms.get(&vm).is_some_and(|vm| vm.role == Role::Trial)
    }

    fn note(&mut self, vm: usize, text: String) {
        let at = self.agenda.now();
        self.run.timeline.push(Line { at, vm, text });
    }

    fn finish(mut self) -> Run {
        let running = self
            .exchanges
            .iter()
            .flatten()
            .filter(|exchange| !exchange.over);
        let running = running.count();
        let workers = || self.vms.values().map(|vm| &vm.worker);
        let streams: usize = workers().map(Worker::stream_count).sum();
        let failures = workers()
            .filter_map(Worker::failure)
            .map(ToString::to_string);
        self.run.failures.extend(failures);
        self.run.leaked = streams.saturating_sub(running);
        self.run.usage.memory = workers().map(Worker::memory_size).max().unwrap_or(0);
        self.run.swaps = self.proxy.swaps();
        self.run.series = self.proxy.stats().series();
        self.run.ended = self.agenda.now();
        self.run
    }
}
