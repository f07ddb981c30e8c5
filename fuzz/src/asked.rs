//! An input as a request. The first line is the method and the path, each further line a header; a
//! line that begins with `@` is something that the host has verified.
//!
//! ```text
//! GET /t/payments/golang.org/x/text/@v/list
//! x-corp-tenant: payments
//! @uri: spiffe://corp.example/ns/payments/sa/build
//! @groups: [red,everyone]
//! ```

use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;

/// The facts that a line can name, with the paths of their properties in Envoy. A new source in
/// `policies/every-source.json` that reads another property needs a line here.
const PROPERTIES: [(&str, &str); 8] = [
    ("uri", "connection/uri_san_peer_certificate"),
    ("dns", "connection/dns_san_peer_certificate"),
    ("subject", "connection/subject_peer_certificate"),
    ("sni", "connection/requested_server_name"),
    ("listener", "xds/filter_chain_name"),
    (
        "claim",
        "metadata/filter_metadata/envoy.filters.http.jwt_authn/modgate/tenant",
    ),
    (
        "nested",
        "metadata/filter_metadata/envoy.filters.http.jwt_authn/modgate/org/tenant",
    ),
    (
        "groups",
        "metadata/filter_metadata/envoy.filters.http.jwt_authn/modgate/groups",
    ),
];

/// A request, and what its host knows.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The headers, pseudo-headers among them.
    pub headers: Vec<Header>,
    /// What the host has verified, by the short name.
    pub facts: Vec<(&'static str, Vec<u8>)>,
}

impl Asked {
    /// Reads an input; every input is some request.
    pub fn read(input: &[u8]) -> Self {
        let mut lines = input.split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let (method, path) = cut(first, b' ').unwrap_or((b"GET", first));
        let mut asked = Self::default();
        asked.header(":method", method);
        asked.header(":path", path);
        for line in lines {
            match line.strip_prefix(b"@") {
                Some(fact) => asked.read_fact(fact),
                None => asked.read_header(line),
            }
        }
        asked
    }

    fn read_header(&mut self, line: &[u8]) {
        // A pseudo-header's own colon is its first character.
        let pseudo = usize::from(line.starts_with(b":"));
        let Some(colon) = line.iter().skip(pseudo).position(|&byte| byte == b':') else {
            return;
        };
        let (name, value) = line.split_at(pseudo + colon);
        let value = value.strip_prefix(b": ").unwrap_or(&value[1..]);
        // Hosts hand names over in lower case.
        let name = String::from_utf8_lossy(name).to_lowercase();
        self.header(&name, value);
    }

    fn read_fact(&mut self, line: &[u8]) {
        let Some((name, value)) = cut(line, b':') else {
            return;
        };
        let known = PROPERTIES
            .iter()
            .find(|(known, _)| known.as_bytes() == name);
        let Some((name, _)) = known else {
            return;
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let list = value
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"));
        let value = list.map_or_else(|| value.to_vec(), pairs);
        self.facts.push((name, value));
    }

    fn header(&mut self, name: &str, value: &[u8]) {
        self.headers.push((name.to_owned(), value.to_vec()));
    }

    /// The same request with another value of a pseudo-header.
    pub fn with(&self, pseudo_header: &str, value: &str) -> Self {
        let mut other = self.clone();
        for (name, known) in &mut other.headers {
            if name == pseudo_header {
                *known = value.as_bytes().to_vec();
            }
        }
        other
    }

    /// The first value of a header.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.values(name);
        all.next()
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let found = self.headers.iter().filter(move |(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// What the host knows under a short name.
    pub fn fact(&self, name: &str) -> Option<&[u8]> {
        let found = self.facts.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_slice())
    }
}

impl Facts for Asked {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path = path.join("/");
        let (name, _) = PROPERTIES.iter().find(|(_, known)| *known == path)?;
        self.fact(name).map(<[u8]>::to_vec)
    }
}

/// A list as Envoy hands it to a filter: count, sizes of keys and values, then each with a NUL.
fn pairs(elements: &[u8]) -> Vec<u8> {
    let elements: Vec<_> = elements
        .split(|&byte| byte == b',')
        .filter(|element| !element.is_empty())
        .collect();
    let mut bytes = (elements.len() as u32).to_le_bytes().to_vec();
    for element in &elements {
        bytes.extend((element.len() as u32).to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
    }
    for element in elements {
        bytes.extend(element);
        bytes.extend([0, 0]);
    }
    bytes
}

fn cut(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}
