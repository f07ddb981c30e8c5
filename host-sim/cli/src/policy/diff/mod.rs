//! `modgate policy diff`: what changes from one policy to another, for whom, and with what effect.

mod chain;
mod changes;
mod groups;
mod print;
mod probe;
mod verdicts;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use modgate_policy::tools::PolicySource;
use serde::Serialize;
use serde_json::Value;

use crate::out;
use crate::policy_file::load::load_one;
use changes::Change;
use groups::Group;

/// The arguments of `modgate policy diff`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status 0: the policies are the same. 1: they differ. 2: one cannot be read, or has errors."
)]
pub(super) struct Args {
    /// The old policy: a file as for `modgate check`; `-` for standard input.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The new policy.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A policy, and its document.
#[derive(Debug)]
struct Side {
    policy_source: PolicySource,
    /// As it was written, without what makes no difference.
    document: Value,
}

/// The report.
#[derive(Debug, Serialize)]
struct Difference {
    equal: bool,
    old: Name,
    new: Name,
    /// What does not belong to one tenant.
    everybody: Vec<Change>,
    /// What changes for tenants; those of whom the same is to be told together.
    tenants: Vec<Group>,
    /// How many regular expressions are in rules that were evaluated: what they match is not reported.
    expressions: usize,
}

#[derive(Debug, Serialize)]
struct Name {
    file: String,
    version: String,
    hash: String,
}

/// # Errors
/// A reader that has gone away. All else that fails is a status of its own.
pub(super) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    match print_difference(args) {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(1)),
        Err(error) if out::is_reader_gone(&*error) => Err(error),
        Err(error) => {
            out::note(format_args!("error: {error}"));
            Ok(ExitCode::from(2))
        }
    }
}

/// Prints the difference; whether there is none.
fn print_difference(args: &Args) -> Result<bool, Box<dyn Error>> {
    let difference = difference(args)?;
    let text = if args.json {
        serde_json::to_string_pretty(&difference)? + "\n"
    } else {
        print::text(&difference)
    };
    out::print(&text)?;
    Ok(difference.equal)
}

fn difference(args: &Args) -> Result<Difference, String> {
    if [&args.old, &args.new]
        .iter()
        .all(|path| **path == *Path::new("-"))
    {
        return Err("standard input can be one of the policies, not both".to_owned());
    }
    let (old, new) = (Side::load(&args.old)?, Side::load(&args.new)?);
    let name = |path: &Path, side: &Side| Name {
        file: path.display().to_string(),
        version: side.policy_source.policy.version().to_owned(),
        hash: side.policy_source.policy.hash().to_owned(),
    };
    let (tenants, expressions) = groups::of(&old, &new);
    Ok(Difference {
        equal: old.document == new.document,
        old: name(&args.old, &old),
        new: name(&args.new, &new),
        everybody: changes::of_everybody(&old.document, &new.document),
        tenants,
        expressions,
    })
}

impl Side {
    fn load(path: &Path) -> Result<Self, String> {
        let loaded = load_one(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (policy_source, document) = loaded;
        Ok(Self {
            policy_source,
            document: plain(document),
        })
    }
}

/// Without nulls, and with one way to write a number.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(key, value)| (key, plain(value))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(plain).collect()),
        // Every number of a document is a double.
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}
