"""Makes the dashboards: `python3 grafana/generate CATALOGUE FOLDER`, with Grafana's Foundation SDK on
PYTHONPATH. `make dashboards` does it. CATALOGUE is what `modgate metrics --format json` prints. Fails where a
query names what the catalogue does not have, and where no panel uses one of its metrics."""

import sys
from pathlib import Path

import catalogue
from files import write
from health import health
from integrity import integrity
from overview import overview
from rollout import rollout
from splits import splits
from tenant import tenant


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: python3 grafana/generate CATALOGUE FOLDER")
    catalogue.load(Path(sys.argv[1]))
    try:
        boards = [make() for make in (overview, tenant, rollout, integrity, splits, health)]
        for board in boards:
            write(board, Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(f"dashboards: {error}")
    if catalogue.unused():
        sys.exit(f"dashboards: no panel uses {', '.join(catalogue.unused())}")


main()
