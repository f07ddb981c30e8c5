//! Every metric and every label that the filter emits. Nothing else defines one.

use modgate_policy::model::{CANARY, ENFORCE, SHADOW};

/// What a metric is, in Prometheus' terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Set to a value.
    Gauge,
    /// Observations counted in buckets.
    Histogram {
        /// The upper bounds of the buckets, in the metric's unit, ascending, without `+Inf`.
        buckets: &'static [f64],
    },
}

impl Kind {
    /// The word Prometheus uses in a `# TYPE` line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }
}

/// One metric of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// The name as Prometheus shows it, unit and `_total` included.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// What it counts, one sentence, for `# HELP` and the reference.
    pub help: &'static str,
    /// The names of its labels, in the order in which their values are given.
    pub labels: &'static [&'static str],
}

/// One label of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// The label's name. No name may end another's, or Envoy's tag patterns would cut wrongly.
    pub name: &'static str,
    /// Its description, for the reference.
    pub help: &'static str,
    /// The values it can take; empty where they come from the policy.
    pub values: &'static [&'static str],
}

/// The bounds of the duration buckets, in milliseconds: from a file in memory to a slow clone.
pub const DURATION_BUCKETS_MS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0,
    30_000.0, 60_000.0,
];

/// Finished requests, by outcome.
pub const REQUESTS_TOTAL: Metric = Metric {
    name: "modgate_requests_total",
    kind: Kind::Counter,
    help: "Finished requests, by outcome.",
    labels: &[
        "tenant",
        "operation",
        "backend",
        "outcome",
        "split",
        "variant",
    ],
};

/// Answers whose cache status is known.
pub const CACHE_LOOKUPS_TOTAL: Metric = Metric {
    name: "modgate_cache_lookups_total",
    kind: Kind::Counter,
    help: "Backend responses with content, by cache status and by the evidence for it.",
    labels: &["tenant", "operation", "backend", "cache_status", "evidence"],
};

/// Time from the request's headers to the end of the answer.
pub const REQUEST_DURATION_MILLISECONDS: Metric = Metric {
    name: "modgate_request_duration_milliseconds",
    kind: Kind::Histogram {
        buckets: DURATION_BUCKETS_MS,
    },
    help: "Time from the request headers to the end of the response, in milliseconds.",
    labels: &[
        "tenant",
        "operation",
        "backend",
        "cache_status",
        "split",
        "variant",
    ],
};

/// Verdicts of the policy.
pub const DECISIONS_TOTAL: Metric = Metric {
    name: "modgate_decisions_total",
    kind: Kind::Counter,
    help: "Policy decisions, by rollout stage and deciding rule. A request of a tenant with a rollout counts twice: once for the effective decision and once for the other one.",
    labels: &["tenant", "stage", "decision", "rule", "agreement"],
};

/// Bytes of answers.
pub const RESPONSE_BYTES_TOTAL: Metric = Metric {
    name: "modgate_response_bytes_total",
    kind: Kind::Counter,
    help: "Bytes of response bodies from backends.",
    labels: &["tenant", "operation", "backend"],
};

/// Files whose hash was checked, or should have been.
pub const INTEGRITY_CHECKS_TOTAL: Metric = Metric {
    name: "modgate_integrity_checks_total",
    kind: Kind::Counter,
    help: "Zips and go.mod files that the policy requires to be checked, by result and by evidence.",
    labels: &["tenant", "artifact", "result", "evidence"],
};

/// Bytes that were hashed.
pub const INTEGRITY_BYTES_TOTAL: Metric = Metric {
    name: "modgate_integrity_bytes_total",
    kind: Kind::Counter,
    help: "Bytes hashed of zips and go.mod files.",
    labels: &["tenant", "artifact"],
};

/// Time that hashing took.
pub const INTEGRITY_MICROSECONDS_TOTAL: Metric = Metric {
    name: "modgate_integrity_microseconds_total",
    kind: Kind::Counter,
    help: "Time spent on hashing, in microseconds.",
    labels: &["tenant", "artifact"],
};

/// Lookups in the checksum database.
pub const SUMDB_LOOKUPS_TOTAL: Metric = Metric {
    name: "modgate_sumdb_lookups_total",
    kind: Kind::Counter,
    help: "The filter's own lookups in the checksum database, by result.",
    labels: &["result"],
};

/// Requests that were assigned a variant.
pub const SPLIT_ASSIGNMENTS_TOTAL: Metric = Metric {
    name: "modgate_split_assignments_total",
    kind: Kind::Counter,
    help: "Split assignments: version lists, latest versions and version queries of a module with a split, and files that a strict split refused, by variant; in the stage `shadow` by the variant that would have been assigned.",
    labels: &["split", "variant", "stage"],
};

/// Requests that fell back to another variant.
pub const SPLIT_FALLBACKS_TOTAL: Metric = Metric {
    name: "modgate_split_fallbacks_total",
    kind: Kind::Counter,
    help: "Split assignments that fell back to the control variant or to none, because the backend lacks the version of the assigned variant or the rules refuse it.",
    labels: &["split"],
};

/// Requests that a trial of routes covered.
pub const ROUTE_TRIALS_TOTAL: Metric = Metric {
    name: "modgate_route_trials_total",
    kind: Kind::Counter,
    help: "Requests during a trial of routes (`routes_rollout`), by the backend that the effective routes select and the one that the other routes select.",
    labels: &["stage", "backend", "alternative"],
};

/// Requests that another backend answered than the first one.
pub const FAILOVERS_TOTAL: Metric = Metric {
    name: "modgate_failovers_total",
    kind: Kind::Counter,
    help: "Responses from a fallback (`on_failure`), by the backend that failed and the one that responded instead.",
    labels: &["backend", "fallback"],
};

/// Requests that the filter had let through before.
pub const FILTER_TWICE_TOTAL: Metric = Metric {
    name: "modgate_filter_twice_total",
    kind: Kind::Counter,
    help: "Requests refused because the filter is in the proxy's chain twice. Only a policy with a `route_key` detects it.",
    labels: &[],
};

/// The policy that is in force.
pub const POLICY_INFO: Metric = Metric {
    name: "modgate_policy_info",
    kind: Kind::Gauge,
    help: "1 for the active policy, 0 for an earlier one.",
    labels: &["policy_version", "policy_hash"],
};

/// The stage of tenants' rollouts.
pub const ROLLOUT_INFO: Metric = Metric {
    name: "modgate_rollout_info",
    kind: Kind::Gauge,
    help: "1 for the current stage of a tenant's rollout, 0 for an earlier stage. The candidate rules decide nothing in `shadow`, a share of the requests in `canary`, and everything in `enforce`.",
    labels: &["tenant", "stage"],
};

/// The weights of splits, to compare the observed shares with.
pub const SPLIT_WEIGHT_BASIS_POINTS: Metric = Metric {
    name: "modgate_split_weight_basis_points",
    kind: Kind::Gauge,
    help: "The weight of a variant in a split's assignment by weights, in hundredths of a percent; 0 for a variant that the active policy does not have.",
    labels: &["split", "assign", "variant"],
};

/// The weights of routes, to compare the observed shares with.
pub const ROUTE_WEIGHT_BASIS_POINTS: Metric = Metric {
    name: "modgate_route_weight_basis_points",
    kind: Kind::Gauge,
    help: "The weight of a backend in a route with several backends, in hundredths of a percent; 0 for a backend that the active policy does not have.",
    labels: &["route", "backend"],
};

/// Label values beyond the budget.
pub const LABEL_OVERFLOW_TOTAL: Metric = Metric {
    name: "modgate_label_overflow_total",
    kind: Kind::Counter,
    help: "Label values replaced by `other` because the label had too many values.",
    labels: &["label_name"],
};

/// Every metric.
pub const CATALOGUE: &[Metric] = &[
    REQUESTS_TOTAL,
    CACHE_LOOKUPS_TOTAL,
    REQUEST_DURATION_MILLISECONDS,
    DECISIONS_TOTAL,
    RESPONSE_BYTES_TOTAL,
    INTEGRITY_CHECKS_TOTAL,
    INTEGRITY_BYTES_TOTAL,
    INTEGRITY_MICROSECONDS_TOTAL,
    SUMDB_LOOKUPS_TOTAL,
    SPLIT_ASSIGNMENTS_TOTAL,
    SPLIT_FALLBACKS_TOTAL,
    ROUTE_TRIALS_TOTAL,
    FAILOVERS_TOTAL,
    FILTER_TWICE_TOTAL,
    POLICY_INFO,
    ROLLOUT_INFO,
    SPLIT_WEIGHT_BASIS_POINTS,
    ROUTE_WEIGHT_BASIS_POINTS,
    LABEL_OVERFLOW_TOTAL,
];

/// Every label.
pub const LABELS: &[Label] = &[
    Label {
        name: "tenant",
        help: "The tenant's name in the policy; `other` for the tenant `*` and for unidentified clients.",
        values: &[],
    },
    Label {
        name: "operation",
        help: "The endpoint of the GOPROXY protocol; `other` for every other path.",
        values: &["list", "latest", "info", "mod", "zip", "sumdb", "other"],
    },
    Label {
        name: "backend",
        help: "The backend's name in the policy; `none` if no request was sent to one. If a fallback responded instead and is known, the fallback.",
        values: &[],
    },
    Label {
        name: "outcome",
        help: "The outcome of the request. `denied`, `not_found`, `client_error` and `aborted` are not failures.",
        values: &[
            "ok",
            "not_found",
            "denied",
            "integrity",
            "client_error",
            "upstream_error",
            "timeout",
            "truncated",
            "aborted",
        ],
    },
    Label {
        name: "cache_status",
        help: "The backend's cache status. `unknown` never counts as a miss; `none` is a request without a cache lookup: answered by the filter, or without content.",
        values: &["hit", "miss", "stale", "unknown", "none"],
    },
    Label {
        name: "evidence",
        help: "Of a cache status: where it comes from, a response header, the kind of backend, or nothing. Of a hash: what it was compared with, a pin of the policy, the checksum database or the first hash seen.",
        values: &[
            "header",
            "age",
            "backend",
            "inferred",
            "none",
            "pin",
            "sumdb",
            "first_seen",
        ],
    },
    Label {
        name: "stage",
        help: "The stage of the rules, split or routes: `enforce` and `canary` (for the canary's share) took effect; `shadow` was evaluated and counted, without effect. Of a rollout: its current stage.",
        values: &[ENFORCE, CANARY, SHADOW],
    },
    Label {
        name: "agreement",
        help: "Whether a tenant's active rules and its candidate rules agree; `unknown` if only one of them needs more data about the version, `none` without a rollout.",
        values: &["agree", "differ", "unknown", "none"],
    },
    Label {
        name: "decision",
        help: "The decision. `probe` is a denial with 404, so that `go` continues with a module path that may be allowed; `hide` is a denial with 404 by a rule with `hide`.",
        values: &["allow", "deny", "probe", "hide"],
    },
    Label {
        name: "rule",
        help: "The id of the deciding rule, or `default`.",
        values: &[],
    },
    Label {
        name: "artifact",
        help: "The kind of file.",
        values: &["zip", "mod"],
    },
    Label {
        name: "result",
        help: "The result of a check: `first` is a file whose first hash was recorded, `malformed` a file that Go and the filter could read differently, `unreadable` a response that cannot be hashed as it streams, `unknown` a file without a known hash, `no_room` a file whose first hash does not fit in memory, `unproven` a file whose hash the checksum database could not prove, `unavailable` a file for which the database gave no hash, `undelivered` a correct file that the client did not receive completely. Of a lookup: `proven` is a newly proved hash, `remembered` a hash proved before, `refused` a database that contradicts itself or an earlier state, `not_found` and `unavailable` no hash.",
        values: &[
            "verified",
            "first",
            "mismatch",
            "malformed",
            "unreadable",
            "unknown",
            "no_room",
            "unproven",
            "unavailable",
            "undelivered",
            "proven",
            "remembered",
            "refused",
            "not_found",
        ],
    },
    Label {
        name: "split",
        help: "The split's name in the policy; of a request, the split of `variant`, or `none`.",
        values: &[],
    },
    Label {
        name: "variant",
        help: "The variant's name in the policy: the assigned variant, or the one with the requested version; `none` if the module has no split, the version belongs to no variant, or the backend has neither the assigned nor the control version.",
        values: &[],
    },
    Label {
        name: "assign",
        help: "The index in a split's `assign`, from 0.",
        values: &[],
    },
    Label {
        name: "route",
        help: "The id of the route.",
        values: &[],
    },
    Label {
        name: "alternative",
        help: "The backend that the other routes select; `none` if they select none.",
        values: &[],
    },
    Label {
        name: "fallback",
        help: "The backend that responded instead of `backend`; `unknown` if the hosts of the cluster have no metadata that names it.",
        values: &[],
    },
    Label {
        name: "policy_version",
        help: "The policy's `version`, with `_` for everything outside `[A-Za-z0-9_-]`.",
        values: &[],
    },
    Label {
        name: "policy_hash",
        help: "The first 12 hexadecimal digits of the SHA-256 of the policy's canonical JSON.",
        values: &[],
    },
    Label {
        name: "label_name",
        help: "The label that had too many values.",
        values: &["tenant", "rule", "variant"],
    },
];

/// The catalogue's entry of that name.
pub fn metric_named(name: &str) -> Option<&'static Metric> {
    CATALOGUE.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_of_a_metric_is_described_and_used() {
        for metric in CATALOGUE {
            for label in metric.labels {
                assert!(
                    LABELS.iter().any(|known| known.name == *label),
                    "{} has the label {label}, which LABELS does not describe",
                    metric.name
                );
            }
        }
        for label in LABELS {
            assert!(
                CATALOGUE.iter().any(|m| m.labels.contains(&label.name)),
                "no metric has the label {}",
                label.name
            );
        }
    }

    #[test]
    fn no_label_ends_another_and_none_is_envoys_own() {
        for label in LABELS {
            assert!(!["cache", "component", "tag", "le"].contains(&label.name));
            for other in LABELS {
                assert!(
                    label.name == other.name || !label.name.ends_with(other.name),
                    "Envoy's pattern for {} would match inside {}",
                    other.name,
                    label.name
                );
            }
        }
    }

    #[test]
    fn no_metric_starts_another_and_buckets_ascend() {
        for metric in CATALOGUE {
            for other in CATALOGUE {
                assert!(metric.name == other.name || !metric.name.starts_with(other.name));
            }
            if let Kind::Histogram { buckets } = metric.kind {
                assert!(buckets.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
