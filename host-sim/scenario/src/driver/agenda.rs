//! What is planned, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::clock::{Clock, VirtualClock};
use envoy_wasm_host::rng::Rng;

use super::Event;

/// What is planned, and the clock that moves to it. Of what is due at the same time the order is that in
/// which it was planned, or one that is drawn.
pub(super) struct Agenda {
    clock: Arc<VirtualClock>,
    /// By time, then by place, then as they were planned.
    due: BTreeMap<(Duration, u64, u64), Event>,
    planned: u64,
    order: Option<Rng>,
}

impl Agenda {
    /// An empty one; `order` is where a drawn order starts.
    pub(super) fn new(clock: Arc<VirtualClock>, order: Option<u64>) -> Self {
        Self {
            clock,
            due: BTreeMap::new(),
            planned: 0,
            order: order.map(Rng::new),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn plan(&mut self, at: Duration, event: Event) {
        let place = self.place();
        self.plan_at(at, place, event);
    }

    pub(super) fn plan_after(&mut self, after: Duration, event: Event) {
        self.plan(self.now() + after, event);
    }

    /// Where an event stands among those of its time: what has the same place keeps its order.
    pub(super) fn place(&mut self) -> u64 {
        self.order.as_mut().map_or(0, Rng::next)
    }

    pub(super) fn plan_at(&mut self, at: Duration, place: u64, event: Event) {
        self.planned += 1;
        self.due.insert((at, place, self.planned), event);
    }

    /// When the next event is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.due.first_key_value().map(|((at, ..), _)| *at)
    }

    /// Whether timers that are due come before the event that is due too.
    pub(super) fn timers_first(&mut self) -> bool {
        self.order.as_mut().is_some_and(|order| order.below(2) == 1)
    }

    /// Moves the clock there, if it is not there yet.
    pub(super) fn advance_to(&self, time: Duration) {
        self.clock.advance(time.saturating_sub(self.now()));
    }

    /// The next event, if it is due by then.
    pub(super) fn take_due(&mut self, by: Duration) -> Option<Event> {
        self.next().filter(|at| *at <= by)?;
        self.due.pop_first().map(|(_, event)| event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four events at the same time and one before them, in the order in which they come.
    fn played(order: Option<u64>) -> Vec<usize> {
        let ms = Duration::from_millis;
        let mut agenda = Agenda::new(Arc::new(VirtualClock::new(ms(0))), order);
        for number in 1..=4 {
            agenda.plan(ms(5), Event::Begins(number));
        }
        agenda.plan_after(ms(3), Event::Begins(0));
        let mut seen = Vec::new();
        while let Some(next) = agenda.next() {
            agenda.advance_to(next);
            assert_eq!(agenda.now(), next);
            while let Some(Event::Begins(number)) = agenda.take_due(next) {
                seen.push(number);
            }
        }
        seen
    }

    #[test]
    fn events_come_by_time_and_then_as_planned_or_drawn() {
        assert_eq!(played(None), [0, 1, 2, 3, 4]);
        let drawn: Vec<_> = (0..20).map(|seed| played(Some(seed))).collect();
        assert!(drawn.iter().all(|events| events[0] == 0));
        assert!(drawn.iter().any(|events| *events != [0, 1, 2, 3, 4]));
        assert_eq!(drawn[7], played(Some(7)));
    }
}
