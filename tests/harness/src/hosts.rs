//! The two hosts of the filter, for tests that hold for both.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::envoy::{Config, Envoy};
use crate::go::{Go, Sumdb};
use crate::http;
use crate::metrics::Figures;
use crate::process::Process;
use crate::serve::Serve;

/// A running host of the filter, whichever.
#[derive(Debug)]
pub enum Host {
    /// Real Envoy, with one worker.
    Envoy(Box<Envoy>),
    /// The simulator.
    Serve(Box<Serve>),
}

impl Host {
    /// Starts both with one cluster, which is named `backend`.
    ///
    /// # Panics
    /// Where one does not come up.
    pub fn both(policy: &Value, backend: SocketAddr) -> [Self; 2] {
        let clusters = [("backend", backend)];
        let config = Config::new(policy.clone(), &clusters);
        [
            Self::Envoy(Box::new(Envoy::start(&config))),
            Self::Serve(Box::new(Serve::start(policy, &clusters))),
        ]
    }

    /// Starts both with these clusters and secrets (names and files), Envoy with the routes that
    /// `modgate envoy-routes` makes.
    ///
    /// # Panics
    /// Where one does not come up.
    pub fn both_routed(
        policy: &Value,
        clusters: &[(&str, SocketAddr)],
        secrets: &[(&str, &Path)],
    ) -> [Self; 2] {
        let config = Config::new(policy.clone(), clusters).with_routes(secrets);
        let arguments: Vec<String> = secrets
            .iter()
            .map(|(name, file)| format!("--secret={name}={}", file.display()))
            .collect();
        [
            Self::Envoy(Box::new(Envoy::start(&config))),
            Self::Serve(Box::new(Serve::start_with(policy, clusters, &arguments))),
        ]
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Envoy(envoy) => envoy.address(),
            Self::Serve(serve) => serve.address(),
        }
    }

    /// What it shows to Prometheus.
    pub fn prometheus(&self) -> String {
        match self {
            Self::Envoy(envoy) => envoy.prometheus(),
            Self::Serve(serve) => serve.prometheus(),
        }
    }

    /// The figures in that.
    pub fn figures(&self) -> Figures {
        Figures::parse(&self.prometheus())
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        match self {
            Self::Envoy(envoy) => envoy.process(),
            Self::Serve(serve) => serve.process(),
        }
    }

    /// A developer of a tenant, behind `/t/TENANT`.
    pub fn go(&self, tenant: &str) -> Go {
        Go::new(format!("http://{}/t/{tenant}", self.address()), Sumdb::Off)
    }

    /// The answer to a request for a path.
    pub fn get(&self, path: &str) -> http::Response {
        http::get(self.address(), path)
    }
}
