//! The value of `Location`, read strictly: what two readers could take for two places is refused.

/// A place: an `http` or `https` URL, or an absolute path on the server that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Scheme and authority in lower case, without the scheme's own port.
    origin: Option<String>,
    /// Empty, or with a leading slash.
    path: String,
    query: bool,
}

impl Location {
    /// Reads a value; `None` for every form but the two, and for what readers disagree on: user
    /// information, dot segments, empty elements, backslashes, anything but ASCII that is graphic.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        if !text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b))
        {
            return None;
        }
        let (origin, rest) = match text.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at_checked(end)?;
                (Some(origin(scheme, authority)?), rest)
            }
            _ if text.starts_with('/') => (None, text),
            _ => return None,
        };
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (path, query) = rest.split_at_checked(end)?;
        is_plain_path(path).then(|| Self {
            origin,
            path: path.to_owned(),
            query: !query.is_empty(),
        })
    }

    /// What stands behind another place's path, if this is at or below that: empty, or with a
    /// leading slash.
    pub(super) fn below(&self, place: &Self) -> Option<&str> {
        if self.origin != place.origin {
            return None;
        }
        let above = place.path.strip_suffix('/').unwrap_or(&place.path);
        let rest = self.path.strip_prefix(above)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    /// Whether there is a query or a fragment.
    pub(crate) const fn has_query(&self) -> bool {
        self.query
    }

    /// The host with its port, where it names one.
    pub(super) fn host(&self) -> Option<&str> {
        let origin = self.origin.as_deref()?;
        origin.split_once("://").map(|(_, host)| host)
    }
}

fn origin(scheme: &str, authority: &str) -> Option<String> {
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return None,
    };
    let authority = authority.to_ascii_lowercase();
    // At the first colon, so that a second one is a bad port and not a part of the host.
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority.as_str(), None),
    };
    let host_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let digits = |port: &str| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    let good = !host.is_empty()
        && host.bytes().all(host_byte)
        && port.is_none_or(|port| !port.is_empty() && digits(port));
    let port = port.filter(|port| *port != own_port);
    good.then(|| match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn is_plain_path(path: &str) -> bool {
    let Some(elements) = path.strip_prefix('/') else {
        return path.is_empty();
    };
    let mut elements = elements.split('/').peekable();
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        if element.is_empty() && !last {
            return false;
        }
        if matches!(unescaped_dots(element).as_str(), "." | "..") {
            return false;
        }
    }
    true
}

fn unescaped_dots(element: &str) -> String {
    element.replace("%2e", ".").replace("%2E", ".")
}
