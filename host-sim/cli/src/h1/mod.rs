//! `modgate h1`: hashes by the same code as the filter's.

mod hash;
mod inputs;
mod report;

use std::error::Error;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use modgate_go::gomod::GoSum;

use hash::hash;
use inputs::Input;
use report::Report;

use super::policy_file::text;
use super::progress;

/// The arguments of `modgate h1`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A hash is printed as a go.sum line, or as the hash and the file name if the module of a go.mod file is not known.\n\
    In a module cache, VERSION.ziphash next to VERSION.zip is compared as well.\n\
    Exit status 1: a file is not valid, cannot be read, or has a different hash."
)]
pub(super) struct Args {
    /// Module zips and go.mod files; folders (a module cache, any tree of `@v/VERSION.zip` and `.mod`, or a
    /// folder of zips); `-` for standard input.
    #[arg(required = true, value_name = "FILE|FOLDER|-")]
    files: Vec<PathBuf>,
    /// Compare with this go.sum.
    #[arg(long, value_name = "GO.SUM")]
    sum: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let sums = args.sum.as_deref().map(read_sums).transpose()?;
    let mut report = Report::new(sums);
    let mut files = Vec::new();
    for argument in &args.files {
        match inputs::expand(argument) {
            Ok(found) => files.extend(found),
            Err(error) => report.failed(&text::name(argument), &error),
        }
    }
    let bar = progress(&files);
    for input in &files {
        bar.set_message(input.label());
        let hashed = hash(input, |bytes| bar.inc(bytes));
        bar.suspend(|| report.add(input, hashed))?;
    }
    bar.finish_and_clear();
    report.finish()
}

fn read_sums(file: &Path) -> Result<GoSum, String> {
    let (name, text) = text::read(file)?;
    GoSum::parse(&text).map_err(|error| format!("{name}, {error}"))
}

/// Bytes of all files; nothing for one file.
fn progress(files: &[Input]) -> ProgressBar {
    if files.len() < 2 {
        return ProgressBar::hidden();
    }
    progress::bytes(Some(files.iter().map(Input::size).sum()))
}
