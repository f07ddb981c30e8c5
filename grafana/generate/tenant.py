"""Tenant: everything of one tenant, and why it is refused what."""

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
        "One tenant: requests, failures, latency, hit rate, and what the policy refuses it.",
        [
            several("tenant", REQUESTS, "The tenant as the policy names it: choose one."),
            several("operation", REQUESTS, "The endpoint of the GOPROXY protocol."),
            several("backend", REQUESTS, "The backend as the policy names it; none where none was asked."),
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
        number("Requests", "Requests that ended, a second.", rate(REQUESTS, *CHOSEN), "reqps"),
        number(
            "Failures",
            "Share of the requests that fail; denials and Go's ordinary 404 are none.",
            failure_ratio(*CHOSEN),
            "percentunit",
            FAILURES,
        ),
        number("Latency, 95 %", "95 % of the requests end within this time.", quantile(0.95, *CHOSEN), "ms", SLOW),
        number(
            "Hit rate",
            "Share of hits, of the lookups that are known.",
            hit_ratio(*CHOSEN),
            "percentunit",
            HITS,
        ),
        number(
            "Refused",
            "Share of the verdicts that hold and refuse: denials, probes and what is hidden.",
            ratio(refused, rate(DECISIONS, *VERDICTS)),
            "percentunit",
            [(None, "green"), (0.2, "orange"), (0.5, "red")],
        ),
        number("Bytes", "Bytes of bodies a second from backends.", rate(BYTES, *CHOSEN), "Bps"),
    ]


def _red():
    return [
        lines(
            "Requests by operation",
            "Requests a second by endpoint.",
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
            "How many requests took how long that the backend's cache had, an old answer included.",
            bucket_counts(*CHOSEN, HIT),
            "ms",
        ),
        heat(
            "Latency of misses",
            "How many requests took how long that the backend had to fetch.",
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
            "Share of hits of the backends' caches, of the lookups that are known.",
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
            "Verdicts a second that hold. A probe is a denial that go takes for a 404, to look on.",
            [Query(rate(DECISIONS, *VERDICTS, by="decision"), "{{decision}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Refusals by rule",
            "Verdicts a second that hold and refuse, by the rule that decided.",
            [Query(rate(DECISIONS, *VERDICTS, REFUSED, by="rule"), "{{rule}}")],
            "reqps",
            stacked=True,
        ),
        table(
            "Top reasons",
            "The ten rules that refused most in the time shown. What a rule says stands in the policy, and"
            " the modules in the access log.",
            [Column("Refusals", f"topk(10, {grown(DECISIONS, *VERDICTS, REFUSED, by='rule, decision')})")],
            ["rule", "decision"],
        ),
    ]


def _burn():
    return lines(
        "Budget of failures, burn rates",
        "How fast the budget burns. Needs grafana/rules/recording.yaml in Prometheus; without it there is no data.",
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
            "Answers with content a second, by what the backend's cache did and how that was told. Unknown is"
            " never counted as a miss.",
            [Query(rate(LOOKUPS, *CHOSEN, by="cache_status, evidence"), "{{cache_status}} ({{evidence}})")],
            "reqps",
            PLAIN,
            stacked=True,
        ),
        lines(
            "Bytes by operation",
            "Bytes of bodies a second from backends.",
            [Query(rate(BYTES, *CHOSEN, by="operation"), "{{operation}}")],
            "Bps",
            PLAIN,
            stacked=True,
        ),
    ]
