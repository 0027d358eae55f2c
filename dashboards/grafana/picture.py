"""Draws a panel's answer as a picture, with its unit, thresholds and words: what can be looked at
where no Grafana is. It shows the data, not Grafana's own drawing."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dashboards.grafana.ask import Asked
from dashboards.grafana.assemble import text_of
from dashboards.grafana.model import UNKNOWN, Field, Kind, Step

ZONE = ZoneInfo("Asia/Shanghai")
FONTS = ["Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Serif CJK JP", "DejaVu Sans"]
INCHES = 0.5  # of a column of the grid
LINES, LETTERS = 20, 48  # of a table, of a cell
MARGIN, PAD, HEAD, ROW = 0.15, 0.08, 0.5, 0.26  # inches
WIDE, NARROW = 0.13, 0.078  # inches of a letter
INK, GRID = "#1c2733", "#c3cbd3"


def draw(asked: Asked, path: Path) -> None:
    """Writes a PNG."""
    panel = asked.panel
    with mpl.rc_context(
        {
            "font.family": FONTS,
            "font.size": 8,
            "axes.unicode_minus": False,
            "date.converter": "concise",
        }
    ):
        figure = Figure(figsize=_size(asked), dpi=100)
        axes = figure.add_subplot()
        axes.set_title(text_of(panel.title), loc="left", color=INK)
        if not asked.answer.rows:
            _empty(axes, text_of(panel.no_data))
        else:
            _DRAWN[panel.kind](axes, asked)
        figure.tight_layout()
        figure.savefig(path, bbox_inches="tight", pad_inches=MARGIN)


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
    ink = INK if _is_light(colour) else "white"
    middle = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, shown, fontsize=20, color=ink, **middle)


def _series(axes: Any, asked: Asked) -> None:
    lines: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for row in _rows(asked):
        if row["value"] is not None:
            at = datetime.fromtimestamp(float(row["time"]), ZONE)
            lines[str(row["metric"])].append((at, float(row["value"])))
    colours = dict(asked.panel.colours)
    for name, points in sorted(lines.items()):
        axes.plot(
            *zip(*points, strict=True),
            label=name,
            color=colours.get(name),
            linewidth=1,
            marker="." if len(points) < 30 else "",
        )
    for step in asked.panel.steps:
        if step.value is not None:
            axes.axhline(step.value, color=step.colour, linestyle="--", linewidth=1)
    axes.set_ylabel(_unit(asked.panel.unit))
    axes.xaxis_date(ZONE)
    axes.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axes.grid(alpha=0.3)


def _map(axes: Any, asked: Asked) -> None:
    panel, rows = asked.panel, _rows(asked)
    colours = [colour_at(panel.steps, row[panel.value]) for row in rows]
    axes.scatter(
        [row["longitude"] for row in rows], [row["latitude"] for row in rows],
        c=colours, s=40, edgecolors=INK, linewidths=0.4,
    )  # fmt: skip
    axes.set_aspect(1.15)
    axes.margins(0.1)
    axes.locator_params(nbins=4)
    axes.ticklabel_format(useOffset=False)
    axes.set_xlabel(f"{len(rows)} 点 points, {_unit(panel.unit)}")


def _bars(axes: Any, asked: Asked) -> None:
    fields, rows = asked.panel.fields, _rows(asked)
    names = [_cell(fields[0], row)[0] for row in rows]
    begun = [0.0] * len(rows)
    for field in fields[1:]:
        values = [float(row[field.column] or 0) for row in rows]
        axes.barh(names, values, left=begun, label=f"{field.title.zh} {field.title.en}")
        begun = [a + b for a, b in zip(begun, values, strict=True)]
    axes.legend(fontsize=8, ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.08))


def _table(axes: Any, asked: Asked) -> None:
    """As wide as its columns need: nothing is cut but very long texts."""
    fields, lines = _lines(asked)
    widths = _widths(fields, lines)
    axes.axis("off")
    axes.set_xlim(0, max(sum(widths), axes.figure.get_figwidth() - 2 * MARGIN))
    axes.set_ylim(HEAD + ROW * len(lines), 0)
    left = 0.0
    for column, (field, width) in enumerate(zip(fields, widths, strict=True)):
        head = f"{field.title.zh}\n{field.title.en}"
        axes.text(left + PAD, HEAD / 2, head, va="center", fontsize=8, color=INK)
        for number, line in enumerate(lines):
            top, (text, colour) = HEAD + ROW * number, line[column]
            box = Rectangle((left, top), width, ROW, facecolor=colour, edgecolor=GRID, lw=0.6)
            axes.add_patch(box)
            ink = INK if _is_light(colour) else "white"
            axes.text(left + PAD, top + ROW / 2, text, va="center", fontsize=9, color=ink)
        left += width


def _lines(asked: Asked) -> tuple[list[Field], list[list[tuple[str, str]]]]:
    fields = [field for field in asked.panel.fields if not field.hidden]
    return fields, [[_cell(f, row) for f in fields] for row in _rows(asked)[:LINES]]


def _widths(fields: list[Field], lines: list[list[tuple[str, str]]]) -> list[float]:
    """Inches of each column: of its longest text."""
    texts = [
        [field.title.zh, field.title.en, *(line[n][0] for line in lines)]
        for n, field in enumerate(fields)
    ]
    return [2 * PAD + max(_inches(text) for text in column) for column in texts]


def _inches(text: str) -> float:
    """How wide a text of 9 points is, generously."""
    return sum(WIDE if unicodedata.east_asian_width(c) in "WF" else NARROW for c in text)


def _is_light(colour: str) -> bool:
    red, green, blue = to_rgb(colour)
    return 0.3 * red + 0.59 * green + 0.11 * blue > 0.5


def _size(asked: Asked) -> tuple[float, float]:
    """Inches: of the panel's place in the grid, more where its title or columns need more."""
    panel = asked.panel
    wide = max(panel.width * INCHES, _inches(text_of(panel.title)) * 1.2 + 2 * MARGIN)
    if panel.kind is not Kind.TABLE or not asked.answer.rows:
        return wide, panel.height * 0.42 + 0.6
    fields, lines = _lines(asked)
    return max(wide, sum(_widths(fields, lines)) + 2 * MARGIN), HEAD + ROW * len(lines) + 0.7


def _cell(field: Field, row: Mapping[str, Any]) -> tuple[str, str]:
    value = row[field.column]
    words = {known: (text, colour) for known, text, colour in field.words}
    text, colour = words.get(_plain(value), (_number(value, field.unit), ""))
    if len(text) > LETTERS:
        text = text[: LETTERS - 1] + "…"
    if not colour and field.steps and value is not None:
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
        return f"{value.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
    if unit == "s" and isinstance(value, (int, float, Decimal)):
        return _length(float(value))
    if isinstance(value, (float, Decimal)):
        number = float(value)
        shown = f"{number:.0f}" if abs(number) >= 1000 else f"{number:.4g}"
        return f"{shown} {_unit(unit)}".strip()
    return f"{value} {_unit(unit)}".strip()


def _length(seconds: float) -> str:
    """As Grafana does: in the greatest unit that is reached."""
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s"


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
