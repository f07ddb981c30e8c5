//! The host that a request asks for.

/// What a route wants of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This one, in lower case.
    Is(String),
    /// One with this end, which begins with a dot.
    Below(String),
}

/// The host of a request, in lower case and without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// Reads `:authority` (RFC 9110, section 7.2). `None` is what cannot be one.
    pub fn read(authority: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(authority).ok()?;
        let host = match text.rsplit_once(':') {
            // An address of version 6 keeps its colons.
            Some((host, port))
                if port.bytes().all(|b| b.is_ascii_digit()) && !text.ends_with(']') =>
            {
                host
            }
            _ => text,
        };
        // A name that ends with the root's dot is the same name.
        let host = host.strip_suffix('.').unwrap_or(host);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let is_host = !host.is_empty() && host.bytes().all(allowed);
        is_host.then(|| Self(host.to_ascii_lowercase()))
    }
}

impl HostPattern {
    pub(super) fn takes(&self, Host(host): &Host) -> bool {
        match self {
            Self::Is(name) => name == host,
            Self::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_without_its_port_and_whatever_its_case() {
        let rows = [
            ("goproxy.corp.example", Some("goproxy.corp.example")),
            ("GoProxy.Corp.Example:8080", Some("goproxy.corp.example")),
            ("goproxy.corp.example.", Some("goproxy.corp.example")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("[::1]:8080", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("", None),
            (":80", None),
            ("a b", None),
            ("user@host", None),
            ("host/path", None),
        ];
        table_rows::check(rows, |(authority, host)| {
            let read = Host::read(authority.as_bytes());
            assert_eq!(read, host.map(|host| Host(host.to_owned())), "{authority}");
        });
        assert_eq!(Host::read(b"\xff"), None);
    }

    #[test]
    fn a_pattern_takes_its_own_hosts() {
        let is = HostPattern::Is("a.example".to_owned());
        let below = HostPattern::Below(".a.example".to_owned());
        let host = |text: &str| Host(text.to_owned());
        assert!(is.takes(&host("a.example")) && !below.takes(&host("a.example")));
        assert!(below.takes(&host("x.a.example")) && below.takes(&host("y.x.a.example")));
        for other in ["evil-a.example", "a.example.evil", ".a.example"] {
            assert!(
                !is.takes(&host(other)) && !below.takes(&host(other)),
                "{other}"
            );
        }
    }
}
