//! What time brings: ticks, callouts that took too long, and what other workers left.

use std::time::Duration;

use super::Worker;
use super::callouts::CalloutAnswer;
use super::streams::UpstreamFailure;
use crate::effect::Effect;

impl Worker {
    /// When, on the proxy's clock, [`Worker::run_due`] has something to do next.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.guest.failure().is_some() {
            return None;
        }
        let host = self.guest.state();
        let ticks = host
            .contexts
            .roots()
            .filter_map(|(_, root)| root.tick)
            .map(|tick| tick.next);
        let callouts = host.callouts.next_deadline();
        let grpc = host.grpc.next_deadline();
        ticks.chain(callouts).chain(grpc).min()
    }

    /// Makes every tick that the filter has requested due now: the next [`Worker::run_due`] runs it.
    pub fn hasten_ticks(&mut self) {
        let now = self.proxy().now();
        for (_, root) in self.host().contexts.roots_mut() {
            if let Some(tick) = &mut root.tick {
                tick.next = now;
            }
        }
    }

    /// Does whatever is due by now.
    pub fn run_due(&mut self) {
        let now = self.proxy().now();
        self.run_ticks(now);
        self.time_out_callouts(now);
        self.time_out_grpc(now);
        self.run_queues();
    }

    fn run_ticks(&mut self, now: Duration) {
        let mut due = Vec::new();
        for (id, root) in self.host().contexts.roots_mut() {
            if let Some(tick) = &mut root.tick
                && tick.next <= now
            {
                // As Envoy: the next one counts from the end of this one, none is made up for.
                tick.next = now + tick.period;
                due.push(id);
            }
        }
        for root in due {
            let export = self.guest.exports().on_tick.clone();
            self.guest.call("proxy_on_tick", root, export, root);
            self.run_actions();
        }
    }

    fn time_out_callouts(&mut self, now: Duration) {
        for token in self.host().callouts.late(now) {
            self.host().effects.push_back(Effect::CancelCallout(token));
            self.callout_answered(token, CalloutAnswer::Failed(UpstreamFailure::Timeout));
        }
    }

    fn run_queues(&mut self) {
        let inbox = self.host().inbox.clone();
        while let Some(event) = inbox.pop() {
            if self.host().contexts.root(event.root).is_some() {
                let export = self.guest.exports().on_queue_ready.clone();
                let params = (event.root, event.queue);
                self.guest
                    .call("proxy_on_queue_ready", event.root, export, params);
                self.run_actions();
            }
        }
    }
}
