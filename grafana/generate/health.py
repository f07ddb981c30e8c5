"""Sidecar health: whether the proxies count at all, and if not, why; what the filter costs them."""

from board import board, written
from layout import Section, even
from panel import NONE_IS_GOOD, Column, Query, State, lines, number, table, timeline
from query import OVERFLOW, POLICY, RANGE, REQUESTS, TWICE, rate, series, value

# The `stat_prefix` of the listener that has the filter; in envoy/envoy.yaml and grafana/rules it is goproxy.
LISTENER = 'envoy_http_conn_manager_prefix=~"$listener"'
ANSWERED = f"sum by (instance) (rate(envoy_http_downstream_rq_completed{{{LISTENER}}}[$__rate_interval]))"
EVER_ANSWERED = f"sum by (instance) (envoy_http_downstream_rq_completed{{{LISTENER}}})"
# A name that continues after the metric's own: no stats_tags extracted the labels.
UNCUT = 'count by (instance) ({__name__=~"(.+_)?modgate_.+___.+"})'


def _of_filter(before: str, after: str) -> str:
    """Envoy's metrics of the filter, which have its name in theirs: `modgate` alone, or with what a mesh puts before
    and behind it, such as the namespace."""
    return f'{{__name__=~"{before}_(.+_)?modgate(_.+)?_{after}"}}'


def _loaded(result: str) -> str:
    return f"sum by (instance) ({_of_filter('envoy_extension_config_discovery_http_filter', f'update_{result}')})"


def _reloads(result: str) -> str:
    return f"sum by (instance) (rate({_of_filter('envoy_wasm', f'vm_reload_{result}')}[$__rate_interval]))"


WHY = (
    "No figures: Envoy responds but the filter counts nothing; it is not in this listener, or was never loaded"
    " (see Configurations below and Envoy's log). Labels in the names: the bootstrap lacks the stats_tags;"
    " add what `modgate metrics --format envoy` prints, or `--format istio` for a mesh, and restart."
)


def health():
    return board(
        "health",
        "sidecar health",
        "Whether the proxies export metrics, and if not, why; what the filter costs.",
        [
            written(
                "listener",
                "goproxy",
                "The stat_prefix of the listener that has the filter, or an expression for several. In a mesh"
                " it is outbound_0.0.0.0_PORT at a gateway, inbound_0.0.0.0_PORT at a sidecar.",
            )
        ],
        [
            Section(
                "Do they count, and if not, why",
                [
                    even(4, _now()),
                    even(7, [_state()]),
                    even(8, _gap()),
                ],
            ),
            Section("The filter", [even(8, _filter())]),
            Section("What it costs", [even(8, _cost())]),
            Section("Labels", [even(8, _labels())], folded=True),
        ],
    )


def _uncounted(before: str = "") -> str:
    """What each Envoy has answered since it started and the filter did not count, now or an offset before. Totals and
    no rates, which lack the first request of each series; a restart makes both begin anew."""
    answered = f"sum by (instance) (envoy_http_downstream_rq_completed{{{LISTENER}}}{before})"
    counted = f"sum by (instance) ({series(REQUESTS)}{before})"
    return f"({answered} - ({counted} or 0 * {answered}))"


def _now():
    named = 'count by (instance) ({__name__=~"(.+_)?modgate_policy_info.*"})'
    return [
        number(
            "Proxies that count",
            "Proxies that export their active policy, both Envoys and `modgate serve`.",
            f"count({value(POLICY, by='instance')}) or vector(0)",
            "none",
            [(None, "red"), (1, "green")],
        ),
        number(
            "Envoys without the filter's figures",
            "Envoys with such a listener that export no policy: the filter is missing, or was never loaded. Look"
            " at the filter's file and at Envoy's log.",
            f"count({EVER_ANSWERED} unless {named}) or vector(0)",
            "none",
            NONE_IS_GOOD,
        ),
        number(
            "Proxies with labels in the names",
            "Proxies whose metrics still carry the labels in their names, so that every other panel lacks"
            " them. Add the stats_tags of `modgate metrics --format envoy` to the bootstrap (`--format istio`"
            " for a mesh) and restart.",
            f"count({UNCUT}) or vector(0)",
            "none",
            NONE_IS_GOOD,
        ),
        number(
            "Requests past the filter",
            "Requests in the displayed time range that Envoys answered and the filter did not count. A few are"
            " malformed requests that Envoy rejects before any filter. See the alert ModgateEnforcementGap.",
            f"sum(clamp_min({_uncounted()} - ({_uncounted(f' offset {RANGE}')} or 0 * {_uncounted()}), 0))"
            " or vector(0)",
            "none",
            [(None, "green"), (10, "orange"), (100, "red")],
        ),
    ]


def _state():
    return timeline(
        "Figures of each proxy",
        WHY,
        Query(
            f"(2 + 0 * {UNCUT}) or (0 * {value(POLICY, by='instance')}) or (1 + 0 * {EVER_ANSWERED})",
            "{{instance}}",
        ),
        [
            State(0, "counts", "green"),
            State(1, "no figures of the filter", "red"),
            State(2, "labels in the names", "orange"),
        ],
    )


def _gap():
    return [
        lines(
            "Answered by Envoy, counted by the filter",
            "Requests per second. The two are equal if every request passes the filter.",
            [
                Query(ANSWERED, "{{instance}}: Envoy"),
                Query(rate(REQUESTS, by="instance"), "{{instance}}: filter"),
            ],
            "reqps",
        ),
        table(
            "Envoys and policies",
            "What each Envoy has answered since it started, and the policies that it exports: 1 is an active one."
            " Requests without a policy mean an Envoy without the filter's figures.",
            [
                Column("Answered", EVER_ANSWERED),
                Column("Policies", value(POLICY, by="instance"), "none", [(None, "red"), (1, "green")]),
            ],
            ["instance"],
        ),
    ]


def _filter():
    return [
        lines(
            "Failures of the filter's machine",
            "A filter that fails refuses every request until its VM is recreated. Reloads per second by result.",
            [
                Query(_reloads("success"), "{{instance}}: recreated"),
                Query(_reloads("failure"), "{{instance}}: failed"),
                Query(_reloads("backoff"), "{{instance}}: waiting"),
            ],
            "reqps",
            [(None, "green"), (0.01, "red")],
        ),
        lines(
            "Configurations",
            "Configurations of the filter since Envoy started: accepted, rejected by the filter, and failed to"
            " load. After a rejected one the last valid policy stays active; Envoy's log has the reason.",
            [
                Query(_loaded("success"), "{{instance}}: accepted"),
                Query(_loaded("rejected"), "{{instance}}: rejected"),
                Query(_loaded("failure"), "{{instance}}: failed to load"),
            ],
            "none",
        ),
        lines(
            "Machines",
            "WebAssembly VMs in each Envoy: one per worker and two more. Constant growth is a leak.",
            [Query("sum by (instance) (envoy_wasm_envoy_wasm_runtime_v8_active)", "{{instance}}")],
            "none",
        ),
        lines(
            "Refused by a second filter",
            "Requests per second that a filter refused because another one had let them through: it is in the chain"
            " twice. Seen only with a route_key. See the alert ModgateFilterTwice.",
            [Query(rate(TWICE, by="instance"), "{{instance}}")],
            "reqps",
            [(None, "green"), (0.001, "red")],
        ),
    ]


def _cost():
    def mean(name, matchers):
        return (
            f"sum by (instance) (rate({name}_sum{matchers}[$__rate_interval])) / (sum by (instance)"
            f" (rate({name}_count{matchers}[$__rate_interval])) > 0)"
        )

    return [
        lines(
            "Time of requests, Envoy and upstream",
            "Means: from the first byte of the request to the last byte of the response, and of that the time"
            " upstream. The"
            " gap between them is Envoy, the filter and the client's own speed; denials make the first one"
            " smaller.",
            [
                Query(mean("envoy_http_downstream_rq_time", f"{{{LISTENER}}}"), "{{instance}}: all"),
                Query(mean("envoy_cluster_upstream_rq_time", ""), "{{instance}}: upstream"),
            ],
            "ms",
        ),
        lines(
            "Memory",
            "The memory of each Envoy, including the filter's VMs.",
            [
                Query("sum by (instance) (envoy_server_memory_physical_size)", "{{instance}}: physical"),
                Query("sum by (instance) (envoy_server_memory_allocated)", "{{instance}}: allocated"),
            ],
            "bytes",
        ),
        lines(
            "Series",
            "Series of the filter's metrics at each proxy. The policy bounds them: tenants, rules,"
            " backends and splits.",
            [Query('count by (instance) ({__name__=~"modgate_.+"})', "{{instance}}")],
            "none",
            [(None, "green"), (20_000, "orange")],
        ),
    ]


def _labels():
    return [
        lines(
            "Values that did not fit",
            "Label values per second that were replaced by `other`, because the label has too many. See the alert"
            " ModgateLabelOverflow.",
            [Query(rate(OVERFLOW, by="label_name"), "{{label_name}}")],
            "reqps",
            [(None, "green"), (0.001, "orange")],
        ),
        table(
            "Values that did not fit, since the start",
            "By proxy and label; each is one value beyond the label's limit.",
            [Column("Times", value(OVERFLOW, by="instance, label_name"), "none", NONE_IS_GOOD)],
            ["instance", "label_name"],
        ),
    ]
