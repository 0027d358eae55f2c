"""What a dashboard is, in our words: boards of rows of panels, each with one query. Pure data.

`dashboards.grafana.assemble` turns it into Grafana's JSON with Grafana's own SDK.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from streams.contracts.domain import Title
from streams.contracts.reason import Severity

COLUMNS = 24  # of Grafana's grid
UID_MOST = 40
TAG = "citybrain"  # of every dashboard of ours
NOTHING = Title("", "")
TEXT_ONLY = "string"  # the unit of a panel of words: values are shown as they are


class Kind(StrEnum):
    """How a panel shows its rows."""

    STAT = "stat"  # one number
    SERIES = "timeseries"  # columns time, metric, value
    TABLE = "table"
    MAP = "geomap"  # columns longitude, latitude, and the panel's `value`
    BARS = "barchart"  # first column the name, the others numbers


class Rows(StrEnum):
    """Whether an empty answer says that something is wrong (for checks on a busy day)."""

    MUST = "must"
    MAY = "may"


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on the colour; None = from the start."""

    value: float | None
    colour: str


@dataclass(frozen=True, slots=True)
class Field:
    """What one column of a query is: its title, unit, and where its values lead."""

    column: str
    title: Title
    unit: str = TEXT_ONLY
    steps: tuple[Step, ...] = ()
    words: tuple[tuple[str, str, str], ...] = ()  # value, text, colour ("" = none)
    link: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `unit` is Grafana's name of it; `rule` is the rule whose numbers `steps` are."""

    kind: Kind
    title: Title
    sql: str
    unit: str
    no_data: Title
    explains: Title = NOTHING
    steps: tuple[Step, ...] = ()
    words: tuple[tuple[str, str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    value: str = "value"  # the column that a map or a stat shows
    colours: tuple[tuple[str, str], ...] = ()  # of curves, by name; others are told apart only
    rows: Rows = Rows.MAY
    width: int = 12
    height: int = 8
    decimals: int | None = None
    least_s: int = 0  # finest step of a curve
    back_days: int = 0  # a time range of its own, up to now; 0 = the reader's
    stacked: bool = False
    rule: str | None = None
    bounds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: Title
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice that readers have; the query gives `__text` and `__value`."""

    name: str
    title: Title
    sql: str
    many: bool = True  # several at once, and all of them


@dataclass(frozen=True, slots=True)
class Notes:
    """Marks on every curve: columns time, timeend, text, tags."""

    name: Title
    sql: str
    colour: str


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. `slug` is its name in our folder; the uid is made of namespace and slug."""

    slug: str
    title: Title
    explains: Title
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    notes: tuple[Notes, ...] = ()
    since: str = "now-6h"
    refresh: str = "30s"
    tags: tuple[str, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels in order."""
        return tuple(panel for row in self.rows for panel in row.panels)


COLOURS = {
    Severity.NONE: "#1e5c48",
    Severity.BLUE: "#2d7ff0",
    Severity.YELLOW: "#f2cd3d",
    Severity.ORANGE: "#f5872b",
    Severity.RED: "#e5373e",
}
"""As on the start page (api/static/page.css)."""
UNKNOWN = "#8a94a0"
UNWATCHED = "#d5dae0"

SEVERITIES = (
    ("0", "正常 none", COLOURS[Severity.NONE]),
    ("1", "蓝 blue", COLOURS[Severity.BLUE]),
    ("2", "黄 yellow", COLOURS[Severity.YELLOW]),
    ("3", "橙 orange", COLOURS[Severity.ORANGE]),
    ("4", "红 red", COLOURS[Severity.RED]),
    ("-1", "未知 unknown", UNKNOWN),
    ("-2", "无传感器 no sensors", UNWATCHED),
)
SEVERITY_STEPS = (
    Step(None, UNWATCHED),
    Step(-1.0, UNKNOWN),
    *(Step(float(severity), colour) for severity, colour in COLOURS.items()),
)
"""For numbers of a severity; -1 = unknown, -2 = nobody watches there."""

_NAMES = {
    "": "none",
    "1": "none",
    "count": "none",
    "%": "percent",
    "s": "s",
    "ms": "ms",
    "AQI": "none",
}


def unit_of(unit: str) -> str:
    """Grafana's name of one of our units; what it has no name for is written behind the number.

    Metres stay metres: Grafana's own length would show 0.15 m as 150 mm.
    """
    return _NAMES.get(unit, f"suffix: {unit}")


def uid_of(namespace: str, slug: str) -> str:
    """A dashboard's uid: stable, and within Grafana's limit."""
    uid = f"{namespace}-{slug}"
    if len(uid) <= UID_MOST:
        return uid
    return f"{uid[: UID_MOST - 9]}-{hashlib.sha256(uid.encode()).hexdigest()[:8]}"
