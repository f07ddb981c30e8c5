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

use super::desk::text;
use super::progress;

/// The arguments of `modgate h1`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A hash is printed as its line of go.sum; where a go.mod's module is not known, as the hash and the file.\n\
    Beside VERSION.zip in a module cache VERSION.ziphash is compared as well.\n\
    Status 1: a file is refused, cannot be read, or has another hash."
)]
pub(super) struct Args {
    /// Module zips and go.mod files; folders (a module cache, or any tree of `@v/VERSION.zip` and
    /// `.mod`, and the zips directly in them); `-` for standard input.
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
            Err(error) => report.failed(&argument.display().to_string(), &error),
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
