"""Draws a panel's answer as a picture, with its unit, thresholds and words: what can be looked at
where no Grafana is. It shows the data, not Grafana's own drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib.figure import Figure

from dashboards.grafana.ask import Asked
from dashboards.grafana.assemble import text_of
from dashboards.grafana.model import UNKNOWN, Field, Kind, Step

ZONE = ZoneInfo("Asia/Shanghai")
FONTS = ["Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Serif CJK JP", "DejaVu Sans"]
INCHES = 0.5  # of a column of the grid
FIELD_INCHES = 1.05
LINES, LETTERS = 14, 22  # of a table, of a cell
INK = "#1c2733"


def draw(asked: Asked, path: Path) -> None:
    """Writes a PNG."""
    panel = asked.panel
    with mpl.rc_context({"font.family": FONTS, "font.size": 8, "axes.unicode_minus": False}):
        wide = max(panel.width * INCHES, len(panel.fields) * FIELD_INCHES)
        figure = Figure(figsize=(wide, panel.height * 0.42 + 0.6), dpi=100)
        axes = figure.add_subplot()
        axes.set_title(text_of(panel.title), loc="left", color=INK)
        if not asked.answer.rows:
            _empty(axes, text_of(panel.no_data))
        else:
            _DRAWN[panel.kind](axes, asked)
        figure.tight_layout()
        figure.savefig(path)


def _empty(axes: Any, words: str) -> None:
    axes.axis("off")
    axes.text(0.5, 0.5, words, ha="center", va="center", color=UNKNOWN, fontsize=12)


def _stat(axes: Any, asked: Asked) -> None:
    panel = asked.panel
    value = _rows(asked)[0][panel.value]
    colour = colour_at(panel.steps, value) if panel.steps else "#eef2f5"
    axes.set_facecolor(colour)
    axes.set_xticks([])
    axes.set_yticks([])
    shown = dict((v, text) for v, text, _ in panel.words).get(
        _plain(value), _number(value, panel.unit)
    )
    axes.text(0.5, 0.5, shown, ha="center", va="center", fontsize=20, transform=axes.transAxes)


def _series(axes: Any, asked: Asked) -> None:
    lines: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for row in _rows(asked):
        if row["value"] is not None:
            at = datetime.fromtimestamp(float(row["time"]), ZONE)
            lines[str(row["metric"])].append((at, float(row["value"])))
    for name, points in lines.items():
        axes.plot(
            *zip(*points, strict=True),
            label=name,
            linewidth=1,
            marker="." if len(points) < 30 else "",
        )
    for step in asked.panel.steps:
        if step.value is not None:
            axes.axhline(step.value, color=step.colour, linestyle="--", linewidth=1)
    axes.set_ylabel(_unit(asked.panel.unit))
    axes.legend(fontsize=6, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    axes.grid(alpha=0.3)


def _map(axes: Any, asked: Asked) -> None:
    panel, rows = asked.panel, _rows(asked)
    colours = [colour_at(panel.steps, row[panel.value]) for row in rows]
    axes.scatter(
        [row["longitude"] for row in rows], [row["latitude"] for row in rows],
        c=colours, s=40, edgecolors=INK, linewidths=0.4,
    )  # fmt: skip
    axes.set_aspect(1.15)
    axes.set_xlabel(f"{len(rows)} 点 points, {_unit(panel.unit)}")


def _bars(axes: Any, asked: Asked) -> None:
    fields, rows = asked.panel.fields, _rows(asked)
    names = [str(row[fields[0].column]) for row in rows]
    begun = [0.0] * len(rows)
    for field in fields[1:]:
        values = [float(row[field.column] or 0) for row in rows]
        axes.barh(names, values, left=begun, label=f"{field.title.zh} {field.title.en}")
        begun = [a + b for a, b in zip(begun, values, strict=True)]
    axes.legend(fontsize=6, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.08))


def _table(axes: Any, asked: Asked) -> None:
    axes.axis("off")
    fields, rows = [f for f in asked.panel.fields if not f.hidden], _rows(asked)[:LINES]
    cells = [[_cell(field, row) for field in fields] for row in rows]
    heads = [f"{field.title.zh}\n{field.title.en}" for field in fields]
    table = axes.table(
        cellText=[[text for text, _ in line] for line in cells],
        cellColours=[[colour for _, colour in line] for line in cells],
        colLabels=heads, loc="upper center", cellLoc="left",
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(6)
    table.auto_set_column_width(list(range(len(fields))))
    for (line, _), cell in table.get_celld().items():
        if line == 0:
            cell.set_height(cell.get_height() * 1.8)


def _cell(field: Field, row: Mapping[str, Any]) -> tuple[str, str]:
    value = row[field.column]
    words = {known: (text, colour) for known, text, colour in field.words}
    text, colour = words.get(_plain(value), (_number(value, field.unit)[:LETTERS], ""))
    if not colour and field.steps:
        colour = colour_at(field.steps, value)
    return text, colour or "white"


def colour_at(steps: tuple[Step, ...], value: Any) -> str:
    """The colour of the highest step that the value reaches."""
    if value is None or not steps:
        return UNKNOWN
    met = [s for s in steps if s.value is None or float(value) >= s.value]
    return met[-1].colour if met else UNKNOWN


def _rows(asked: Asked) -> list[dict[str, Any]]:
    return [dict(zip(asked.answer.columns, row, strict=True)) for row in asked.answer.rows]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(ZONE):%m-%d %H:%M:%S}"
    if isinstance(value, (float, Decimal)):
        return f"{float(value):.6g} {_unit(unit)}".strip()
    return f"{value} {_unit(unit)}".strip()


def _unit(unit: str) -> str:
    words = {"none": "", "string": "", "percent": "%", "dateTimeAsIso": ""}
    return words.get(unit, unit.removeprefix("suffix:").strip())


_DRAWN: Mapping[Kind, Callable[[Any, Asked], None]] = {
    Kind.STAT: _stat,
    Kind.SERIES: _series,
    Kind.MAP: _map,
    Kind.BARS: _bars,
    Kind.TABLE: _table,
}
