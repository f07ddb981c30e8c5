//! Whether a backend's answer was a cache hit or a miss.
//!
//! The detectors are ordered by certainty: a header that says it, `Age`, what is known of the kind of
//! backend, and last the response time, whose verdict is marked as inferred. If none of them can tell, the
//! status is unknown, and is never counted as a miss.

use std::time::Duration;

use modgate_go::goproxy::Mutability;
use modgate_go::http::Header;
use modgate_policy::model::{Backend, BackendKind};

/// The cache status of a backend's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CacheStatus {
    /// The answer was cached.
    Hit,
    /// The backend had to fetch it.
    Miss,
    /// The backend could not fetch it and served an old one.
    Stale,
    /// Nothing indicates it.
    Unknown,
}

/// The evidence for a cache status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// A header that says it.
    Header,
    /// The header `Age` (RFC 9111, section 5.1).
    Age,
    /// What is known of the kind of backend.
    Backend,
    /// The response time.
    Inferred,
    /// Nothing.
    None,
}

/// A cache status and its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheVerdict {
    /// The status.
    pub status: CacheStatus,
    /// The evidence.
    pub evidence: Evidence,
}

impl CacheStatus {
    /// The value of the label `cache_status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

impl Evidence {
    /// The value of the label `evidence`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Age => "age",
            Self::Backend => "backend",
            Self::Inferred => "inferred",
            Self::None => "none",
        }
    }
}

/// The headers that are read if a backend's document names none.
const COMMON_HEADERS: [&str; 3] = ["cache-status", "x-cache", "cf-cache-status"];

/// The cache status of an answer; `None` for an answer without content, such as 404 or 502, which is no cache
/// lookup. `to_first_byte` returns the time from the request to the answer's headers; it is called only if it
/// is needed, since reading the clock costs. `backend` is `None` if it is not known which backend answered;
/// then only the answer itself counts.
pub fn cache_verdict(
    backend: Option<&Backend>,
    mutability: Mutability,
    status: u16,
    headers: &[Header],
    to_first_byte: impl Fn() -> Duration,
) -> Option<CacheVerdict> {
    if !matches!(status, 200..=399) {
        return None;
    }
    let verdict = |status, evidence| Some(CacheVerdict { status, evidence });
    if let Some(status) = from_headers(backend, headers) {
        return verdict(status, Evidence::Header);
    }
    if value(headers, "age").is_some() {
        return verdict(CacheStatus::Hit, Evidence::Age);
    }
    let kind = backend.and_then(|backend| backend.kind);
    if let Some(status) = from_kind(kind, mutability, status, headers) {
        return verdict(status, Evidence::Backend);
    }
    match backend.and_then(|backend| backend.hit_below) {
        Some(limit) if to_first_byte() < limit => verdict(CacheStatus::Hit, Evidence::Inferred),
        Some(_) => verdict(CacheStatus::Miss, Evidence::Inferred),
        None => verdict(CacheStatus::Unknown, Evidence::None),
    }
}

fn from_headers(backend: Option<&Backend>, headers: &[Header]) -> Option<CacheStatus> {
    let named = backend.map_or(&[][..], |backend| &backend.cache_headers);
    let named = named.iter().map(String::as_str);
    let common = COMMON_HEADERS.into_iter();
    named.chain(common).find_map(|name| {
        let value = value(headers, name)?;
        if name == "cache-status" {
            from_cache_status(value)
        } else {
            from_word(value)
        }
    })
}

/// RFC 9211: the last member of the list is the cache nearest to us.
fn from_cache_status(value: &str) -> Option<CacheStatus> {
    let nearest = value.rsplit(',').next()?;
    nearest.split(';').skip(1).find_map(|parameter| {
        let (name, argument) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.trim(), argument.trim()) {
            ("hit", "" | "?1") => Some(CacheStatus::Hit),
            ("fwd", _) => Some(CacheStatus::Miss),
            _ => None,
        }
    })
}

/// The words of `X-Cache` and `CF-Cache-Status`; of several caches the last is the nearest.
fn from_word(value: &str) -> Option<CacheStatus> {
    let nearest = value.rsplit(',').next()?.trim_start();
    let word = nearest.split([' ', ';', ':', '_']).next()?;
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    if ["hit", "revalidated", "refreshhit"].into_iter().any(is) {
        return Some(CacheStatus::Hit);
    }
    if ["miss", "expired", "bypass", "dynamic"].into_iter().any(is) {
        return Some(CacheStatus::Miss);
    }
    ["stale", "updating"]
        .into_iter()
        .any(is)
        .then_some(CacheStatus::Stale)
}

fn from_kind(
    kind: Option<BackendKind>,
    mutability: Mutability,
    status: u16,
    headers: &[Header],
) -> Option<CacheStatus> {
    match kind? {
        BackendKind::Static => Some(CacheStatus::Hit),
        // Observed on v0.25.0: a cached answer carries Last-Modified. Lists and queries always go upstream,
        // and come from the cache only if that failed.
        BackendKind::Goproxy => {
            let cached = value(headers, "last-modified").is_some();
            match (mutability, cached) {
                (Mutability::Fixed, true) => Some(CacheStatus::Hit),
                (Mutability::Moving, true) => Some(CacheStatus::Stale),
                (Mutability::Fixed | Mutability::Moving, false) => Some(CacheStatus::Miss),
                (Mutability::Other, _) => None,
            }
        }
        // Without redirect mode only the response time tells.
        BackendKind::Athens => (300..400).contains(&status).then_some(CacheStatus::Miss),
    }
}

fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(known, _)| known == name)?;
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use modgate_policy::model::Policy;

    fn ask(
        backend: &Backend,
        mutability: Mutability,
        headers: &[(&str, &str)],
    ) -> (&'static str, &'static str) {
        let headers: Vec<Header> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        let verdict = cache_verdict(Some(backend), mutability, 200, &headers, || {
            Duration::from_millis(5)
        })
        .unwrap();
        (verdict.status.as_str(), verdict.evidence.as_str())
    }

    fn backend(kind: Option<BackendKind>) -> Backend {
        let document = r#"{
            "version": "1", "default": "allow", "tenants": {"*": {}},
            "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "all", "backend": "b"}]
        }"#;
        let policy = Policy::from_json(document.as_bytes()).unwrap();
        let mut backend = policy.backends()[0].clone();
        backend.kind = kind;
        backend
    }

    #[test]
    fn a_header_outweighs_all_other_evidence() {
        let b = backend(Some(BackendKind::Static));
        let zip = Mutability::Fixed;
        assert_eq!(ask(&b, zip, &[("x-cache", "MISS")]), ("miss", "header"));
        assert_eq!(
            ask(&b, zip, &[("x-cache", "MISS, Hit from edge")]),
            ("hit", "header")
        );
        assert_eq!(
            ask(&b, zip, &[("cf-cache-status", "UPDATING")]),
            ("stale", "header")
        );
        assert_eq!(
            ask(
                &b,
                zip,
                &[("cache-status", "a; hit, b; fwd=uri-miss; stored")]
            ),
            ("miss", "header")
        );
        assert_eq!(
            ask(&b, zip, &[("cache-status", "a; fwd=miss, b; hit; ttl=3")]),
            ("hit", "header")
        );
        assert_eq!(ask(&b, zip, &[("age", "0")]), ("hit", "age"));
        // A word that nobody knows is no evidence.
        assert_eq!(ask(&b, zip, &[("x-cache", "whatever")]), ("hit", "backend"));
    }

    #[test]
    fn each_kind_of_backend_has_its_own_cache_evidence() {
        let modified = [("last-modified", "Mon, 02 Jan 2006 15:04:05 GMT")];
        let goproxy = backend(Some(BackendKind::Goproxy));
        assert_eq!(
            ask(&goproxy, Mutability::Fixed, &modified),
            ("hit", "backend")
        );
        assert_eq!(ask(&goproxy, Mutability::Fixed, &[]), ("miss", "backend"));
        assert_eq!(
            ask(&goproxy, Mutability::Moving, &modified),
            ("stale", "backend")
        );
        assert_eq!(ask(&goproxy, Mutability::Other, &[]), ("unknown", "none"));
        let athens = backend(Some(BackendKind::Athens));
        assert_eq!(
            ask(&athens, Mutability::Fixed, &modified),
            ("unknown", "none")
        );
        assert_eq!(
            ask(&backend(None), Mutability::Fixed, &modified),
            ("unknown", "none")
        );
    }

    #[test]
    fn response_time_is_the_last_evidence_and_errors_are_no_lookups() {
        let mut b = backend(Some(BackendKind::Athens));
        b.hit_below = Some(Duration::from_millis(10));
        assert_eq!(ask(&b, Mutability::Fixed, &[]), ("hit", "inferred"));
        b.hit_below = Some(Duration::from_millis(5));
        assert_eq!(ask(&b, Mutability::Fixed, &[]), ("miss", "inferred"));
        for status in [404, 410, 502] {
            let none = cache_verdict(Some(&b), Mutability::Fixed, status, &[], || Duration::ZERO);
            assert_eq!(none, None);
        }
    }
}
