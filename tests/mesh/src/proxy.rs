//! A proxy of the mesh: Istio's agent, and the Envoy that it runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::ports::free_port;
use modgate_harness::process::Process;
use modgate_harness::tools::{root, tool};
use serde_json::{Map, Value, json};

use crate::api_server::write;

/// A pod that has a proxy.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Whether the proxy is a gateway, and not the sidecar of something.
    pub is_gateway: bool,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// The annotations of its template.
    pub annotations: Map<String, Value>,
    /// How many workers its Envoy has.
    pub workers: u16,
}

impl Pod {
    /// A gateway's pod with one label.
    pub fn gateway(name: &str, label: (&str, &str)) -> Self {
        Self {
            name: name.to_owned(),
            is_gateway: true,
            labels: vec![(label.0.to_owned(), label.1.to_owned())],
            annotations: Map::new(),
            workers: 2,
        }
    }

    /// A pod with a sidecar and one label.
    pub fn sidecar(name: &str, label: (&str, &str)) -> Self {
        Self {
            is_gateway: false,
            ..Self::gateway(name, label)
        }
    }

    /// With the annotations of a patch for its template, as `modgate deploy` writes one.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn patched(mut self, patch: &Path) -> Self {
        let text =
            std::fs::read_to_string(patch).unwrap_or_else(|e| panic!("{}: {e}", patch.display()));
        let patch: Value = plain_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let annotations = &patch["spec"]["template"]["metadata"]["annotations"];
        let annotations = annotations
            .as_object()
            .unwrap_or_else(|| panic!("no annotations: {text}"));
        self.annotations.extend(annotations.clone());
        self
    }
}

/// What an agent is started with, beside its pod.
pub(crate) struct Surroundings<'s> {
    pub(crate) namespace: &'s str,
    pub(crate) ip: &'s str,
    pub(crate) discovery: u16,
    pub(crate) token: &'s str,
    pub(crate) root_certificate: &'s str,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    admin: SocketAddr,
    process: Process,
}

impl Proxy {
    pub(crate) fn start(pod: &Pod, around: &Surroundings<'_>, dir: &Path) -> Self {
        let [status, admin, health, metrics] = std::array::from_fn(|_| free_port());
        let files = Files::write(pod, around, dir);
        let mut config: Map<String, Value> = Map::new();
        // As the injector makes it: the mesh's, with the pod's own over it.
        if let Some(own) = pod
            .annotations
            .get("proxy.istio.io/config")
            .and_then(Value::as_str)
        {
            config = plain_yaml::from_str(own).unwrap_or_else(|e| panic!("{e}: {own}"));
        }
        config.extend([
            (
                "discoveryAddress".to_owned(),
                json!(format!("127.0.0.1:{}", around.discovery)),
            ),
            ("binaryPath".to_owned(), json!(tool("envoy"))),
            ("configPath".to_owned(), json!(files.config)),
            ("statusPort".to_owned(), json!(status)),
            ("proxyAdminPort".to_owned(), json!(admin)),
            ("concurrency".to_owned(), json!(pod.workers)),
            ("controlPlaneAuthPolicy".to_owned(), json!("MUTUAL_TLS")),
        ]);
        let bootstrap = root().join(".tools/opt/istio/envoy_bootstrap.json");
        // The agent keeps modules in a folder of the system, and its files belong to the pod: both in a namespace of
        // their own, which ends with the agent, and Envoy with it.
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
        ]);
        command.arg("mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/istio/data && exec \"$@\"");
        command.arg("sh").arg(tool("pilot-agent")).arg("proxy");
        command.arg(if pod.is_gateway { "router" } else { "sidecar" });
        command.args([
            "--domain",
            &format!("{}.svc.cluster.local", around.namespace),
        ]);
        command.args([
            "--proxyLogLevel=warning",
            "--proxyComponentLogLevel=wasm:info",
        ]);
        command
            .arg("--templateFile")
            .arg(&bootstrap)
            .current_dir(dir);
        command.env("PROXY_CONFIG", Value::Object(config).to_string());
        command.env("ISTIO_BOOTSTRAP", bootstrap);
        let numbers = [
            ("ENVOY_STATUS_PORT", health),
            ("ENVOY_PROMETHEUS_PORT", metrics),
        ];
        command.envs(numbers.map(|(name, port)| (name, port.to_string())));
        command.envs([
            ("POD_NAME", pod.name.as_str()),
            ("POD_NAMESPACE", around.namespace),
            ("INSTANCE_IP", around.ip),
            ("HOST_IP", "127.0.0.1"),
            ("SERVICE_ACCOUNT", "default"),
            ("ISTIO_META_CLUSTER_ID", "Kubernetes"),
            // Nothing leads a pod's connections to its sidecar here, so that listens by itself.
            ("ISTIO_META_INTERCEPTION_MODE", "NONE"),
            ("ISTIOD_SAN", "istiod.istio-system.svc"),
        ]);
        let mut process = Process::start(&format!("agent-{}", pod.name), command, dir);
        let admin = ([127, 0, 0, 1], admin).into();
        process.wait_until("ready", || {
            http::try_get(admin, "/ready").filter(|answer| answer.status == 200)
        });
        Self { admin, process }
    }

    /// Envoy's admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What the agent and its Envoy have written.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// What it shows to Prometheus.
    pub fn prometheus(&self) -> String {
        http::get(self.admin, "/stats/prometheus").body
    }

    /// The filter's figures in it.
    pub fn figures(&self) -> Figures {
        Figures::parse(&self.prometheus())
    }

    /// Waits until something holds of it.
    ///
    /// # Panics
    /// Where it does not in a minute; the message has the end of its log.
    pub fn wait_until<T>(&mut self, what: &str, ready: impl FnMut() -> Option<T>) -> T {
        self.process.wait_until(what, ready)
    }

    /// Waits until it has written this.
    ///
    /// # Panics
    /// Where it has not in a minute.
    pub fn wait_for_log(&mut self, text: &str) {
        self.process.wait_for_log(text);
    }
}

/// What a pod mounts.
struct Files {
    config: PathBuf,
}

impl Files {
    fn write(pod: &Pod, around: &Surroundings<'_>, dir: &Path) -> Self {
        write(
            &dir.join("var/run/secrets/tokens/istio-token"),
            around.token,
        );
        write(
            &dir.join("var/run/secrets/istio/root-cert.pem"),
            around.root_certificate,
        );
        let labels = pod
            .labels
            .iter()
            .map(|(label, value)| (label.as_str(), value.as_str()));
        write(&dir.join("etc/istio/pod/labels"), &downward(labels));
        let annotations = pod.annotations.iter();
        let annotations =
            annotations.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        write(
            &dir.join("etc/istio/pod/annotations"),
            &downward(annotations),
        );
        let config = dir.join("etc/istio/proxy");
        std::fs::create_dir_all(&config).unwrap_or_else(|e| panic!("{}: {e}", config.display()));
        Self { config }
    }
}

/// As the kubelet writes a pod's labels and annotations into a file.
fn downward<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    members
        .map(|(name, value)| format!("{name}={value:?}\n"))
        .collect()
}
