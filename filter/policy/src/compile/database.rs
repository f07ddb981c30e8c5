//! Compiles the checksum database that the filter queries itself.

use std::time::Duration;

use super::{Errors, paths};
use crate::document::{DatabaseDoc, Path, UnknownDoc, duration};
use crate::model::{Backend, BackendId, Database};
use modgate_go::sumdb::VerifierKey;

/// How long a lookup may take where the document does not say.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that a document may say: a client waits meanwhile.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// Compiles `sumdb`; `at` is the place of `integrity`.
pub(crate) fn compile(
    errors: &mut Errors,
    at: &Path,
    document: Option<&DatabaseDoc>,
    backends: &[Backend],
) -> Option<Database> {
    let document = document?;
    let at = at.key("sumdb");
    let key = verifier_key(errors, &at.key("key"), &document.key);
    let (place, name) = (at.key("backend"), &document.backend);
    let backend = errors.find(&place, "backend", name, backends, |backend| &backend.name);
    let timeout = document.timeout.as_deref().map_or(Ok(TIMEOUT), |text| {
        let timeout = duration::parse(text)?;
        let fits = !timeout.is_zero() && timeout <= MAX_TIMEOUT;
        fits.then_some(timeout)
            .ok_or_else(|| "a lookup timeout must be from 1ms to 60s".to_owned())
    });
    let timeout = timeout.map_err(|message| errors.add(&at.key("timeout"), message));
    if let Some(message) = document
        .authority
        .as_deref()
        .and_then(paths::authority_error)
    {
        errors.add(&at.key("authority"), message);
    }
    let (key, backend) = (key?, backend?);
    let behind = if document.proxied.unwrap_or(false) {
        format!("/sumdb/{}", key.name())
    } else {
        String::new()
    };
    let requested = backends.get(backend);
    let base_path = requested.map(|backend| &*backend.base_path);
    let host = key.name().split('/').next().unwrap_or_default();
    let authority = document.authority.as_deref();
    let authority = authority.or_else(|| requested?.authority.as_deref());
    Some(Database {
        backend: BackendId(backend),
        prefix: format!("{}{behind}", base_path.unwrap_or_default()),
        authority: authority.unwrap_or(host).to_owned(),
        timeout: timeout.ok()?,
        refuse_unavailable: document.on_unavailable != Some(UnknownDoc::Allow),
        key,
    })
}

fn verifier_key(errors: &mut Errors, at: &Path, text: &str) -> Option<VerifierKey> {
    let key: VerifierKey = match text.parse() {
        Ok(key) => key,
        Err(error) => {
            errors.add(at, format!("{error}"));
            return None;
        }
    };
    if let Err(message) = paths::database_name(key.name()) {
        errors.add(at, message);
        return None;
    }
    Some(key)
}
