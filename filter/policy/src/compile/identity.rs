//! From the document's `identity` and `require` to sources.

use std::collections::BTreeMap;

use super::errors::Errors;
use super::paths;
use crate::document::{ClaimDoc, IdentityDoc, Path, TenantDoc, Text};
use crate::model::identity::{Fact, Kinds, Place, Reading, Source, Template};

/// Where Envoy's `jwt_authn` puts what it verified.
const JWT_METADATA: [&str; 3] = [
    "metadata",
    "filter_metadata",
    "envoy.filters.http.jwt_authn",
];

const ONE_SOURCE: &str = "give exactly one source: path_prefix, header, basic_user, mtls_uri_san, \
                          mtls_dns_san, mtls_subject, jwt_claim, jwt_claim_list, sni or listener";

/// Compiles `identity`.
pub(crate) fn sources(
    errors: &mut Errors,
    at: &Path,
    documents: &[IdentityDoc],
    tenants: &BTreeMap<String, TenantDoc>,
) -> Vec<Source> {
    let mut compiled = Vec::with_capacity(documents.len());
    for (i, document) in documents.iter().enumerate() {
        let at = at.index(i);
        match source(document, &at) {
            Ok(mut source) => {
                if let Some(map) = &document.map {
                    source.reading.map = Some(tenant_map(errors, &at.key("map"), map, tenants));
                }
                compiled.push(source);
            }
            Err((at, message)) => errors.add(&at, message),
        }
    }
    compiled
}

/// The request headers that sources read, each once.
pub(crate) fn headers(sources: &[Source]) -> Vec<String> {
    let mut names: Vec<String> = sources.iter().filter_map(Source::header).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The request headers by which sources tell tenants apart, as clients send them, each once: what a user
/// name or a claim was read from came in `authorization`.
pub(crate) fn vary(sources: &[Source]) -> Vec<String> {
    let mut names: Vec<String> = sources.iter().filter_map(Source::vary).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Compiles a `require`: kinds of proof, each of which some source can give.
pub(crate) fn kinds(errors: &mut Errors, at: &Path, names: &[Text], sources: &[Source]) -> Kinds {
    let mut required = Kinds::default();
    for (i, name) in names.iter().enumerate() {
        let at = at.index(i);
        let known = Kinds::ALL.into_iter().find(|(known, _)| *known == &**name);
        let Some((_, kind)) = known else {
            let known: Vec<_> = Kinds::ALL.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            errors.add(&at, format!("{:?} is none of: {known}", &**name));
            continue;
        };
        if !sources.iter().any(|source| source.kind() == kind) {
            errors.add(
                &at,
                format!(
                    "no source of $.identity has the kind {:?}, so every request would be refused",
                    &**name
                ),
            );
        }
        required = required.and(kind);
    }
    required
}

type Failure = (Path, String);

fn source(document: &IdentityDoc, at: &Path) -> Result<Source, Failure> {
    let IdentityDoc {
        path_prefix,
        header,
        basic_user,
        mtls_uri_san,
        mtls_dns_san,
        mtls_subject,
        jwt_claim,
        jwt_claim_list,
        sni,
        listener,
        trusted,
        payload,
        map,
    } = document;
    let given = [
        path_prefix.is_some(),
        header.is_some(),
        basic_user.is_some(),
        mtls_uri_san.is_some(),
        mtls_dns_san.is_some(),
        mtls_subject.is_some(),
        jwt_claim.is_some(),
        jwt_claim_list.is_some(),
        sni.is_some(),
        listener.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return Err((at.clone(), ONE_SOURCE.to_owned()));
    }
    if trusted.is_some() && header.is_none() {
        let message = "only a header source can have `trusted`";
        return Err((at.key("trusted"), message.to_owned()));
    }
    if payload.is_some() && jwt_claim.is_none() && jwt_claim_list.is_none() {
        let message = "only a token claim can have `payload`";
        return Err((at.key("payload"), message.to_owned()));
    }
    let failure = |key: &str| {
        let at = at.key(key);
        move |message| (at, message)
    };
    if let Some(prefix) = path_prefix {
        if map.is_some() {
            let message = "a path prefix already contains the tenant's name, so it takes no map";
            return Err((at.key("map"), message.to_owned()));
        }
        let place = paths::tenant_prefix(prefix).map_err(failure("path_prefix"))?;
        return Ok(Source::whole(place));
    }
    if let Some(name) = header {
        let name = paths::header_name(name).map_err(failure("header"))?;
        let trusted = trusted.unwrap_or(false);
        return Ok(Source::whole(Place::Header { name, trusted }));
    }
    if let Some(name) = basic_user {
        let name = paths::header_name(name).map_err(failure("basic_user"))?;
        return Ok(Source::whole(Place::BasicUser { name }));
    }
    if let Some(claim) = jwt_claim {
        let path = claim_path(claim, payload.as_ref(), at, "jwt_claim")?;
        return Ok(Source::whole(Place::Fact(Fact::Claim { path })));
    }
    if let Some(claim) = jwt_claim_list {
        let path = claim_path(claim, payload.as_ref(), at, "jwt_claim_list")?;
        return Ok(Source::whole(Place::Fact(Fact::ClaimList { path })));
    }
    if let Some(text) = mtls_subject {
        let (attribute, pattern) = text.split_once('=').unwrap_or(("", text));
        if attribute.is_empty() || !attribute.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = "give the attribute and its value, such as OU={tenant}".to_owned();
            return Err(failure("mtls_subject")(message));
        }
        let fact = Fact::Subject {
            attribute: attribute.to_owned(),
        };
        return Source::templated(fact, pattern, None).map_err(failure("mtls_subject"));
    }
    let templates = [
        ("mtls_uri_san", Fact::UriSan, mtls_uri_san, Some('/')),
        ("mtls_dns_san", Fact::DnsSan, mtls_dns_san, Some('.')),
        ("sni", Fact::ServerName, sni, Some('.')),
        ("listener", Fact::Listener, listener, None),
    ];
    for (key, fact, pattern, separator) in templates {
        let Some(pattern) = pattern else {
            continue;
        };
        let is_host = separator == Some('.');
        if is_host && pattern.bytes().any(|b| b.is_ascii_uppercase()) {
            let message =
                "host names are compared in lower case; write it in lower case".to_owned();
            return Err(failure(key)(message));
        }
        return Source::templated(fact, pattern, separator).map_err(failure(key));
    }
    Err((at.clone(), ONE_SOURCE.to_owned()))
}

impl Source {
    fn whole(place: Place) -> Self {
        Self {
            place,
            reading: Reading::default(),
        }
    }

    fn templated(fact: Fact, pattern: &str, separator: Option<char>) -> Result<Self, String> {
        let template = Some(Template::new(pattern, separator)?);
        Ok(Self {
            place: Place::Fact(fact),
            reading: Reading {
                template,
                map: None,
            },
        })
    }
}

/// The path of a claim's property: `jwt_authn`'s metadata, the payload's key, the claim's own path.
fn claim_path(
    claim: &ClaimDoc,
    payload: Option<&Text>,
    at: &Path,
    key: &str,
) -> Result<Vec<String>, Failure> {
    let missing = || {
        let message = "missing: the value of jwt_authn's payload_in_metadata";
        (at.key("payload"), message.to_owned())
    };
    let payload = payload.ok_or_else(missing)?;
    let claim: Vec<&str> = match claim {
        ClaimDoc::Name(name) => vec![name],
        ClaimDoc::Path(path) => path.iter().map(|element| &**element).collect(),
    };
    let own = std::iter::once(&**payload).chain(claim.iter().copied());
    // A NUL parts the elements of a property's path.
    if claim.is_empty() || own.clone().any(|e| e.is_empty() || e.contains('\0')) {
        let message = "give the claim's name, or its path as a list of names";
        return Err((at.key(key), message.to_owned()));
    }
    let all = JWT_METADATA.into_iter().chain(own);
    Ok(all.map(ToOwned::to_owned).collect())
}

fn tenant_map(
    errors: &mut Errors,
    at: &Path,
    map: &BTreeMap<String, Text>,
    tenants: &BTreeMap<String, TenantDoc>,
) -> BTreeMap<String, String> {
    if map.is_empty() {
        errors.add(at, "an empty map matches nobody; leave it out");
    }
    let names: Vec<&String> = tenants.keys().collect();
    for (value, tenant) in map {
        errors.find(&at.key(value), "tenant", tenant, &names, |name| {
            name.as_str()
        });
    }
    map.iter()
        .map(|(value, tenant)| (value.clone(), tenant.to_string()))
        .collect()
}
