//! Paths, headers and clusters that a document names.

use crate::document::is_name;
use crate::model::identity::Place;
use crate::model::route::HostPattern;
use modgate_go::http::headers::RESERVED_CLUSTERS;
use modgate_go::http::{is_modgate_header, is_same_header, split_authority};

/// A path that goes upstream, without a slash at its end: `""` or `/a/b`.
pub(crate) fn upstream_path(path: &str) -> Result<String, String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(String::new());
    }
    let elements = path.strip_prefix('/').ok_or("it must begin with a slash")?;
    elements.split('/').try_for_each(check_element)?;
    Ok(path.to_owned())
}

/// A route's path prefix, without its leading slash and with one at the end.
pub(crate) fn route_prefix(path: &str) -> Result<String, String> {
    let path = upstream_path(path)?;
    let elements = path
        .strip_prefix('/')
        .ok_or("an empty prefix matches everything; leave it out")?;
    check_not_sumdb(elements)?;
    Ok(format!("{elements}/"))
}

/// A tenant's path prefix: elements of which one is `{tenant}`.
pub(crate) fn tenant_prefix(path: &str) -> Result<Place, String> {
    const TENANT: &str = "{tenant}";
    let path = path.strip_suffix('/').unwrap_or(path);
    let elements = path.strip_prefix('/').ok_or("it must begin with a slash")?;
    check_not_sumdb(elements)?;
    let (mut before, mut after) = (String::new(), String::new());
    let mut found = false;
    for element in elements.split('/') {
        if element == TENANT && !found {
            found = true;
            continue;
        }
        check_element(element)?;
        let side = if found { &mut after } else { &mut before };
        side.push_str(element);
        side.push('/');
    }
    if !found {
        return Err("it must have {tenant} as one path element, such as /t/{tenant}".to_owned());
    }
    Ok(Place::PathPrefix { before, after })
}

fn check_not_sumdb(elements: &str) -> Result<(), String> {
    if elements.split('/').next() == Some("sumdb") {
        return Err("/sumdb belongs to the checksum databases; choose another prefix".to_owned());
    }
    Ok(())
}

fn check_element(element: &str) -> Result<(), String> {
    if element.is_empty() {
        return Err("an empty path element".to_owned());
    }
    if element == "." || element == ".." {
        return Err("a dot segment".to_owned());
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if element.bytes().all(allowed) {
        Ok(())
    } else {
        Err(format!(
            "the path element {element:?}: use A-Z, a-z, 0-9, -, ., _ and ~"
        ))
    }
}

/// A header's name in lower case.
pub(crate) fn header_name(name: &str) -> Result<String, String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!(
            "{name:?} is not a valid header name (RFC 9110, section 5.1)"
        ));
    }
    Ok(name.to_ascii_lowercase())
}

/// A cluster's name: what can stand in a header as it is.
pub(crate) fn cluster_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("an empty cluster name".to_owned());
    }
    if name.len() > 256 || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(
            "a cluster name has at most 256 graphic ASCII characters, no spaces".to_owned(),
        );
    }
    if name.starts_with(RESERVED_CLUSTERS) {
        return Err(format!(
            "names that begin with {RESERVED_CLUSTERS:?} are reserved for clusters that `modgate envoy-routes` generates"
        ));
    }
    Ok(())
}

/// The name by which a proxy knows a secret.
pub(crate) fn secret_name(name: &str) -> Result<(), String> {
    let fits = (1..=256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        // What stands here may be a secret itself, so it is not repeated.
        Err("not a valid name of a secret: use 1 to 256 graphic ASCII characters without spaces, and never the secret itself".to_owned())
    }
}

/// Headers that say how a message is carried, or that decide where it goes.
const CARRYING_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The name, in lower case, of a request header that a proxy adds.
pub(crate) fn added_header(name: &str) -> Result<String, String> {
    let name = header_name(name)?;
    let mut carrying = CARRYING_HEADERS.iter();
    if is_modgate_header(&name) || carrying.any(|known| is_same_header(known, &name)) {
        return Err(format!("{name:?} cannot be set for a backend"));
    }
    Ok(name)
}

/// A host that is requested: a name or an address in lower case, or `*.` and the end of names.
pub(crate) fn host_pattern(pattern: &str) -> Result<HostPattern, String> {
    let lower = pattern.to_ascii_lowercase();
    let (end, make): (&str, fn(String) -> HostPattern) = match lower.strip_prefix("*.") {
        Some(end) => (end, |end| HostPattern::Below(format!(".{end}"))),
        None => (lower.as_str(), HostPattern::Is),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    if end.len() <= 253 && end.split('.').all(is_label) {
        return Ok(make(end.to_owned()));
    }
    Err(format!(
        "{pattern:?} is not a valid host; write it without a port, such as goproxy.corp.example or *.corp.example"
    ))
}

/// A checksum database's name: a host, perhaps with a path (`go help module-auth`).
pub(crate) fn database_name(name: &str) -> Result<(), String> {
    let host = name.split('/').next().unwrap_or_default();
    if is_name(host) && host != "localhost" {
        return Err(format!(
            "{name:?} is not a valid database name; it must be a host, such as sum.golang.org"
        ));
    }
    name.split('/').try_for_each(check_element)
}

/// What is wrong with the host, and perhaps the port, that a request is for.
pub(crate) fn authority_error(authority: &str) -> Option<String> {
    let fits = authority.len() <= 255 && split_authority(authority).is_some();
    (!fits).then(|| format!("{authority:?} is not a valid host, with or without a port"))
}

/// The beginnings of headers by which gateways, proxies and login servers tell a backend who the client
/// is, or which the names are themselves.
const IDENTITY_HEADERS: [&str; 27] = [
    "cf-access-",
    "client-cert",
    "forwarded-user",
    "remote-user",
    "ssl-client-",
    "tailscale-user-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-authenticated-",
    "x-client-cert",
    "x-client-dn",
    "x-client-verify",
    "x-consumer-",
    "x-credential-",
    "x-forwarded-client-cert",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-remote-",
    "x-ssl-",
    "x-webauth-",
];

/// The beginnings of headers by which a client asks some servers for something else than what its
/// request line says, and of what steers the proxy itself.
const STEERING_HEADERS: [&str; 9] = [
    "x-accel-",
    "x-envoy-",
    "x-http-method",
    "x-istio-",
    "x-method-override",
    "x-original-",
    "x-override-url",
    "x-rewrite-",
    "x-sendfile",
];

/// Whether a header's name claims an identity: only a proxy may set it.
pub(crate) fn is_reserved_header(name: &str) -> bool {
    is_modgate_header(name) || begins_with_any(name, &IDENTITY_HEADERS)
}

fn begins_with_any(name: &str, beginnings: &[&str]) -> bool {
    let mut beginnings = beginnings.iter();
    beginnings.any(|known| {
        let beginning = name.get(..known.len());
        beginning.is_some_and(|beginning| is_same_header(known, beginning))
    })
}

/// The name, in lower case, of a client's header that a backend gets because the policy says so.
pub(crate) fn forwarded_header(name: &str) -> Result<String, String> {
    let name = header_name(name)?;
    let carrying = CARRYING_HEADERS
        .iter()
        .any(|known| is_same_header(known, &name));
    if carrying || is_same_header("proxy-authorization", &name) {
        return Err(format!(
            "{name:?} is a hop-by-hop header, which is never forwarded"
        ));
    }
    if is_same_header("authorization", &name) {
        return Err("authorization is always forwarded, unless $.identity reads it".to_owned());
    }
    if is_reserved_header(&name) {
        return Err(format!(
            "{name:?} carries the client's verified identity, which a client must not set itself"
        ));
    }
    if begins_with_any(&name, &STEERING_HEADERS) {
        return Err(format!(
            "{name:?} can request something other than what the policy evaluated"
        ));
    }
    Ok(name)
}
