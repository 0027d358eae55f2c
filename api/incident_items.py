"""Incidents as people read them: items, the lines of a screen, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.alert_items import AlertItem, alert_items
from api.colour import Colour, colour
from api.moment import Moment
from api.problem import not_found
from api.queries.incident_rows import (
    AreaNameRow,
    IncidentRow,
    IncidentStepRow,
    MemberRow,
    NotGroupedRow,
)
from api.screen import ScreenLine, Spot, screen
from api.view import Freshness, View
from streams.contracts.reason import Severity

SCREEN_LINES = 25
MOST_AT_ONCE = 10_000  # incidents that a screen is made of: counties × domains, with room
MostColour = Literal["green", "blue", "yellow", "orange", "red"]
COLOUR_NAMES: tuple[MostColour, ...] = ("green", "blue", "yellow", "orange", "red")
MOST: dict[MostColour, int] = {name: rank for rank, name in enumerate(COLOUR_NAMES)}
ORANGE: JsonDict = {"rank": 3, "name": "orange", "zh": "橙", "risk_zh": "高", "risk_en": "high"}
COUNTS: JsonDict = {"red": 0, "orange": 3, "yellow": 12, "blue": 2}
EXAMPLE: JsonDict = {
    "id": "5b1f0c9e27d4a681",
    "status": "Exercise",
    "domain": "waterlogging",
    "domain_zh": "城市内涝",
    "domain_en": "Urban waterlogging",
    "area": "330106",
    "area_name": "西湖区",
    "area_name_en": "Xihu",
    "severity": ORANGE,
    "peak_severity": ORANGE,
    "by_severity": COUNTS,
    "alerts": 21,
    "open": 17,
    "hidden": 1,
    "ended": 3,
    "worst": "9f2c41d07b3a",
    "began": "2024-09-16T06:12:00+08:00",
    "changed": "2024-09-16T06:31:00+08:00",
    "quiet_since": None,
    "closed": None,
    "sequence": 4,
}
LINE: JsonDict = {
    "severity": ORANGE,
    "status": "Exercise",
    "domain": "waterlogging",
    "domain_zh": "城市内涝",
    "domain_en": "Urban waterlogging",
    "area": "330100",
    "area_name": "杭州市",
    "area_name_en": "Hangzhou",
    "incidents": 9,
    "counties": 9,
    "by_severity": COUNTS,
    "open": 17,
    "hidden": 1,
    "ended": 3,
    "began": "2024-09-16T06:12:00+08:00",
    "changed": "2024-09-16T06:31:00+08:00",
    "incident": None,
    "at_least": "blue",
    "at_most": "orange",
}


class Counts(BaseModel):
    """How many alerts people see in which colour."""

    red: int
    orange: int
    yellow: int
    blue: int


class IncidentItem(BaseModel):
    """One incident in its present state."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    id: str
    status: str = Field(description="Actual, Exercise or Test: never mixed in one incident.")
    domain: str
    domain_zh: str
    domain_en: str
    area: str = Field(description="A county; a city or province for alerts of these.")
    area_name: str | None
    area_name_en: str | None
    severity: Colour = Field(description="The worst that people see in it now; green when quiet.")
    peak_severity: Colour
    by_severity: Counts
    alerts: int = Field(description="Members: open + hidden + ended.")
    open: int = Field(description="Of them, those that fire.")
    hidden: int = Field(description="Those that fire and an earlier stage hides: no colour.")
    ended: int
    worst: str | None = Field(description="Id of its worst alert.")
    began: Moment
    changed: Moment = Field(description="Event time of its newest change.")
    quiet_since: Moment | None = Field(description="When its last alert ended.")
    closed: Moment | None = Field(description="When the quiet had lasted; null: it may go on.")
    sequence: int = Field(description="Number of its newest step.")


class IncidentStepItem(BaseModel):
    """One step of an incident."""

    number: int
    step: str = Field(description="opened, raised, lowered, closed or reopened.")
    at: Moment
    severity: Colour
    alert: str | None = Field(description="What did it; null: time has passed.")


class MemberItem(BaseModel):
    """An alert in an incident."""

    alert: AlertItem
    shown: Colour | None = Field(description="What people see of it; null: over, or hidden.")
    hidden_by: str | None = Field(description="Alert, or `ticket:<id>`, that hides it.")
    held_until: Moment | None = Field(description="It flaps: `shown` stays until then.")


class IncidentDetail(BaseModel):
    """One incident with its steps."""

    incident: IncidentItem
    steps: list[IncidentStepItem]
    freshness: Freshness


class ScreenLineItem(BaseModel):
    """One line of a screen: an incident, or several that are no worse than its colour."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [LINE]})

    severity: Colour
    status: str
    domain: str | None = Field(description="Null: of several domains.")
    domain_zh: str | None
    domain_en: str | None
    area: str | None = Field(description="County, city or province; null: of several provinces.")
    area_name: str | None
    area_name_en: str | None
    incidents: int
    counties: int
    by_severity: Counts
    open: int
    hidden: int
    ended: int
    began: Moment = Field(description="Of its first incident.")
    changed: Moment
    incident: str | None = Field(description="Its id, where it is only one.")
    at_least: MostColour = Field(
        description="With `at_most`, area, domain and status: what GET /v1/incidents asks for to "
        "open the line (`severity` = this, unless it is green)."
    )
    at_most: MostColour


class Screen(BaseModel):
    """All open incidents, on so many lines."""

    lines: list[ScreenLineItem]
    incidents: int = Field(description="How many there are.")
    alerts: int = Field(description="Alerts in them that fire and are not hidden.")
    by_severity: Counts
    not_grouped: int = Field(description="Alerts that fire and wait to be grouped.")
    not_grouped_severity: Colour
    pending: int = Field(description="Alerts that wait to be confirmed: in no incident yet.")
    freshness: Freshness


async def read_incidents(seen: View, **given: object) -> list[IncidentRow]:
    """Incidents, worst first; what is not given does not cut."""
    default: dict[str, object] = {
        "areas": None, "domain": None, "status": None, "open": True, "id": None, "severity": 0,
        "most": int(Severity.RED), "start": None, "end": None, "after_severity": None,
        "after_began": None, "after_id": None, "limit": MOST_AT_ONCE,
    }  # fmt: skip
    return await seen.reader.rows(IncidentRow, "incidents", **(default | given))


async def incident_row(id: str, seen: View) -> IncidentRow:
    """One incident, open or not; `Problem` 404."""
    rows = await read_incidents(seen, id=id, open=None)
    if not rows:
        raise not_found("incident", id)
    return rows[0]


async def steps_of(id: str, seen: View) -> list[IncidentStepItem]:
    """What it has done, in order."""
    rows = await seen.reader.rows(IncidentStepRow, "incident_steps", incident=id)
    return [
        IncidentStepItem(
            number=each.number,
            step=each.step,
            at=each.at,
            severity=colour(each.severity),
            alert=each.alert,
        )
        for each in rows
    ]


async def members(rows: list[MemberRow], seen: View) -> list[MemberItem]:
    """The rows for people."""
    items = await alert_items(rows, seen)
    return [
        MemberItem(
            alert=item,
            shown=None if row.shown < 0 else colour(row.shown),
            hidden_by=row.hidden_by,
            held_until=row.held_until,
        )
        for row, item in zip(rows, items, strict=True)
    ]


async def screen_of(
    seen: View,
    lines: int = SCREEN_LINES,
    severity: int = 0,
    domain: str | None = None,
    area: str | None = None,
) -> Screen:
    """All open incidents of the caller's areas on so many lines."""
    areas = await seen.codes_below(area)
    rows = await read_incidents(seen, areas=areas, domain=domain, severity=severity)
    waiting = await seen.reader.row(NotGroupedRow, "not_grouped", areas=areas, domain=domain)
    waiting = waiting or NotGroupedRow(0, 0, 0)
    found = screen(map(_spot, rows), lines)
    names = await _names(seen, {line.area for line in found}, rows)
    return Screen(
        lines=[_line(line, names, seen) for line in found],
        incidents=len(rows),
        alerts=sum(row.open for row in rows),
        by_severity=_counts([row.by_severity for row in rows]),
        not_grouped=waiting.waiting,
        not_grouped_severity=colour(waiting.severity),
        pending=waiting.pending,
        freshness=seen.freshness(),
    )


def incident_item(row: IncidentRow, seen: View) -> IncidentItem:
    """The row for people."""
    zh, en = _domain_words(row.domain, seen)
    return IncidentItem(
        id=row.id,
        status=row.status,
        domain=row.domain,
        domain_zh=zh,
        domain_en=en,
        area=row.area,
        area_name=row.area_name,
        area_name_en=row.area_name_en,
        severity=colour(row.severity),
        peak_severity=colour(row.peak_severity),
        by_severity=_counts([row.by_severity]),
        alerts=row.open + row.hidden + row.ended,
        open=row.open,
        hidden=row.hidden,
        ended=row.ended,
        worst=row.worst,
        began=row.began,
        changed=row.changed,
        quiet_since=row.quiet_since,
        closed=row.closed,
        sequence=row.steps,
    )


def _line(
    line: ScreenLine, names: dict[str, tuple[str | None, str | None]], seen: View
) -> ScreenLineItem:
    zh, en = (None, None) if line.domain is None else _domain_words(line.domain, seen)
    name, name_en = names.get(line.area, (None, None))
    spots = line.spots
    return ScreenLineItem(
        severity=colour(line.severity),
        status=line.status,
        domain=line.domain,
        domain_zh=zh,
        domain_en=en,
        area=line.area or None,
        area_name=name,
        area_name_en=name_en,
        incidents=len(spots),
        counties=line.counties,
        by_severity=_counts([spot.by_severity for spot in spots]),
        open=sum(spot.open for spot in spots),
        hidden=sum(spot.hidden for spot in spots),
        ended=sum(spot.ended for spot in spots),
        began=min(spot.began for spot in spots),
        changed=max(spot.changed for spot in spots),
        incident=spots[0].id if len(spots) == 1 else None,
        at_least=COLOUR_NAMES[line.mildest],
        at_most=COLOUR_NAMES[line.severity],
    )


async def _names(
    seen: View, wanted: set[str], rows: list[IncidentRow]
) -> dict[str, tuple[str | None, str | None]]:
    """What areas are called; of cities and provinces that have no incident, too."""
    known = {row.area: (row.area_name, row.area_name_en) for row in rows}
    missing = wanted - known.keys() - {""}
    if missing:
        found = await seen.reader.rows(AreaNameRow, "area_names", areas=sorted(missing))
        known |= {row.code: (row.name, row.name_en) for row in found}
    return known


def _spot(row: IncidentRow) -> Spot:
    return Spot(
        row.id, row.status, row.domain, row.area, row.severity, row.by_severity, row.open,
        row.hidden, row.ended, row.began, row.changed,
    )  # fmt: skip


def _counts(found: list[Sequence[int]]) -> Counts:
    blue, yellow, orange, red = (sum(each[rank] for each in found) for rank in range(1, 5))
    return Counts(red=red, orange=orange, yellow=yellow, blue=blue)


def _domain_words(name: str, seen: View) -> tuple[str, str]:
    domain = seen.domains.get(name)
    return (domain.title.zh, domain.title.en) if domain else (name, name)
