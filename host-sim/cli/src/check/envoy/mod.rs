//! What in Envoy's configuration breaks the filter, leads around it, or leaves it half of what it does.
//!
//! A claim is made only of what stands in the files: what another file or a control plane may say is not
//! guessed at.

mod at;
mod chain;
mod filter;
mod needs;
mod notes;
mod parts;
mod questions;
mod replies;
mod requests;
mod routes;
mod sources;
mod stats;
mod tls;
mod upstreams;

use std::collections::BTreeSet;
use std::path::PathBuf;

use modgate_policy::tools::PolicySource;
use serde_json::Value;

use self::needs::Needs;
use self::notes::Notes;
use self::parts::Parts;
use crate::policy_file::Source;
use crate::policy_file::load::Finding;

/// Envoy's configuration, in one or more files.
#[derive(Debug)]
pub(super) struct Configuration {
    sources: Vec<Source>,
    values: Vec<Value>,
}

/// What is reported for one of the files.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) file: String,
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

impl Configuration {
    /// Reads the files.
    ///
    /// # Errors
    /// Where one cannot be read, or has nothing that is looked at.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, String> {
        let mut sources = Vec::new();
        for file in files {
            let source = Source::read(file).map_err(|findings| {
                let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
                lines.join("\n")
            })?;
            sources.push(source);
        }
        let values: Vec<Value> = sources
            .iter()
            .map(|source| source.document.value())
            .collect();
        let configuration = Self { sources, values };
        let parts = Parts::of(&configuration.values);
        for (file, source) in configuration.sources.iter().enumerate() {
            if !parts.has(file) {
                return Err(format!(
                    "{}: it has no clusters and nothing else of Envoy that concerns the filter",
                    source.file
                ));
            }
        }
        Ok(configuration)
    }

    /// The names of the clusters in all files; `None` where there are none, as in the filter's own file.
    pub(super) fn clusters(&self) -> Option<BTreeSet<String>> {
        let clusters = Parts::of(&self.values).clusters;
        let names = clusters.iter().filter_map(|at| at.text("name"));
        let names: BTreeSet<String> = names.map(ToOwned::to_owned).collect();
        (!names.is_empty()).then_some(names)
    }

    /// What is to be told of each file to whom it is to carry these policies.
    pub(super) fn check<'d>(
        &self,
        policy_sources: impl Iterator<Item = &'d PolicySource>,
    ) -> Vec<Report> {
        let needs = Needs::of(policy_sources);
        let parts = Parts::of(&self.values);
        let mut notes = Notes::default();
        for file in &parts.files {
            sources::check(file, &mut notes);
        }
        for plugin in &parts.plugins {
            filter::check(plugin, &needs, &mut notes);
        }
        let mut bootstraps = BTreeSet::new();
        for manager in &parts.managers {
            routes::check(manager, &needs, &mut notes);
            if !manager.is_filtered() {
                continue;
            }
            chain::check(manager, &needs, &mut notes);
            requests::check(manager, &parts.files, &needs, &mut notes);
            replies::check(manager, &mut notes);
            tls::check(manager, &needs, &mut notes);
            bootstraps.insert(manager.at.file);
        }
        for proxy in &parts.tcp_proxies {
            let cluster = proxy.get("cluster");
            let names = cluster.iter().filter_map(|at| at.value.as_str());
            if names.into_iter().any(|name| needs.clusters.contains(name)) {
                notes.error(
                    proxy,
                    "this bypasses the filter: connections go straight to a backend of the policy",
                );
            }
        }
        for cluster in &parts.clusters {
            upstreams::check(cluster, &needs, &mut notes);
        }
        for file in bootstraps
            .into_iter()
            .filter_map(|file| parts.files.get(file))
        {
            if file.get("static_resources").is_some() {
                stats::check(file, &mut notes);
            }
        }
        self.reports(notes)
    }

    fn reports(&self, notes: Notes) -> Vec<Report> {
        let mut reports: Vec<Report> = self
            .sources
            .iter()
            .map(|source| Report {
                file: source.file.clone(),
                errors: Vec::new(),
                warnings: Vec::new(),
            })
            .collect();
        for (file, error) in notes.errors {
            reports[file].errors.push(self.sources[file].finding(error));
        }
        for (file, warning) in notes.warnings {
            reports[file]
                .warnings
                .push(self.sources[file].finding(warning));
        }
        for report in &mut reports {
            for findings in [&mut report.errors, &mut report.warnings] {
                findings.sort_by_key(|finding| (finding.line, finding.column));
            }
        }
        reports
    }
}
