//! Which caches may keep an answer. A shared cache serves what it has to everyone who requests the URL,
//! without an authorization check.

use super::request_head::RequestHead;
use super::upstream_headers::goes_upstream;
use modgate_go::goproxy::Operation;
use modgate_go::http::Header;
use modgate_policy::model::route::{Route, To};
use modgate_policy::model::{Backend, By, Policy, Tenant};

/// Which caches may keep a backend's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// Every tenant gets the same bytes under that URL, so the backend's own `Cache-Control` holds.
    Shared,
    /// The answer depends on the client: only a private cache may keep it.
    #[default]
    Private,
}

/// What becomes of a response header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// Replaces every line of that name.
    Set(&'static str, String),
    /// Removes every line of that name.
    Remove(String),
}

/// The parts of a request that its answer can depend on.
pub(super) struct CacheInputs<'a> {
    pub(super) operation: &'a Operation<'a>,
    pub(super) tenant: &'a Tenant,
    pub(super) head: &'a RequestHead<'a>,
    /// `None` where the document gives the backend to a checksum database.
    pub(super) route: Option<&'a Route>,
    pub(super) backend: &'a Backend,
}

/// Which caches may keep the answer to a request that goes upstream.
pub(super) fn cache_scope(policy: &Policy, inputs: &CacheInputs<'_>) -> CacheScope {
    if hangs_on_tenant(policy, inputs) || hangs_on_client(policy, inputs) {
        CacheScope::Private
    } else {
        CacheScope::Shared
    }
}

/// Whether two tenants may get two answers under one URL.
fn hangs_on_tenant(policy: &Policy, inputs: &CacheInputs<'_>) -> bool {
    if policy.is_tenant_in_path {
        return false;
    }
    // No rule applies to tiles and tree heads.
    let is_same = policy.are_tenants_alike || inputs.operation.module().is_none();
    !is_same || is_routed_by(policy, inputs.route, By::Tenant)
}

/// Whether two clients of one tenant may get two answers.
fn hangs_on_client(policy: &Policy, inputs: &CacheInputs<'_>) -> bool {
    let rollout = inputs.tenant.rollout.as_ref();
    let module = inputs.operation.module();
    let split = module.and_then(|module| policy.splits.of(module));
    rollout.is_some_and(|rollout| rollout.stage.is_canary_by(By::Client))
        || split.is_some_and(|split| split.strict && split.hangs_on_client())
        || is_routed_by(policy, inputs.route, By::Client)
        || inputs.head.has_credentials(policy, inputs.backend)
}

fn is_routed_by(policy: &Policy, route: Option<&Route>, by: By) -> bool {
    let Some(route) = route else {
        return false;
    };
    let is_drawn = matches!(&route.to, To::Drawn(drawn) if drawn.by == by);
    let trial = policy.routes_trial.as_ref();
    is_drawn || trial.is_some_and(|trial| trial.stage.is_canary_by(by))
}
impl RequestHead<'_> {
    /// Whether the request carries credentials, or another header that the policy forwards to this backend.
    fn has_credentials(&self, policy: &Policy, backend: &Backend) -> bool {
        self.headers.iter().any(|(name, _)| {
            let may_be = name == "authorization" || backend.forward_headers.contains(name);
            may_be && goes_upstream(name, policy, backend)
        })
    }
}

/// The changes that keep an answer out of every shared cache. What the backend says holds where it is
/// stricter. `vary` are the request headers that identify the tenant.
pub fn keep_private(headers: &[Header], vary: &[String]) -> Vec<HeaderChange> {
    let mut changes: Vec<HeaderChange> = Vec::new();
    for (name, _) in headers {
        if speaks_to_one_cache(name) {
            let change = HeaderChange::Remove(name.clone());
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    let (control, is_stored) = private_control(headers);
    if let Some(control) = control {
        changes.push(HeaderChange::Set("cache-control", control));
    }
    if is_stored {
        changes.extend(with_vary(headers, vary).map(|vary| HeaderChange::Set("vary", vary)));
    }
    changes
}

/// Headers that some shared caches read instead of `Cache-Control`: those of RFC 9213, which end in
/// `cache-control`, and older ones.
fn speaks_to_one_cache(name: &str) -> bool {
    const END: &str = "-cache-control";
    let end = name.len().checked_sub(END.len());
    let end = end.and_then(|at| name.get(at..));
    let older = ["surrogate-control", "edge-control", "x-accel-expires"];
    end.is_some_and(|end| end.eq_ignore_ascii_case(END))
        || older.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The `Cache-Control` to send, if the backend's must change; and whether any cache may keep the answer.
fn private_control(headers: &[Header]) -> (Option<String>, bool) {
    let Some(directives) = list(headers, "cache-control") else {
        // It cannot be parsed, so what it forbids is not known.
        return (Some("no-store".to_owned()), false);
    };
    let (mut kept, mut is_private, mut needs_lookup, mut no_store) =
        (Vec::new(), false, false, false);
    for directive in directives {
        let (name, value) = directive
            .split_once('=')
            .map_or((directive, None), |(name, value)| (name, Some(value)));
        match name.trim_end().to_ascii_lowercase().as_str() {
            "private" if value.is_none() => is_private = true,
            // Of some fields only; for shared caches; and for those that know what a status means, for
            // which `no-store` beside it is nothing.
            "private" | "public" | "s-maxage" | "must-understand" => needs_lookup = true,
            name => {
                no_store |= name == "no-store";
                kept.push(directive);
            }
        }
    }
    if !needs_lookup && (is_private || no_store) {
        return (None, !no_store);
    }
    let control = std::iter::once("private").chain(kept);
    let control: Vec<&str> = control.collect();
    (Some(control.join(", ")), !no_store)
}

/// `Vary` with these names, where one of them is missing.
fn with_vary(headers: &[Header], names: &[String]) -> Option<String> {
    let Some(known) = list(headers, "vary") else {
        return Some("*".to_owned());
    };
    let is_known = |name: &str| {
        let mut known = known.iter();
        known.any(|known| *known == "*" || known.eq_ignore_ascii_case(name))
    };
    let missing: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !is_known(name))
        .collect();
    (!missing.is_empty()).then(|| [known.clone(), missing].concat().join(", "))
}

/// The elements of a header that is a list, from all its lines; `None` where they cannot be told apart.
fn list<'h>(headers: &'h [Header], name: &str) -> Option<Vec<&'h str>> {
    let mut elements = Vec::new();
    for (_, value) in headers.iter().filter(|(known, _)| known == name) {
        let text = std::str::from_utf8(value).ok()?;
        let (mut begin, mut quoted, mut escaped) = (0, false, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    elements.push(text.get(begin..at)?.trim());
                    begin = at + 1;
                }
                _ => {}
            }
        }
        if quoted {
            return None;
        }
        elements.push(text.get(begin..)?.trim());
    }
    elements.retain(|element| !element.is_empty());
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(headers: &[(&str, &str)], vary: &[&str]) -> Vec<String> {
        let headers: Vec<Header> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        let vary: Vec<String> = vary.iter().map(|name| (*name).to_owned()).collect();
        keep_private(&headers, &vary)
            .into_iter()
            .map(|change| match change {
                HeaderChange::Set(name, value) => format!("{name}: {value}"),
                HeaderChange::Remove(name) => format!("-{name}"),
            })
            .collect()
    }

    #[test]
    fn shared_caching_is_forbidden_and_stricter_directives_stay() {
        let rows = [
            ("public, max-age=10800", "private, max-age=10800"),
            ("PUBLIC, S-MaxAge=60", "private"),
            ("max-age=60", "private, max-age=60"),
            ("s-maxage = 60, max-age=5", "private, max-age=5"),
            ("private=\"set-cookie\", max-age=5", "private, max-age=5"),
            ("private, public", "private"),
            ("no-cache", "private, no-cache"),
            (
                "no-cache=\"a, public\", immutable",
                "private, no-cache=\"a, public\", immutable",
            ),
            ("no-store, public", "private, no-store"),
            (
                "must-understand, no-store, max-age=9",
                "private, no-store, max-age=9",
            ),
            (
                "proxy-revalidate,, must-revalidate",
                "private, proxy-revalidate, must-revalidate",
            ),
            ("max-age=\"60, public", "no-store"),
            ("x=\"a\\\", public\"", "private, x=\"a\\\", public\""),
        ];
        table_rows::check(rows, |(said, becomes)| {
            let becomes = format!("cache-control: {becomes}");
            assert_eq!(
                changed(&[("cache-control", said)], &[]),
                [becomes],
                "{said}"
            );
        });
        for stricter in [
            "private",
            "no-store",
            "max-age=0, Private",
            "no-store, max-age=0",
        ] {
            assert!(
                changed(&[("cache-control", stricter)], &[]).is_empty(),
                "{stricter}"
            );
        }
        assert_eq!(changed(&[], &[]), ["cache-control: private"]);
        let lines = [("cache-control", "private"), ("cache-control", "public")];
        assert_eq!(changed(&lines, &[]), ["cache-control: private"]);
    }

    #[test]
    fn headers_for_one_kind_of_cache_cannot_override_it() {
        let headers = [
            ("cache-control", "private"),
            ("surrogate-control", "max-age=60"),
            ("cdn-cache-control", "max-age=60"),
            ("cloudflare-cdn-cache-control", "max-age=60"),
            ("cdn-cache-control", "public"),
            ("edge-control", "max-age=60"),
            ("x-accel-expires", "60"),
            ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ];
        let removed = [
            "-surrogate-control",
            "-cdn-cache-control",
            "-cloudflare-cdn-cache-control",
            "-edge-control",
            "-x-accel-expires",
        ];
        assert_eq!(changed(&headers, &[]), removed);
    }

    #[test]
    fn vary_names_the_identity_headers_once() {
        let private = ("cache-control", "private");
        for (said, becomes) in [
            (None, Some("x-team, authorization")),
            (
                Some("Accept-Encoding"),
                Some("Accept-Encoding, x-team, authorization"),
            ),
            (Some("X-Team"), Some("X-Team, authorization")),
            (Some("authorization, x-team"), None),
            (Some("*"), None),
        ] {
            let vary = said.map(|said| ("vary", said));
            let headers: Vec<_> = std::iter::once(private).chain(vary).collect();
            let expected: Vec<_> = becomes
                .map(|vary| format!("vary: {vary}"))
                .into_iter()
                .collect();
            assert_eq!(
                changed(&headers, &["x-team", "authorization"]),
                expected,
                "{said:?}"
            );
        }
        // An answer that no cache keeps needs no `Vary`.
        assert!(changed(&[("cache-control", "no-store")], &["x-team"]).is_empty());
    }
}
