//! The port of a URL.

use http::Uri;

/// The port at which a URL of `http` or `https` is reached: the scheme's own where it names none.
///
/// # Errors
/// Where what stands behind the host is no port: the library drops it, and so would reach another server than the one
/// that was written.
pub fn port(url: &Uri) -> Result<u16, String> {
    let host = url.host().unwrap_or_default();
    let behind_host = url
        .authority()
        .map_or("", |authority| authority.as_str())
        .rsplit('@')
        .next()
        .and_then(|authority| authority.strip_prefix(host))
        .unwrap_or_default();
    if behind_host.is_empty() {
        return Ok(if url.scheme_str() == Some("https") {
            443
        } else {
            80
        });
    }
    let port = behind_host
        .strip_prefix(':')
        .and_then(|port| port.parse().ok());
    port.filter(|port| *port != 0).ok_or_else(|| {
        format!("the port {behind_host:?} is not one: `:` and a number from 1 to 65535")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_what_was_written_or_the_schemes() {
        let rows = [
            ("http://a", Some(80)),
            ("https://a/x", Some(443)),
            ("http://a:1", Some(1)),
            ("https://a:65535", Some(65535)),
            ("http://[::1]", Some(80)),
            ("http://[::1]:8080", Some(8080)),
            ("http://u:p@a:8080", Some(8080)),
            ("http://a:0", None),
            ("http://a:65536", None),
            ("http://a:70000", None),
            ("http://a:", None),
            ("http://[::1]:", None),
        ];
        table_rows::check(rows, |(url, expected)| {
            assert_eq!(port(&url.parse().unwrap()).ok(), expected);
        });
    }
}
