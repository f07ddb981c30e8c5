//! `modgate policy`: policies in parts, and what a change of one means.

mod build;
mod diff;

use std::error::Error;
use std::process::ExitCode;

/// The arguments of `modgate policy`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build one policy from a base document and one file per team.
    Build(build::Args),
    /// Show what changes from one policy to another, and for whom.
    Diff(diff::Args),
}

/// # Errors
/// One sentence: what failed. That two policies differ is a status, and no error.
pub(super) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    match &args.command {
        Command::Build(args) => build::run(args).map(|()| ExitCode::SUCCESS),
        Command::Diff(args) => diff::run(args),
    }
}
