//! `modgate deploy`: everything that a control plane, or Envoy itself, needs for a policy.

mod address;
mod alerts;
mod envoy;
mod envoy_arguments;
mod envoy_gateway;
mod files;
mod istio;
mod istio_arguments;
mod kubernetes;
mod limits;
mod mesh_arguments;
mod module_source;
mod plan;
mod route_keys;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use modgate_policy::document::PolicyError;

use self::address::{Address, Addresses};
use self::envoy_arguments::EnvoyArgs;
use self::envoy_gateway::EnvoyGateway;
use self::files::Files;
use self::istio_arguments::IstioArgs;
use self::mesh_arguments::MeshArgs;
use self::module_source::ModuleSource;
use self::plan::Plan;
use self::route_keys::RouteKeys;
use super::out::{note, print};
use super::policy_file::load;

/// The arguments of `modgate deploy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The same policy, arguments and route keys give the same bytes. Without --out the objects go to standard output, as `kubectl apply -f -` reads them.\n\
    Exit status 1: the policy has errors, or something that cannot hold there."
)]
pub(super) struct Args {
    /// The policy: a file as for `modgate check`; `-` for standard input.
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// What is to carry it.
    #[arg(long, value_enum)]
    target: Target,
    /// The folder to write to; it is made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where a cluster of the policy is: http://HOST[:PORT] or https://HOST[:PORT].
    #[arg(long = "cluster", value_name = "NAME=URL", value_parser = address::parse)]
    clusters: Vec<(String, Address)>,
    /// The filter: oci://REGISTRY/NAME@sha256:DIGEST, or a URL with --sha256; for Envoy its file
    /// [default there: ./modgate.wasm].
    #[arg(long, value_name = "URL|FILE")]
    module: Option<String>,
    /// The SHA-256 of the module at a URL, in hexadecimal.
    #[arg(long, value_name = "HEX", requires = "module")]
    sha256: Option<String>,
    /// The name of what is written [default: modgate].
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// The file with the keys by which routes know the filter; it is made where it is not there
    /// [default: route-keys in --out].
    #[arg(long, value_name = "FILE")]
    route_keys: Option<PathBuf>,
    /// Use the next key. No request fails while the objects change.
    #[arg(long)]
    rotate_key: bool,
    /// The port at which the gateway, or Envoy, listens [default: 80, with --tls-secret 443; Envoy's 8080].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    listen: Option<u16>,
    #[command(flatten)]
    mesh: MeshArgs,
    #[command(flatten)]
    istio: IstioArgs,
    /// The GatewayClass of the Gateway that is written [default: eg].
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Envoy Gateway", conflicts_with = "gateway")]
    gateway_class: Option<String>,
    #[command(flatten)]
    envoy: EnvoyArgs,
}

/// The GatewayClass that Envoy Gateway's own guide makes.
const GATEWAY_CLASS: &str = "eg";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    /// Istio: a gateway, or the sidecar of the Go proxy's pods.
    Istio,
    /// Envoy Gateway: the filter on the routes of a Gateway.
    EnvoyGateway,
    /// Envoy by itself: a bootstrap, and the file of the filter with its policy.
    Envoy,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let addresses = addresses(&args.clusters)?;
    let mut loaded = load(&args.policy);
    let Some(loaded) = loaded.pop().filter(|_| loaded.is_empty()) else {
        return Err(format!(
            "{}: it contains several policies; give only one",
            args.policy.display()
        )
        .into());
    };
    let plan = Plan::of(loaded, addresses)?;
    let files = match args.target {
        Target::Istio => args.for_istio(&plan)?,
        Target::EnvoyGateway => args.for_envoy_gateway(&plan)?,
        Target::Envoy => args.for_envoy(&plan)?,
    };
    write(&files, args.out.as_deref())
}

impl Args {
    fn for_istio(&self, plan: &Plan) -> Result<Files, String> {
        self.only_for(&[
            ("envoy-gateway", self.gateway_class.is_some()),
            ("envoy", self.envoy.is_given()),
        ])?;
        let names = self.mesh.names(self.name())?;
        let istio = self
            .istio
            .istio(names, &self.mesh, self.listen, self.module()?)?;
        self.with_keys(plan, |keys| istio.files(plan, keys))
    }

    fn for_envoy_gateway(&self, plan: &Plan) -> Result<Files, String> {
        self.only_for(&[
            ("istio", self.istio.is_given()),
            ("envoy", self.envoy.is_given()),
        ])?;
        if self.mesh.hosts.is_empty() {
            return Err(
                "--target envoy-gateway needs --host: the name by which clients reach it"
                    .to_owned(),
            );
        }
        let gateway = EnvoyGateway {
            names: self.mesh.names(self.name())?,
            class: self
                .gateway_class
                .clone()
                .unwrap_or_else(|| GATEWAY_CLASS.to_owned()),
            gateway: self.mesh.gateway.clone(),
            hosts: self.mesh.hosts.clone(),
            port: self.mesh.port(self.listen),
            tls_secret: self.mesh.tls_secret.clone(),
            module: self.module()?,
        };
        self.with_keys(plan, |keys| gateway.files(plan, keys))
    }

    /// Refuses options that have no use for this target, as who gives one expects something of it.
    fn only_for(&self, others: &[(&str, bool)]) -> Result<(), String> {
        match others.iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((other, _)) => Err(format!(
                "an option is given that is for --target {other}; `modgate deploy --help` has them by target"
            )),
        }
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("modgate")
    }

    /// Everything else is looked at before a key is made.
    fn with_keys(
        &self,
        plan: &Plan,
        files: impl Fn(&RouteKeys) -> Result<Files, Vec<PolicyError>>,
    ) -> Result<Files, String> {
        let placed = |keys: &RouteKeys| files(keys).map_err(|refused| plan.places(refused));
        placed(&RouteKeys::none())?;
        plan.uses_every_address()?;
        placed(&self.keys(plan)?)
    }

    fn for_envoy(&self, plan: &Plan) -> Result<Files, String> {
        let has_keys = self.route_keys.is_some() || self.rotate_key;
        let is_of_a_mesh =
            self.mesh.is_given() || self.name.is_some() || self.sha256.is_some() || has_keys;
        self.only_for(&[
            ("istio", self.istio.is_given()),
            ("envoy-gateway", self.gateway_class.is_some()),
            ("istio or envoy-gateway", is_of_a_mesh),
        ])?;
        if self.out.is_none() {
            return Err("--target envoy needs --out: it writes two files".to_owned());
        }
        let envoy = self.envoy.envoy(self.listen, self.module.as_deref());
        let files = envoy.files(plan).map_err(|refused| plan.places(refused))?;
        plan.uses_every_address()?;
        Ok(files)
    }

    fn module(&self) -> Result<ModuleSource, String> {
        let module = self.module.as_ref();
        let module = module.ok_or("--module is needed: where the proxies get the filter from, as oci://REGISTRY/NAME@sha256:DIGEST")?;
        ModuleSource::of(module, self.sha256.as_deref())
    }

    fn keys(&self, plan: &Plan) -> Result<RouteKeys, String> {
        let own = plan.document().route_key.as_deref();
        let file = match (&self.route_keys, &self.out, own) {
            (None, _, Some(key)) if !self.rotate_key => {
                return RouteKeys::of_policy(key)
                    .ok_or_else(|| "the policy's route_key is no key".to_owned());
            }
            (_, _, Some(_)) => {
                return Err("the policy has a route_key of its own; take it out, and --route-keys has the keys".to_owned());
            }
            (Some(file), _, None) => file.clone(),
            (None, Some(folder), None) => folder.join("route-keys"),
            (None, None, None) => {
                return Err("--route-keys FILE is needed without --out: where the keys are kept by which the routes know the filter".to_owned());
            }
        };
        RouteKeys::of_file(&file, self.rotate_key)
    }
}

fn addresses(given: &[(String, Address)]) -> Result<Addresses, String> {
    let mut all = BTreeMap::new();
    for (name, address) in given {
        if all.insert(name.clone(), address.clone()).is_some() {
            return Err(format!("--cluster {name} is there twice"));
        }
    }
    Ok(all)
}

fn name(text: &str) -> Result<String, String> {
    match address::is_dns_label(text) {
        true => Ok(text.to_owned()),
        false => Err("a name has at most 63 of `a-z 0-9 -`".to_owned()),
    }
}

fn write(files: &Files, folder: Option<&Path>) -> Result<(), Box<dyn Error>> {
    match folder {
        None => print(&files.stream())?,
        Some(folder) => files
            .write(folder)?
            .iter()
            .for_each(|file| note(format_args!("wrote {file}"))),
    }
    for line in files.notes() {
        note(format_args!("note: {line}"));
    }
    Ok(())
}
