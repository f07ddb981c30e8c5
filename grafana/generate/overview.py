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
            several("tenant", REQUESTS, "The tenant's name in the policy."),
            several("operation", REQUESTS, "The endpoint of the GOPROXY protocol."),
            several("backend", REQUESTS, "The backend's name in the policy; none if no request was sent to one."),
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
            "Finished requests per second, with any outcome.",
            rate(REQUESTS, *CHOSEN),
            "reqps",
        ),
        number(
            "Failures",
            "Share of the requests that fail: backend errors, timeouts, truncated responses and wrong hashes."
            " Denials, Go's ordinary 404 responses and requests aborted by clients are not failures. Orange above"
            " the"
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
            "Share of hits, including stale ones, among the responses with a known cache status.",
            hit_ratio(*CHOSEN),
            "percentunit",
            HITS,
        ),
    ]


def _red():
    return [
        lines(
            "Requests by outcome",
            "Requests per second by outcome.",
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
        "Each tenant over the displayed time range. Budget burnt is the share of failures over the 0.1 % that the"
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
        "How many times faster than allowed a tenant uses up its error budget. Lines at 1, 6 and 14.4,"
        " where the alerts are. Computed from the counters, so it needs no recording rules.",
        [Query(f"{failure_ratio(*CHOSEN, by='tenant, operation')} / {BUDGET}", "{{tenant}} {{operation}}")],
        "none",
        BURN,
    )


def _backends():
    return [
        lines(
            "Failures by backend",
            "Share of the requests to a backend that fail.",
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
            "Share of hits in each backend's cache, among the responses with a known cache status.",
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
            f"How fast the error budget burns over an hour, six hours and three days. {about}",
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
            "Body bytes per second from each backend.",
            [Query(rate(BYTES, *CHOSEN, by="backend"), "{{backend}}")],
            "Bps",
            PLAIN,
            stacked=True,
        ),
        lines(
            "Refusals by tenant",
            "Effective decisions per second that refuse a request: deny, probe and hide.",
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
