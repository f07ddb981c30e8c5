"""Pieces of PromQL. What names one of the filter's series is checked against its catalogue."""

import re

import catalogue

REQUESTS = "modgate_requests_total"
LOOKUPS = "modgate_cache_lookups_total"
DURATION = "modgate_request_duration_milliseconds"
DECISIONS = "modgate_decisions_total"
BYTES = "modgate_response_bytes_total"
CHECKS = "modgate_integrity_checks_total"
HASHED_BYTES = "modgate_integrity_bytes_total"
HASHED_TIME = "modgate_integrity_microseconds_total"
SUMDB = "modgate_sumdb_lookups_total"
ASSIGNMENTS = "modgate_split_assignments_total"
FALLBACKS = "modgate_split_fallbacks_total"
TRIALS = "modgate_route_trials_total"
FAILOVERS = "modgate_failovers_total"
TWICE = "modgate_filter_twice_total"
POLICY = "modgate_policy_info"
ROLLOUTS = "modgate_rollout_info"
SPLIT_WEIGHTS = "modgate_split_weight_basis_points"
ROUTE_WEIGHTS = "modgate_route_weight_basis_points"
OVERFLOW = "modgate_label_overflow_total"

# What the dashboards' variables choose.
TENANT = 'tenant=~"$tenant"'
OPERATION = 'operation=~"$operation"'
BACKEND = 'backend=~"$backend"'
CHOSEN = (TENANT, OPERATION, BACKEND)

# As in grafana/rules/recording.yaml: what counts as a request, and what as a failure.
COUNTED = 'outcome!~"aborted|client_error"'
FAILED = 'outcome=~"upstream_error|timeout|truncated|integrity"'
HIT = 'cache_status=~"hit|stale"'
KNOWN = 'cache_status!="unknown"'
MISS = 'cache_status="miss"'
WRONG = 'result=~"mismatch|unproven|malformed"'
LOST = 'result=~"no_room|undelivered"'
REFUSED = 'decision!="allow"'
# What was asked beside what holds, and what holds.
SHADOW = 'stage="shadow"'
HOLDS = 'stage!="shadow"'

RATE = "$__rate_interval"
RANGE = "$__range"


def series(name: str, *matchers: str) -> str:
    """A series of the filter with matchers such as `tenant="web"`."""
    catalogue.check(name, {re.split("[=!]", matcher)[0] for matcher in matchers})
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def total(expression: str, by: str = "") -> str:
    """The sum, by labels such as `tenant, operation`."""
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def value(name: str, *matchers: str, by: str = "") -> str:
    """What the counters or gauges say, added up."""
    _check_by(name, by)
    return total(series(name, *matchers), by)


def rate(name: str, *matchers: str, by: str = "", over: str = RATE) -> str:
    """How much a second."""
    _check_by(name, by)
    return total(f"rate({series(name, *matchers)}[{over}])", by)


def increase(name: str, *matchers: str, by: str = "", over: str = RANGE) -> str:
    """How much in a time."""
    _check_by(name, by)
    return total(f"increase({series(name, *matchers)}[{over}])", by)


def grown(name: str, *matchers: str, by: str = "", over: str = RANGE) -> str:
    """How much in a time, where one event counts: a series that was not there before counts with all that
    it has, of which `increase` never sees the first."""
    _check_by(name, by)
    counter = series(name, *matchers)
    return total(f"({counter} unless {counter} offset {over}) or increase({counter}[{over}])", by)


def ratio(part: str, whole: str) -> str:
    """A part of a whole, both by the same labels: there wherever the whole is, and 0 without a part."""
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


def failure_ratio(*matchers: str, by: str = "", over: str = RATE) -> str:
    """The share of the requests that fail."""
    failed = rate(REQUESTS, *matchers, FAILED, by=by, over=over)
    return ratio(failed, rate(REQUESTS, *matchers, COUNTED, by=by, over=over))


def hit_ratio(*matchers: str, by: str = "", over: str = RATE) -> str:
    """The share of hits, of the lookups of which it is known what the cache did."""
    hits = rate(LOOKUPS, *matchers, HIT, by=by, over=over)
    return ratio(hits, rate(LOOKUPS, *matchers, KNOWN, by=by, over=over))


def quantile(rank: float, *matchers: str, by: str = "", over: str = RATE) -> str:
    """The duration in milliseconds that this share of the requests does not exceed."""
    buckets = rate(f"{DURATION}_bucket", *matchers, by=f"le, {by}" if by else "le", over=over)
    # Of no requests it is no number, which a table or a figure would show as one.
    return f"histogram_quantile({rank}, {buckets}) >= 0"


def bucket_counts(*matchers: str) -> str:
    """How many fell below each bound, for a heat map. Envoy writes a bound as 10, `modgate serve` and
    Prometheus 3 as 10.0: together they are one."""
    grown = f"increase({series(f'{DURATION}_bucket', *matchers)}[{RATE}])"
    return total(f'label_replace({grown}, "le", "$1", "le", "(.+)\\\\.0")', "le")


def values_of(label: str, name: str) -> str:
    """The values of a label, for a variable."""
    _check_by(name, label)
    return f"label_values({name}, {label})"


def _check_by(name: str, by: str) -> None:
    catalogue.check(name, set(by.split(", ")) if by else set())
