//! What another way of playing a scenario brings about between two events.

use envoy_wasm_host::{CalloutAnswer, CalloutToken, Worker};

use super::{Driver, Event};
use crate::expected::Ending;
use crate::model::Fault;

impl Driver<'_> {
    /// Something has happened; what is to happen behind it happens now.
    pub(super) fn after_event(&mut self) {
        self.run.events += 1;
        let events = Some(self.run.events);
        let schedule = self.schedule;
        let leave = schedule.leave.filter(|(_, at)| Some(*at) == events);
        let drop = schedule.drop.filter(|drop| Some(drop.events) == events);
        let (tick, configure) = (schedule.tick == events, schedule.configure == events);
        if let Some((request, _)) = leave {
            self.leave(request.saturating_sub(1));
        }
        if let Some(drop) = drop {
            self.drop_upstream(drop.request.saturating_sub(1), drop.fault);
        }
        if configure {
            self.configure_again();
        }
        if tick {
            let numbers: Vec<usize> = self.vms.keys().copied().collect();
            for number in numbers {
                self.with(number, Worker::hasten_ticks);
                self.with(number, Worker::run_due);
            }
        }
    }

    /// The upstream's side of this request ends, if it has not ended yet.
    fn drop_upstream(&mut self, seen: usize, fault: Fault) {
        let Some(failure) = fault.failure() else {
            return;
        };
        let callout = self.callouts.iter().find(|(_, of)| **of == seen);
        if let Some(((vm, token), _)) = callout {
            let (vm, token) = (*vm, *token);
            self.callouts.remove(&(vm, token));
            self.end_upstream(seen, Ending::Cancelled);
            self.note(vm, format!("callout {} fails: {failure:?}", token.number()));
            return self.with(vm, |worker| {
                worker.callout_answered(token, CalloutAnswer::Failed(failure));
            });
        }
        let mut exchanges = self.exchanges.iter_mut().enumerate();
        let exchange = exchanges.find_map(|(i, exchange)| {
            let exchange = exchange.as_mut()?;
            (exchange.upstream == Some(seen)).then_some((i, exchange))
        });
        let Some((i, exchange)) = exchange.filter(|(_, e)| !e.over && !e.answered) else {
            return;
        };
        exchange.answering = true;
        exchange.response.steps.clear();
        let (vm, stream) = (exchange.vm, exchange.stream);
        self.note(
            vm,
            format!("the upstream of request {} fails: {failure:?}", i + 1),
        );
        self.with(vm, |worker| worker.upstream_failed(stream, &failure));
    }

    /// Plans both at once, so that the one does not come before the other.
    pub(super) fn plan_answer(
        &mut self,
        (vm, token): (usize, CalloutToken),
        begins: Option<std::time::Duration>,
        answer: Option<(std::time::Duration, CalloutAnswer)>,
    ) {
        let (now, place) = (self.agenda.now(), self.agenda.place());
        if let Some(after) = begins {
            self.agenda
                .plan_at(now + after, place, Event::AnswerBegins(vm, token));
        }
        if let Some((after, answer)) = answer {
            self.agenda.plan_at(
                now + after,
                place,
                Event::Answers(vm, token, Box::new(answer)),
            );
        }
    }
}
