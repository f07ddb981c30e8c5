//! What the active policies need of the upstreams: clusters, and headers with secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderName, HeaderValue};

use crate::clusters::Clusters;
use envoy_wasm_host::files;

/// The most bytes of a secret's file: no server takes a header of so many.
const SECRET_LIMIT: u64 = 1 << 20;

/// The clusters and secrets of the active policies, shared by all that send to upstreams.
#[derive(Clone)]
pub(super) struct Backends {
    clusters: Arc<RwLock<Arc<Clusters>>>,
    /// The files that hold the values of headers, by the secrets' names.
    secrets: Arc<BTreeMap<String, PathBuf>>,
}

impl Backends {
    pub(super) fn new(secrets: BTreeMap<String, PathBuf>) -> Self {
        Self {
            clusters: Arc::default(),
            secrets: Arc::new(secrets),
        }
    }

    pub(super) fn now(&self) -> Arc<Clusters> {
        let clusters = self.clusters.read();
        Arc::clone(&clusters.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the clusters of a policy that becomes active.
    pub(super) fn becomes(&self, mut clusters: Clusters) {
        let clusters_now = self.clusters.write();
        let mut now = clusters_now.unwrap_or_else(PoisonError::into_inner);
        // Requests that the policy before has forwarded may still name these.
        for (name, members) in &now.failovers {
            let failovers = clusters.failovers.entry(name.clone());
            failovers.or_insert_with(|| members.clone());
        }
        *now = Arc::new(clusters);
    }

    /// The secret that is missing for these clusters, in a sentence.
    pub(super) fn missing(&self, clusters: &Clusters) -> Option<String> {
        let mut secrets = clusters.secrets().into_iter();
        let unknown = secrets.find(|name| !self.secrets.contains_key(*name))?;
        Some(format!(
            "a header of a backend is the secret `{unknown}`; add --secret {unknown}=FILE"
        ))
    }

    /// The headers that are added for a cluster. The files are read for each request, so that a secret
    /// can be changed while the proxy runs.
    pub(super) fn headers(&self, cluster: &str) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let now = self.now();
        let added = now.headers.get(cluster).into_iter().flatten();
        added
            .map(|header| {
                let name = HeaderName::from_bytes(header.name.as_bytes());
                let name = name.map_err(|error| error.to_string())?;
                Ok((name, self.secret(&header.secret)?))
            })
            .collect()
    }

    /// The errors name the file and never its content.
    fn secret(&self, name: &str) -> Result<HeaderValue, String> {
        let path = self.secrets.get(name);
        let path = path.ok_or_else(|| format!("the secret {name} has no file"))?;
        header_in(path).map_err(|why| format!("the secret {name}: {why}"))
    }
}

/// The value of a header that is a file's content, without the line feed at its end. Nothing that prints
/// headers shows it.
///
/// # Errors
/// The file and what is wrong, never its content.
pub fn header_in(path: &Path) -> Result<HeaderValue, String> {
    let failed = |why: &str| format!("{}: {why}", path.display());
    let bytes = files::regular(path, SECRET_LIMIT).map_err(|error| failed(&error.to_string()))?;
    let mut value = HeaderValue::from_bytes(bytes.trim_ascii_end())
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or_else(|| failed("its content is not a valid header value"))?;
    value.set_sensitive(true);
    Ok(value)
}
