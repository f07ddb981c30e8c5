//! `modgate pins`: hashes for a policy.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use modgate_go::gomod::{GoSum, GoSumLine};
use modgate_policy::pattern::{Meaning, PatternSet, PatternSetBuilder};

use super::out::print;
use super::policy_file::text;

/// The arguments of `modgate pins`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the lines of go.sum files as the policy's `integrity.pins`: a JSON list, sorted.
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The go.sum files; `-` for standard input.
    #[arg(value_name = "GO.SUM", required = true)]
    files: Vec<PathBuf>,
    /// Only modules that match these patterns, as in `GOPRIVATE`: `corp.example,github.com/corp`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    modules: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let Command::Import(import) = &args.command;
    let wanted = patterns(&import.modules)?;
    // By the line without its hash: the hash, and the file that has it.
    let mut pins: BTreeMap<String, (GoSumLine, &Path)> = BTreeMap::new();
    for file in &import.files {
        for line in read(file)?.lines() {
            let is_wanted = |set: &PatternSet| set.first_match(line.module.path()).is_some();
            if !wanted.as_ref().is_none_or(is_wanted) {
                continue;
            }
            let text = line.to_string();
            let name = text.rsplit_once(' ').map_or(&*text, |(name, _)| name);
            let known = pins.entry(name.to_owned()).or_insert((line.clone(), file));
            if known.0.h1 != line.h1 {
                return Err(format!(
                    "{name}: {} has {}, and {} has {}",
                    known.1.display(),
                    known.0.h1,
                    file.display(),
                    line.h1
                )
                .into());
            }
        }
    }
    if pins.is_empty() {
        return Err("no line has one of the requested modules".into());
    }
    let lines: Vec<String> = pins.values().map(|(line, _)| line.to_string()).collect();
    let text = serde_json::to_string_pretty(&lines)?;
    Ok(print(&(text + "\n"))?)
}

fn patterns(all: &[String]) -> Result<Option<PatternSet>, String> {
    if all.is_empty() {
        return Ok(None);
    }
    let mut builder = PatternSetBuilder::default();
    for pattern in all {
        builder
            .add(pattern, 0, Meaning::default())
            .map_err(|message| format!("the pattern {pattern:?}: {message}"))?;
    }
    Ok(Some(builder.build()))
}

fn read(file: &Path) -> Result<GoSum, String> {
    let (name, text) = text::read(file)?;
    GoSum::parse(&text).map_err(|error| format!("{name}: {error}"))
}
