//! The same exchange in every way in which it may come about.

use envoy_wasm_host::{Module, StartError, rng::Rng};

use super::difference::Difference;
use super::expected::Outcome;
use super::model::{Fault, Scenario};
use super::run::{ClientSeen, Run};
use super::schedule::Schedule;

/// What came of an exploration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// How many ways were tried.
    pub tried: usize,
    /// The smallest way found in which something does not hold, and what that is.
    pub violation: Option<(Schedule, Vec<Difference>)>,
}

impl Explored {
    /// What does not hold, with how to see it again, for the scenario in this file and with
    /// the command, such as `tool play`, that takes `--trace` and `--schedule`.
    pub fn differences(self, command: &str, file: &std::path::Path) -> Vec<Difference> {
        let Some((schedule, mut broken)) = self.violation else {
            return Vec::new();
        };
        for difference in &mut broken {
            difference.what = format!(
                "{}, after {} runs; to repeat: {command} --trace --schedule '{schedule}' {}",
                difference.what,
                self.tried,
                file.display()
            );
        }
        broken
    }
}

impl Scenario {
    /// Plays the scenario in at most `budget` ways: each single change of how it comes about, and then
    /// several of them together, drawn from `seed`; where there are more single changes than that, some
    /// of them, drawn too. It stops at the first in which something does not hold, and
    /// makes that as small as it can.
    ///
    /// # Errors
    /// A module that cannot be used.
    pub fn explore(
        &self,
        module: &Module,
        seed: u64,
        budget: usize,
    ) -> Result<Explored, StartError> {
        let base = self.play(module)?;
        let mut rng = Rng::new(seed);
        let mut tried = 0;
        let mut singles = self.singles(&base, &mut rng);
        if singles.len() > budget {
            rng.shuffle(&mut singles);
        }
        let mut next = singles.clone().into_iter();
        while tried < budget {
            let schedule = match next.next() {
                Some(schedule) => schedule,
                None if singles.is_empty() => break,
                None => mixed(&singles, &mut rng),
            };
            tried += 1;
            let broken = self.broken(module, &base, &schedule)?;
            if !broken.is_empty() {
                let violation = Some(self.shrink(module, &base, (schedule, broken))?);
                return Ok(Explored { tried, violation });
            }
        }
        Ok(Explored {
            tried,
            violation: None,
        })
    }

    /// What does not hold when the scenario is played so.
    ///
    /// # Errors
    /// A module that cannot be used.
    pub fn try_schedule(
        &self,
        module: &Module,
        schedule: &Schedule,
    ) -> Result<(Run, Vec<Difference>), StartError> {
        let base = self.play(module)?;
        let run = self.play_as(module, schedule)?;
        let broken = self.broken_by(&base, &run, schedule);
        Ok((run, broken))
    }

    fn broken(
        &self,
        module: &Module,
        base: &Run,
        schedule: &Schedule,
    ) -> Result<Vec<Difference>, StartError> {
        let run = self.play_as(module, schedule)?;
        Ok(self.broken_by(base, &run, schedule))
    }

    fn shrink(
        &self,
        module: &Module,
        base: &Run,
        mut found: (Schedule, Vec<Difference>),
    ) -> Result<(Schedule, Vec<Difference>), StartError> {
        'smaller: loop {
            for simpler in found.0.simpler() {
                let broken = self.broken(module, base, &simpler)?;
                if !broken.is_empty() {
                    found = (simpler, broken);
                    continue 'smaller;
                }
            }
            return Ok(found);
        }
    }

    fn broken_by(&self, base: &Run, run: &Run, schedule: &Schedule) -> Vec<Difference> {
        let mut broken = Vec::new();
        let mut add = |what: String, expected: &str, seen: String| {
            let expected = expected.to_owned();
            broken.push(Difference {
                what,
                expected,
                seen,
            });
        };
        for (i, (seen, base_seen)) in run.clients.iter().zip(&base.clients).enumerate() {
            let what = format!("request {}", i + 1);
            let same = seen.outcome() == base_seen.outcome()
                && seen.status() == base_seen.status()
                && seen.body == base_seen.body;
            if same {
                continue;
            }
            if schedule.is_harmless() {
                add(what, &base_seen.short(), seen.short());
                continue;
            }
            let leaves = schedule.leave.is_some_and(|(request, _)| request == i + 1);
            let allowed = match seen.outcome() {
                Outcome::Left => leaves,
                Outcome::Reset => true,
                Outcome::Complete => seen
                    .status()
                    .is_some_and(|status| status >= 500 || self.explore.statuses.contains(&status)),
                // Only an upstream that is silent keeps a client waiting.
                Outcome::Pending => silent_upstream(run, schedule),
            };
            if !allowed {
                let expected = "the result without the change, a failure (5xx, reset), or a status of explore.statuses";
                add(what, expected, seen.short());
            }
        }
        if base.failures.is_empty() && !run.failures.is_empty() {
            add("VM".to_owned(), "does not fail", run.failures.join("; "));
        }
        if run.leaked > 0 {
            let what = "streams that are over".to_owned();
            add(what, "gone from the VM", run.leaked.to_string());
        }
        broken.extend(self.over_budget(run));
        broken
    }
}

/// Whether the change made an upstream silent that a client's own request went to.
fn silent_upstream(run: &Run, schedule: &Schedule) -> bool {
    schedule.fault.is_some_and(|at| {
        let seen = at.request.checked_sub(1).and_then(|i| run.upstream.get(i));
        at.fault == Fault::Silent && seen.is_some_and(|seen| !seen.callout)
    })
}

/// Two or three single changes together.
fn mixed(singles: &[Schedule], rng: &mut Rng) -> Schedule {
    let mut mixed = Schedule::default();
    for _ in 0..2 + rng.below(2) {
        let Some(one) = singles.get(rng.below(singles.len())) else {
            continue;
        };
        mixed.cuts.extend(&one.cuts);
        mixed.empty |= one.empty;
        mixed.late |= one.late;
        mixed.trailers |= one.trailers;
        mixed.request_trailers |= one.request_trailers;
        mixed.leave = one.leave.or(mixed.leave);
        mixed.fault = one.fault.or(mixed.fault);
        mixed.drop = one.drop.or(mixed.drop);
        mixed.tick = one.tick.or(mixed.tick);
        mixed.configure = one.configure.or(mixed.configure);
        mixed.contend = one.contend.or(mixed.contend);
        mixed.order = one.order.or(mixed.order);
        mixed.spread = one.spread.or(mixed.spread);
    }
    mixed.cuts.sort_unstable();
    mixed.cuts.dedup();
    mixed
}

impl ClientSeen {
    fn status(&self) -> Option<u16> {
        self.headers
            .as_ref()
            .and_then(envoy_wasm_host::http::Headers::status)
    }

    fn short(&self) -> String {
        let status = self.status();
        let status = status.map_or_else(|| "no status".to_owned(), |s| s.to_string());
        let (outcome, bytes) = (self.outcome().name(), self.body.len());
        format!("{outcome}, {status}, a body of {bytes} bytes")
    }
}
