//! What is told of a comparison: a table for people, the same and every slice as JSON for machines.

use std::fs;
use std::io;
use std::path::Path;

use comfy_table::{Table, presets};
use serde::Serialize;

use super::cpu::memory_of;
use super::rounds::{Round, Spread, Who};
use super::sides::Side;

/// A comparison of Envoy with several filters and with none.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured, in words.
    pub title: String,
    /// The sides, in the order of [`Who::ALL`].
    pub sides: Vec<SideFigures>,
    /// Size of the module, in bytes.
    pub module_bytes: u64,
    /// Size of the policy, in bytes.
    pub policy_bytes: usize,
    /// Rounds in which something else on the machine was at work.
    pub disturbed: usize,
    /// Every round.
    pub rounds: Vec<Round>,
}

/// What one side came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SideFigures {
    /// Which.
    pub who: Who,
    /// Requests answered per second.
    pub requests_per_second: Spread,
    /// The same as a share of those without a filter.
    pub ratio: Spread,
    /// CPU time of Envoy per request, in microseconds.
    pub cpu_us: Spread,
    /// The same less that without a filter.
    pub added_cpu_us: Spread,
    /// Instructions per request, outside the kernel, where the machine counts them; the median.
    pub instructions: Option<f64>,
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
        sides: &[Side; Who::ALL.len()],
        module: &Path,
        policy_bytes: usize,
        rounds: Vec<Round>,
    ) -> io::Result<Self> {
        let figures = |(who, side): (Who, &Side)| {
            let spread = |figure: &dyn Fn(&Round) -> f64| {
                Spread::of(&rounds, figure).ok_or_else(|| io::Error::other("no round was measured"))
            };
            // No round has them, or all have.
            let counted = rounds
                .iter()
                .all(|round| round.of(who).instructions_per_request.is_some());
            let instructions =
                |round: &Round| round.of(who).instructions_per_request.unwrap_or_default();
            io::Result::Ok(SideFigures {
                who,
                requests_per_second: spread(&|round| round.of(who).requests_per_second)?,
                ratio: spread(&|round| round.ratio(who))?,
                cpu_us: spread(&|round| round.of(who).cpu_per_request_us)?,
                added_cpu_us: spread(&|round| round.added_cpu_us(who))?,
                instructions: counted
                    .then(|| spread(&instructions))
                    .transpose()?
                    .map(|spread| spread.median),
                busy: spread(&|round| round.of(who).busy)?,
                ready_after_ms: side.ready_after.as_millis(),
                memory_bytes: memory_of(side.process.id())?,
            })
        };
        Ok(Self {
            title,
            sides: Who::ALL
                .into_iter()
                .zip(sides)
                .map(figures)
                .collect::<Result<_, _>>()?,
            module_bytes: fs::metadata(module)?.len(),
            policy_bytes,
            disturbed: rounds.iter().filter(|round| !round.is_quiet()).count(),
            rounds,
        })
    }

    /// The table, and what to beware of when reading it.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        let counted = self.sides.iter().all(|side| side.instructions.is_some());
        let instructions = counted.then_some("instructions");
        let heads = [
            "median (quartiles)",
            "requests/s",
            "ratio",
            "CPU, us",
            "added, us",
        ];
        let heads = heads.into_iter().chain(instructions);
        table.set_header(heads.chain(["ready, ms", "MiB"]));
        for side in &self.sides {
            let is_first = side.who == Who::Without;
            let compared = |spread: &Spread, digits| {
                if is_first {
                    String::new()
                } else {
                    spread.shown(digits)
                }
            };
            let cells = [
                side.who.title().to_owned(),
                format!("{:.0}", side.requests_per_second.median),
                compared(&side.ratio, 2),
                format!("{:.1}", side.cpu_us.median),
                compared(&side.added_cpu_us, 1),
            ];
            let instructions = side.instructions.filter(|_| counted);
            let instructions = instructions.map(|count| format!("{count:.0}"));
            let ready = side.ready_after_ms.to_string();
            let memory = (side.memory_bytes >> 20).to_string();
            let cells = cells.into_iter().chain(instructions);
            table.add_row(cells.chain([ready, memory]));
        }
        format!(
            "{}\n{table}\nThe module has {} KiB, the policy {} KiB.\n{}",
            self.title,
            self.module_bytes / 1024,
            self.policy_bytes / 1024,
            self.caveats()
        )
    }

    fn caveats(&self) -> String {
        let mut text = String::new();
        if self.disturbed > 0 {
            let (disturbed, all) = (self.disturbed, self.rounds.len());
            text.push_str(&format!(
                "{disturbed} of {all} rounds were disturbed by other work on this machine.\n"
            ));
        }
        if self.sides.iter().any(|side| side.busy.median < 0.9) {
            text.push_str("Envoy was not busy: the load was the limit, so read the CPU time and not the requests/s.\n");
        }
        text
    }
}
