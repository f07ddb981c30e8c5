//! Configurations that are handed to Envoy while it runs, as a control plane does: a new file, moved into
//! place (extension config discovery).

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use envoy_wasm_scenario::{Scenario, Start};
use serde_json::{Value, json};

use super::bootstrap;
use modgate_harness::envoy::reloads;

/// How long Envoy has to take a configuration or to refuse it.
const LIMIT: Duration = Duration::from_secs(10);

/// Where Envoy reads its filter from; `None` where it is in the bootstrap, because it never changes.
#[derive(Clone, Debug)]
pub struct FilterFile(PathBuf);

impl FilterFile {
    /// In this folder, with the first configuration.
    pub fn of(scenario: &Scenario, module: &Path, folder: &Path) -> Option<Self> {
        if scenario.configurations.is_empty() {
            return None;
        }
        let file = Self(folder.join("filter.json"));
        let first = scenario.filter.configuration_text();
        file.write(bootstrap::wasm(scenario, module, &first), 0);
        Some(file)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn write(&self, mut filter: Value, version: usize) {
        filter = json!({
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": bootstrap::FILTER,
            "typed_config": filter,
        });
        let content = json!({"version_info": version.to_string(), "resources": [filter]});
        let new = self.0.with_extension("new");
        let written = fs::write(&new, content.to_string()).and_then(|()| fs::rename(&new, &self.0));
        written.unwrap_or_else(|e| panic!("{}: {e}", self.0.display()));
    }
}

/// Hands the scenario's configurations over, each when it is due from now on; what became of them.
pub fn hand_over(
    scenario: &Scenario,
    module: &Path,
    file: Option<FilterFile>,
    admin: SocketAddr,
) -> JoinHandle<Vec<Option<Start>>> {
    let (scenario, module, start) = (scenario.clone(), module.to_owned(), Instant::now());
    // A thread, because the clients' must not wait.
    std::thread::spawn(move || {
        let mut seen = vec![None; scenario.configurations.len()];
        let Some(file) = file else {
            return seen;
        };
        let mut due: Vec<_> = scenario.configurations.iter().zip(&mut seen).collect();
        due.sort_by_key(|(later, _)| later.at);
        for (i, (later, seen)) in due.into_iter().enumerate() {
            std::thread::sleep(later.at.0.saturating_sub(start.elapsed()));
            let before = reloads(admin);
            file.write(bootstrap::wasm(&scenario, &module, &later.text()), i + 1);
            *seen = Some(outcome(admin, before));
        }
        seen
    })
}

fn outcome(admin: SocketAddr, (taken, refused): (u64, u64)) -> Start {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        let now = reloads(admin);
        if now.1 > refused {
            return Start::Refused;
        }
        if now.0 > taken {
            return Start::Taken;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("Envoy did not look at the configuration in time")
}
