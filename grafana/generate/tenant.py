"""Tenant: everything about one tenant, and why its requests are refused."""

from board import board, several
from layout import Section, even
from panel import BURN, FAILURES, HITS, PLAIN, SLOW, Column, Query, heat, lines, number, table
from query import (
    BYTES,
    CHOSEN,
    DECISIONS,
    HIT,
    HOLDS,
    LOOKUPS,
    MISS,
    OPERATION,
    REFUSED,
    REQUESTS,
    TENANT,
    bucket_counts,
    failure_ratio,
    grown,
    hit_ratio,
    quantile,
    rate,
    ratio,
)

VERDICTS = (TENANT, HOLDS)


def tenant():
    return board(
        "tenant",
        "tenant",
        "One tenant: requests, failures, latency, hit rate and refusals.",
        [
            several("tenant", REQUESTS, "The tenant's name in the policy: choose one."),
            several("operation", REQUESTS, "The endpoint of the GOPROXY protocol."),
            several("backend", REQUESTS, "The backend's name in the policy; none if no request was sent to one."),
        ],
        [
            Section("Now", [even(4, _now()), even(8, _red())]),
            Section("Latency and cache", [even(9, _heats()), even(8, _hits())]),
            Section("What the policy says", [even(8, _policy())]),
            Section("Objectives (with the recording rules)", [even(8, [_burn()])], folded=True),
            Section("Cache and bytes", [even(8, _cache())], folded=True),
        ],
    )


def _now():
    refused = rate(DECISIONS, *VERDICTS, REFUSED)
    return [
        number("Requests", "Finished requests per second.", rate(REQUESTS, *CHOSEN), "reqps"),
        number(
            "Failures",
            "Share of the requests that fail; denials and Go's ordinary 404 responses are not failures.",
            failure_ratio(*CHOSEN),
            "percentunit",
            FAILURES,
        ),
        number("Latency, 95 %", "95 % of the requests end within this time.", quantile(0.95, *CHOSEN), "ms", SLOW),
        number(
            "Hit rate",
            "Share of hits among the lookups with a known cache status.",
            hit_ratio(*CHOSEN),
            "percentunit",
            HITS,
        ),
        number(
            "Refused",
            "Share of the effective decisions that refuse a request: deny, probe and hide.",
            ratio(refused, rate(DECISIONS, *VERDICTS)),
            "percentunit",
            [(None, "green"), (0.2, "orange"), (0.5, "red")],
        ),
        number("Bytes", "Body bytes per second from backends.", rate(BYTES, *CHOSEN), "Bps"),
    ]


def _red():
    return [
        lines(
            "Requests by operation",
            "Requests per second by endpoint.",
            [Query(rate(REQUESTS, *CHOSEN, by="operation"), "{{operation}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Failures by operation",
            "Share of the requests that fail; the lines are the objective and 14.4 times it.",
            [Query(failure_ratio(*CHOSEN, by="operation"), "{{operation}}")],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Latency by operation, 95 %",
            "95 % of the requests end within this time.",
            [Query(quantile(0.95, *CHOSEN, by="operation"), "{{operation}}")],
            "ms",
            SLOW,
        ),
    ]


def _heats():
    return [
        heat(
            "Latency of hits",
            "Durations of requests with a cache hit at the backend, including stale responses.",
            bucket_counts(*CHOSEN, HIT),
            "ms",
        ),
        heat(
            "Latency of misses",
            "Durations of requests that the backend had to fetch.",
            bucket_counts(*CHOSEN, MISS),
            "ms",
        ),
    ]


def _hits():
    return [
        lines(
            "Latency by cache status, 95 %",
            "95 % of the requests end within this time. Unknown is what nothing tells; none was no lookup, but"
            " refused here or answered without content.",
            [Query(quantile(0.95, *CHOSEN, by="cache_status"), "{{cache_status}}")],
            "ms",
            SLOW,
        ),
        lines(
            "Hit rate by operation",
            "Share of hits in the backends' caches among the lookups with a known cache status.",
            [Query(hit_ratio(*CHOSEN, by="operation"), "{{operation}}")],
            "percentunit",
            HITS,
            limit=1,
        ),
    ]


def _policy():
    return [
        lines(
            "Verdicts",
            "Effective decisions per second. A probe is a denial with 404, so that go tries other module paths.",
            [Query(rate(DECISIONS, *VERDICTS, by="decision"), "{{decision}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Refusals by rule",
            "Effective decisions per second that refuse a request, by deciding rule.",
            [Query(rate(DECISIONS, *VERDICTS, REFUSED, by="rule"), "{{rule}}")],
            "reqps",
            stacked=True,
        ),
        table(
            "Top reasons",
            "The ten rules that refused most in the displayed time range. The text of a rule is in the policy, and"
            " the modules in the access log.",
            [Column("Refusals", f"topk(10, {grown(DECISIONS, *VERDICTS, REFUSED, by='rule, decision')})")],
            ["rule", "decision"],
        ),
    ]


def _burn():
    return lines(
        "Budget of failures, burn rates",
        "How fast the error budget burns. Needs grafana/rules/recording.yaml in Prometheus; without it there is no"
        " data.",
        [
            Query(
                f"modgate:failure_ratio:rate{window}{{{TENANT}, {OPERATION}}} / 0.001",
                f"{{{{operation}}}} {window}",
            )
            for window in ("1h", "6h", "3d")
        ],
        "none",
        BURN,
    )


def _cache():
    return [
        lines(
            "Lookups by status and evidence",
            "Responses with content per second, by cache status and by the evidence for it. Unknown is"
            " never counted as a miss.",
            [Query(rate(LOOKUPS, *CHOSEN, by="cache_status, evidence"), "{{cache_status}} ({{evidence}})")],
            "reqps",
            PLAIN,
            stacked=True,
        ),
        lines(
            "Bytes by operation",
            "Body bytes per second from backends.",
            [Query(rate(BYTES, *CHOSEN, by="operation"), "{{operation}}")],
            "Bps",
            PLAIN,
            stacked=True,
        ),
    ]
