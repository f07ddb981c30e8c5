//! Who is asking: where a request's tenant comes from.

use super::names::is_name;
use crate::request::Refusal;

/// One place where the tenant's name can stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path prefix with the tenant as one of its elements.
    PathPrefix {
        /// What stands before the tenant, with a slash at the end, or nothing.
        before: String,
        /// What stands behind it, with a slash at the end, or nothing.
        after: String,
    },
    /// The value of a request header.
    Header {
        /// Its name in lower case.
        name: String,
        /// Whether it is believed; it is removed in any case.
        trusted: bool,
    },
}

impl Source {
    /// The source's name in explanations and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PathPrefix { .. } => "path_prefix",
            Self::Header { .. } => "header",
        }
    }
}

/// What the sources say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim<'a> {
    /// Nothing.
    None,
    /// All that say anything say this; the first of them is named.
    Tenant { name: &'a str, source: &'static str },
    /// They disagree.
    Conflict,
}

/// The values of one identity header in a request, as far as the engine cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HeaderValue<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// It is there once.
    Once(&'a [u8]),
    /// It is there more than once: nobody can tell which counts.
    Repeated,
}

/// Reads the tenant's name from a path (without its leading slash) and from headers, and gives the
/// path without the tenant's prefix.
///
/// Every source is asked, so that two that disagree are noticed: a request that claims two tenants
/// is not believed in either.
pub(crate) fn identify<'a>(
    sources: &[Source],
    path: &'a str,
    header: impl Fn(&str) -> HeaderValue<'a>,
) -> Result<(Claim<'a>, &'a str), Refusal> {
    let mut claim = Claim::None;
    let mut rest = path;
    let mut prefix_taken = false;
    for source in sources {
        let name = match source {
            Source::PathPrefix { before, after } if !prefix_taken => {
                let Some((name, behind)) = take_prefix(path, before, after) else {
                    continue;
                };
                prefix_taken = true;
                rest = behind;
                name
            }
            Source::Header {
                name,
                trusted: true,
            } => match header(name) {
                HeaderValue::Absent => continue,
                HeaderValue::Once(value) => tenant_name(value)?,
                HeaderValue::Repeated => return Err(Refusal::IdentityHeader),
            },
            Source::PathPrefix { .. } | Source::Header { .. } => continue,
        };
        claim = match claim {
            Claim::None => Claim::Tenant {
                name,
                source: source.as_str(),
            },
            Claim::Tenant { name: first, .. } if first == name => claim,
            Claim::Tenant { .. } | Claim::Conflict => Claim::Conflict,
        };
    }
    Ok((claim, rest))
}

fn take_prefix<'a>(path: &'a str, before: &str, after: &str) -> Option<(&'a str, &'a str)> {
    let (name, rest) = path.strip_prefix(before)?.split_once('/')?;
    let rest = rest.strip_prefix(after)?;
    is_name(name).then_some((name, rest))
}

fn tenant_name(value: &[u8]) -> Result<&str, Refusal> {
    let name = std::str::from_utf8(value).map_err(|_| Refusal::IdentityHeader)?;
    if is_name(name) {
        Ok(name)
    } else {
        Err(Refusal::IdentityHeader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<Source> {
        vec![
            Source::PathPrefix {
                before: "t/".into(),
                after: String::new(),
            },
            Source::Header {
                name: "x-tenant".into(),
                trusted: true,
            },
            Source::Header {
                name: "x-old".into(),
                trusted: false,
            },
        ]
    }

    fn ask<'a>(
        path: &'a str,
        headers: &'a [(&str, HeaderValue<'a>)],
    ) -> Result<(Claim<'a>, &'a str), Refusal> {
        identify(&sources(), path, |name| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value).unwrap_or_default()
        })
    }

    #[test]
    fn the_prefix_is_taken_off() {
        let tenant = Claim::Tenant {
            name: "acme",
            source: "path_prefix",
        };
        assert_eq!(ask("t/acme/a.b/@v/list", &[]), Ok((tenant, "a.b/@v/list")));
        assert_eq!(
            ask("t/ac.me/a.b/@v/list", &[]),
            Ok((Claim::None, "t/ac.me/a.b/@v/list"))
        );
        assert_eq!(ask("tt/acme/x", &[]), Ok((Claim::None, "tt/acme/x")));
    }

    #[test]
    fn only_a_trusted_header_counts() {
        let tenant = Claim::Tenant {
            name: "acme",
            source: "header",
        };
        let said = HeaderValue::Once(b"acme");
        assert_eq!(ask("p", &[("x-tenant", said)]), Ok((tenant, "p")));
        assert_eq!(ask("p", &[("x-old", said)]), Ok((Claim::None, "p")));
    }

    #[test]
    fn two_names_are_a_conflict_and_a_bad_one_is_refused() {
        let other = [("x-tenant", HeaderValue::Once(b"other"))];
        assert_eq!(ask("t/acme/p", &other), Ok((Claim::Conflict, "p")));
        let same = [("x-tenant", HeaderValue::Once(b"acme"))];
        let tenant = Claim::Tenant {
            name: "acme",
            source: "path_prefix",
        };
        assert_eq!(ask("t/acme/p", &same), Ok((tenant, "p")));
        for bad in [
            HeaderValue::Repeated,
            HeaderValue::Once(b"a;b"),
            HeaderValue::Once(b"\xff"),
        ] {
            assert_eq!(ask("p", &[("x-tenant", bad)]), Err(Refusal::IdentityHeader));
        }
    }
}
