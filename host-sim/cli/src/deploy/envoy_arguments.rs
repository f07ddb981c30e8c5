//! The arguments of `modgate deploy --target envoy`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::envoy::Envoy;
use crate::serve::secret;

/// Where Envoy looks for the filter.
const MODULE: &str = "./modgate.wasm";

/// The port at which the shipped file listens.
const PORT: u16 = 8080;

/// What only Envoy by itself has.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Envoy")]
pub(super) struct EnvoyArgs {
    /// The address at which Envoy listens [default: 127.0.0.1].
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// A secret that the policy names, and the file from which Envoy reads the whole header value.
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = secret)]
    secrets: Vec<(String, PathBuf)>,
}

impl EnvoyArgs {
    /// Whether one of these arguments is there.
    pub(super) const fn is_given(&self) -> bool {
        self.address.is_some() || !self.secrets.is_empty()
    }

    /// Envoy, as these arguments want it.
    pub(super) fn envoy(&self, listen: Option<u16>, module: Option<&str>) -> Envoy {
        Envoy {
            address: self.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: listen.unwrap_or(PORT),
            module: module.unwrap_or(MODULE).to_owned(),
            secrets: self.secrets.iter().cloned().collect(),
        }
    }
}
