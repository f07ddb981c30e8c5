//! What is told of a comparison: a table for people, the same and every slice as JSON for machines.

use std::fs;
use std::io;
use std::path::Path;

use comfy_table::{Table, presets};
use serde::Serialize;

use super::cpu::memory_of;
use super::pairs::{Pair, Slice, Spread};
use super::sides::Side;

/// A comparison of Envoy without and with the filter.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured, in words.
    pub title: String,
    /// Requests per second with the filter, as a share of those without.
    pub ratio: Spread,
    /// CPU time per request with the filter less that without, in microseconds.
    pub added_cpu_us: Spread,
    /// Instructions per request, outside the kernel, without and with the filter; the median of each.
    pub instructions: Option<(f64, f64)>,
    /// The side without the filter.
    pub without: SideFigures,
    /// The side with it.
    pub with: SideFigures,
    /// Size of the module, in bytes.
    pub module_bytes: u64,
    /// Size of the policy, in bytes.
    pub policy_bytes: usize,
    /// Rounds in which something else on the machine was at work.
    pub disturbed: usize,
    /// Every round.
    pub pairs: Vec<Pair>,
}

/// What one side came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SideFigures {
    /// Requests answered per second.
    pub requests_per_second: Spread,
    /// CPU time of Envoy per request, in microseconds.
    pub cpu_us: Spread,
    /// The share of the time in which Envoy was running, 1 for one processor.
    pub busy: Spread,
    /// From the start of the process until it was ready, in milliseconds.
    pub ready_after_ms: u128,
    /// Resident memory after the load, in bytes.
    pub memory_bytes: u64,
}

impl Report {
    /// Sums the rounds up.
    ///
    /// # Errors
    /// Where there are none, a process is gone or the module cannot be read.
    pub fn new(
        title: String,
        (without, with): (&Side, &Side),
        module: &Path,
        policy_bytes: usize,
        pairs: Vec<Pair>,
    ) -> io::Result<Self> {
        let spread = |figure: &dyn Fn(&Pair) -> f64| {
            Spread::of(&pairs, figure).ok_or_else(|| io::Error::other("no round was measured"))
        };
        let side = |side: &Side, slice: fn(&Pair) -> &Slice| {
            io::Result::Ok(SideFigures {
                requests_per_second: spread(&|pair| slice(pair).requests_per_second)?,
                cpu_us: spread(&|pair| slice(pair).cpu_per_request_us)?,
                busy: spread(&|pair| slice(pair).busy)?,
                ready_after_ms: side.ready_after.as_millis(),
                memory_bytes: memory_of(side.process.id())?,
            })
        };
        Ok(Self {
            title,
            ratio: spread(&Pair::ratio)?,
            added_cpu_us: spread(&Pair::added_cpu_us)?,
            instructions: instructions(&pairs),
            without: side(without, |pair| &pair.without)?,
            with: side(with, |pair| &pair.with)?,
            module_bytes: fs::metadata(module)?.len(),
            policy_bytes,
            disturbed: pairs.iter().filter(|pair| !pair.is_quiet()).count(),
            pairs,
        })
    }

    /// The table, and what to beware of when reading it.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header([
            "median (quartiles)",
            "without",
            "with",
            "with against without",
        ]);
        let (without, with) = (&self.without, &self.with);
        table.add_row([
            "requests/s".to_owned(),
            without.requests_per_second.shown(0),
            with.requests_per_second.shown(0),
            format!("ratio {}", self.ratio.shown(3)),
        ]);
        table.add_row([
            "CPU per request, us".to_owned(),
            without.cpu_us.shown(2),
            with.cpu_us.shown(2),
            format!("added {}", self.added_cpu_us.shown(2)),
        ]);
        if let Some((without, with)) = self.instructions {
            table.add_row([
                "instructions per request".to_owned(),
                format!("{without:.0}"),
                format!("{with:.0}"),
                format!("added {:.0}, ratio {:.3}", with - without, without / with),
            ]);
        }
        table.add_row([
            "Envoy busy".to_owned(),
            without.busy.shown(2),
            with.busy.shown(2),
            String::new(),
        ]);
        table.add_row([
            "ready after".to_owned(),
            format!("{} ms", without.ready_after_ms),
            format!("{} ms", with.ready_after_ms),
            format!("module {} KiB", self.module_bytes / 1024),
        ]);
        table.add_row([
            "memory".to_owned(),
            format!("{} MiB", without.memory_bytes >> 20),
            format!("{} MiB", with.memory_bytes >> 20),
            format!("policy {} KiB", self.policy_bytes / 1024),
        ]);
        format!("{}\n{table}\n{}", self.title, self.caveats())
    }

    fn caveats(&self) -> String {
        let mut text = String::new();
        if self.disturbed > 0 {
            let (disturbed, all) = (self.disturbed, self.pairs.len());
            text.push_str(&format!(
                "{disturbed} of {all} rounds were disturbed by other work on this machine.\n"
            ));
        }
        if self.without.busy.median < 0.9 {
            text.push_str("Envoy was not busy: the load was the limit, so read the CPU time and not the requests/s.\n");
        }
        text
    }
}

fn instructions(pairs: &[Pair]) -> Option<(f64, f64)> {
    // No pair has them, or all have.
    pairs.first()?.instructions()?;
    let median = |figure: fn((f64, f64)) -> f64| {
        let of_pair = |pair: &Pair| pair.instructions().map_or(0.0, figure);
        Spread::of(pairs, of_pair).map(|spread| spread.median)
    };
    median(|(without, _)| without).zip(median(|(_, with)| with))
}
