"""The files that are made: dashboards, and the same for Kubernetes."""

import json
from pathlib import Path

from board import PolicyChanges
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

MADE = "# Made by `make dashboards` from grafana/generate: change that.\n"


def write(board: models.Dashboard, into: Path) -> None:
    """Writes one dashboard, and its ConfigMap and GrafanaDashboard."""
    text = json.dumps(board, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
    _read_back(text)
    _put(into / f"dashboards/{board.uid}.json", text)
    packed = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    _put(into / f"kubernetes/{board.uid}.yaml", _kubernetes(board.uid, packed))


def _kubernetes(name: str, packed: str) -> str:
    """A ConfigMap, which Grafana's sidecar finds by its label, and a GrafanaDashboard of the operator
    that reads the same one. Take one of the two."""
    return f"""{MADE}apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{grafana_dashboard: "1"}}
  annotations: {{grafana_folder: Modgate}}
data:
  {name}.json: |-
    {packed}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaDashboard
metadata:
  name: {name}
spec:
  folder: Modgate
  instanceSelector: {{matchLabels: {{dashboards: grafana}}}}
  configMapRef: {{name: {name}, key: {name}.json}}
"""


def _read_back(text: str) -> None:
    """Raises ValueError where Grafana's own model loses something of a dashboard."""
    made = json.loads(text)
    read = json.loads(json.dumps(models.Dashboard.from_json(made), cls=JSONEncoder))
    # Known: PolicyChanges says why.
    for annotation in read["annotations"]["list"]:
        annotation.update(PolicyChanges.EXTRA)
    if read != made:
        raise ValueError(f"Grafana's model does not read {made['uid']} as it was made")


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
