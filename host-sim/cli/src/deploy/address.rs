//! Where a cluster of the policy is: `--cluster NAME=URL`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use envoy_wasm_serve::{Upstream, port};

/// The policy's clusters by name, with where each is.
pub(super) type Addresses = BTreeMap<String, Address>;

/// Where a Go proxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Whether it speaks TLS.
    pub(super) is_tls: bool,
    pub(super) host: Host,
    pub(super) port: u16,
}

/// By what a Go proxy is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name in DNS, in lower case.
    Name(String),
    Ip(IpAddr),
}

impl Address {
    /// Whether it is in the same pod.
    pub(super) fn is_local(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost",
            Host::Ip(ip) => ip.is_loopback(),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// Reads `NAME=http://HOST[:PORT]`, as `modgate serve --upstream` does; the port is the scheme's without one.
///
/// # Errors
/// Where it is something else, or has a path: that belongs into the backend's `base_path`.
pub(super) fn parse(text: &str) -> Result<(String, Address), String> {
    let Upstream { name, url } = text.parse()?;
    let address = Address {
        is_tls: url.scheme_str() == Some("https"),
        host: host(url.host().unwrap_or_default())?,
        port: port(&url)?,
    };
    Ok((name, address))
}

fn host(text: &str) -> Result<Host, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return Ok(Host::Ip(ip));
    }
    let name = text.to_ascii_lowercase();
    if !is_dns_name(&name) {
        return Err(format!("{text:?} is neither a host name nor an IP address"));
    }
    Ok(Host::Name(name))
}

/// Whether a text is a name as Kubernetes takes it for hosts (RFC 1123): labels of at most 63 of `a-z 0-9 -`.
pub(super) fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// Whether a text is one label of such a name, as the names of namespaces are.
pub(super) fn is_dns_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && text.bytes().all(is_plain) && !ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_a_name_and_a_url_without_a_path() {
        let rows = [
            (
                "athens=http://athens.tools.svc:3000",
                Ok(("athens.tools.svc", 3000, false)),
            ),
            ("a=http://Athens", Ok(("athens", 80, false))),
            (
                "a=https://goproxy.corp.example/",
                Ok(("goproxy.corp.example", 443, true)),
            ),
            ("a=http://127.0.0.1:3000", Ok(("127.0.0.1", 3000, false))),
            ("a=http://[::1]:3000", Ok(("::1", 3000, false))),
            ("outbound|80||a.svc=http://b", Ok(("b", 80, false))),
            ("athens", Err("not NAME=URL")),
            ("=http://a", Err("no name")),
            ("a=athens:3000", Err("not a URL")),
            ("a=ftp://athens", Err("not a URL")),
            ("a=http://athens/go", Err("base_path")),
            ("a=http://athens?x", Err("base_path")),
            ("a=http://user:secret@athens", Err("user name")),
            ("a=http://athens:0", Err("from 1 to 65535")),
            ("a=http://ath_ens", Err("neither a host name")),
            ("a=http://athens:70000", Err("from 1 to 65535")),
            ("a=http://athens:", Err("from 1 to 65535")),
            ("a=http://[::1]:", Err("from 1 to 65535")),
        ];
        table_rows::check(rows, |(text, expected)| match (parse(text), expected) {
            (Ok((_, found)), Ok((host, port, is_tls))) => {
                assert_eq!(
                    (found.host.to_string().as_str(), found.port, found.is_tls),
                    (host, port, is_tls)
                );
            }
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, _) => panic!("{found:?}"),
        });
    }
}
