//! Every single change of how the exchange of a scenario comes about.

use envoy_wasm_host::rng::Rng;

use super::Chunks;
use super::model::{Fault, Scenario};
use super::run::Run;
use super::schedule::{DropAt, FaultAt, Schedule};

/// Cuts that are tried one by one, at most; in longer bodies they are drawn.
const SINGLE_CUTS: usize = 64;

/// Events behind which something is tried, at most; of more they are drawn.
const MOMENTS: usize = 256;

/// Chunks of an answer behind which it is cut off, at most.
const BROKEN_CHUNKS: usize = 8;

/// Orders and distributions that are drawn.
const DRAWN: u64 = 8;

/// What ends a connection, or an upstream's time, whatever it is at.
const DROPS: [Fault; 3] = [Fault::Closed, Fault::Reset, Fault::TimedOut];

impl Scenario {
    /// Every single change; `base` is the scenario as it stands.
    pub(super) fn singles(&self, base: &Run, rng: &mut Rng) -> Vec<Schedule> {
        let mut all = vec![
            with(|s| s.empty = true),
            with(|s| s.late = true),
            with(|s| s.trailers = true),
            with(|s| s.request_trailers = true),
        ];
        self.faults(base, &mut all);
        self.moments(base, rng, &mut all);
        self.interleavings(base, &mut all);
        self.cuts(rng, &mut all);
        all
    }

    /// Every fault of every upstream, as part of its answer.
    fn faults(&self, base: &Run, all: &mut Vec<Schedule>) {
        let bodies = self.upstreams.values().flatten().map(|b| b.body.0.len());
        let longest = bodies.max().unwrap_or(0).clamp(1, BROKEN_CHUNKS);
        for request in 1..=base.upstream.len() {
            for fault in Fault::ALL {
                for chunks in std::iter::once(None).chain((0..=longest).map(Some)) {
                    all.push(with(|s| {
                        s.fault = Some(FaultAt {
                            request,
                            fault,
                            chunks,
                        });
                    }));
                }
            }
        }
    }

    /// What may come behind any event: a client goes, an upstream does, it ticks, a configuration comes.
    fn moments(&self, base: &Run, rng: &mut Rng, all: &mut Vec<Schedule>) {
        let mut moments: Vec<u64> = (1..=base.events).collect();
        while moments.len() > MOMENTS {
            moments.swap_remove(rng.below(moments.len()));
        }
        moments.sort_unstable();
        for events in moments {
            for request in 1..=self.requests.len() {
                all.push(with(|s| s.leave = Some((request, events))));
            }
            for request in 1..=base.upstream.len() {
                for fault in DROPS {
                    all.push(with(|s| {
                        s.drop = Some(DropAt {
                            request,
                            fault,
                            events,
                        });
                    }));
                }
            }
            all.push(with(|s| s.tick = Some(events)));
            // It would heal a VM that is meant to have failed.
            if base.failures.is_empty() {
                all.push(with(|s| s.configure = Some(events)));
            }
        }
    }

    /// Workers beside each other: which comes first, which serves which, which writes between.
    fn interleavings(&self, base: &Run, all: &mut Vec<Schedule>) {
        all.extend((1..=base.swaps).map(|write| with(|s| s.contend = Some(write))));
        // A VM that fails is meant to fail its own requests and not others; behaviours that are used up
        // serve the first that comes; a later configuration is for those that it finds.
        let counted = self.upstreams.values().flatten().any(|b| b.times.is_some());
        if counted || !base.failures.is_empty() || !self.configurations.is_empty() {
            return;
        }
        all.extend((1..=DRAWN).map(|seed| with(|s| s.order = Some(seed))));
        if self.requests.len() > 1 {
            all.extend((1..=DRAWN).map(|seed| with(|s| s.spread = Some(seed))));
        }
    }

    fn cuts(&self, rng: &mut Rng, all: &mut Vec<Schedule>) {
        let bodies = self.upstreams.values().flatten().map(|b| &b.body);
        let bodies = bodies.chain(self.requests.iter().map(|r| &r.body));
        let length = |body: &Chunks| body.0.iter().map(|c| c.data.len()).sum::<usize>();
        let longest = bodies.map(length).max().unwrap_or(0);
        if longest < 2 {
            return;
        }
        let mut cuts: Vec<usize> = if longest <= SINGLE_CUTS {
            (1..longest).collect()
        } else {
            (0..SINGLE_CUTS)
                .map(|_| 1 + rng.below(longest - 1))
                .collect()
        };
        cuts.sort_unstable();
        cuts.dedup();
        all.extend(cuts.iter().map(|cut| with(|s| s.cuts = vec![*cut])));
        all.push(with(|s| s.cuts = cuts));
    }
}

fn with(change: impl FnOnce(&mut Schedule)) -> Schedule {
    let mut schedule = Schedule::default();
    change(&mut schedule);
    schedule
}
