//! A scenario and the files that it names.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::model::Scenario;
use envoy_wasm_host::files;

/// The most bytes of a scenario, or of a configuration's file: 16 MiB.
const FILE_LIMIT: u64 = 16 << 20;

impl Scenario {
    /// Reads a scenario and the configurations' files that it names; the module's file is left to
    /// who plays it.
    ///
    /// # Errors
    /// One sentence about a file that cannot be read, or what is wrong with the scenario.
    pub fn load(path: &Path) -> Result<Self, String> {
        let mut scenario = Self::parse(&read(path)?)?;
        let filter = &mut scenario.filter;
        fetch(
            path,
            "filter",
            &mut filter.configuration,
            filter.configuration_file.take(),
        )?;
        for (i, later) in scenario.configurations.iter_mut().enumerate() {
            let place = format!("configurations[{i}]");
            fetch(
                path,
                &place,
                &mut later.configuration,
                later.configuration_file.take(),
            )?;
        }
        Ok(scenario)
    }

    /// Where the module is that the scenario in this file names; nothing where it names none.
    pub fn module(&self, path: &Path) -> Option<PathBuf> {
        self.filter.wasm.as_ref().map(|wasm| beside(path, wasm))
    }
}

/// Puts a configuration's file, where one is named, in the configuration's place.
fn fetch(
    scenario: &Path,
    place: &str,
    configuration: &mut Value,
    file: Option<String>,
) -> Result<(), String> {
    let Some(file) = file else {
        return Ok(());
    };
    if !configuration.is_null() {
        return Err(format!(
            "{place}: use either configuration or configuration_file, not both"
        ));
    }
    *configuration = Value::String(read(&beside(scenario, &file))?);
    Ok(())
}

fn beside(scenario: &Path, file: &str) -> PathBuf {
    scenario
        .parent()
        .unwrap_or_else(|| Path::new(""))
        .join(file)
}

fn read(path: &Path) -> Result<String, String> {
    let wrong = |why: &str| format!("cannot read {}: {why}", path.display());
    let bytes = files::once(path, FILE_LIMIT).map_err(|error| wrong(&error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))
}
