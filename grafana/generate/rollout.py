"""Rollout: which policy is where, and what candidate rules would do."""

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
        "Policies in force, and candidate rules against those that hold.",
        [several("tenant", DECISIONS, "The tenant as the policy names it.")],
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
            "How many policies are in force at the same time. For more than one, longer than a roll-out"
            " takes, see the alert ModgatePolicySkew.",
            f"count(count by (policy_hash) ({series(POLICY)} == 1))",
            "none",
            [(None, "green"), (2, "orange")],
        ),
        number(
            "Compared",
            "Requests a second that were judged by two sets of rules.",
            compared,
            "reqps",
        ),
        number(
            "Disagreements",
            "Share of the compared requests of which the candidate says something else.",
            ratio(rate(DECISIONS, TENANT, SHADOW, DIFFERS), compared),
            "percentunit",
            [(None, "green"), (0.0001, "orange"), (0.05, "red")],
        ),
        number(
            "Decided by a candidate",
            "Share of the verdicts that hold which a canary's candidate gave.",
            ratio(rate(DECISIONS, TENANT, CANARY), rate(DECISIONS, TENANT, HOLDS)),
            "percentunit",
        ),
    ]


def _stages():
    def of(stage, number):
        return f"{number} * max by (tenant) ({series(ROLLOUTS, TENANT, stage)} == 1)"

    return timeline(
        "Stage by tenant",
        "How far a tenant's candidate rules have come: they decide nothing, decide for a share of the requests,"
        " or decide. While proxies differ, the farther stage.",
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
            "Verdicts a second. Enforce and canary hold; shadow is the other one of a compared request.",
            [Query(rate(DECISIONS, TENANT, by="stage, decision"), "{{stage}} {{decision}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Refused, candidate against rules in force",
            "Share of refusals where the candidate of a canary decides, and where the rules in force do. "
            "The alert ModgateCanaryWorse fires at 5 % between them.",
            [
                Query(refused(CANARY), "{{tenant}}: canary"),
                Query(refused(ENFORCE), "{{tenant}}: in force"),
            ],
            "percentunit",
        ),
        lines(
            "Agreement",
            "Compared requests a second, by whether both say the same. Unknown where only one of them needed"
            " to know more of the version.",
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
            "What the rules that do not hold would have said, where it is something else: with a candidate in"
            " shadow, what it would refuse that is served today.",
            [Column("Requests", grown(DECISIONS, TENANT, SHADOW, DIFFERS, by="tenant, rule, decision"))],
            ["tenant", "rule", "decision"],
        ),
        table(
            "Safe to enforce",
            f"Safe where at least {ENOUGH} requests were compared in the time shown and none differs or is in"
            " doubt. Show a day, as the alert ModgateRolloutSafe does.",
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
        "How many proxies have which policy in force.",
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
        "The policy that each proxy has in force, by version and hash.",
        [Column("In force", f"max by (instance, policy_version, policy_hash) ({series(POLICY)} == 1)", "none")],
        ["instance", "policy_version", "policy_hash"],
    )
