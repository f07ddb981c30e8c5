"""The kinds of panels, each with what every panel must have: a description, a unit and thresholds."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    statushistory,
    timeseries,
)
from grafana_foundation_sdk.builders import (
    table as tables,
)
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

# From which value on which colour; the first holds from the beginning.
Steps = list[tuple[float | None, str]]
PLAIN: Steps = [(None, "green")]
# A budget of 0.1 %: the page at once is at 14.4 times that.
FAILURES: Steps = [(None, "green"), (0.001, "orange"), (0.0144, "red")]
HITS: Steps = [(None, "red"), (0.5, "orange"), (0.8, "green")]
SLOW: Steps = [(None, "green"), (1000, "orange"), (10_000, "red")]
BURN: Steps = [(None, "green"), (1, "yellow"), (6, "orange"), (14.4, "red")]
NONE_IS_GOOD: Steps = [(None, "green"), (1, "red")]


@dataclass(frozen=True)
class Query:
    """An expression, and how its series are named."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class State:
    """A value that stands for something."""

    value: int
    name: str
    colour: str


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the query that fills it, and how it looks."""

    name: str
    expression: str
    unit: str = "short"
    steps: Steps | None = None
    states: tuple[State, ...] = ()


def number(title, about, expression, unit, steps=PLAIN, states=(), trend=True):
    """One figure, with its course behind it."""
    panel = _dressed(stat.Panel(), title, about, unit, steps, states)
    graph = kinds.BigValueGraphMode.AREA if trend else kinds.BigValueGraphMode.NONE
    return (
        panel.graph_mode(graph)
        .color_mode(kinds.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("no data")
        .with_target(_target(Query(expression), "A"))
    )


def lines(title, about, queries, unit, steps=PLAIN, stacked=False, limit=None):
    """Courses over time. With thresholds beside the first colour, they are drawn as lines."""
    panel = _dressed(timeseries.Panel(), title, about, unit, steps)
    styles = kinds.GraphThresholdsStyleMode
    style = styles.DASHED if len(steps) > 1 else styles.OFF
    stacking = kinds.StackingMode.NORMAL if stacked else kinds.StackingMode.NONE
    panel = (
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .fill_opacity(50 if stacked else 8)
        .line_width(1)
        .show_points(kinds.VisibilityMode.AUTO)
        .min(0)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    if limit is not None:
        panel = panel.max(limit)
    for at, query in enumerate(queries):
        panel = panel.with_target(_target(query, "ABCDEFG"[at]))
    return panel


def heat(title, about, buckets, unit):
    """How many fell into which bucket of a histogram, over time."""
    panel = _dressed(heatmap.Panel(), title, about, unit, PLAIN)
    return (
        panel.y_axis(heatmap.YAxisConfig().unit(unit))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .fill("dark-orange")
            .exponent(0.5)
            .steps(64)
        )
        .cell_gap(1)
        .with_target(_target(Query(buckets, "{{le}}"), "A").format(PromQueryFormat.HEATMAP))
    )


def timeline(title, about, query, states):
    """Which state held when."""
    steps = [(None, states[0].colour)]
    panel = _dressed(statetimeline.Panel(), title, about, "none", steps, states)
    return (
        panel.merge_values(True).show_value(kinds.VisibilityMode.AUTO).row_height(0.8).with_target(_target(query, "A"))
    )


def history(title, about, query, unit, steps):
    """A grid of coloured cells: what by when."""
    panel = _dressed(statushistory.Panel(), title, about, unit, steps)
    return panel.show_value(kinds.VisibilityMode.NEVER).max_data_points(60).with_target(_target(query, "A"))


def bars(title, about, query, unit, steps=PLAIN, limit=None):
    """A bar for each, of the whole time that is shown."""
    panel = _dressed(bargauge.Panel(), title, about, unit, steps)
    panel = (
        panel.orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .min(0)
        .with_target(_target(query, "A").instant())
    )
    return panel if limit is None else panel.max(limit)


def table(title, about, columns, labels, link=None):
    """A line for each combination of `labels`, of the whole time that is shown. `link` is where the
    first of them leads to."""
    panel = _dressed(tables.Panel(), title, about, "short", PLAIN)
    headings = {}
    for at, column in enumerate(columns):
        ref = "ABCDEFG"[at]
        target = _target(Query(column.expression), ref).instant().format(PromQueryFormat.TABLE)
        panel = panel.with_target(target)
        # So Grafana names the values of one query, and of several.
        headings["Value" if len(columns) == 1 else f"Value #{ref}"] = column.name
    order = {name: at for at, name in enumerate([*labels, *headings])}
    for name, options in (
        ("merge", {}),
        (
            "organize",
            {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": headings},
        ),
    ):
        panel = panel.with_transformation(models.DataTransformerConfig(id_val=name, options=options))
    for column in columns:
        panel = panel.override_by_name(column.name, _look(column))
    if link is not None:
        open_it = {"title": link[0], "url": link[1]}
        panel = panel.override_by_name(labels[0], [models.DynamicConfigValue(id_val="links", value=[open_it])])
    return panel


def _look(column: Column) -> list[models.DynamicConfigValue]:
    look = [models.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.steps:
        cell = {"type": "color-background", "mode": "basic"}
        look.append(models.DynamicConfigValue(id_val="thresholds", value=_thresholds(column.steps).build()))
        look.append(models.DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    if column.states:
        look.append(models.DynamicConfigValue(id_val="mappings", value=_mappings(column.states)))
    return look


def _dressed(panel, title, about, unit, steps, states=()):
    if not about.endswith("."):
        raise ValueError(f"{title}: the description is no sentence")
    panel = panel.title(title).description(about).datasource(SOURCE).unit(unit).thresholds(_thresholds(steps))
    if not states:
        return panel
    return panel.mappings(_mappings(states))


def _mappings(states) -> list[models.ValueMap]:
    options = {
        str(state.value): models.ValueMappingResult(text=state.name, color=state.colour, index=at)
        for at, state in enumerate(states)
    }
    return [models.ValueMap(options=options)]


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    made = [models.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def _target(query: Query, ref: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().datasource(SOURCE).ref_id(ref).expr(query.expression).range()
    return target.legend_format(query.legend or "__auto")
