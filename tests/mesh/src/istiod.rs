//! Istio's control plane.

use std::path::Path;
use std::process::Command;

use modgate_harness::http;
use modgate_harness::ports::free_port;
use modgate_harness::process::Process;
use modgate_harness::tools::tool;

use crate::api_server::{ApiServer, write};

/// Its namespace.
pub(crate) const SYSTEM: &str = "istio-system";

/// A running istiod.
#[derive(Debug)]
pub(crate) struct Istiod {
    /// Where proxies get their configuration and certificates, at 127.0.0.1.
    pub(crate) port: u16,
    process: Process,
}

impl Istiod {
    /// Starts it and waits until it serves.
    pub(crate) fn start(api: &ApiServer, dir: &Path) -> Self {
        let [port, plain, http, webhooks, monitoring] = std::array::from_fn(|_| free_port());
        let mesh = dir.join("mesh.yaml");
        let text = format!(
            "rootNamespace: {SYSTEM}\ndefaultConfig: {{discoveryAddress: '127.0.0.1:{port}'}}\n"
        );
        write(&mesh, &text);
        let local = |port: u16| format!("127.0.0.1:{port}");
        let mut command = Command::new(tool("pilot-discovery"));
        command.arg("discovery").current_dir(dir);
        command
            .arg("--kubeconfig")
            .arg(api.kubeconfig())
            .arg("--meshConfig")
            .arg(mesh);
        command.args([
            "--secureGRPCAddr",
            &local(port),
            "--grpcAddr",
            &local(plain),
        ]);
        command.args(["--httpAddr", &local(http), "--httpsAddr", &local(webhooks)]);
        command.args(["--monitoringAddr", &local(monitoring), "--ctrlz_port", "0"]);
        command.envs([
            ("POD_NAMESPACE", SYSTEM),
            ("POD_NAME", "istiod"),
            ("CLUSTER_ID", "Kubernetes"),
            ("PILOT_CERT_PROVIDER", "istiod"),
            ("INJECT_ENABLED", "false"),
            // Filters that Istio builds into an Envoy of its own; the one here is Envoy's release.
            ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
            ("PILOT_ENABLE_ALPN_FILTER", "false"),
        ]);
        let mut process = Process::start("istiod", command, dir);
        process.wait_until("ready", || {
            let address = ([127, 0, 0, 1], http).into();
            http::try_get(address, "/ready").filter(|answer| answer.status == 200)
        });
        Self { port, process }
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}
