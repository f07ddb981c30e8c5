//! `modgate test`: what a policy expects of itself, asked of the engine.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use modgate_engine::decision::evaluate_as_tenant;
use modgate_go::gomod::escape_into;
use modgate_policy::compile::expected;
use modgate_policy::document::{OperationDoc, TestDoc};
use modgate_policy::model::Age;
use modgate_policy::tools::PolicySource;
use serde::Serialize;

use super::out;
use super::policy_file::load::the_policy;
use super::policy_file::request::{Explained, get, path};

/// The arguments of `modgate test`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status 1: a test fails, there are no tests, or the policy has errors."
)]
pub(super) struct Args {
    /// The policy with `tests`: a file as for `modgate check`; `-` for standard input.
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What came of a test.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Its place in the document.
    path: String,
    name: String,
    passed: bool,
    /// What was expected and did not come.
    failures: Vec<String>,
    explained: Explained,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let policy_source = the_policy(&args.policy)?;
    let tests = policy_source.document.tests.iter().enumerate();
    let outcomes: Vec<Outcome> = tests
        .map(|(i, test)| ask(&policy_source, i, test))
        .collect::<Result<_, _>>()?;
    if outcomes.is_empty() {
        return Err("the policy has no tests".into());
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let mut out = out::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&outcomes)?)?;
    } else {
        for outcome in outcomes.iter().filter(|outcome| !outcome.passed) {
            writeln!(out, "{} {}", outcome.path, outcome.name)?;
            for failure in &outcome.failures {
                writeln!(out, "  {failure}")?;
            }
        }
        writeln!(out, "{} passed, {failed} failed", outcomes.len() - failed)?;
    }
    if failed > 0 {
        return Err(format!("{failed} of {} tests failed", outcomes.len()).into());
    }
    Ok(())
}

fn ask(policy_source: &PolicySource, place: usize, test: &TestDoc) -> Result<Outcome, String> {
    let tenant = policy_source.policy.tenant(Some(&test.tenant));
    let tenant = tenant.ok_or_else(|| format!("no tenant is named {:?}", &*test.tenant))?;
    let requested = requested(test);
    // As old as can be, unless the test says otherwise.
    let age = Age::Known(test.age().unwrap_or(Duration::MAX));
    let decision = evaluate_as_tenant(&policy_source.policy, &get(&requested), tenant, age);
    let explained = Explained::of(&decision, &requested);
    let by = explained.rule.as_deref().unwrap_or("nothing");
    let mut failures = Vec::new();
    let expected = expected(test.expect).as_str();
    if explained.decision != expected {
        failures.push(format!(
            "expected {expected}, got {} by {by}",
            explained.decision
        ));
    }
    if let Some(rule) = &test.rule {
        let is_it = by == &**rule || by.rsplit('/').next() == Some(&**rule);
        if !is_it {
            failures.push(format!("expected the rule {}, got {by}", &**rule));
        }
    }
    if let Some(backend) = &test.backend {
        let came = explained.backend.as_deref().unwrap_or("none");
        if came != &**backend {
            failures.push(format!("expected the backend {}, got {came}", &**backend));
        }
    }
    let name = test
        .name
        .as_ref()
        .map_or_else(|| described(test), ToString::to_string);
    Ok(Outcome {
        path: format!("$.tests[{place}]"),
        name,
        passed: failures.is_empty(),
        failures,
        explained,
    })
}

fn requested(test: &TestDoc) -> String {
    let of_version = |extension: &str| {
        let mut file = "@v/".to_owned();
        escape_into(test.version.as_deref().unwrap_or_default(), &mut file);
        path(&test.module, &format!("{file}.{extension}"))
    };
    match (test.operation, &test.version) {
        (Some(OperationDoc::Latest), _) => path(&test.module, "@latest"),
        (Some(OperationDoc::List), _) | (None, None) => path(&test.module, "@v/list"),
        (Some(OperationDoc::Info), _) => of_version("info"),
        (Some(OperationDoc::Mod), _) => of_version("mod"),
        (Some(OperationDoc::Zip), _) | (None, Some(_)) => of_version("zip"),
    }
}

fn described(test: &TestDoc) -> String {
    let version = test.version.as_ref().map(|version| format!("@{version}"));
    format!(
        "{}: {}{}",
        &*test.tenant,
        &*test.module,
        version.unwrap_or_default()
    )
}
