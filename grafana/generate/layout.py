"""Where panels stand on Grafana's grid of 24 columns."""

from dataclasses import dataclass, field

from grafana_foundation_sdk.models import dashboard as models

COLUMNS = 24


@dataclass(frozen=True)
class Row:
    """Panels side by side, each with its width; together they are as wide as the grid."""

    height: int
    panels: list[tuple[int, object]]


def even(height: int, panels: list) -> Row:
    """Panels of the same width."""
    return Row(height, [(COLUMNS // len(panels), panel) for panel in panels])


@dataclass(frozen=True)
class Section:
    """Rows under a heading; a folded one is read when somebody opens it."""

    title: str
    rows: list[Row] = field(default_factory=list)
    folded: bool = False


def place(sections: list[Section]) -> list[models.Panel | models.RowPanel]:
    """The panels with their places, and the headings as Grafana keeps them: a folded one holds what
    is under it, another stands before it. Raises ValueError where a row is not as wide as the grid."""
    placed: list[models.Panel | models.RowPanel] = []
    below, number = 0, 1
    for section in sections:
        heading = models.RowPanel(
            collapsed=section.folded,
            title=section.title,
            grid_pos=models.GridPos(h=1, w=COLUMNS, x=0, y=below),
            id_val=number,
        )
        number += 1
        below += 1
        # The next heading comes right below a folded one.
        after = below
        panels = []
        for row in section.rows:
            across = 0
            for width, panel in row.panels:
                made = panel.build()
                made.id_val = number
                made.grid_pos = models.GridPos(h=row.height, w=width, x=across, y=below)
                panels.append(made)
                across += width
                number += 1
            if across != COLUMNS:
                raise ValueError(f"a row of {section.title} is {across} columns wide")
            below += row.height
        if section.folded:
            heading.panels = panels
            below = after
        placed += [heading] if section.folded else [heading, *panels]
    return placed
