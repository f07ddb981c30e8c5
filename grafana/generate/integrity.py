"""Integrity: files whose hash is checked, what they are compared with, and what that costs."""

from board import board, several
from layout import Section, even
from panel import NONE_IS_GOOD, PLAIN, Column, Query, lines, number, table
from query import (
    CHECKS,
    HASHED_BYTES,
    HASHED_TIME,
    LOST,
    REQUESTS,
    SUMDB,
    TENANT,
    WRONG,
    rate,
    ratio,
    value,
)

AWAY: list = [(None, "green"), (0.1, "orange"), (0.5, "red")]
ASKED = 'result!="remembered"'


def integrity():
    return board(
        "integrity",
        "integrity",
        "Hashes of zips and go.mod files, the checksum database, and the time that hashing takes.",
        [several("tenant", CHECKS, "The tenant's name in the policy.")],
        [
            Section("Now", [even(4, _now())]),
            Section(
                "Checks",
                [even(8, _checks()), even(8, _wrong())],
            ),
            Section("Checksum database", [even(8, _sumdb())]),
            Section("Cost", [even(8, _cost())]),
        ],
    )


def _now():
    checks = rate(CHECKS, TENANT)
    return [
        number("Checks", "Files per second that the policy requires to be checked.", checks, "reqps"),
        number(
            "Wrong files",
            "Files with a wrong hash since the proxies started: mismatches, malformed files, and files whose hash"
            " the checksum database could not prove. One is enough for the alert"
            " ModgateIntegrityMismatch.",
            f"{value(CHECKS, TENANT, WRONG)} or vector(0)",
            "none",
            NONE_IS_GOOD,
        ),
        number(
            "Verified",
            "Share of the checked files whose hash matches a pin, a proof or the first hash seen.",
            ratio(rate(CHECKS, TENANT, 'result="verified"'), checks),
            "percentunit",
            [(None, "red"), (0.9, "orange"), (0.99, "green")],
        ),
        number(
            "Checksum database away",
            "Share of the lookups, without remembered ones, that got no response.",
            ratio(rate(SUMDB, 'result="unavailable"'), rate(SUMDB, ASKED)),
            "percentunit",
            AWAY,
        ),
    ]


def _checks():
    return [
        lines(
            "Checks by result",
            "Files per second by result of the check.",
            [Query(rate(CHECKS, TENANT, by="result"), "{{result}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Checks by evidence",
            "Files per second by what they were compared with: a pin, the checksum database, the first hash seen,"
            " or nothing.",
            [Query(rate(CHECKS, TENANT, by="artifact, evidence"), "{{artifact}} {{evidence}}")],
            "reqps",
            stacked=True,
        ),
    ]


def _wrong():
    return [
        table(
            "Wrong files by tenant",
            "Since the proxies started. The error lines in the proxy's log name module, version and both hashes.",
            [
                Column(
                    "Files",
                    value(CHECKS, TENANT, WRONG, by="tenant, artifact, result, evidence"),
                    "none",
                    NONE_IS_GOOD,
                )
            ],
            ["tenant", "artifact", "result", "evidence"],
        ),
        lines(
            "Downloads that were stopped",
            "Requests per second that were refused because of a hash.",
            [
                Query(
                    rate(REQUESTS, TENANT, 'outcome="integrity"', by="tenant, backend"),
                    "{{tenant}} from {{backend}}",
                )
            ],
            "reqps",
        ),
        lines(
            "Good files that did not arrive",
            "Files per second that were refused because there was no room for their first hash (the alert"
            " ModgateFirstSeenFull), and correct files that the client did not receive completely"
            " (ModgateUndelivered).",
            [
                Query(
                    rate(CHECKS, TENANT, LOST, by="tenant, result"),
                    "{{tenant}} {{result}}",
                )
            ],
            "reqps",
        ),
    ]


def _sumdb():
    return [
        lines(
            "Lookups by result",
            "The filter's own lookups per second. Refused is a database that contradicts itself: see the alert"
            " ModgateSumdbRefused.",
            [Query(rate(SUMDB, by="result"), "{{result}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Lookups without an answer",
            "Share of the lookups that were not remembered; above one half the alert ModgateSumdbUnavailable fires.",
            [Query(ratio(rate(SUMDB, 'result="unavailable"'), rate(SUMDB, ASKED)), "unavailable")],
            "percentunit",
            AWAY,
            limit=1,
        ),
    ]


def _cost():
    spent = rate(HASHED_TIME, TENANT)
    return [
        lines(
            "Time spent on hashing",
            "Share of one core that hashing takes, by kind of file.",
            [Query(f"{rate(HASHED_TIME, TENANT, by='artifact')} / 1e6", "{{artifact}}")],
            "percentunit",
            [(None, "green"), (0.5, "orange")],
        ),
        lines(
            "Bytes hashed",
            "File bytes per second.",
            [Query(rate(HASHED_BYTES, TENANT, by="tenant"), "{{tenant}}")],
            "Bps",
            PLAIN,
            stacked=True,
        ),
        lines(
            "Speed of hashing",
            "Bytes hashed per second of hashing. It falls if the machine's cores are busy.",
            [Query(f"{rate(HASHED_BYTES, TENANT)} / ({spent} > 0) * 1e6", "bytes in a second")],
            "Bps",
        ),
    ]
