//! `modgate demo`: the filter at work in front of small Go proxies, with real `go` commands.
//!
//! In reading order: [`stage`] is what runs, [`script`] what is tried, [`play`] tries it and checks
//! that it came out as declared, [`why`] asks the engine for the reasons, [`figures`] reads the
//! metrics, and [`screen`] shows it all.

mod figures;
mod play;
mod screen;
mod script;
mod stage;
mod why;

use std::error::Error;
use std::path::PathBuf;

use super::module;
use super::stop::StopSignal;
use figures::Figures;
use modgate_goproxy::Go;
use screen::Screen;
use stage::Stage;

/// The arguments of `modgate demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Keep everything running until Ctrl-C, to try more.
    #[arg(long)]
    keep: bool,
    /// The filter's .wasm file [default: MODGATE_WASM, else modgate.wasm beside this command].
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut stop = StopSignal::new()?;
    let wasm = module::find(args.wasm)?;
    let go = Go::find()?;
    let stage = Stage::set(wasm)?;
    let mut screen = Screen::new();
    screen.introduction(&stage)?;

    let mut scenes = Vec::new();
    for (number, step) in script::STEPS.iter().enumerate() {
        screen.step(number + 1, step, &stage)?;
        let played = play::play(step, &stage, &go);
        if stop.has_come() {
            return Err("stopped early".into());
        }
        let scene = played.map_err(|error| {
            format!(
                "step {} ({}) did not end as expected: {error}",
                number + 1,
                step.title
            )
        })?;
        screen.outcome(&scene)?;
        scenes.push(scene);
    }
    screen.summary(&scenes)?;
    screen.figures(&Figures::read(&stage)?)?;
    screen.farewell(args.keep, &stage)?;
    if args.keep {
        stop.wait();
    }
    Ok(())
}
