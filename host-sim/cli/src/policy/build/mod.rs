//! `modgate policy build`: a base document and a file of each team, joined into one policy.

mod base;
mod folder;
mod join;
mod namespace;
mod shape;
mod team;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

use modgate_policy::tools::PolicySource;

use crate::out::{count, note, print};
use crate::policy_file::load::Finding;

/// The arguments of `modgate policy build`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "DIR has base.json (or .yaml), a policy with the additional key `teams`, and for each team a file teams/NAME.json (or .yaml) with its `tenants`, `rules` and `tests`.\n\
    The policy is printed as JSON with sorted keys, identical for identical files. If there is an error, nothing is written.\n\
    Exit status 1: a file or the resulting policy has errors."
)]
pub(super) struct Args {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the policy to this file (atomically, by a rename) instead of printing it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The policy's version, instead of the one in the base document.
    #[arg(long, value_name = "VERSION")]
    set_version: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let parts = folder::read(&args.folder);
    if let (Ok(parts), Some(file)) = (&parts, &args.output)
        && parts.have(file)
    {
        return Err(format!("{} is one of the parts", file.display()).into());
    }
    let built = parts.and_then(|parts| join::join(&parts, args.set_version.as_deref()));
    let built = built.map_err(|mut findings| {
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let errors = count(lines.len(), "error");
        format!("no policy was built, {errors}\n{}", lines.join("\n"))
    })?;
    for warning in &built.warnings {
        note(format_args!("warning: {warning}"));
    }
    match &args.output {
        Some(file) => {
            write(file, &built.text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        None => print(&built.text)?,
    }
    note(summary(&built.policy_source));
    Ok(())
}

fn order(finding: &Finding) -> (&str, Option<usize>, Option<usize>) {
    (&finding.file, finding.line, finding.column)
}

fn summary(policy_source: &PolicySource) -> String {
    let rules = policy_source
        .document
        .rules
        .values()
        .map(Vec::len)
        .sum::<usize>();
    format!(
        "version {}, hash {}: {}, {}, {}",
        policy_source.policy.version(),
        policy_source.policy.hash(),
        count(policy_source.document.tenants.len(), "tenant"),
        count(rules, "rule"),
        count(policy_source.document.routes.len(), "route"),
    )
}

/// Whoever watches the file sees it whole, or the one before.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file, by the umask.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut new = builder.tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}
