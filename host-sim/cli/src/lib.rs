//! The command `modgate`: one file for each of its commands.
//!
//! Layers, lowest first: out, completions, stop, table, progress, clusters, export, filter, module, policy_file,
//! metrics, pins, explain, check, h1, policy, replay, serve, envoy_routes, deploy, sim, split, test, warm, demo.

mod check;
pub mod clusters;
mod completions;
mod demo;
mod deploy;
mod envoy_routes;
mod explain;
pub mod export;
pub mod filter;
mod h1;
mod metrics;
mod module;
mod out;
mod pins;
mod policy;
mod policy_file;
mod progress;
mod replay;
mod serve;
mod sim;
mod split;
mod stop;
mod table;
mod test;
mod warm;

use std::error::Error;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Policy, routing and integrity for Go module proxies: an Envoy filter and its tools.
#[derive(Debug, Parser)]
#[command(name = "modgate", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the filter at work: two small Go proxies, the filter in front of them, real go commands.
    Demo(demo::Args),
    /// Run the filter as a reverse proxy in front of real backends.
    Serve(serve::Args),
    /// Validate a policy: report every error, and where it is.
    Check(check::Args),
    /// Explain what a policy decides for a module, by tenant, and why.
    Explain(explain::Args),
    /// Run the tests that are part of a policy.
    Test(test::Args),
    /// Show what another policy, or a rollout's candidate, would have decided for the requests in a log.
    Replay(replay::Args),
    /// Show which split variants a policy assigns to a list of clients.
    Split(split::Args),
    /// Build a policy from parts, or compare two policies.
    Policy(policy::Args),
    /// Hash module zips and go.mod files as go.sum does, and compare.
    H1(h1::Args),
    /// Turn go.sum files into pins of a policy.
    Pins(pins::Args),
    /// Prefetch the modules of a build into a proxy.
    Warm(warm::Args),
    /// Print Envoy's routes and clusters for a policy.
    EnvoyRoutes(envoy_routes::Args),
    /// Write what Istio, Envoy Gateway or Envoy needs for a policy, as files.
    Deploy(deploy::Args),
    /// Run scenarios of a filter in virtual time, and report what differs from the expected.
    Sim(sim::Args),
    /// Print the metrics: their configuration for Envoy or Istio, or their reference.
    Metrics(metrics::Args),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
    /// Write the manual pages.
    Man(completions::ManArgs),
}

/// Runs the command that the process was started with. Wrong usage ends the process with status 2,
/// as `--help` ends it with 0; what fails gives status 1 and one sentence on standard error; a reader that
/// goes away gives 141, without a word.
pub fn run() -> ExitCode {
    let done = |outcome: Result<(), Box<dyn Error>>| outcome.map(|()| ExitCode::SUCCESS);
    let outcome = match Cli::parse().command {
        Command::Demo(args) => done(demo::run(args)),
        Command::Serve(args) => done(serve::run(args)),
        Command::Check(args) => done(check::run(&args)),
        Command::Explain(args) => done(explain::run(&args)),
        Command::Test(args) => done(test::run(&args)),
        Command::Replay(args) => done(replay::run(&args)),
        Command::Split(args) => done(split::run(&args)),
        Command::Policy(args) => policy::run(&args),
        Command::H1(args) => done(h1::run(&args)),
        Command::Pins(args) => done(pins::run(&args)),
        Command::Warm(args) => done(warm::run(&args)),
        Command::EnvoyRoutes(args) => done(envoy_routes::run(&args)),
        Command::Deploy(args) => done(deploy::run(&args)),
        Command::Sim(args) => sim::run(&args),
        Command::Metrics(args) => done(metrics::run(&args)),
        Command::Completions(args) => done(completions::completions(&args, Cli::command())),
        Command::Man(args) => done(completions::man(&args, Cli::command())),
    };
    match outcome {
        Ok(status) => status,
        Err(error) if out::is_reader_gone(&*error) => ExitCode::from(out::READER_GONE),
        Err(error) => {
            out::note(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, CommandFactory as _};

    #[test]
    fn the_commands_are_well_formed() {
        super::Cli::command().debug_assert();
    }

    /// That clap checks at all: built without its assertions it takes any command for well formed.
    #[test]
    #[should_panic(expected = "Short option names must be unique")]
    fn two_options_of_one_letter_are_refused() {
        let again = [Arg::new("one").short('x'), Arg::new("two").short('x')];
        super::Cli::command()
            .mut_subcommand("check", |check| check.args(again))
            .debug_assert();
    }
}
