//! What a person sees. Colours on a terminal alone, and not where `NO_COLOR` is set.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, Color, TableComponent};
use envoy_wasm_scenario::shown;
use modgate_policy::model::RuleOutcome;

use super::figures::{Figures, TenantFigures};
use super::play::Scene;
use super::script::Step;
use super::stage::Stage;
use crate::out::{self, Out};
use crate::table::{number, table};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Standard output.
#[derive(Debug)]
pub(super) struct Screen {
    out: Out,
    colours: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            out: out::stdout(),
            colours: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        }
    }

    /// Who is there.
    pub(super) fn introduction(&mut self, stage: &Stage) -> io::Result<()> {
        writeln!(
            self.out,
            "{BOLD}Modgate{BOLD:#}: one filter in front of two Go module proxies, and three tenants that run go.\n\n\
             \x20 {DIM}filter {DIM:#} http://{}  {DIM}modgate.wasm, the very file that Envoy loads{DIM:#}\n\
             \x20 {DIM}public {DIM:#} {}  {DIM}example.org/..., hosting.example/...{DIM:#}\n\
             \x20 {DIM}private{DIM:#} {}  {DIM}corp.example/..., below /private.proxy/v1{DIM:#}\n\
             \x20 {DIM}policy {DIM:#} examples/demo/policy.json",
            stage.filter.address(),
            stage.public.url(),
            stage.private.url(),
        )
    }

    /// What is tried, and the command as it can be copied into any module.
    pub(super) fn step(&mut self, number: usize, step: &Step, stage: &Stage) -> io::Result<()> {
        writeln!(
            self.out,
            "\n{BOLD}{number}. {}{BOLD:#}\n{CYAN}$ {}{CYAN:#}",
            step.title,
            command(step, stage)
        )?;
        self.out.flush()
    }

    /// The output of `go`, and why.
    pub(super) fn outcome(&mut self, scene: &Scene) -> io::Result<()> {
        for text in [&scene.outcome.stdout, &scene.outcome.stderr] {
            for line in text.trim_end().lines() {
                // What is shown comes from a program: nothing of it may steer the terminal.
                let line = shown(&line.replace('\t', " "), usize::MAX);
                writeln!(self.out, "  {line}")?;
            }
        }
        let style = match scene.why.decision {
            RuleOutcome::Allow => GREEN,
            RuleOutcome::Deny | RuleOutcome::Probe | RuleOutcome::Hide => RED,
        };
        writeln!(self.out, "{style}Why:{style:#} {}", sentence(scene))
    }

    /// What happened, step by step.
    pub(super) fn summary(&mut self, scenes: &[Scene]) -> io::Result<()> {
        let mut table = table(
            &[
                "tenant",
                "requested",
                "verdict",
                "rule and reason",
                "backend",
                "result",
            ],
            self.colours,
        );
        for scene in scenes {
            let colour = match scene.why.decision {
                RuleOutcome::Allow => Color::Green,
                RuleOutcome::Deny | RuleOutcome::Probe | RuleOutcome::Hide => Color::Red,
            };
            table.add_row([
                Cell::new(&scene.why.tenant),
                Cell::new(scene.step.wanted()),
                Cell::new(scene.why.decision.as_str()).fg(colour),
                Cell::new(format!("{}\n{}", scene.why.rule, scene.why.reason)),
                Cell::new(backend(scene)),
                Cell::new(result(scene)),
            ]);
        }
        writeln!(
            self.out,
            "\n{BOLD}What happened, and why{BOLD:#} {DIM}(reasons: the engine's, for the requests that were sent){DIM:#}\n{table}"
        )
    }

    /// Hits, latency and failures.
    pub(super) fn figures(&mut self, figures: &Figures) -> io::Result<()> {
        let mut table = table(
            &[
                "tenant",
                "requests",
                "denied",
                "failures",
                "cache hits",
                "mean",
                "95% within",
            ],
            self.colours,
        );
        table
            .remove_style(TableComponent::HorizontalLines)
            .remove_style(TableComponent::MiddleIntersections);
        for tenant in &figures.tenants {
            let numbers = [
                tenant.requests.to_string(),
                tenant.denied.to_string(),
                tenant.failures.to_string(),
                hits(tenant),
                format!("{:.1} ms", tenant.mean_ms),
                format!("{} ms", tenant.p95_ms),
            ];
            let numbers = numbers.map(number);
            table.add_row([Cell::new(&tenant.tenant)].into_iter().chain(numbers));
        }
        writeln!(
            self.out,
            "\n{BOLD}Hits, latency, failures{BOLD:#} {DIM}(read from {}; a 404 or a denial is not a failure){DIM:#}\n{table}",
            figures.url
        )
    }

    /// How to go on.
    pub(super) fn farewell(&mut self, kept: bool, stage: &Stage) -> io::Result<()> {
        if kept {
            return writeln!(
                self.out,
                "\n{BOLD}Running until Ctrl-C.{BOLD:#} Try the commands above in any Go module, and\n\
                 \x20 curl {}\n\
                 \x20 curl http://{}/metrics",
                stage.goproxy("/t/contractors/example.org/w0rds/@v/v0.3.0.zip"),
                stage.filter.admin_address(),
            );
        }
        writeln!(
            self.out,
            "\n{BOLD}Next steps{BOLD:#}\n\
             \x20 {CYAN}dist/modgate demo --keep{CYAN:#}   the same, left running to try the commands above\n\
             \x20 {CYAN}make envoy{CYAN:#}                 the same filter in real Envoy, with goproxy, Athens and Prometheus\n\
             \x20 {CYAN}dist/modgate serve --policy policy.json --upstream NAME=URL{CYAN:#}   in front of your own proxy",
        )
    }
}

fn command(step: &Step, stage: &Stage) -> String {
    let goproxy = stage.goproxy(&step.base());
    format!(
        "GOPROXY={goproxy} GOSUMDB=off go {}",
        step.arguments.join(" ")
    )
}

/// One line, out of what the engine says.
fn sentence(scene: &Scene) -> String {
    let why = &scene.why;
    let verb = match why.decision {
        RuleOutcome::Allow => "allows",
        RuleOutcome::Deny | RuleOutcome::Probe | RuleOutcome::Hide => "denies",
    };
    let rule = format!("rule {} {verb} it ({})", why.rule, why.reason);
    match &why.to {
        Some(to) if scene.record.path.ends_with(&to.path) => {
            format!("{rule}; route {} sends it to {}.", to.route, to.backend)
        }
        Some(to) => format!(
            "{rule}; route {} sends it to {} as {}.",
            to.route, to.backend, to.path
        ),
        None => format!("{rule}; no request was sent to a backend."),
    }
}

fn backend(scene: &Scene) -> String {
    match &scene.why.to {
        Some(to) => format!("{}\nroute {}", to.backend, to.route),
        None => "none".to_owned(),
    }
}

/// What the client got, for which of its requests, and when.
fn result(scene: &Scene) -> String {
    let record = &scene.record;
    let status = record
        .status
        .map_or_else(|| "nothing".to_owned(), |status| status.to_string());
    let milliseconds = record.duration.as_secs_f64() * 1000.0;
    format!(
        "{status} for {}\nin {milliseconds:.1} ms",
        scene.why.operation
    )
}

/// Of those of which it can be determined.
fn hits(tenant: &TenantFigures) -> String {
    if tenant.told == 0.0 {
        return "-".to_owned();
    }
    let share = tenant.hits / tenant.told * 100.0;
    format!("{} of {} ({share:.0}%)", tenant.hits, tenant.told)
}
