//! Which request headers go to a backend: an allow-list. Backends trust many headers of the proxy in front of
//! them (the client, the requested host or path), nobody can list them all, and a Go proxy needs few.

use modgate_go::http::{Header, is_modgate_header, is_same_header};
use modgate_policy::model::{Backend, Policy};

/// Whether a header of the client's request goes to a backend, by its name in lower case. The filter's own
/// queries follow the same rule.
///
/// The request for a file that is checked loses further headers.
pub fn goes_upstream(name: &str, policy: &Policy, backend: &Backend) -> bool {
    let is_any_of = |names: &[String]| names.iter().any(|known| is_same_header(known, name));
    // The client must not send what the proxy adds, and identity headers end at the filter.
    let is_taken = || {
        let mut added = backend.headers.iter();
        is_any_of(&policy.identity_headers)
            || added.any(|added| is_same_header(&added.name, name))
            || is_modgate_header(name)
    };
    let is_wanted = match name {
        "authorization" => !policy.hides_authorization,
        name => {
            goes_to_every_backend(name) || backend.forward_headers.iter().any(|known| known == name)
        }
    };
    is_wanted && !is_taken()
}

/// The client's headers that go to a backend, with the request itself and with the queries for it, without
/// pseudo-headers.
pub fn upstream_headers(policy: &Policy, headers: &[Header], backend: &Backend) -> Vec<Header> {
    let goes_up = |name: &str| !name.starts_with(':') && goes_upstream(name, policy, backend);
    let kept = headers.iter().filter(|(name, _)| goes_up(name));
    kept.cloned().collect()
}
/// Headers that go to every backend. None of them identifies a user: they describe the client's program, the
/// request's way, and traces.
pub(crate) fn goes_to_every_backend(name: &str) -> bool {
    if name.starts_with(':') {
        return true;
    }
    matches!(
        name,
        // The module protocol's own, and those of HTTP.
        "accept" | "accept-encoding" | "content-length" | "disable-module-fetch" | "user-agent"
        // A part of a file, or a file only where it has changed.
        | "if-match" | "if-modified-since" | "if-none-match" | "if-range" | "if-unmodified-since"
        | "range"
        // The proxy's own: at the edge it overwrites whatever the client sent.
        | "x-envoy-external-address" | "x-envoy-internal" | "x-forwarded-for"
        | "x-forwarded-proto" | "x-request-id"
        // Traces: W3C, B3, and those of the tracers that Envoy has.
        | "traceparent" | "tracestate" | "b3" | "x-b3-traceid" | "x-b3-spanid"
        | "x-b3-parentspanid" | "x-b3-sampled" | "x-b3-flags" | "x-client-trace-id"
        | "x-cloud-trace-context" | "grpc-trace-bin" | "x-amzn-trace-id" | "x-ot-span-context"
        | "sw8" | "sw8-correlation" | "x-datadog-trace-id" | "x-datadog-parent-id"
        | "x-datadog-sampling-priority" | "x-datadog-origin" | "x-datadog-tags"
    )
}
