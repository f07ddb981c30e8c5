//! `modgate check`: everything that is wrong with a policy, before anybody else reads it, and with the
//! configuration of an Envoy that is to carry it.

mod clusters;
mod envoy;
mod modules;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use modgate_policy::document::{PolicyError, schema};

use super::out::{self, count, print};
use super::policy_file::load::Finding;
use super::policy_file::{Loaded, load};

/// The arguments of `modgate check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A policy may be JSON or YAML, by itself or inside a ConfigMap, a WasmPlugin, a TrafficExtension, an EnvoyExtensionPolicy, an EnvoyFilter or an Envoy configuration. Of a Helm chart, give the output of `helm template`, not the template.\n\
    Exit status 1: a policy or Envoy configuration has errors, or a file has no policy."
)]
pub(super) struct Args {
    /// Files with policies; `-` for standard input. Without any, the policies in the files of --envoy.
    #[arg(required_unless_present_any = ["schema", "envoy"], value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// Print the JSON Schema of a policy and exit.
    #[arg(long, exclusive = true)]
    schema: bool,
    /// Warn about patterns that match no module in this go.sum.
    #[arg(long, value_name = "GO.SUM")]
    go_sum: Vec<PathBuf>,
    /// Warn about patterns that match no module in this log: access log lines (JSON), or `tenant path`.
    #[arg(long, value_name = "LOG")]
    log: Vec<PathBuf>,
    /// Check this Envoy configuration too, and report clusters that it lacks: a bootstrap, the filter's own
    /// file, a file of listeners, routes or clusters, or the output of `/config_dump`. Several files are
    /// checked together.
    #[arg(long, value_name = "ENVOY.YAML")]
    envoy: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is reported for one policy, or of one of Envoy's files.
#[derive(Debug, serde::Serialize)]
struct Said {
    file: String,
    /// Where in the file the policy stands; what is said of Envoy's own.
    place: Option<String>,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    version: Option<String>,
    hash: Option<String>,
    tenants: usize,
    rules: usize,
    routes: usize,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    if args.schema {
        let text = serde_json::to_string_pretty(&schema::of_document())?;
        return Ok(print(&(text + "\n"))?);
    }
    let known = modules::read(&args.go_sum, &args.log)?;
    let envoy = envoy::Configuration::read(&args.envoy)?;
    let clusters = envoy.clusters().map(clusters::Known::new);
    let policies: Vec<Loaded> = match args.policies.is_empty() {
        false => args.policies.iter().flat_map(|path| load(path)).collect(),
        true => {
            let all = args.envoy.iter().flat_map(|path| load(path));
            all.filter(|loaded| loaded.place.is_some()).collect()
        }
    };
    let policy_sources = policies
        .iter()
        .filter_map(|loaded| loaded.policy_source.as_ref().ok());
    let reports = envoy.check(policy_sources).into_iter().map(of_envoy);
    let said: Vec<Said> = policies
        .iter()
        .map(|loaded| say(loaded, known.as_ref(), clusters.as_ref()))
        .chain(reports)
        .collect();
    let refused = said.iter().filter(|said| !said.errors.is_empty()).count();
    let mut out = out::stdout();
    if args.json {
        let text = serde_json::to_string_pretty(&said)?;
        writeln!(out, "{text}")?;
    } else {
        said.iter()
            .try_for_each(|said| print_said(said, &mut out))?;
    }
    if refused > 0 {
        return Err(format!("{refused} of {} refused", said.len()).into());
    }
    Ok(())
}

/// Where what is said of Envoy's own configuration stands.
const ENVOYS: &str = "Envoy's configuration";

fn of_envoy(report: envoy::Report) -> Said {
    Said {
        file: report.file,
        place: Some(ENVOYS.to_owned()),
        errors: report.errors,
        warnings: report.warnings,
        version: None,
        hash: None,
        tenants: 0,
        rules: 0,
        routes: 0,
    }
}

fn say(
    loaded: &Loaded,
    known: Option<&std::collections::BTreeSet<String>>,
    clusters: Option<&clusters::Known>,
) -> Said {
    let mut said = Said {
        file: loaded.file.clone(),
        place: loaded.place.clone(),
        errors: Vec::new(),
        warnings: Vec::new(),
        version: None,
        hash: None,
        tenants: 0,
        rules: 0,
        routes: 0,
    };
    match &loaded.policy_source {
        Err(errors) => said.errors.clone_from(errors),
        Ok(policy_source) => {
            let missing =
                clusters.map_or_else(Vec::new, |clusters| clusters.missing(policy_source));
            said.errors = missing.into_iter().map(|e| loaded.place(e)).collect();
            let mut warnings: Vec<PolicyError> = policy_source.warnings();
            warnings.extend(
                known
                    .into_iter()
                    .flat_map(|known| policy_source.idle_patterns(known)),
            );
            said.warnings = warnings.into_iter().map(|w| loaded.place(w)).collect();
            said.warnings.extend(loaded.warnings.iter().cloned());
            said.warnings
                .sort_by_key(|warning| (warning.line, warning.column));
            said.version = Some(policy_source.policy.version().to_owned());
            said.hash = Some(policy_source.policy.hash().to_owned());
            said.tenants = policy_source.document.tenants.len();
            said.rules = policy_source.document.rules.values().map(Vec::len).sum();
            said.routes = policy_source.document.routes.len();
        }
    }
    said
}

fn print_said(said: &Said, out: &mut impl Write) -> std::io::Result<()> {
    let bold = |color: AnsiColor| Style::new().bold().fg_color(Some(color.into()));
    let (red, yellow) = (bold(AnsiColor::Red), bold(AnsiColor::Yellow));
    for error in &said.errors {
        writeln!(out, "{red}error{red:#}: {error}")?;
    }
    for warning in &said.warnings {
        writeln!(out, "{yellow}warning{yellow:#}: {warning}")?;
    }
    let place = said.place.as_ref().map(|place| format!(", {place}"));
    let place = place.unwrap_or_default();
    write!(out, "{}{place}: ", said.file)?;
    let warnings = said.warnings.len();
    match (&said.version, &said.hash) {
        (Some(version), Some(hash)) if said.errors.is_empty() => writeln!(
            out,
            "ok, version {version}, hash {hash}: {}, {}, {}; {}",
            count(said.tenants, "tenant"),
            count(said.rules, "rule"),
            count(said.routes, "route"),
            count(warnings, "warning"),
        ),
        _ if said.errors.is_empty() => writeln!(out, "ok; {}", count(warnings, "warning")),
        _ => writeln!(out, "refused, {}", count(said.errors.len(), "error")),
    }
}
