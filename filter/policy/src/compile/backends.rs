//! Compiles the document's backends.

use std::collections::BTreeMap;

use super::errors::Errors;
use super::{paths, redirects};
use crate::document::{AgeDoc, BackendDoc, HeaderDoc, KindDoc, Path, duration};
use crate::model::{AddedHeader, Backend, BackendId, BackendKind};
use modgate_go::http::is_same_header;

/// Compiles `backends`.
pub(crate) fn compile(
    errors: &mut Errors,
    at: &Path,
    backends: &BTreeMap<String, BackendDoc>,
) -> Vec<Backend> {
    if backends.is_empty() {
        errors.add(at, "at least one backend is required");
    }
    let mut compiled = Vec::with_capacity(backends.len());
    for (name, backend) in backends {
        let at = at.key(name);
        errors.check_name(&at, "backend", name);
        if let Err(message) = paths::cluster_name(&backend.cluster) {
            errors.add(&at.key("cluster"), message);
        }
        let base_path = backend.base_path.as_deref().unwrap_or_default();
        let base_path = paths::upstream_path(base_path).unwrap_or_else(|message| {
            errors.add(&at.key("base_path"), message);
            String::new()
        });
        let mut cache_headers = Vec::with_capacity(backend.cache_status.len());
        for (i, header) in backend.cache_status.iter().enumerate() {
            match paths::header_name(header) {
                Ok(name) => cache_headers.push(name),
                Err(message) => errors.add(&at.key("cache_status").index(i), message),
            }
        }
        let authority = backend.authority.as_ref();
        if let Some(message) = authority.and_then(|authority| paths::authority_error(authority)) {
            errors.add(&at.key("authority"), message);
        }
        let redirects = redirects::compile(errors, &at.key("redirects"), &backend.redirects);
        let hit_below = backend.hit_below.as_deref().and_then(|text| {
            duration::parse(text)
                .map_err(|message| errors.add(&at.key("hit_below"), message))
                .ok()
        });
        compiled.push(Backend {
            id: BackendId(compiled.len()),
            name: name.clone(),
            cluster: backend.cluster.to_string(),
            base_path,
            authority: authority.map(ToString::to_string),
            forward_headers: forwarded(errors, &at.key("forward_headers"), backend),
            headers: headers(errors, &at.key("headers"), &backend.headers),
            kind: backend.kind.map(kind),
            cache_headers,
            redirects,
            hit_below,
            age_by_last_modified: backend.age == Some(AgeDoc::LastModified),
        });
    }
    check_clusters(errors, at, &compiled);
    compiled
}

/// The headers that the proxy adds, sorted by name.
fn headers(
    errors: &mut Errors,
    at: &Path,
    headers: &BTreeMap<String, HeaderDoc>,
) -> Vec<AddedHeader> {
    let mut compiled: Vec<AddedHeader> = Vec::with_capacity(headers.len());
    for (name, header) in headers {
        let at = at.key(name);
        if let Err(message) = paths::secret_name(&header.secret) {
            errors.add(&at.key("secret"), message);
        }
        let name = match paths::added_header(name) {
            Ok(name) => name,
            Err(message) => {
                errors.add(&at, message);
                continue;
            }
        };
        if compiled
            .iter()
            .any(|known| is_same_header(&known.name, &name))
        {
            errors.add(
                &at,
                "many servers treat it as the same header as an earlier one",
            );
        }
        compiled.push(AddedHeader {
            name,
            secret: header.secret.to_string(),
        });
    }
    compiled.sort_by(|a, b| a.name.cmp(&b.name));
    compiled
}

/// The client's headers that the document names for a backend.
fn forwarded(errors: &mut Errors, at: &Path, backend: &BackendDoc) -> Vec<String> {
    let mut compiled: Vec<String> = Vec::with_capacity(backend.forward_headers.len());
    for (i, name) in backend.forward_headers.iter().enumerate() {
        let at = at.index(i);
        let name = match paths::forwarded_header(name) {
            Ok(name) => name,
            Err(message) => {
                errors.add(&at, message);
                continue;
            }
        };
        let mut added = backend.headers.keys();
        if added.any(|added| is_same_header(added, &name)) {
            errors.add(
                &at,
                "the proxy sets this header, so the client's value cannot be forwarded",
            );
        }
        if compiled.contains(&name) {
            errors.add(&at, "it is listed twice");
        }
        compiled.push(name);
    }
    compiled
}

/// What says who the client is stays here.
pub(crate) fn check_forwarded(
    errors: &mut Errors,
    at: &Path,
    backends: &[Backend],
    identity_headers: &[String],
) {
    for backend in backends {
        let at = at.key(&backend.name).key("forward_headers");
        for (i, name) in backend.forward_headers.iter().enumerate() {
            let mut known = identity_headers.iter();
            if known.any(|known| is_same_header(known, name)) {
                errors.add(
                    &at.index(i),
                    "$.identity reads this header, so it is not forwarded",
                );
            }
        }
    }
}

/// The proxy adds headers by cluster, so that the filter's own questions carry them, too.
fn check_clusters(errors: &mut Errors, at: &Path, backends: &[Backend]) {
    for (i, backend) in backends.iter().enumerate() {
        let mut before = backends.iter().take(i);
        let other = before
            .find(|other| other.cluster == backend.cluster && other.headers != backend.headers);
        if let Some(other) = other {
            let message = format!(
                "the backend {:?} has the same cluster but different headers, and the proxy adds headers per cluster; use a separate cluster",
                other.name
            );
            errors.add(&at.key(&backend.name).key("headers"), message);
        }
    }
}

const fn kind(kind: KindDoc) -> BackendKind {
    match kind {
        KindDoc::Static => BackendKind::Static,
        KindDoc::Goproxy => BackendKind::Goproxy,
        KindDoc::Athens => BackendKind::Athens,
    }
}
