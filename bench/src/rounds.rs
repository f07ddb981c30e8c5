//! The sides in turns, and what the rounds say.

use std::io;
use std::time::Duration;

use serde::Serialize;

use super::cpu::{self, Instructions};
use super::load::Load;

/// One side's slice.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Slice {
    /// Requests answered per second.
    pub requests_per_second: f64,
    /// CPU time of the process per request, in microseconds.
    pub cpu_per_request_us: f64,
    /// Instructions of the process per request, outside the kernel; `None` where the machine does not
    /// count them.
    pub instructions_per_request: Option<f64>,
    /// The share of the time that the process was running, 1 for one processor.
    pub busy: f64,
    /// The processors that anything else on the machine kept busy, neither the process nor the load.
    pub others: f64,
    /// The requests.
    pub requests: u64,
}

/// The sides, in the order in which they are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Envoy without a filter.
    Without,
    /// With a filter in wasm that does nothing.
    Nothing,
    /// With one that makes the calls that Modgate makes, and no more.
    SameCalls,
    /// With Modgate.
    Modgate,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Without, Self::Nothing, Self::SameCalls, Self::Modgate];

    /// The side in a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Without => "no filter",
            Self::Nothing => "a filter that does nothing",
            Self::SameCalls => "only Modgate's calls",
            Self::Modgate => "Modgate",
        }
    }
}

/// A slice of each side, one right after the other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Round([Slice; Who::ALL.len()]);

/// A side's process and the load on it.
#[derive(Debug)]
pub struct Measured {
    /// The process whose time counts.
    pub process: u32,
    /// Its instructions, where they can be counted.
    pub instructions: Option<Instructions>,
    /// The load.
    pub load: Load,
}

impl Measured {
    /// # Errors
    /// As [`Load::slice`] and [`cpu::time_of`].
    pub async fn slice(&mut self, length: Duration) -> io::Result<Slice> {
        let own = std::process::id();
        let before = cpu::time_of(self.process)?;
        let (own_before, all_before) = (cpu::time_of(own)?, cpu::time_of_all()?);
        let instructions = self.instructions()?;
        let answered = self.load.slice(length).await?;
        let ran = cpu::time_of(self.process)?.saturating_sub(before);
        let own = cpu::time_of(own)?.saturating_sub(own_before);
        let all = cpu::time_of_all()?.saturating_sub(all_before);
        let executed = self.instructions()?.zip(instructions);
        let requests = answered.requests as f64;
        Ok(Slice {
            requests_per_second: requests / answered.took.as_secs_f64(),
            cpu_per_request_us: ran.as_secs_f64() * 1e6 / requests,
            instructions_per_request: executed
                .map(|(after, before)| after.saturating_sub(before) as f64 / requests),
            busy: ran.as_secs_f64() / answered.took.as_secs_f64(),
            others: all.saturating_sub(ran + own).as_secs_f64() / answered.took.as_secs_f64(),
            requests: answered.requests,
        })
    }
}

impl Measured {
    fn instructions(&mut self) -> io::Result<Option<u64>> {
        let Some(counter) = &mut self.instructions else {
            return Ok(None);
        };
        let count = counter.count();
        count.map_or_else(
            || Err(io::Error::other("a counter of instructions has gone")),
            |n| Ok(Some(n)),
        )
    }
}

/// What others may use of a processor in a slice before it counts as disturbed: the ticks that this is
/// measured in are not finer.
const QUIET: f64 = 0.05;

impl Round {
    /// A side's slice.
    pub const fn of(&self, who: Who) -> &Slice {
        &self.0[who as usize]
    }

    /// Requests per second of a side, as a share of those without a filter.
    pub fn ratio(&self, who: Who) -> f64 {
        self.of(who).requests_per_second / self.of(Who::Without).requests_per_second
    }

    /// What a side's filter adds to a request, in microseconds of CPU time.
    pub fn added_cpu_us(&self, who: Who) -> f64 {
        self.of(who).cpu_per_request_us - self.of(Who::Without).cpu_per_request_us
    }

    /// Whether nothing else was at work on the machine in any slice.
    pub fn is_quiet(&self) -> bool {
        self.0.iter().all(|slice| slice.others <= QUIET)
    }

    /// One round. Which side begins changes from round to round, so that a drift favours none.
    ///
    /// # Errors
    /// As [`Measured::slice`].
    pub async fn play(
        number: usize,
        sides: &mut [Measured; Who::ALL.len()],
        length: Duration,
    ) -> io::Result<Self> {
        let count = sides.len();
        let mut slices = [None; Who::ALL.len()];
        for turn in 0..count {
            let who = (number + turn) % count;
            slices[who] = Some(sides[who].slice(length).await?);
        }
        let all = slices.map(|slice| slice.ok_or_else(|| io::Error::other("a side had no turn")));
        let [without, nothing, same_calls, modgate] = all;
        Ok(Self([without?, nothing?, same_calls?, modgate?]))
    }
}

/// The middle of some figures, and between which values half of them lie.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub lower: f64,
    /// The upper quartile.
    pub upper: f64,
}

impl Spread {
    /// Of one figure of each round, or of whatever else was measured. `None` without any.
    pub fn of<T>(measured: &[T], figure: impl Fn(&T) -> f64) -> Option<Self> {
        let mut figures: Vec<f64> = measured.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)?;
        // Between the two nearest ones, as most statistics programs do it.
        let quantile = |q: f64| {
            let place = q * last as f64;
            let (below, above) = (
                figures[place.floor() as usize],
                figures[place.ceil() as usize],
            );
            below + (above - below) * place.fract()
        };
        Some(Self {
            median: quantile(0.5),
            lower: quantile(0.25),
            upper: quantile(0.75),
        })
    }

    /// The median, and the quartiles behind it, with so many digits after the point.
    pub fn shown(&self, digits: usize) -> String {
        format!(
            "{:.digits$} ({:.digits$} to {:.digits$})",
            self.median, self.lower, self.upper
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(requests_per_second: [f64; 4]) -> Round {
        Round(requests_per_second.map(|requests_per_second| Slice {
            requests_per_second,
            cpu_per_request_us: 1.0,
            instructions_per_request: None,
            busy: 1.0,
            others: 0.0,
            requests: 1,
        }))
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        // A machine that slows down to half changes no ratio.
        let rounds = [
            round([100.0, 95.0, 92.0, 90.0]),
            round([50.0, 47.5, 46.0, 45.0]),
            round([100.0, 95.0, 92.0, 80.0]),
        ];
        let ratio = |who| Spread::of(&rounds, |round| round.ratio(who)).expect("three rounds");
        let spread = ratio(Who::Modgate);
        assert!((spread.median - 0.9).abs() < 1e-9, "{spread:?}");
        assert!((spread.lower - 0.85).abs() < 1e-9, "{spread:?}");
        assert!((ratio(Who::Nothing).median - 0.95).abs() < 1e-9);
        assert!(Spread::of(&[], |round: &Round| round.ratio(Who::Modgate)).is_none());
    }
}
