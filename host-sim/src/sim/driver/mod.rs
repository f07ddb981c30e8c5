//! Plays a scenario: what is due next happens next, and the clock moves there.

mod exchange;
mod grpc;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use self::exchange::Exchange;
use self::grpc::GrpcFlow;
use super::client::Flow;
use super::model::{Behaviour, Ending, RouteTo, Scenario, VmFailPolicy};
use super::run::{ClientSeen, Line, Run, UpstreamSeen};
use super::schedule::Schedule;
use super::timeline;
use super::upstream::Upstreams;
use crate::clock::{Clock, VirtualClock};
use crate::context::{Downstream, PluginConfig};
use crate::effect::{Callout, CalloutToken, Crossing, Direction, Effect, RootId, StreamId};
use crate::proxy::{Proxy, ProxyConfig, Route};
use crate::stats::StatsConfig;
use crate::vm::{Budget, Module, RELOAD_BACK_OFF, StartError, VmConfig};
use crate::worker::{CalloutAnswer, Worker};

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
        for _ in 0..self.filter.workers {
            match driver.start_vm() {
                Ok(vm) => driver.active.push((vm, None)),
                Err(error @ (StartError::Module(_) | StartError::NoFuel)) => return Err(error),
                Err(refused) => {
                    driver.run.refused = Some(refused.to_string());
                    return Ok(driver.run);
                }
            }
        }
        driver.started = true;
        driver.play();
        Ok(driver.finish())
    }

    fn proxy(&self, clock: Arc<VirtualClock>) -> Arc<Proxy> {
        let mut config = ProxyConfig {
            clusters: self.upstreams.keys().cloned().collect(),
            profile: self.filter.profile,
            buffer_limit: self.filter.buffer_limit,
            stats: StatsConfig::modgate(),
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

struct Vm {
    worker: Worker,
    root: RootId,
}

struct Driver<'s> {
    scenario: &'s Scenario,
    module: &'s Module,
    clock: Arc<VirtualClock>,
    proxy: Arc<Proxy>,
    vms: Vec<Vm>,
    /// By worker: the VM of new requests, and when it was last replaced.
    active: Vec<(usize, Option<Duration>)>,
    /// By time, and then by the order in which they were planned.
    due: BTreeMap<(Duration, u64), Event>,
    planned: u64,
    exchanges: Vec<Option<Exchange>>,
    streams: HashMap<(usize, StreamId), usize>,
    callouts: HashMap<(usize, CalloutToken), usize>,
    grpc: HashMap<(usize, CalloutToken), GrpcFlow>,
    upstreams: Upstreams,
    /// Which client goes, and after how many events.
    leave: Option<(usize, u64)>,
    started: bool,
    run: Run,
}

impl<'s> Driver<'s> {
    fn new(scenario: &'s Scenario, module: &'s Module, schedule: &Schedule) -> Self {
        let clock = Arc::new(VirtualClock::new(START));
        let requests = scenario.requests.len();
        Self {
            scenario,
            module,
            proxy: scenario.proxy(clock.clone()),
            clock,
            vms: Vec::new(),
            active: Vec::new(),
            due: BTreeMap::new(),
            planned: 0,
            exchanges: std::iter::repeat_with(|| None).take(requests).collect(),
            streams: HashMap::new(),
            callouts: HashMap::new(),
            grpc: HashMap::new(),
            upstreams: Upstreams::new(&scenario.upstreams).failing(schedule.fault),
            leave: schedule.leave,
            started: false,
            run: Run {
                clients: vec![ClientSeen::default(); requests],
                ..Run::default()
            },
        }
    }

    fn start_vm(&mut self) -> Result<usize, StartError> {
        let filter = &self.scenario.filter;
        let config = VmConfig {
            configuration: filter.vm_configuration.clone().into_bytes(),
            budget: Budget::Fuel(filter.fuel_limit),
            memory_limit: filter.memory_limit,
            fail_policy: filter.fail_policy.into(),
            trace: true,
            ..VmConfig::default()
        };
        let plugin = PluginConfig {
            name: filter.root_id.clone(),
            root_id: filter.root_id.clone(),
            configuration: filter.configuration_text().into_bytes(),
            allow_on_headers_stop_iteration: filter.allow_on_headers_stop_iteration,
        };
        let mut worker = Worker::new(self.module, config, self.proxy.clone())?;
        let started = worker.start_plugin(plugin);
        let number = self.vms.len();
        let effects: Vec<_> = worker.effects().collect();
        if let Ok(root) = &started {
            let root = *root;
            self.vms.push(Vm { worker, root });
        }
        self.dispatch(number, effects);
        started.map(|_| number)
    }

    fn play(&mut self) {
        for (i, request) in self.scenario.requests.iter().enumerate() {
            self.plan(request.at.0, Event::Begins(i));
        }
        while let Some(next) = self.next() {
            let now = self.clock.monotonic();
            self.clock.advance(next.saturating_sub(now));
            let event = self
                .due
                .first_key_value()
                .is_some_and(|((at, _), _)| *at <= next);
            if event && let Some((_, event)) = self.due.pop_first() {
                self.happens(event);
                if let Some((request, events)) = self.leave
                    && events == self.run.events
                {
                    self.leave(request.saturating_sub(1));
                }
            }
            // Once more for each VM, for what they leave for each other.
            for _ in 0..=self.vms.len() {
                self.run_due();
            }
        }
    }

    /// When something happens next; nothing once all that was planned is over.
    fn next(&self) -> Option<Duration> {
        let event = self.due.first_key_value().map(|((at, _), _)| *at);
        let asked = !self.scenario.requests.is_empty();
        let over = self
            .exchanges
            .iter()
            .flatten()
            .all(|exchange| exchange.over);
        if event.is_none() && asked && over {
            return None;
        }
        let timers = self.vms.iter().filter_map(|vm| vm.worker.next_deadline());
        let next = timers.chain(event).min()?;
        (next <= self.scenario.until.0).then_some(next)
    }

    fn plan(&mut self, at: Duration, event: Event) {
        self.planned += 1;
        self.due.insert((at, self.planned), event);
    }

    fn plan_after(&mut self, after: Duration, event: Event) {
        self.plan(self.clock.monotonic() + after, event);
    }

    fn run_due(&mut self) {
        for number in 0..self.vms.len() {
            self.with(number, Worker::run_due);
        }
    }

    /// Calls a worker and does what comes of it.
    fn with(&mut self, number: usize, call: impl FnOnce(&mut Worker)) {
        let Some(vm) = self.vms.get_mut(number) else {
            return;
        };
        call(&mut vm.worker);
        let effects: Vec<_> = vm.worker.effects().collect();
        self.dispatch(number, effects);
    }

    fn happens(&mut self, event: Event) {
        self.run.events += 1;
        match event {
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
        self.reload(request.worker);
        let Some((number, _)) = self.active.get(request.worker).copied() else {
            return;
        };
        let Some(vm) = self.vms.get_mut(number) else {
            return;
        };
        let stream = vm.worker.create_stream(vm.root, Downstream::default());
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
            self.plan_after(after.0, Event::Leaves(i));
        }
        self.plan_step(i, Direction::Request);
        let line = format!("request {} comes: {}", i + 1, timeline::list(&headers));
        self.note(number, line + timeline::end(end));
        self.with(number, |worker| {
            worker.request_headers(stream, headers, end)
        });
    }

    /// A new VM in place of one that has failed, where the policy says so and the back-off is over.
    fn reload(&mut self, worker: usize) {
        let now = self.clock.monotonic();
        let Some((number, replaced)) = self.active.get(worker).copied() else {
            return;
        };
        let failed = self
            .vms
            .get(number)
            .is_some_and(|vm| vm.worker.failure().is_some());
        let waits = replaced.is_some_and(|at| now.saturating_sub(at) < RELOAD_BACK_OFF);
        if !failed || waits || self.scenario.filter.fail_policy != VmFailPolicy::Reload {
            return;
        }
        let started = self.start_vm();
        if let Some(slot) = self.active.get_mut(worker) {
            *slot = (started.unwrap_or(number), Some(now));
        }
    }

    fn dispatch(&mut self, vm: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Stream(stream, effect) => {
                    self.note(vm, timeline::effect(&effect));
                    if let Some(i) = self.streams.get(&(vm, stream)).copied() {
                        self.stream_effect(i, effect);
                    }
                }
                Effect::Callout(callout) => self.callout(vm, *callout),
                Effect::GrpcCallout(callout) => self.grpc_begins(vm, *callout),
                Effect::GrpcData {
                    token,
                    data,
                    end_stream,
                } => self.grpc_moves(vm, token, data, end_stream),
                Effect::CancelCallout(token) => {
                    self.note(vm, format!("callout {} is given up", token.number()));
                    if let Some(seen) = self.callouts.remove(&(vm, token)) {
                        self.end_upstream(seen, Ending::Cancelled);
                    }
                    self.grpc_cancelled(vm, token);
                }
                Effect::Log(level, line) => {
                    self.note(vm, format!("log {level}: {line}"));
                    self.run.log.push((level, line));
                }
                Effect::Crossing(crossing) => self.crossing(vm, &crossing),
            }
        }
    }

    fn crossing(&mut self, vm: usize, crossing: &Crossing) {
        self.note(vm, timeline::crossing(crossing));
        if !self.started {
            return;
        }
        let usage = &mut self.run.usage;
        match crossing {
            Crossing::Called { .. } => {}
            Crossing::Returned { fuel, .. } => usage.fuel = usage.fuel.max(fuel.unwrap_or(0)),
            Crossing::Hostcall { .. } => usage.hostcalls += 1,
        }
    }

    fn callout(&mut self, vm: usize, callout: Callout) {
        let (token, cluster) = (callout.token, callout.cluster);
        let mut headers = callout.headers;
        if headers.get(":scheme").is_none() {
            // The router says how it goes.
            headers.add(":scheme", "http");
        }
        let shown = timeline::list(&headers);
        self.note(
            vm,
            format!("callout {} to {cluster}: {shown}", token.number()),
        );
        let behaviour = self.upstreams.choose(&cluster, &headers);
        let seen = self.run.upstream.len();
        self.callouts.insert((vm, token), seen);
        self.run.upstream.push(UpstreamSeen {
            cluster,
            callout: true,
            headers,
            body: callout.body,
            trailers: Some(callout.trailers).filter(|trailers| !trailers.is_empty()),
            // It goes out in one piece.
            ending: Ending::Complete,
            refused: behaviour.as_ref().is_some_and(Behaviour::refuses),
        });
        match behaviour {
            None => self.unanswered(seen),
            Some(behaviour) => {
                if let Some(after) = behaviour.callout_begins() {
                    self.plan_after(after, Event::AnswerBegins(vm, token));
                }
                if let Some((after, answer)) = behaviour.callout() {
                    self.plan_after(after, Event::Answers(vm, token, Box::new(answer)));
                }
            }
        }
    }

    fn unanswered(&mut self, seen: usize) {
        if let Some(seen) = self.run.upstream.get(seen) {
            let line = format!("{}: {}", seen.cluster, timeline::list(&seen.headers));
            self.run.unanswered.push(line);
        }
    }

    fn end_upstream(&mut self, seen: usize, ending: Ending) {
        if let Some(seen) = self.run.upstream.get_mut(seen) {
            seen.ending = ending;
        }
    }

    fn note(&mut self, vm: usize, text: String) {
        let at = self.clock.monotonic();
        self.run.timeline.push(Line { at, vm, text });
    }

    fn finish(mut self) -> Run {
        let running = self
            .exchanges
            .iter()
            .flatten()
            .filter(|exchange| !exchange.over);
        let running = running.count();
        let workers = || self.vms.iter().map(|vm| &vm.worker);
        let streams: usize = workers().map(Worker::stream_count).sum();
        let failures = workers()
            .filter_map(Worker::failure)
            .map(ToString::to_string);
        self.run.failures = failures.collect();
        self.run.leaked = streams.saturating_sub(running);
        self.run.usage.memory = workers().map(Worker::memory_size).max().unwrap_or(0);
        self.run.series = self.proxy.stats().series();
        self.run.ended = self.clock.monotonic();
        self.run
    }
}
