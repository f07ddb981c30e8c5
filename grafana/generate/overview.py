"""Overview: the page that is opened first. It needs no recording rules but for the one folded section
that says so."""

from board import board, link_to, several
from layout import Section, even
from panel import (
    BURN,
    FAILURES,
    HITS,
    PLAIN,
    SLOW,
    Column,
    Query,
    history,
    lines,
    number,
    table,
)
from query import (
    BYTES,
    CHOSEN,
    DECISIONS,
    HOLDS,
    OPERATION,
    RANGE,
    REFUSED,
    REQUESTS,
    TENANT,
    failure_ratio,
    hit_ratio,
    increase,
    quantile,
    rate,
)

BUDGET = "0.001"


def overview():
    return board(
        "overview",
        "overview",
        "Requests, failures, latency and hit rate by tenant, operation and backend.",
        [
            several("tenant", REQUESTS, "The tenant as the policy names it."),
            several("operation", REQUESTS, "The endpoint of the GOPROXY protocol."),
            several("backend", REQUESTS, "The backend as the policy names it; none where none was asked."),
        ],
        [
            Section("Now", [even(4, _now()), even(8, _red())]),
            Section("Tenants", [even(9, [_tenants()]), even(8, [_grid(), _burn()])]),
            Section("Backends", [even(8, _backends())]),
            Section(
                "Objectives (with the recording rules)",
                [even(8, _recorded())],
                folded=True,
            ),
            Section("Bytes and refusals", [even(8, _more())], folded=True),
        ],
    )


def _now():
    return [
        number(
            "Requests",
            "Requests that ended, a second, of all outcomes.",
            rate(REQUESTS, *CHOSEN),
            "reqps",
        ),
        number(
            "Failures",
            "Share of the requests that fail: errors of a backend, time-outs, answers that break off, wrong"
            " hashes. Denials, Go's ordinary 404 and what clients break off are none. Orange above the"
            " objective of 0.1 %.",
            failure_ratio(*CHOSEN),
            "percentunit",
            FAILURES,
        ),
        number(
            "Latency, 95 %",
            "95 % of the requests end within this time, from their headers to the last byte of the answer.",
            quantile(0.95, *CHOSEN),
            "ms",
            SLOW,
        ),
        number(
            "Hit rate",
            "Share of hits, stale ones included, of the answers of which it is known what the backend's cache did.",
            hit_ratio(*CHOSEN),
            "percentunit",
            HITS,
        ),
    ]


def _red():
    return [
        lines(
            "Requests by outcome",
            "Requests a second by what came of them.",
            [Query(rate(REQUESTS, *CHOSEN, by="outcome"), "{{outcome}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Failures by operation",
            "Share of the requests of each operation that fail; the lines are the objective and 14.4 times it.",
            [Query(failure_ratio(*CHOSEN, by="operation"), "{{operation}}")],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Latency",
            "Half, 95 % and 99 % of the requests end within these times.",
            [Query(quantile(rank, *CHOSEN), name) for rank, name in ((0.5, "50 %"), (0.95, "95 %"), (0.99, "99 %"))],
            "ms",
            SLOW,
        ),
    ]


def _tenants():
    whole = {"by": "tenant", "over": RANGE}
    return table(
        "Tenants",
        "Each tenant over the whole time shown. Budget burnt is the share of failures over the 0.1 % that the"
        " objective allows: above 1 the tenant fails more often than it may. A tenant leads to its own page.",
        [
            Column("Requests", increase(REQUESTS, *CHOSEN, by="tenant")),
            Column("Failures", failure_ratio(*CHOSEN, **whole), "percentunit", FAILURES),
            Column("Budget burnt", f"{failure_ratio(*CHOSEN, **whole)} / {BUDGET}", "none", BURN),
            Column("Latency, 95 %", quantile(0.95, *CHOSEN, **whole), "ms", SLOW),
            Column("Hit rate", hit_ratio(*CHOSEN, **whole), "percentunit", HITS),
            Column("Denied", increase(REQUESTS, *CHOSEN, 'outcome="denied"', by="tenant")),
        ],
        ["tenant"],
        ("Open the tenant's page", link_to("tenant", "tenant", "tenant", ["operation", "backend"])),
    )


def _grid():
    return history(
        "Failures by tenant and operation",
        "One line for each tenant and operation: green within the objective, red where an hour of it pages.",
        Query(failure_ratio(*CHOSEN, by="tenant, operation"), "{{tenant}} {{operation}}"),
        "percentunit",
        FAILURES,
    )


def _burn():
    return lines(
        "Who burns budget",
        "How many times faster than it may a tenant uses its budget of failures up. Lines at 1, 6 and 14.4,"
        " where the alerts are. Computed from the counters, so it needs no recording rules.",
        [Query(f"{failure_ratio(*CHOSEN, by='tenant, operation')} / {BUDGET}", "{{tenant}} {{operation}}")],
        "none",
        BURN,
    )


def _backends():
    return [
        lines(
            "Failures by backend",
            "Share of the requests that a backend was asked for and that fail.",
            [Query(failure_ratio(*CHOSEN, 'backend!="none"', by="backend"), "{{backend}}")],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Latency by backend, 95 %",
            "95 % of the requests that a backend was asked for end within this time.",
            [Query(quantile(0.95, *CHOSEN, 'backend!="none"', by="backend"), "{{backend}}")],
            "ms",
            SLOW,
        ),
        lines(
            "Hit rate by backend",
            "Share of hits of each backend's cache, of the answers of which it is known.",
            [Query(hit_ratio(*CHOSEN, by="backend"), "{{backend}}")],
            "percentunit",
            HITS,
            limit=1,
        ),
    ]


def _recorded():
    chosen = f"{{{TENANT}, {OPERATION}}}"
    about = "Needs grafana/rules/recording.yaml in Prometheus; without it there is no data."
    return [
        lines(
            "Budget of failures, burn rates",
            f"How fast the budget burns over an hour, six hours and three days. {about}",
            [
                Query(
                    f"modgate:failure_ratio:rate{window}{chosen} / {BUDGET}",
                    f"{{{{tenant}}}} {{{{operation}}}} {window}",
                )
                for window in ("1h", "6h", "3d")
            ],
            "none",
            BURN,
        ),
        lines(
            "Slow requests",
            f"Share of the requests over a second, of zips over ten; the objective allows 1 %. {about}",
            [Query(f"modgate:slow_ratio:rate1h{chosen}", "{{tenant}} {{operation}}")],
            "percentunit",
            [(None, "green"), (0.01, "orange"), (0.144, "red")],
        ),
    ]


def _more():
    return [
        lines(
            "Bytes from backends",
            "Bytes of bodies a second that came from each backend.",
            [Query(rate(BYTES, *CHOSEN, by="backend"), "{{backend}}")],
            "Bps",
            PLAIN,
            stacked=True,
        ),
        lines(
            "Refusals by tenant",
            "Verdicts a second that hold and refuse: denials, probes and what is hidden.",
            [
                Query(
                    rate(DECISIONS, TENANT, HOLDS, REFUSED, by="tenant, decision"),
                    "{{tenant}} {{decision}}",
                )
            ],
            "reqps",
            PLAIN,
            stacked=True,
        ),
    ]
