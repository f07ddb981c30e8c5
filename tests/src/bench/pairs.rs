//! Two sides in turns, and what the pairs say.

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

/// A slice of each side, one right after the other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    /// Without the filter.
    pub without: Slice,
    /// With it.
    pub with: Slice,
}

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

impl Pair {
    /// Requests per second with the filter, as a share of those without.
    pub fn ratio(&self) -> f64 {
        self.with.requests_per_second / self.without.requests_per_second
    }

    /// What the filter adds to a request, in microseconds of CPU time.
    pub fn added_cpu_us(&self) -> f64 {
        self.with.cpu_per_request_us - self.without.cpu_per_request_us
    }

    /// Instructions per request, without and with the filter.
    pub fn instructions(&self) -> Option<(f64, f64)> {
        self.without
            .instructions_per_request
            .zip(self.with.instructions_per_request)
    }

    /// Whether nothing else was at work on the machine in either slice.
    pub fn is_quiet(&self) -> bool {
        self.without.others.max(self.with.others) <= QUIET
    }
}

/// One round. Which side begins changes from round to round, so that a drift favours neither.
///
/// # Errors
/// As [`Measured::slice`].
pub async fn round(
    number: usize,
    without: &mut Measured,
    with: &mut Measured,
    length: Duration,
) -> io::Result<Pair> {
    if number.is_multiple_of(2) {
        let without = without.slice(length).await?;
        let with = with.slice(length).await?;
        Ok(Pair { without, with })
    } else {
        let with = with.slice(length).await?;
        let without = without.slice(length).await?;
        Ok(Pair { without, with })
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
    /// Of one figure of each pair, or of whatever else was measured. `None` without any.
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

    fn pair(without: f64, with: f64) -> Pair {
        let slice = |requests_per_second| Slice {
            requests_per_second,
            cpu_per_request_us: 1.0,
            instructions_per_request: None,
            busy: 1.0,
            others: 0.0,
            requests: 1,
        };
        Pair {
            without: slice(without),
            with: slice(with),
        }
    }

    #[test]
    fn the_ratio_is_taken_pair_by_pair() {
        // A machine that slows down to half changes no ratio.
        let pairs = [pair(100.0, 90.0), pair(50.0, 45.0), pair(100.0, 80.0)];
        let spread = Spread::of(&pairs, Pair::ratio).expect("three pairs");
        assert!((spread.median - 0.9).abs() < 1e-9, "{spread:?}");
        assert!((spread.lower - 0.85).abs() < 1e-9, "{spread:?}");
        assert!(Spread::of(&[], Pair::ratio).is_none());
    }
}
