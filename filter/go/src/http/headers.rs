//! The header names that Modgate speaks on the wire, between the filter and the proxy that runs it.

/// The request header in which the filter names the cluster that it chose.
///
/// The proxy's one route takes its cluster from it (Envoy: `cluster_header`) and removes it before
/// the request goes upstream. It is removed from every client's request before anything reads it,
/// so a proxy without the filter has no cluster to send to and answers 503: it fails closed.
pub const CLUSTER_HEADER: &str = "x-modgate-cluster";

/// What the names of all clusters begin with that Modgate makes itself. No policy names such a one.
pub const RESERVED_CLUSTERS: &str = "modgate.";

/// What the name of a cluster begins with in which other backends stand in for one that fails; behind
/// it stand the names of the route and of the backend that comes first, with a dot between them.
pub const FAILOVER_PREFIX: &str = "modgate.next.";

/// As [`FAILOVER_PREFIX`], for the routes of a rollout's candidate.
pub const CANDIDATE_FAILOVER_PREFIX: &str = "modgate.candidate.";

/// Where a proxy keeps the name of the backend that an upstream host belongs to, so that it can be told
/// which of several has answered: in its hosts' metadata, under this namespace and key.
pub const HOST_METADATA: [&str; 2] = ["modgate", "backend"];

/// What tells a client which variant of a split it was given, where the policy wants that.
pub const VARIANT_HEADER: &str = "x-modgate-variant";

/// Every client header that starts so is Modgate's own and is removed from requests.
pub const RESERVED_PREFIX: &str = "x-modgate-";

/// The property in which the filter leaves what the access log says of a request (the engine's
/// `AccessMembers`). Envoy keeps it as filter state under `wasm.` and this name.
pub const ACCESS_PROPERTY: &str = "modgate";
