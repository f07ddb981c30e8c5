//! Who is asking: where a request's tenant comes from.

mod claim;
mod list;
mod subject;
mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use template::Template;

pub use claim::Claim;
pub use claim::Claimed;
pub use claim::Kinds;

use crate::document::is_name;
use modgate_go::goproxy::RequestError;
use modgate_go::http::HeaderValue;

/// What a host knows of a request beside its headers: the connection's certificate, claims that were
/// verified before. Asked only for what the policy needs, since each answer costs the host a copy.
pub trait Facts {
    /// The value that the host has under this path (Envoy: "Attributes"); `None` where it has none.
    fn property(&self, path: &[&str]) -> Option<Vec<u8>>;
}

/// A host that knows nothing else.
impl Facts for () {
    fn property(&self, _: &[&str]) -> Option<Vec<u8>> {
        None
    }
}

/// One place where the tenant's name can stand, and how it is read from what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it stands.
    pub place: Place,
    pub(crate) reading: Reading,
}

/// Where the name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A path prefix with the tenant as one of its elements.
    PathPrefix {
        /// What stands before the tenant, with a slash at the end, or nothing.
        before: String,
        /// What stands behind it, with a slash at the end, or nothing.
        after: String,
    },
    /// The value of a request header that the hop in front sets.
    Header {
        /// Its name in lower case.
        name: String,
        /// Whether it is believed; it is removed in any case.
        trusted: bool,
    },
    /// The request header in which Envoy's `basic_auth` forwards the user name that it verified.
    BasicUser {
        /// Its name in lower case.
        name: String,
    },
    /// Something that the host verified.
    Fact(Fact),
}

/// Something that the host knows of the connection or has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The first URI in the client certificate's subject alternative names.
    UriSan,
    /// The first DNS name in them.
    DnsSan,
    /// An attribute of the certificate's subject, such as OU.
    Subject {
        /// The attribute's short name.
        attribute: String,
    },
    /// A claim of a token that `jwt_authn` verified, by the path of its property.
    Claim {
        /// The path of its property.
        path: Vec<String>,
    },
    /// A claim that is a list.
    ClaimList {
        /// The path of its property.
        path: Vec<String>,
    },
    /// The server name that the client asked for in its TLS hello.
    ServerName,
    /// The name of the listener's filter chain.
    Listener,
}

/// How a value becomes a tenant's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The pattern that holds the name; without it the whole value does.
    pub(crate) template: Option<Template>,
    /// The tenants by what was found; without it that is the tenant's name.
    pub(crate) map: Option<BTreeMap<String, String>>,
}

impl Source {
    /// The source's name in explanations and logs: its key in the document.
    pub const fn as_str(&self) -> &'static str {
        match &self.place {
            Place::PathPrefix { .. } => "path_prefix",
            Place::Header { .. } => "header",
            Place::BasicUser { .. } => "basic_user",
            Place::Fact(Fact::UriSan) => "mtls_uri_san",
            Place::Fact(Fact::DnsSan) => "mtls_dns_san",
            Place::Fact(Fact::Subject { .. }) => "mtls_subject",
            Place::Fact(Fact::Claim { .. }) => "jwt_claim",
            Place::Fact(Fact::ClaimList { .. }) => "jwt_claim_list",
            Place::Fact(Fact::ServerName) => "sni",
            Place::Fact(Fact::Listener) => "listener",
        }
    }

    /// The kind of proof, for `require`.
    pub(crate) const fn kind(&self) -> Kinds {
        match &self.place {
            Place::PathPrefix { .. } => Kinds::PATH,
            Place::Header { .. } => Kinds::HEADER,
            Place::BasicUser { .. } => Kinds::BASIC,
            Place::Fact(Fact::UriSan | Fact::DnsSan | Fact::Subject { .. }) => Kinds::MTLS,
            Place::Fact(Fact::Claim { .. } | Fact::ClaimList { .. }) => Kinds::JWT,
            Place::Fact(Fact::ServerName) => Kinds::SNI,
            Place::Fact(Fact::Listener) => Kinds::LISTENER,
        }
    }

    /// The request header that it reads.
    pub(crate) const fn header(&self) -> Option<&String> {
        match &self.place {
            Place::Header { name, .. } | Place::BasicUser { name } => Some(name),
            Place::PathPrefix { .. } | Place::Fact(_) => None,
        }
    }

    /// Whether it says nothing that does not stand in the path.
    pub(crate) const fn is_in_path(&self) -> bool {
        matches!(
            self.place,
            Place::PathPrefix { .. } | Place::Header { trusted: false, .. }
        )
    }

    /// The request header that it depends on, as clients send it.
    pub(crate) fn vary(&self) -> Option<String> {
        match &self.place {
            Place::Header {
                name,
                trusted: true,
            } => Some(name.clone()),
            _ if self.proves_by_authorization() => Some("authorization".to_owned()),
            _ => None,
        }
    }

    /// Whether what proves it travels in the header `authorization`.
    pub(crate) const fn proves_by_authorization(&self) -> bool {
        matches!(
            self.place,
            Place::BasicUser { .. } | Place::Fact(Fact::Claim { .. } | Fact::ClaimList { .. })
        )
    }
}

/// Who a request says that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified<'a> {
    /// What its sources say.
    pub claim: Claim<'a>,
    /// The tenant's prefix of the path, with a slash at its end; empty where there is none.
    pub prefix: &'a str,
    /// The path behind it.
    pub rest: &'a str,
}

/// Reads the tenant's name from a path (without its leading slash), from headers and from what the
/// host verified. `is_tenant` says whom the policy knows by name.
///
/// Every source is asked, so that two that disagree are noticed: a request that claims two tenants
/// is not believed in either.
pub fn identify<'a>(
    sources: &[Source],
    is_tenant: impl Fn(&str) -> bool,
    path: &'a str,
    header: impl Fn(&str) -> HeaderValue<'a>,
    facts: &dyn Facts,
) -> Result<Identified<'a>, RequestError> {
    let mut claim = Claim::default();
    let mut rest = path;
    let mut prefix_taken = false;
    for source in sources {
        let value = match &source.place {
            Place::PathPrefix { before, after } => {
                if prefix_taken {
                    continue;
                }
                let Some((name, behind)) = take_prefix(path, before, after) else {
                    continue;
                };
                prefix_taken = true;
                rest = behind;
                claim.add(Cow::Borrowed(name), source);
                continue;
            }
            Place::Header { trusted: false, .. } => continue,
            Place::Header { name, .. } | Place::BasicUser { name } => match header(name) {
                HeaderValue::Absent => continue,
                HeaderValue::Once(value) => Cow::Borrowed(value),
                HeaderValue::Repeated => return Err(RequestError::Identity),
            },
            Place::Fact(fact) => match fact.read(facts)? {
                None => continue,
                Some(Read::One(value)) => Cow::Owned(value),
                Some(Read::Subject(values)) => {
                    for value in values {
                        claim.add_optional(source.tenant(Cow::Owned(value.into()))?, source);
                    }
                    continue;
                }
                Some(Read::List(values)) => {
                    let known = values
                        .into_iter()
                        .filter_map(|value| source.tenant(Cow::Owned(value)).ok().flatten())
                        .filter(|name| is_tenant(name));
                    claim.add_any(known, source);
                    continue;
                }
            },
        };
        claim.add_optional(source.tenant(value)?, source);
    }
    let prefix = path
        .get(..path.len().saturating_sub(rest.len()))
        .unwrap_or_default();
    Ok(Identified {
        claim,
        prefix,
        rest,
    })
}

/// What a fact says.
enum Read {
    One(Vec<u8>),
    /// All of them count.
    Subject(Vec<String>),
    /// Any of them may count.
    List(Vec<Vec<u8>>),
}

impl Fact {
    /// `None` where the host has nothing to say.
    ///
    /// # Errors
    /// What cannot be read: it may say another name than the one that others claim.
    fn read(&self, facts: &dyn Facts) -> Result<Option<Read>, RequestError> {
        let property = |path: &[&str]| facts.property(path).filter(|value| !value.is_empty());
        let host_name = |name: &str| {
            let mut value = property(&["connection", name])?;
            value.make_ascii_lowercase();
            Some(Read::One(value))
        };
        Ok(match self {
            Self::UriSan => property(&["connection", "uri_san_peer_certificate"]).map(Read::One),
            Self::DnsSan => host_name("dns_san_peer_certificate"),
            Self::ServerName => host_name("requested_server_name"),
            Self::Listener => property(&["xds", "filter_chain_name"]).map(Read::One),
            Self::Subject { attribute } => {
                let Some(subject) = property(&["connection", "subject_peer_certificate"]) else {
                    return Ok(None);
                };
                let subject = String::from_utf8(subject).map_err(|_| RequestError::Identity)?;
                let values = subject::values(&subject, attribute).ok_or(RequestError::Identity)?;
                Some(Read::Subject(values))
            }
            Self::Claim { path } => claim_property(facts, path).map(Read::One),
            Self::ClaimList { path } => {
                let Some(list) = claim_property(facts, path) else {
                    return Ok(None);
                };
                let elements = list::elements(&list).ok_or(RequestError::Identity)?;
                Some(Read::List(
                    elements.into_iter().map(<[u8]>::to_vec).collect(),
                ))
            }
        })
    }
}

fn claim_property(facts: &dyn Facts, path: &[String]) -> Option<Vec<u8>> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    facts.property(&path)
}

impl Source {
    /// The tenant that a value names; `None` where it names none that this source speaks of.
    fn tenant<'a>(&self, value: Cow<'a, [u8]>) -> Result<Option<Cow<'a, str>>, RequestError> {
        let value = match value {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        let value = value.ok_or(RequestError::Identity)?;
        let found = match &self.reading.template {
            None => value,
            Some(template) => match template.tenant(&value) {
                None => return Ok(None),
                Some(name) => Cow::Owned(name.to_owned()),
            },
        };
        match &self.reading.map {
            Some(map) => Ok(map.get(&*found).map(|name| Cow::Owned(name.clone()))),
            None if is_name(&found) => Ok(Some(found)),
            None => Err(RequestError::Identity),
        }
    }
}

fn take_prefix<'a>(path: &'a str, before: &str, after: &str) -> Option<(&'a str, &'a str)> {
    let (name, rest) = path.strip_prefix(before)?.split_once('/')?;
    let rest = rest.strip_prefix(after)?;
    is_name(name).then_some((name, rest))
}

#[cfg(test)]
mod tests;
