//! Redirects of a backend: kept behind the filter, passed on, or refused.
//!
//! A client that follows a redirect to another host asks that host without the filter. So a backend's
//! `Location` reaches the client only where the policy names the place (RFC 9110, section 10.2.2).

mod location;

pub(crate) use location::Location;

/// One place that a backend may redirect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectRule {
    /// The place: all that it is the beginning of, at a path element's end.
    pub(crate) to: Location,
    /// What becomes of a redirect to there.
    pub(crate) then: Then,
}

/// What becomes of a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It goes to the client as it is.
    Pass,
    /// It stays behind the filter: this path, behind the tenant's prefix, stands in the place's
    /// stead. Empty, or with a leading slash only.
    Rewrite(String),
}

/// What the client gets of a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirected {
    /// The backend's own `Location`.
    Passed,
    /// This `Location`: behind the filter, or that which a relative one leads to, where the policy lets it
    /// pass.
    To(String),
    /// An answer of the filter instead.
    Refused {
        /// Why, for the log: a sentence that holds no more of the place than its host.
        reason: String,
    },
}

/// Judges a redirect by the values of its `Location` headers; `tenant_prefix` is what the client
/// wrote before everything else, such as `t/acme/`, and `requested` the path of the request to the backend,
/// which a relative `Location` depends on.
pub(crate) fn evaluate(
    rules: &[RedirectRule],
    locations: &[&[u8]],
    tenant_prefix: &str,
    requested: impl FnOnce() -> Option<String>,
) -> Redirected {
    let refused = |reason: &str| Redirected::Refused {
        reason: reason.to_owned(),
    };
    let value = match locations {
        // Nothing that a client could follow.
        [] => return Redirected::Passed,
        [value] => value,
        _ => return refused("it has more than one Location"),
    };
    let (places, is_whole) = match Location::parse(value) {
        Some(place) => (vec![place], true),
        None => {
            let requested = requested().unwrap_or_default();
            (Location::resolve(value, &requested), false)
        }
    };
    let Some(location) = places.first() else {
        return refused("its Location is neither a plain http or https URL nor a path");
    };
    for rule in rules {
        let mut below = places.iter().map(|place| (place, place.below(&rule.to)));
        let Some((location, Some(rest))) = below.find(|(_, rest)| rest.is_some()) else {
            continue;
        };
        return match &rule.then {
            Then::Pass if is_whole => Redirected::Passed,
            // The client would take it relative to the path that it has requested itself.
            Then::Pass => Redirected::To(location.text()),
            Then::Rewrite(_) if location.has_query() => {
                refused("its Location has a query, which GOPROXY requests do not have")
            }
            Then::Rewrite(path) => {
                let prefix = tenant_prefix.strip_suffix('/').unwrap_or(tenant_prefix);
                let slash = if prefix.is_empty() { "" } else { "/" };
                Redirected::To(format!("{slash}{prefix}{path}{rest}"))
            }
        };
    }
    Redirected::Refused {
        reason: match location.host() {
            Some(host) => format!("the policy lists no redirect to {host}"),
            None => "the policy lists no redirect to this path of the backend".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<RedirectRule> {
        let rule = |to: &str, then| RedirectRule {
            to: Location::parse(to.as_bytes()).unwrap(),
            then,
        };
        vec![
            rule(
                "https://proxy.example/base",
                Then::Rewrite("/upstream".into()),
            ),
            rule("/artifactory/api/go/x", Then::Rewrite(String::new())),
            rule("https://cdn.example:8443", Then::Pass),
        ]
    }

    fn evaluated(location: &str) -> Result<Option<String>, String> {
        evaluated_at(location, "/artifactory/api/go/x/a.b/c/@v/v1.0.0.zip")
    }

    fn evaluated_at(location: &str, requested: &str) -> Result<Option<String>, String> {
        let requested = || Some(requested.to_owned());
        match evaluate(&rules(), &[location.as_bytes()], "t/acme/", requested) {
            Redirected::Passed => Ok(None),
            Redirected::To(to) => Ok(Some(to)),
            Redirected::Refused { reason } => Err(reason),
        }
    }

    #[test]
    fn a_redirect_stays_behind_the_filter() {
        let kept = |path: &str| Ok(Some(path.to_owned()));
        let rows = [
            (
                "https://proxy.example/base/a.b/c/@v/v1.0.0.zip",
                "/t/acme/upstream/a.b/c/@v/v1.0.0.zip",
            ),
            (
                "HTTPS://Proxy.Example:443/base/a.b/@latest",
                "/t/acme/upstream/a.b/@latest",
            ),
            (
                "/artifactory/api/go/x/a.b/%21c/@v/list",
                "/t/acme/a.b/%21c/@v/list",
            ),
        ];
        table_rows::check(rows, |(location, to)| {
            assert_eq!(evaluated(location), kept(to), "{location}");
        });
        let at_root = evaluate(
            &rules(),
            &[b"/artifactory/api/go/x/a.b/@latest"],
            "",
            || None,
        );
        assert_eq!(at_root, Redirected::To("/a.b/@latest".to_owned()));
    }

    #[test]
    fn what_the_policy_names_passes_and_nothing_else() {
        assert_eq!(
            evaluated("https://cdn.example:8443/blob?sig=a%2Fb"),
            Ok(None)
        );
        for location in [
            "https://cdn.example/blob",
            "http://cdn.example:8443/blob",
            "https://cdn.example:8443.evil/blob",
            "https://cdn.example:8443@evil.example/blob",
            "https://cdn.example:8443:443/blob",
            "https://cdn.example:/blob",
            "https://evil.example/",
            "https://proxy.example/basement/x",
            "https://proxy.example/base/../secret",
            "https://proxy.example/base/%2e%2E/secret",
            "https://proxy.example/base//evil.example",
            "https://proxy.example/base/x?y",
            "https://proxy.example/base/x#y",
            "//evil.example/x",
            "///evil.example/x",
            "/\\evil.example/x",
            "/artifactory/other",
            "../../../../../../elsewhere",
            "",
            "javascript:alert(1)",
            "ftp://cdn.example:8443/x",
            "https://cdn.example:8443/\r\nset-cookie: a=b",
            "https://cdn.example:8443/\u{e9}",
            "https://cdn.example:8443\\x",
        ] {
            assert!(evaluated(location).is_err(), "{location}");
        }
        let two: [&[u8]; 2] = [b"https://cdn.example:8443/a", b"https://evil.example/"];
        assert!(matches!(
            evaluate(&rules(), &two, "", || None),
            Redirected::Refused { .. }
        ));
        assert_eq!(evaluate(&rules(), &[], "", || None), Redirected::Passed);
    }

    #[test]
    fn a_relative_location_is_resolved_against_the_requested_path() {
        let kept = |path: &str| Ok(Some(path.to_owned()));
        let rows = [
            ("v1.0.1.zip", "/t/acme/a.b/c/@v/v1.0.1.zip"),
            ("./v1.0.1.zip", "/t/acme/a.b/c/@v/v1.0.1.zip"),
            ("../@latest", "/t/acme/a.b/c/@latest"),
            ("../../d/@v/list", "/t/acme/a.b/d/@v/list"),
            ("../@v/./x/../list", "/t/acme/a.b/c/@v/list"),
            ("..", "/t/acme/a.b/c/"),
            (
                "/artifactory/api/go/y/../x/a.b/@latest",
                "/t/acme/a.b/@latest",
            ),
            (
                "//proxy.example/base/a.b/@latest",
                "/t/acme/upstream/a.b/@latest",
            ),
            (
                "//Proxy.example:443/base/x/../a.b/@latest",
                "/t/acme/upstream/a.b/@latest",
            ),
            (
                "//cdn.example:8443/blob?sig=a%2Fb",
                "https://cdn.example:8443/blob?sig=a%2Fb",
            ),
        ];
        table_rows::check(rows, |(location, to)| {
            assert_eq!(evaluated(location), kept(to), "{location}");
        });
        for location in [
            "",
            "#here",
            "?x=y",
            "v1.0.1.zip?x=y",
            "../../../../../../../x",
            "/../artifactory/api/go/x/a.b/@latest",
            "/artifactory/api/go/x/../../secret",
            "../../../../secret",
            "%2e%2e/@latest",
            "a//b",
            "a:b",
            "javascript:alert(1)",
            "//cdn.example/blob",
            "//cdn.example:8443@evil.example/blob",
            "//user@proxy.example/base/x",
            "//proxy.example/base/../secret",
            "///proxy.example/base/x",
            "////proxy.example/base/x",
        ] {
            assert!(evaluated(location).is_err(), "{location}");
        }
        // Without what was asked, and with what cannot be, nothing is relative.
        for requested in ["", "*", "/artifactory//api/x", "/artifactory/../x/y"] {
            assert!(
                evaluated_at("v1.0.1.zip", requested).is_err(),
                "{requested}"
            );
        }
        assert_eq!(
            evaluated_at("x", "/artifactory/api/go/x/a.b/@latest?q=/x/"),
            kept("/t/acme/a.b/x")
        );
    }

    #[test]
    fn the_reason_tells_no_more_than_the_host() {
        let reason = evaluated("https://blobs.example/x?signature=secret").unwrap_err();
        assert_eq!(reason, "the policy lists no redirect to blobs.example");
    }
}
