//! `modgate replay`: what other rules would have done to the requests of a log. Every decision is the
//! engine's.

mod evaluation;
mod line_request;
mod print;
mod report;
mod tally;

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use modgate_policy::document::{ByDoc, StageDoc, parse_duration};
use modgate_policy::model::{Policy, RolloutSide};
use modgate_policy::tools::PolicySource;

use super::policy_file::load::the_policy;
use super::policy_file::log::each_line;
use super::{out, progress};
use evaluation::{Reader, Sides};
use report::Report;
use tally::Tally;

/// The arguments of `modgate replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A log may have access log lines (JSON), `tenant path` lines, or lines of another proxy's access log (nginx, Apache, Envoy, Istio, Athens and others: any line with a module path), plain, as wrapped by Docker, containerd or kubectl, or compressed with gzip; JSON may span lines. Lines that cannot be read are counted and shown.\n\
    Without --candidate, the active rules are compared with the candidates of the policy's rollouts.\n\
    Exit status 1: a policy has errors, a log cannot be read or has no request to evaluate; with --fail-on-newly-denied also, a request that is allowed now would be refused."
)]
pub(super) struct Args {
    /// The logs; `-` for standard input.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// The policy: a file as for `modgate check`; `-` for standard input.
    #[arg(long, value_name = "POLICY", default_value = "policy.json")]
    policy: PathBuf,
    /// The policy to compare it with.
    #[arg(long, value_name = "POLICY")]
    candidate: Option<PathBuf>,
    /// The tenant for requests in another proxy's log whose paths name none.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The age to assume for every version, such as `3d` [default: old enough for every rule].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    age: Option<Duration>,
    /// How many changes to show, those with the most requests first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Exit with status 1 if the candidate refuses a request that the policy allows.
    #[arg(long)]
    fail_on_newly_denied: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A policy on one side of the comparison.
#[derive(Debug)]
struct Compared {
    policy: Policy,
    /// Whether a path can name the tenant.
    has_prefix: bool,
    /// What people read of it.
    name: report::Name,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let stdin = Path::new("-");
    let inputs = args.logs.iter().chain([&args.policy]);
    let from_stdin = inputs.chain(&args.candidate).filter(|path| *path == stdin);
    if from_stdin.count() > 1 {
        return Err("standard input can be one of the logs or policies, not several".into());
    }
    let (policy, candidate) = compared(args)?;
    let logs: Vec<_> = args
        .logs
        .iter()
        .map(|log| Log::open(log))
        .collect::<Result<_, _>>()?;
    let sides = Sides::new(&policy, &candidate, args.age, args.tenant.as_deref());
    let mut reader = Reader::new(sides);
    let mut tally = Tally::default();
    let size = logs.iter().map(|log| log.size).sum();
    let bar = progress::bytes(size);
    for log in logs {
        bar.set_message(log.name.clone());
        let lines = each_line(bar.wrap_read(log.input), |number, line| {
            tally.add(&log.name, number, line, &mut reader);
        });
        lines.map_err(|error| format!("{}: {error}", log.name))?;
    }
    bar.finish_and_clear();
    let names = (policy.name.clone(), candidate.name.clone());
    let report = Report::new(names, args.age, &tally, &reader, args.top);
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        print::text(&report)
    };
    out::print(&text)?;
    if report.evaluated == 0 {
        return Err("no line is a module request: nothing was evaluated".into());
    }
    if args.fail_on_newly_denied && report.newly_denied > 0 {
        let denied = report.newly_denied;
        let evaluated = report.evaluated;
        return Err(format!("{denied} of {evaluated} requests are newly denied").into());
    }
    Ok(())
}

/// The two policies: two documents, or the two sides of one.
fn compared(args: &Args) -> Result<(Compared, Compared), String> {
    let named = |path: &Path, policy_source: &PolicySource, side| report::Name {
        file: path.display().to_string(),
        version: policy_source.policy.version().to_owned(),
        hash: policy_source.policy.hash().to_owned(),
        side,
        canaries_by_client: match side {
            Some(_) => Vec::new(),
            None => canaries_by_client(policy_source),
        },
    };
    let has_prefix = |policy_source: &PolicySource| {
        let mut sources = policy_source.document.identity.iter();
        sources.any(|source| source.path_prefix.is_some())
    };
    let policy_source = the_policy(&args.policy).map_err(|error| of(&args.policy, error))?;
    if let Some(path) = &args.candidate {
        let other = the_policy(path).map_err(|error| of(path, error))?;
        let whole = |path: &Path, policy_source: PolicySource| Compared {
            has_prefix: has_prefix(&policy_source),
            name: named(path, &policy_source, None),
            policy: policy_source.policy,
        };
        return Ok((whole(&args.policy, policy_source), whole(path, other)));
    }
    if !policy_source
        .document
        .tenants
        .values()
        .any(|t| t.rollout.is_some())
    {
        return Err(format!(
            "no tenant of {} has a rollout, so there is nothing to compare: use --candidate",
            args.policy.display()
        ));
    }
    let one = |side, name| {
        let policy = policy_source.of_side(side).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok::<_, String>(Compared {
            policy,
            has_prefix: has_prefix(&policy_source),
            name: named(&args.policy, &policy_source, Some(name)),
        })
    };
    Ok((
        one(RolloutSide::Active, "rules")?,
        one(RolloutSide::Candidate, "rollout.candidate")?,
    ))
}

fn canaries_by_client(policy_source: &PolicySource) -> Vec<String> {
    let tenants = policy_source.document.tenants.iter().filter(|(_, tenant)| {
        let rollout = tenant.rollout.as_ref();
        rollout.is_some_and(|rollout| {
            rollout.stage == StageDoc::Canary && rollout.by == Some(ByDoc::Client)
        })
    });
    tenants.map(|(name, _)| name.clone()).collect()
}

/// An error of one of two policies.
fn of(path: &Path, error: String) -> String {
    format!("{}: {error}", path.display())
}

/// A log, opened.
struct Log {
    name: String,
    input: Box<dyn Read>,
    /// In bytes, where that is known.
    size: Option<u64>,
}

impl Log {
    fn open(path: &Path) -> Result<Self, String> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "standard input".to_owned(),
                input: Box::new(std::io::stdin().lock()),
                size: None,
            });
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
        let meta = file.metadata().ok().filter(std::fs::Metadata::is_file);
        Ok(Self {
            name,
            input: Box::new(file),
            size: meta.map(|meta| meta.len()),
        })
    }
}
