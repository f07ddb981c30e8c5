"""Splits and routing: who gets which version, and how the backends compare."""

from board import board, several
from layout import Section, even
from panel import FAILURES, HITS, PLAIN, SLOW, Query, bars, lines, number
from query import (
    ASSIGNMENTS,
    BACKEND,
    BYTES,
    COUNTED,
    FAILOVERS,
    FALLBACKS,
    HOLDS,
    REQUESTS,
    ROUTE_WEIGHTS,
    SHADOW,
    SPLIT_WEIGHTS,
    TRIALS,
    failure_ratio,
    hit_ratio,
    increase,
    quantile,
    rate,
    ratio,
    series,
)

SPLIT = 'split=~"$split"'
ASKED = (BACKEND, 'backend!="none"')


def splits():
    return board(
        "splits",
        "splits and routing",
        "Shares of variants and backends, and a comparison of the backends.",
        [
            several("split", ASSIGNMENTS, "The split's name in the policy."),
            several("backend", REQUESTS, "The backend's name in the policy."),
        ],
        [
            Section(
                "Splits",
                [even(4, _now()), even(8, _variants()), even(8, _outcomes())],
            ),
            Section(
                "Backends side by side",
                [even(8, _shares()), even(8, _quality())],
            ),
            Section(
                "Tried beside what holds, and standing in",
                [even(8, _tried())],
            ),
        ],
    )


def _now():
    led = rate(ASSIGNMENTS, SPLIT, HOLDS)
    return [
        number("Led by a split", "Requests per second that a split assigned to a variant.", led, "reqps"),
        number(
            "Fallbacks",
            "Share of split assignments that fell back to the control variant or to none, because the backend"
            " lacks the version of the assigned variant or the rules refuse it. See the alert ModgateSplitFallback.",
            ratio(rate(FALLBACKS, SPLIT), led),
            "percentunit",
            [(None, "green"), (0.01, "orange"), (0.1, "red")],
        ),
        number(
            "Without a variant",
            "Share of split assignments that fell back to no variant.",
            ratio(rate(ASSIGNMENTS, SPLIT, HOLDS, 'variant="none"'), led),
            "percentunit",
            [(None, "green"), (0.001, "red")],
        ),
    ]


def _variants():
    by = "split, variant"
    return [
        lines(
            "Variants",
            "Requests per second by assigned variant.",
            [Query(rate(ASSIGNMENTS, SPLIT, HOLDS, by=by), "{{split}}: {{variant}}")],
            "reqps",
            stacked=True,
        ),
        bars(
            "Shares of the variants",
            "Shares in the displayed time range, to compare with the weights next to them. Assignments by tier or"
            " to a fixed variant count too, and a client counts once per request.",
            Query(
                f"{increase(ASSIGNMENTS, SPLIT, HOLDS, by=by)} / on (split) group_left ()"
                f" ({increase(ASSIGNMENTS, SPLIT, HOLDS, by='split')} > 0)",
                "{{split}}: {{variant}}",
            ),
            "percentunit",
            PLAIN,
            1,
        ),
        bars(
            "Weights of the variants",
            "The configured weights, by the index of the assignment in the split. Assignments of a fixed variant"
            " have no weight.",
            Query(
                f"max by (split, assign, variant) ({series(SPLIT_WEIGHTS, SPLIT)}) / 10000 > 0",
                "{{split}}[{{assign}}]: {{variant}}",
            ),
            "percentunit",
            PLAIN,
            1,
        ),
        lines(
            "Fallbacks by split",
            "Requests per second that fell back to another variant or to none.",
            [Query(rate(FALLBACKS, SPLIT, by="split"), "{{split}}")],
            "reqps",
        ),
    ]


def _outcomes():
    """A variant's requests are those assigned to it and those for files of its version."""
    by = "split, variant"
    mine = (SPLIT, 'variant!="none"')
    name = "{{split}}: {{variant}}"
    return [
        lines(
            "Failures by variant",
            "Share of the requests of each variant that fail, including files of its version.",
            [Query(failure_ratio(*mine, by=by), name)],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Not there or refused, by variant",
            "Share of the requests of each variant that were not found at the backend, or that were refused.",
            [
                Query(
                    ratio(
                        rate(REQUESTS, *mine, 'outcome=~"not_found|denied"', by=by),
                        rate(REQUESTS, *mine, COUNTED, by=by),
                    ),
                    name,
                )
            ],
            "percentunit",
        ),
        lines(
            "Latency by variant, 95 %",
            "95 % of the requests of each variant end within this time.",
            [Query(quantile(0.95, *mine, by=by), name)],
            "ms",
            SLOW,
        ),
    ]


def _shares():
    whole = increase(REQUESTS, *ASKED, COUNTED)
    return [
        lines(
            "Requests by backend",
            "Requests per second sent to each backend.",
            [Query(rate(REQUESTS, *ASKED, by="backend"), "{{backend}}")],
            "reqps",
            stacked=True,
        ),
        bars(
            "Shares of the backends",
            "Shares in the displayed time range, to compare with the weights of the routes.",
            Query(
                f"{increase(REQUESTS, *ASKED, COUNTED, by='backend')} / on () group_left () ({whole} > 0)",
                "{{backend}}",
            ),
            "percentunit",
            PLAIN,
            1,
        ),
        bars(
            "Weights of the backends",
            "The configured weights of routes with several backends, by route.",
            Query(
                f"max by (route, backend) ({series(ROUTE_WEIGHTS, BACKEND)}) / 10000 > 0",
                "{{route}}: {{backend}}",
            ),
            "percentunit",
            PLAIN,
            1,
        ),
        lines(
            "Bytes by backend",
            "Body bytes per second.",
            [Query(rate(BYTES, BACKEND, by="backend"), "{{backend}}")],
            "Bps",
            stacked=True,
        ),
    ]


def _quality():
    return [
        lines(
            "Hit rate by backend",
            "Share of hits among the lookups with a known cache status.",
            [Query(hit_ratio(BACKEND, by="backend"), "{{backend}}")],
            "percentunit",
            HITS,
            limit=1,
        ),
        lines(
            "Failures by backend",
            "Share of the requests of each backend that fail.",
            [Query(failure_ratio(*ASKED, by="backend"), "{{backend}}")],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Latency by backend, 95 %",
            "95 % of the requests of each backend end within this time.",
            [Query(quantile(0.95, *ASKED, by="backend"), "{{backend}}")],
            "ms",
            SLOW,
        ),
    ]


def _tried():
    return [
        lines(
            "Variants that would be",
            "Requests per second that a split in shadow would have assigned, by variant. It has no effect.",
            [Query(rate(ASSIGNMENTS, SPLIT, SHADOW, by="split, variant"), "{{split}}: {{variant}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Other routes",
            "Requests per second during a trial of routes: the backend that the effective routes select, and the"
            " one that the other routes select.",
            [
                Query(
                    rate(TRIALS, BACKEND, by="stage, backend, alternative"),
                    "{{stage}}: {{backend}}, else {{alternative}}",
                )
            ],
            "reqps",
            stacked=True,
        ),
        lines(
            "Backend fallbacks",
            "Responses per second from a fallback, because the first backend had failed.",
            [Query(rate(FAILOVERS, BACKEND, by="backend, fallback"), "{{fallback}} for {{backend}}")],
            "reqps",
            [(None, "green"), (0.1, "orange")],
        ),
    ]
