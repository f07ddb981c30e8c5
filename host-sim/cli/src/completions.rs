//! `modgate completions` and `modgate man`: what a package of the command brings along.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use crate::out;

/// The arguments of `modgate completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// The arguments of `modgate man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder for the pages, created if it is missing: one page for the command and one for each
    /// subcommand.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Prints what a shell reads to complete arguments.
///
/// # Errors
/// Standard output that cannot be written.
pub(super) fn completions(
    args: &CompletionsArgs,
    mut command: Command,
) -> Result<(), Box<dyn Error>> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "modgate", &mut script);
    Ok(out::print(&String::from_utf8(script)?)?)
}

/// Writes the pages of the manual.
///
/// # Errors
/// A folder or page that cannot be written, with its path.
pub(super) fn man(args: &ManArgs, command: Command) -> Result<(), Box<dyn Error>> {
    let failed = |error: std::io::Error| format!("{}: {error}", args.out.display());
    fs::create_dir_all(&args.out).map_err(failed)?;
    clap_mangen::generate_to(command, &args.out).map_err(failed)?;
    Ok(())
}
