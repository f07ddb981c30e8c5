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

/// Requests that ended, by outcome.
pub const REQUESTS_TOTAL: Metric = Metric {
    name: "modgate_requests_total",
    kind: Kind::Counter,
    help: "Requests that ended, by what came of them.",
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
    help: "Answers of a backend with content, by what its cache did and how that was told.",
    labels: &["tenant", "operation", "backend", "cache_status", "evidence"],
};

/// Time from the request's headers to the end of the answer.
pub const REQUEST_DURATION_MILLISECONDS: Metric = Metric {
    name: "modgate_request_duration_milliseconds",
    kind: Kind::Histogram {
        buckets: DURATION_BUCKETS_MS,
    },
    help: "Time from the request's headers to the end of its answer, in milliseconds.",
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
    help: "Verdicts of the policy, by rollout stage and by the rule that decided. A request of a tenant with a rollout counts twice: with the verdict that holds, and with the other one.",
    labels: &["tenant", "stage", "decision", "rule", "agreement"],
};

/// Bytes of answers.
pub const RESPONSE_BYTES_TOTAL: Metric = Metric {
    name: "modgate_response_bytes_total",
    kind: Kind::Counter,
    help: "Bytes of response bodies that came from a backend.",
    labels: &["tenant", "operation", "backend"],
};

/// Files whose hash was checked, or should have been.
pub const INTEGRITY_CHECKS_TOTAL: Metric = Metric {
    name: "modgate_integrity_checks_total",
    kind: Kind::Counter,
    help: "Zips and go.mod files that the policy wants checked, by what came of it and what they were compared with.",
    labels: &["tenant", "artifact", "result", "evidence"],
};

/// Bytes that were hashed.
pub const INTEGRITY_BYTES_TOTAL: Metric = Metric {
    name: "modgate_integrity_bytes_total",
    kind: Kind::Counter,
    help: "Bytes of zips and go.mod files that were hashed.",
    labels: &["tenant", "artifact"],
};

/// Time that hashing took.
pub const INTEGRITY_MICROSECONDS_TOTAL: Metric = Metric {
    name: "modgate_integrity_microseconds_total",
    kind: Kind::Counter,
    help: "Time that was spent on hashing, in microseconds.",
    labels: &["tenant", "artifact"],
};

/// Lookups in the checksum database.
pub const SUMDB_LOOKUPS_TOTAL: Metric = Metric {
    name: "modgate_sumdb_lookups_total",
    kind: Kind::Counter,
    help: "Lookups of module versions in the checksum database by the filter itself, by what came of them.",
    labels: &["result"],
};

/// Requests that were assigned a variant.
pub const SPLIT_ASSIGNMENTS_TOTAL: Metric = Metric {
    name: "modgate_split_assignments_total",
    kind: Kind::Counter,
    help: "Requests for a version list, the latest version or another query of a module with a split, and files that a strict split refused, by the variant that they were led to, and in the stage `shadow` by the one that they would have been led to.",
    labels: &["split", "variant", "stage"],
};

/// Requests that fell back to another variant.
pub const SPLIT_FALLBACKS_TOTAL: Metric = Metric {
    name: "modgate_split_fallbacks_total",
    kind: Kind::Counter,
    help: "Those of them that were led to the control variant, or to none, because the backend did not have the version of their own or the rules refused it.",
    labels: &["split"],
};

/// Requests that a trial of routes covered.
pub const ROUTE_TRIALS_TOTAL: Metric = Metric {
    name: "modgate_route_trials_total",
    kind: Kind::Counter,
    help: "Requests while other routes are tried (`routes_rollout`), by the backend of the routes that were followed and by the one of the other routes.",
    labels: &["stage", "backend", "would_be"],
};

/// Requests that another backend answered than the first one.
pub const FAILOVERS_TOTAL: Metric = Metric {
    name: "modgate_failovers_total",
    kind: Kind::Counter,
    help: "Answers of another backend than the one that was asked first (`on_failure`), by both.",
    labels: &["backend", "stand_in"],
};

/// The policy that is in force.
pub const POLICY_INFO: Metric = Metric {
    name: "modgate_policy_info",
    kind: Kind::Gauge,
    help: "1 for the policy that is in force, 0 for one that was.",
    labels: &["policy_version", "policy_hash"],
};

/// The stage of tenants' rollouts.
pub const ROLLOUT_INFO: Metric = Metric {
    name: "modgate_rollout_info",
    kind: Kind::Gauge,
    help: "1 for the stage that a tenant's rollout has in the policy in force, 0 for one that it had. Its candidate rules decide nothing in `shadow`, for a share of the requests in `canary`, and everything in `enforce`.",
    labels: &["tenant", "stage"],
};

/// The weights of splits, to compare the observed shares with.
pub const SPLIT_WEIGHT_BASIS_POINTS: Metric = Metric {
    name: "modgate_split_weight_basis_points",
    kind: Kind::Gauge,
    help: "The weight of a variant where a split's assignment draws one, in hundredths of a percent; 0 also for one that the policy in force does not have.",
    labels: &["split", "assign", "variant"],
};

/// The weights of routes, to compare the observed shares with.
pub const ROUTE_WEIGHT_BASIS_POINTS: Metric = Metric {
    name: "modgate_route_weight_basis_points",
    kind: Kind::Gauge,
    help: "The weight of a backend where a route leads to several, in hundredths of a percent; 0 also for one that the policy in force does not have.",
    labels: &["route", "backend"],
};

/// Label values beyond the budget.
pub const LABEL_OVERFLOW_TOTAL: Metric = Metric {
    name: "modgate_label_overflow_total",
    kind: Kind::Counter,
    help: "Times a label's value was replaced by `other` because its label had too many values.",
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
        help: "The tenant as the policy names it; `other` for the `*` tenant and where none was identified.",
        values: &[],
    },
    Label {
        name: "operation",
        help: "The endpoint of the GOPROXY protocol; `other` for what is none.",
        values: &["list", "latest", "info", "mod", "zip", "sumdb", "other"],
    },
    Label {
        name: "backend",
        help: "The backend as the policy names it; `none` where none was asked. Where another one stood in for it and can be told, that one.",
        values: &[],
    },
    Label {
        name: "outcome",
        help: "What came of the request. `denied`, `not_found`, `client_error` and `aborted` are not failures.",
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
        help: "What the backend's cache did. `unknown` is never counted as a miss; `none` is a request that was no lookup: refused here, or answered without content.",
        values: &["hit", "miss", "stale", "unknown", "none"],
    },
    Label {
        name: "evidence",
        help: "What told the cache status: a response header, the kind of backend, or nothing. Of a hash: what it was compared with, a pin of the policy, what the checksum database proves or the one that was seen first.",
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
        help: "The stage of the rules that gave the verdict, of the split or of the routes: `enforce` and, for the share of a canary, `canary` decided; `shadow` was asked beside them and decided nothing. Of a rollout: how far it has come.",
        values: &[ENFORCE, CANARY, SHADOW],
    },
    Label {
        name: "agreement",
        help: "Whether a tenant's rules in force and its candidate say the same; `unknown` where only one of them needed to know more of the version, `none` without a rollout.",
        values: &["agree", "differ", "unknown", "none"],
    },
    Label {
        name: "decision",
        help: "The verdict. `probe` is a denial that is answered 404 so that `go` goes on to the module it may have, `hide` one of a rule that hides what it denies.",
        values: &["allow", "deny", "probe", "hide"],
    },
    Label {
        name: "rule",
        help: "The id of the rule that decided, or `default`.",
        values: &[],
    },
    Label {
        name: "artifact",
        help: "Which of a version's files.",
        values: &["zip", "mod"],
    },
    Label {
        name: "result",
        help: "What a check came to: `first` is the first of its name that was seen, `malformed` what Go and the filter could read in two ways, `unreadable` an answer that cannot be hashed as it comes, `unknown` a file that nothing is known of, `no_room` one whose first hash finds no room in memory, `unproven` one of which the checksum database says what it cannot prove, `unavailable` one of which it says nothing, `undelivered` a good file of which the client did not get every byte. Of a lookup: `proven` is a hash that was proved now, `remembered` one that was proved before, `refused` a database that contradicts itself or what was seen of it, `not_found` and `unavailable` no hash.",
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
        help: "The split as the policy names it; of a request, the one that `variant` belongs to, `none` without one.",
        values: &[],
    },
    Label {
        name: "variant",
        help: "The variant as the policy names it: the one that a request was led to, or whose version's file it is for; `none` where there is no such one, because the module has no split, the version is no variant's, or the backend had neither the version nor that of the control variant.",
        values: &[],
    },
    Label {
        name: "assign",
        help: "The place in a split's `assign`, from 0.",
        values: &[],
    },
    Label {
        name: "route",
        help: "The id of the route.",
        values: &[],
    },
    Label {
        name: "would_be",
        help: "The backend to which the routes lead that are not followed; `none` where they lead nowhere.",
        values: &[],
    },
    Label {
        name: "stand_in",
        help: "The backend that answered in the place of `backend`; `unknown` where the cluster's hosts do not say whose they are.",
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
