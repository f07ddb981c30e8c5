//! `modgate envoy-routes`: what of Envoy's configuration hangs on a policy.

use std::error::Error;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::desk::load::the_policy;
use super::out::print;
use super::serve::secret;
use crate::clusters;
use crate::export::EnvoyRoutes;

/// The arguments of `modgate envoy-routes`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Envoy's routes depend on a policy only where backends stand in for each other (`on_failure`) or get headers. The shipped envoy.yaml has what all others need."
)]
pub(super) struct Args {
    /// The policy: a file as for `modgate check`; `-` for standard input.
    #[arg(value_name = "POLICY", default_value = "policy.json")]
    policy: PathBuf,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Bootstrap)]
    format: Format,
    /// A secret that the policy names, and the file in which Envoy finds the header's whole value.
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = secret)]
    secrets: Vec<(String, PathBuf)>,
    /// Leave out the clusters' own retries, which older Envoys refuse. The filter's own questions then
    /// go to no other backend.
    #[arg(long)]
    no_callout_retries: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Pieces for a bootstrap: `route_config`, `clusters`, `cluster_options`, `secrets`.
    Bootstrap,
    /// A file of routes, as `rds` reads it from a path.
    Rds,
    /// A file of clusters, as `cds_config` reads it from a path.
    Cds,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let desk = the_policy(&args.policy)?;
    let secrets = args.secrets.iter().cloned().collect();
    let clusters = clusters::of(&desk.policy);
    let routes = EnvoyRoutes::new(clusters, secrets, !args.no_callout_retries);
    let (value, is_for_clusters) = match args.format {
        Format::Bootstrap => (bootstrap(&routes), true),
        Format::Rds => (
            resources(
                "config.route.v3.RouteConfiguration",
                vec![routes.route_config()],
            ),
            false,
        ),
        Format::Cds => (
            resources("config.cluster.v3.Cluster", routes.clusters()),
            true,
        ),
    };
    let mut text = format!(
        "# For the policy {}, {}. Made by `modgate envoy-routes`.\n",
        desk.policy.version(),
        desk.policy.hash()
    );
    for hint in routes.hints().iter().filter(|_| is_for_clusters) {
        text.push_str(&format!("# {hint}\n"));
    }
    text.push_str(&serde_norway::to_string(&value)?);
    Ok(print(&text)?)
}

/// What belongs into a bootstrap, without what there is nothing of.
fn bootstrap(routes: &EnvoyRoutes) -> Value {
    let mut all = Map::new();
    all.insert("route_config".to_owned(), routes.route_config());
    for (key, value) in [
        ("clusters", routes.clusters()),
        ("secrets", routes.secrets()),
    ] {
        if !value.is_empty() {
            all.insert(key.to_owned(), value.into());
        }
    }
    let options = routes.cluster_options();
    if !options.is_empty() {
        all.insert("cluster_options".to_owned(), options.into());
    }
    all.into()
}

/// A discovery response, as Envoy reads it from a file.
fn resources(kind: &str, resources: Vec<Value>) -> Value {
    let typed = resources.into_iter().map(|mut resource| {
        resource["@type"] = format!("type.googleapis.com/envoy.{kind}").into();
        resource
    });
    json!({"resources": typed.collect::<Vec<_>>()})
}
