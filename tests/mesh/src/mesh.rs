//! The whole of it.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use modgate_harness::tools::root;
use serde_json::json;
use tempfile::TempDir;

use crate::api_server::ApiServer;
use crate::istiod::{Istiod, SYSTEM};
use crate::proxy::{Pod, Proxy, Surroundings};

/// The namespace of the tests' pods.
pub const NAMESPACE: &str = "tools";

/// A mesh of its own for a test.
#[derive(Debug)]
pub struct Mesh {
    // In the order in which they are to end, and the folder last.
    istiod: Istiod,
    api: ApiServer,
    dir: TempDir,
    pods: AtomicU8,
}

impl Mesh {
    /// Starts an API server with Istio's definitions, and istiod.
    ///
    /// # Panics
    /// Where one of them does not come up.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let api = ApiServer::start(dir.path());
        let definitions = root().join(".tools/opt/istio/crds.yaml");
        let definitions = definitions.to_string_lossy();
        let steps: [&[&str]; 4] = [
            &["apply", "--server-side", "-f", &definitions],
            &["create", "namespace", SYSTEM],
            &["create", "namespace", NAMESPACE],
            &["create", "serviceaccount", "default", "-n", NAMESPACE],
        ];
        for step in steps {
            expect(&api, step, "");
        }
        let istiod = Istiod::start(&api, dir.path());
        Self {
            istiod,
            api,
            dir,
            pods: AtomicU8::new(0),
        }
    }

    /// The file by which kubectl reaches it.
    pub fn kubeconfig(&self) -> &Path {
        self.api.kubeconfig()
    }

    /// Runs kubectl, which must end well, and gives what it printed.
    ///
    /// # Panics
    /// Where it does not.
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        expect(&self.api, arguments, "")
    }

    /// Applies objects.
    ///
    /// # Panics
    /// Where the API server refuses one.
    #[track_caller]
    pub fn apply(&self, objects: &str) {
        expect(&self.api, &["apply", "-f", "-"], objects);
    }

    /// Applies objects that the API server should refuse, and gives what is said of them.
    ///
    /// # Panics
    /// Where it takes them.
    #[track_caller]
    pub fn refuses(&self, objects: &str) -> String {
        let output = self.api.kubectl(&["apply", "-f", "-"], objects);
        assert!(!output.status.success(), "taken: {objects}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Applies the files of a folder.
    ///
    /// # Panics
    /// Where the API server refuses one.
    #[track_caller]
    pub fn apply_folder(&self, folder: &Path) {
        self.kubectl(&["apply", "-f", &folder.to_string_lossy()]);
    }

    /// Deletes the objects of a file.
    ///
    /// # Panics
    /// Where that fails.
    #[track_caller]
    pub fn delete(&self, file: &Path) {
        self.kubectl(&["delete", "-f", &file.to_string_lossy()]);
    }

    /// A pod with its proxy, ready.
    ///
    /// # Panics
    /// Where the proxy does not come up.
    pub fn run(&self, pod: &Pod) -> Proxy {
        let number = self.pods.fetch_add(1, Ordering::Relaxed);
        let ip = format!("127.0.1.{}", number + 1);
        let labels: serde_json::Map<_, _> = pod
            .labels
            .iter()
            .map(|(l, v)| (l.clone(), json!(v)))
            .collect();
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod.name, "namespace": NAMESPACE, "labels": labels, "annotations": pod.annotations},
            "spec": {"serviceAccountName": "default", "containers": [{"name": "istio-proxy", "image": "none"}]},
        });
        self.apply(&object.to_string());
        // What the kubelet would report.
        let status = json!({"status": {
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }});
        self.kubectl(&[
            "patch",
            "pod",
            &pod.name,
            "-n",
            NAMESPACE,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status.to_string(),
        ]);
        let token = self.kubectl(&[
            "create",
            "token",
            "default",
            "-n",
            NAMESPACE,
            "--audience=istio-ca",
        ]);
        let root_certificate = self.root_certificate();
        let around = Surroundings {
            namespace: NAMESPACE,
            ip: &ip,
            discovery: self.istiod.port,
            token: token.trim(),
            root_certificate: &root_certificate,
        };
        let dir = self.dir.path().join(&pod.name);
        std::fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        Proxy::start(pod, &around, &dir)
    }

    /// What istiod has written.
    pub fn istiod_log(&self) -> String {
        self.istiod.log()
    }

    /// istiod puts it into every namespace, a moment after the namespace is there.
    fn root_certificate(&self) -> String {
        let query = [
            "get",
            "configmap",
            "istio-ca-root-cert",
            "-n",
            NAMESPACE,
            "-o",
            r"jsonpath={.data.root-cert\.pem}",
        ];
        for _ in 0..600 {
            let output = self.api.kubectl(&query, "");
            if output.status.success() && !output.stdout.is_empty() {
                return String::from_utf8_lossy(&output.stdout).into_owned();
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!(
            "istiod has written no root certificate:\n{}",
            self.istiod.log()
        );
    }
}

#[track_caller]
fn expect(api: &ApiServer, arguments: &[&str], input: &str) -> String {
    let output = api.kubectl(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "kubectl {arguments:?}: {said}\n{input}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
