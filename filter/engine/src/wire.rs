//! The header names that Modgate speaks on the wire, between the filter and the proxy that runs it.

/// The request header in which the filter names the cluster that it chose.
///
/// The proxy's one route takes its cluster from it (Envoy: `cluster_header`) and removes it before
/// the request goes upstream. It is removed from every client's request before anything reads it,
/// so a proxy without the filter has no cluster to send to and answers 503: it fails closed.
pub const CLUSTER_HEADER: &str = "x-modgate-cluster";

/// What tells a client which variant of a split it was given, where the policy wants that.
pub const VARIANT_HEADER: &str = "x-modgate-variant";

/// Every client header that starts so is Modgate's own and is removed from requests.
pub const RESERVED_PREFIX: &str = "x-modgate-";

/// The property in which the filter leaves what the access log says of a request
/// ([`AccessMembers`](crate::telemetry::AccessMembers)). Envoy keeps it as filter state under `wasm.`
/// and this name.
pub const ACCESS_PROPERTY: &str = "modgate";
