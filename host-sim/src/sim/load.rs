//! A scenario and the files that it names.

use std::path::{Path, PathBuf};

use super::model::{Filter, Scenario};

/// The most bytes of a scenario, or of a configuration's file: 16 MiB.
const FILE_LIMIT: u64 = 16 << 20;

impl Scenario {
    /// Reads a scenario and the configuration's file that it names; the module's file is left to
    /// who plays it.
    ///
    /// # Errors
    /// One sentence about a file that cannot be read, or what is wrong with the scenario.
    pub fn load(path: &Path) -> Result<Self, String> {
        let mut scenario = Self::parse(&read(path)?)?;
        if let Some(file) = scenario.filter.configuration_file.take() {
            if !scenario.filter.configuration.is_null() {
                return Err(
                    "filter: configuration and configuration_file are both there".to_owned(),
                );
            }
            let text = read(&beside(path, &file))?;
            scenario.filter.configuration = serde_json::Value::String(text);
        }
        Ok(scenario)
    }

    /// Where the module is that the scenario in this file names; nothing where it is Modgate's own.
    pub fn module(&self, path: &Path) -> Option<PathBuf> {
        self.filter.wasm.as_ref().map(|wasm| beside(path, wasm))
    }
}

impl Filter {
    /// What the filter gets.
    pub fn configuration_text(&self) -> String {
        match &self.configuration {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

fn beside(scenario: &Path, file: &str) -> PathBuf {
    scenario
        .parent()
        .unwrap_or_else(|| Path::new(""))
        .join(file)
}

fn read(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(wrong)?.len();
    if size > FILE_LIMIT {
        return Err(format!("{} has more than 16 MiB", path.display()));
    }
    std::fs::read_to_string(path).map_err(wrong)
}
