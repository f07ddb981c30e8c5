"""Rollout: which policy is active where, and what candidate rules would do."""

from board import board, several
from layout import Section, even
from panel import PLAIN, Column, Query, State, lines, number, table, timeline
from query import DECISIONS, HOLDS, POLICY, REFUSED, ROLLOUTS, SHADOW, TENANT, grown, increase, rate, ratio, series

COMPARED = 'agreement!="none"'
DIFFERS = 'agreement="differ"'
CANARY = 'stage="canary"'
ENFORCE = 'stage="enforce"'
# The alert ModgateRolloutSafe wants as many.
ENOUGH = 1000


def rollout():
    return board(
        "rollout",
        "rollout",
        "Active policies, and candidate rules compared with the active ones.",
        [several("tenant", DECISIONS, "The tenant's name in the policy.")],
        [
            Section("Candidates", [even(4, _now()), even(7, [_stages()])]),
            Section(
                "Verdicts",
                [even(8, _verdicts()), even(8, _differ())],
            ),
            Section("Policies in force", [even(8, [_proxies(), _where()])]),
        ],
    )


def _now():
    compared = rate(DECISIONS, TENANT, SHADOW, COMPARED)
    return [
        number(
            "Policies in force",
            "The number of policies that are active at the same time. If there is more than one for longer than a"
            " deployment takes, see the alert ModgatePolicySkew.",
            f"count(count by (policy_hash) ({series(POLICY)} == 1))",
            "none",
            [(None, "green"), (2, "orange")],
        ),
        number(
            "Compared",
            "Requests per second that were evaluated by both rule sets.",
            compared,
            "reqps",
        ),
        number(
            "Disagreements",
            "Share of the compared requests for which the candidate decides differently.",
            ratio(rate(DECISIONS, TENANT, SHADOW, DIFFERS), compared),
            "percentunit",
            [(None, "green"), (0.0001, "orange"), (0.05, "red")],
        ),
        number(
            "Decided by a candidate",
            "Share of the effective decisions that were made by a canary's candidate rules.",
            ratio(rate(DECISIONS, TENANT, CANARY), rate(DECISIONS, TENANT, HOLDS)),
            "percentunit",
        ),
    ]


def _stages():
    def of(stage, number):
        return f"{number} * max by (tenant) ({series(ROLLOUTS, TENANT, stage)} == 1)"

    return timeline(
        "Stage by tenant",
        "The rollout stage of a tenant's candidate rules: they decide nothing, a share of the requests, or"
        " everything. While proxies differ, the later stage.",
        Query(f"{of(ENFORCE, 3)} or {of(CANARY, 2)} or {of(SHADOW, 1)}", "{{tenant}}"),
        [
            State(1, "shadow", "purple"),
            State(2, "canary", "orange"),
            State(3, "enforce", "green"),
        ],
    )


def _verdicts():
    def refused(stage):
        part = rate(DECISIONS, TENANT, stage, REFUSED, by="tenant")
        return ratio(part, rate(DECISIONS, TENANT, stage, by="tenant"))

    return [
        lines(
            "Verdicts by stage",
            "Decisions per second. Enforce and canary are effective; shadow is the other decision of a compared"
            " request.",
            [Query(rate(DECISIONS, TENANT, by="stage, decision"), "{{stage}} {{decision}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Refused, candidate against rules in force",
            "Share of refusals among decisions of a canary's candidate, and among those of the active rules. The"
            " alert ModgateCanaryWorse fires if they differ by 5 %.",
            [
                Query(refused(CANARY), "{{tenant}}: canary"),
                Query(refused(ENFORCE), "{{tenant}}: in force"),
            ],
            "percentunit",
        ),
        lines(
            "Agreement",
            "Compared requests per second, by whether both decisions agree. Unknown if only one of them needs more"
            " data about the version.",
            [Query(rate(DECISIONS, TENANT, SHADOW, COMPARED, by="agreement"), "{{agreement}}")],
            "reqps",
            stacked=True,
        ),
    ]


def _differ():
    doubts = grown(DECISIONS, TENANT, SHADOW, 'agreement=~"differ|unknown"', by="tenant")
    asked = increase(DECISIONS, TENANT, SHADOW, COMPARED, by="tenant")
    safe = f"({asked} >= bool {ENOUGH}) * (({doubts} or 0 * {asked}) == bool 0)"
    return [
        table(
            "Disagreements by rule",
            "What the ineffective rules would have decided, if it differs: for a candidate in shadow, what it"
            " would refuse that is served today.",
            [Column("Requests", grown(DECISIONS, TENANT, SHADOW, DIFFERS, by="tenant, rule, decision"))],
            ["tenant", "rule", "decision"],
        ),
        table(
            "Safe to enforce",
            f"Safe where at least {ENOUGH} requests were compared in the displayed time range and none differs or"
            " is in doubt. Display one day, as the alert ModgateRolloutSafe does.",
            [
                Column("Compared", asked),
                Column("In doubt", f"({doubts} or 0 * {asked})"),
                Column(
                    "Safe",
                    safe,
                    "none",
                    [(None, "orange"), (1, "green")],
                    (State(0, "not yet", "orange"), State(1, "safe", "green")),
                ),
            ],
            ["tenant"],
        ),
    ]


def _proxies():
    return lines(
        "Proxies by policy",
        "The number of proxies by active policy.",
        [
            Query(
                f"count by (policy_version, policy_hash) ({series(POLICY)} == 1)",
                "{{policy_version}} ({{policy_hash}})",
            )
        ],
        "none",
        PLAIN,
        stacked=True,
    )


def _where():
    return table(
        "Policy of each proxy",
        "The active policy of each proxy, by version and hash.",
        [Column("In force", f"max by (instance, policy_version, policy_hash) ({series(POLICY)} == 1)", "none")],
        ["instance", "policy_version", "policy_hash"],
    )
