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
    /// The name of what is written.
    #[arg(long, value_name = "NAME", default_value = "modgate", value_parser = name)]
    name: String,
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
    /// The GatewayClass of the Gateway that is written.
    #[arg(long, value_name = "NAME", default_value = "eg", value_parser = name, help_heading = "Envoy Gateway")]
    gateway_class: String,
    #[command(flatten)]
    envoy: EnvoyArgs,
}

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
        let names = self.mesh.names(&self.name)?;
        let istio = self
            .istio
            .istio(names, &self.mesh, self.listen, self.module()?)?;
        self.with_keys(plan, |keys| istio.files(plan, keys))
    }

    fn for_envoy_gateway(&self, plan: &Plan) -> Result<Files, String> {
        if self.istio.is_given() {
            return Err(
                "--at, --selector, --wasm-plugin and --mutual-tls are for --target istio"
                    .to_owned(),
            );
        }
        if self.mesh.hosts.is_empty() {
            return Err(
                "--target envoy-gateway needs --host: the name by which clients reach it"
                    .to_owned(),
            );
        }
        let gateway = EnvoyGateway {
            names: self.mesh.names(&self.name)?,
            class: self.gateway_class.clone(),
            gateway: self.mesh.gateway.clone(),
            hosts: self.mesh.hosts.clone(),
            port: self.mesh.port(self.listen),
            tls_secret: self.mesh.tls_secret.clone(),
            module: self.module()?,
        };
        self.with_keys(plan, |keys| gateway.files(plan, keys))
    }

    /// Everything else is looked at before a key is made.
    fn with_keys(
        &self,
        plan: &Plan,
        files: impl Fn(&RouteKeys) -> Result<Files, Vec<PolicyError>>,
    ) -> Result<Files, String> {
        let placed = |keys: &RouteKeys| files(keys).map_err(|refused| plan.places(refused));
        placed(&RouteKeys::none())?;
        placed(&self.keys(plan)?)
    }

    fn for_envoy(&self, plan: &Plan) -> Result<Files, String> {
        if self.istio.is_given()
            || self.mesh.is_given()
            || self.route_keys.is_some()
            || self.rotate_key
            || self.sha256.is_some()
        {
            return Err("--target envoy has its own listener and routes: of the other targets' options only --listen is for it".to_owned());
        }
        if self.out.is_none() {
            return Err("--target envoy needs --out: it writes two files".to_owned());
        }
        let envoy = self.envoy.envoy(self.listen, self.module.as_deref());
        envoy.files(plan).map_err(|refused| plan.places(refused))
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
    let Some(folder) = folder else {
        return Ok(print(&files.stream())?);
    };
    for file in files.write(folder)? {
        note(format_args!("wrote {file}"));
    }
    for line in files.notes() {
        note(format_args!("note: {line}"));
    }
    Ok(())
}
