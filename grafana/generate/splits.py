"""Splits and routing: who gets which version, and how the backends do beside each other."""

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
        "Shares of variants and of backends, and how the backends do side by side.",
        [
            several("split", ASSIGNMENTS, "The split as the policy names it."),
            several("backend", REQUESTS, "The backend as the policy names it."),
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
        number("Led by a split", "Requests a second that a split led to a variant.", led, "reqps"),
        number(
            "Fallbacks",
            "Share of them that were led to the control variant, or to none, because the backend lacks the"
            " version of their own or the rules refuse it. See the alert ModgateSplitFallback.",
            ratio(rate(FALLBACKS, SPLIT), led),
            "percentunit",
            [(None, "green"), (0.01, "orange"), (0.1, "red")],
        ),
        number(
            "Without a variant",
            "Share of them that no variant was there for.",
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
            "Requests a second by the variant that they were led to.",
            [Query(rate(ASSIGNMENTS, SPLIT, HOLDS, by=by), "{{split}}: {{variant}}")],
            "reqps",
            stacked=True,
        ),
        bars(
            "Shares of the variants",
            "Shares over the time shown, to be compared with the weights beside them. Tiers and fixed"
            " variants count too, and a busy client counts as often as it asks.",
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
            "What the policy's draws are to give, by the place of the assignment in the split. Who is given a"
            " variant by name has no weight.",
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
            "Requests a second that were led elsewhere than they should have been.",
            [Query(rate(FALLBACKS, SPLIT, by="split"), "{{split}}")],
            "reqps",
        ),
    ]


def _outcomes():
    """A variant's requests are those that were led to it, and those for its version's files."""
    by = "split, variant"
    mine = (SPLIT, 'variant!="none"')
    name = "{{split}}: {{variant}}"
    return [
        lines(
            "Failures by variant",
            "Share of the requests of each variant that fail, files of its version included.",
            [Query(failure_ratio(*mine, by=by), name)],
            "percentunit",
            FAILURES,
        ),
        lines(
            "Not there or refused, by variant",
            "Share of the requests of each variant that the backend had not, or that were refused.",
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
            "Requests a second that each backend was asked for.",
            [Query(rate(REQUESTS, *ASKED, by="backend"), "{{backend}}")],
            "reqps",
            stacked=True,
        ),
        bars(
            "Shares of the backends",
            "Shares over the time shown, to be compared with the weights of the routes.",
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
            "What the routes that lead to several backends are to give, by route.",
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
            "Bytes of bodies a second.",
            [Query(rate(BYTES, BACKEND, by="backend"), "{{backend}}")],
            "Bps",
            stacked=True,
        ),
    ]


def _quality():
    return [
        lines(
            "Hit rate by backend",
            "Share of hits, of the lookups that are known.",
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
            "Requests a second that a split in shadow would have led, by the variant. It leads nobody.",
            [Query(rate(ASSIGNMENTS, SPLIT, SHADOW, by="split, variant"), "{{split}}: {{variant}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Other routes",
            "Requests a second while other routes are tried: the backend of the routes that were followed, and the one"
            " to which the others lead.",
            [
                Query(
                    rate(TRIALS, BACKEND, by="stage, backend, would_be"),
                    "{{stage}}: {{backend}}, else {{would_be}}",
                )
            ],
            "reqps",
            stacked=True,
        ),
        lines(
            "Stand-ins",
            "Answers a second of another backend than the one that was asked first, which had failed.",
            [Query(rate(FAILOVERS, BACKEND, by="backend, stand_in"), "{{stand_in}} for {{backend}}")],
            "reqps",
            [(None, "green"), (0.1, "orange")],
        ),
    ]
