"""What all dashboards share: variables, links to each other, and a mark where a policy changed."""

from typing import ClassVar

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models
from layout import Section, place
from panel import SOURCE
from query import POLICY, value, values_of

TAG = "modgate"


def board(uid: str, title: str, about: str, variables: list, sections: list[Section]) -> models.Dashboard:
    """A dashboard, `modgate-UID`."""
    made = (
        builders.Dashboard(f"Modgate: {title}")
        .uid(f"{TAG}-{uid}")
        .description(about)
        .tags([TAG])
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("1m")
        .variables([_datasource(), *variables, _filters()])
        .link(_to_the_others())
        .build()
    )
    made.schema_version = 39
    made.panels = place(sections)
    made.annotations = models.AnnotationContainer(list_val=[PolicyChanges()])
    return made


def several(name: str, metric: str, about: str):
    """A variable of which several values can be chosen, or all: on every page, so that a choice holds on the way
    from one to the other."""
    everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    query = {
        "qryType": 1,
        "query": values_of(name, metric),
        "refId": "PrometheusVariableQueryEditor-VariableQuery",
    }
    return (
        builders.QueryVariable(name)
        .label(name.capitalize())
        .description(about)
        .datasource(SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def written(name: str, value: str, about: str):
    """A variable that somebody writes."""
    option = models.VariableOption(selected=True, text=value, value=value)
    made = builders.TextBoxVariable(name).label(name.capitalize()).description(about)
    return made.default_value(value).current(option)


def link_to(uid: str, variable: str, column: str, kept: list[str]) -> str:
    """The address of another dashboard with one variable from a table's column, and the choice of others that
    both have, at the same time."""
    chosen = f"var-{variable}=${{__data.fields.{column}}}"
    keep = "&".join(f"${{{name}:queryparam}}" for name in ["datasource", *kept, "filters"])
    return f"/d/{TAG}-{uid}?{chosen}&{keep}&${{__url_time_range}}"


def _datasource():
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _filters():
    about = "Further labels, such as job, cluster or namespace, where one Prometheus has several."
    return builders.AdHocVariable("filters").label("Filters").description(about).datasource(SOURCE)


def _to_the_others():
    return (
        builders.DashboardLink("Modgate")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )


class PolicyChanges(models.AnnotationQuery):
    """A mark where a policy came into force that was not in force a minute before. The model lacks what
    the Prometheus data source wants of an annotation beside the expression."""

    EXTRA: ClassVar = {
        "step": "60s",
        "titleFormat": "Policy {{policy_version}}",
        "textFormat": "{{policy_hash}}",
        "tagKeys": "policy_version,policy_hash",
    }

    def __init__(self):
        by = "policy_version, policy_hash"
        now = value(POLICY, by=by)
        super().__init__(
            name="Policy changes",
            datasource=SOURCE,
            enable=True,
            icon_color="blue",
            expr=f"({now} > 0) unless ({now.replace(POLICY, f'{POLICY} offset 1m')} > 0)",
        )

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self.EXTRA}
