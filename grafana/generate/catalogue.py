"""The filter's metrics, as `modgate metrics --format json` prints them."""

import json
from pathlib import Path

HISTOGRAM_ENDS = ("_bucket", "_count", "_sum")
# What a scrape adds, and a histogram's bound.
LABELS_OF_ALL = {"instance", "job", "le"}

_metrics: dict[str, dict] = {}
_used: set[str] = set()


def load(file: Path) -> None:
    """Reads the catalogue. Nothing can be asked for before."""
    _metrics.clear()
    _used.clear()
    _metrics.update((metric["name"], metric) for metric in json.loads(file.read_text())["metrics"])


def check(series: str, labels: set[str]) -> None:
    """Raises ValueError where the filter has no such series, or it has no such label."""
    metric = _metric_of(series)
    if metric is None:
        raise ValueError(f"the catalogue has no metric {series}")
    unknown = labels - set(metric["labels"]) - LABELS_OF_ALL
    if unknown:
        raise ValueError(f"{series} has no label {', '.join(sorted(unknown))}")
    _used.add(metric["name"])


def unused() -> list[str]:
    """The metrics that nothing has asked for."""
    return sorted(_metrics.keys() - _used)


def _metric_of(series: str) -> dict | None:
    for end in HISTOGRAM_ENDS:
        metric = _metrics.get(series.removesuffix(end))
        if series.endswith(end) and metric and metric["kind"] == "histogram":
            return metric
    metric = _metrics.get(series)
    return metric if metric and metric["kind"] != "histogram" else None
