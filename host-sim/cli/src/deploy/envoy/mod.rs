//! Envoy by itself: its bootstrap, and the file of the filter with its policy, which changes without a restart.

mod bootstrap;
mod clusters;
mod refused;

use std::collections::BTreeMap;
use std::path::PathBuf;

use modgate_policy::document::PolicyError;
use serde_json::Value;

use super::files::Files;
use super::plan::Plan;
use crate::clusters::of as needed_clusters;
use crate::export::EnvoyRoutes;

/// What of Envoy does not depend on the policy.
#[derive(Debug)]
pub(super) struct Envoy {
    /// Where it listens.
    pub(super) address: std::net::IpAddr,
    pub(super) port: u16,
    /// Where Envoy finds the filter.
    pub(super) module: String,
    /// The files of the secrets that backends' headers name.
    pub(super) secrets: BTreeMap<String, PathBuf>,
}

/// At the head of the files.
const ABOUT_BOOTSTRAP: &str =
    "Written by `modgate deploy --target envoy`: envoy -c envoy.yaml, in this folder.";
const ABOUT_FILTER: &str = "Written by `modgate deploy --target envoy`, which moves it into place, so that Envoy takes it up.";

impl Envoy {
    /// Everything that Envoy needs for a policy.
    ///
    /// # Errors
    /// What cannot hold in an Envoy of which nothing else is known, at its places in the policy.
    pub(super) fn files(&self, plan: &Plan) -> Result<Files, Vec<PolicyError>> {
        let refused = self.refused(plan);
        if !refused.is_empty() {
            return Err(refused);
        }
        let written = self.written(plan);
        written.map_err(|message| {
            vec![PolicyError {
                path: "$".to_owned(),
                message,
            }]
        })
    }

    fn written(&self, plan: &Plan) -> Result<Files, String> {
        let needed = needed_clusters(plan.compiled());
        let fails_over = !needed.failovers.is_empty();
        let routes = EnvoyRoutes::new(needed, self.secrets.clone(), true);
        let mut all = self.clusters(plan, &routes);
        all.extend(routes.clusters());
        let parts = bootstrap::Parts {
            address: self.address,
            port: self.port,
            routes: fails_over.then(|| routes.route_config()),
            clusters: all,
            secrets: routes.secrets(),
        };
        let policy = plan.policy(str::to_owned, None, true);
        let mut files = Files::default();
        files.file(
            "envoy.yaml",
            ABOUT_BOOTSTRAP,
            &bootstrap::bootstrap(&parts)?,
        );
        files.file(
            "modgate.yaml",
            ABOUT_FILTER,
            &bootstrap::filter(&self.module, &policy)?,
        );
        files
            .note("a change of envoy.yaml needs a restart; modgate.yaml alone is taken up at once");
        Ok(files)
    }
}

/// JSON of ASCII alone, which no reader of YAML breaks into other lines.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for char in format!("{value:#}").chars() {
        if matches!(char, ' '..='~' | '\n') {
            text.push(char);
            continue;
        }
        let mut units = [0; 2];
        for unit in char.encode_utf16(&mut units) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_is_not_ascii_is_escaped_and_reads_back() {
        let value = json!({"reason": "für \u{85}\u{2028}\u{1f512}\u{7f}\n\"x\""});
        let text = super::ascii(&value);
        assert!(text.is_ascii() && !text.contains('\u{7f}'), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
