//! The value of `Location`, read strictly: what two readers could take for two places is refused.

use modgate_go::http::split_authority;

/// A place: an `http` or `https` URL, or an absolute path on the server that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Scheme and authority in lower case, without the scheme's own port.
    origin: Option<String>,
    /// Empty, or with a leading slash.
    path: String,
    /// The query and the fragment, as they stand.
    query: String,
}

impl Location {
    /// Reads a value; `None` for every form but the two, and for what readers disagree on: user
    /// information, dot segments, empty elements, backslashes, anything but ASCII that is graphic.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = plain_text(value)?;
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
            query: query.to_owned(),
        })
    }

    /// Where a value leads that is no whole place: all that it may be, relative to a path that was asked
    /// (RFC 3986, section 5.2). What begins with two slashes has the scheme of the connection to the
    /// backend, which is not known here.
    pub(super) fn resolve(value: &[u8], requested: &str) -> Vec<Self> {
        let Some(text) = plain_text(value) else {
            return Vec::new();
        };
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let (hierarchy, query) = text.split_at_checked(end).unwrap_or((text, ""));
        let (authority, path) = match hierarchy.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Some(authority), path.to_owned())
            }
            None => match merged(hierarchy, requested) {
                // The place itself, which leads nowhere.
                Some(_) if hierarchy.is_empty() && !query.starts_with('?') => return Vec::new(),
                Some(path) => (None, path),
                None => return Vec::new(),
            },
        };
        let Some(path) = without_dots(&path).filter(|path| is_plain_path(path)) else {
            return Vec::new();
        };
        let at = |origin| Self {
            origin,
            path: path.clone(),
            query: query.to_owned(),
        };
        match authority {
            None => vec![at(None)],
            Some(authority) => ["https", "http"]
                .into_iter()
                .filter_map(|scheme| origin(scheme, authority))
                .map(|origin| at(Some(origin)))
                .collect(),
        }
    }

    /// As a header has it.
    pub(super) fn text(&self) -> String {
        let origin = self.origin.as_deref().unwrap_or_default();
        format!("{origin}{}{}", self.path, self.query)
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
    pub(crate) fn has_query(&self) -> bool {
        !self.query.is_empty()
    }

    /// The host with its port, where it names one.
    pub(super) fn host(&self) -> Option<&str> {
        let origin = self.origin.as_deref()?;
        origin.split_once("://").map(|(_, host)| host)
    }
}

/// ASCII that is graphic and that no reader takes for something else.
fn plain_text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let plain = |b: u8| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b);
    text.bytes().all(plain).then_some(text)
}

/// A path behind the folder of the one that was asked, or that one itself.
fn merged(path: &str, requested: &str) -> Option<String> {
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let requested = requested.split(['?', '#']).next()?;
    if !requested.starts_with('/') || !is_plain_path(requested) {
        return None;
    }
    if path.is_empty() {
        return Some(requested.to_owned());
    }
    // A colon in the first element makes it a scheme.
    let first = path.split('/').next()?;
    let (folder, _) = requested.rsplit_once('/')?;
    (!first.contains(':')).then(|| format!("{folder}/{path}"))
}

/// The path without `.` and `..`; `None` for a way above the root.
fn without_dots(path: &str) -> Option<String> {
    let Some(elements) = path.strip_prefix('/') else {
        return Some(path.to_owned());
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut elements = elements.split('/').peekable();
    while let Some(element) = elements.next() {
        let is_last = elements.peek().is_none();
        match element {
            "." => {}
            ".." => {
                kept.pop()?;
            }
            element => {
                kept.push(element);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    Some(format!("/{}", kept.join("/")))
}

fn origin(scheme: &str, authority: &str) -> Option<String> {
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = authority.to_ascii_lowercase();
    let (host, port) = split_authority(&authority)?;
    // Of addresses in brackets and of underscores two readers may make two hosts.
    let host_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let good = host.bytes().all(host_byte);
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
