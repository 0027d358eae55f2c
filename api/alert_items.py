"""Alerts as they are told to people: the rows with titles, colours and what was done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.colour import Colour, colour
from api.moment import Moment, from_ms
from api.queries.acting_rows import ActedRow
from api.queries.database import Reader
from api.queries.rows import AlertRow, LateRow, TransitionRow
from api.view import View
from streams.contracts.domain import Title

State = Literal["open", "pending", "firing", "resolved", "any"]
STATES: dict[State, list[str] | None] = {
    "open": ["pending", "firing"],
    "pending": ["pending"],
    "firing": ["firing"],
    "resolved": ["resolved"],
    "any": None,
}


class Acted(BaseModel):
    """What people and programs did with it; of all that only a close changes the alert."""

    acknowledged_by: str | None = Field(description="Null again when it has risen.")
    acknowledged_at: Moment | None
    assigned_to: str | None
    silenced_until: Moment | None = Field(description="In people's lists only.")
    closed_as: str | None = Field(
        description="By hand: false_alarm or closed_by_hand; the change is then `closed`."
    )
    closed_by: str | None
    closed_at: Moment | None
    close_state: str | None = Field(
        description="`closing` until the stream has taken it, then `closed`; `not_open`: the alert "
        "had ended by then; `beside`: an old one, which the stream was never told of."
    )
    closure: int | None = Field(description="The road closure that it led to.")
    closure_state: str | None
    executed: int = Field(description="Subscribers whose newest answer says so.")
    refused: int
    failed: int
    stands_out: bool = Field(description="A subscriber refused or failed: look.")


class HeldItem(BaseModel):
    """It flaps: people's lists go on showing this colour."""

    severity: Colour
    until: Moment = Field(description="Event time; released then.")


class AlertItem(BaseModel):
    """One alert: a continuous hazard at one subject, in its present state."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "9f2c41d07b3a",
                    "domain": "waterlogging",
                    "rule": "waterlogging.depth",
                    "rule_version": "1",
                    "title_zh": "积水深度",
                    "title_en": "water depth",
                    "area": "330106",
                    "area_name": "西湖区",
                    "area_name_en": "Xihu",
                    "point": "wl-330106-003",
                    "point_name": "文三路下穿",
                    "subject": "wl-330106-003",
                    "state": "firing",
                    "severity": {
                        "rank": 3,
                        "name": "orange",
                        "zh": "橙",
                        "risk_zh": "高",
                        "risk_en": "high",
                    },
                    "peak_severity": {
                        "rank": 3,
                        "name": "orange",
                        "zh": "橙",
                        "risk_zh": "高",
                        "risk_en": "high",
                    },
                    "stale": False,
                    "unverified": False,
                    "change": "raised",
                    "value": "0.312",
                    "threshold": "0.27",
                    "unit": "m",
                    "origin": "simulated",
                    "sequence": 3,
                    "onset": "2024-09-16T06:12:00+08:00",
                    "updated": "2024-09-16T06:31:00+08:00",
                    "ended": None,
                    "suppressed_by": None,
                    "held": None,
                    "acted": {
                        "acknowledged_by": "account:wang",
                        "acknowledged_at": "2024-09-16T06:33:00+08:00",
                        "assigned_to": None,
                        "silenced_until": None,
                        "closed_as": None,
                        "closed_by": None,
                        "closed_at": None,
                        "close_state": None,
                        "closure": 12,
                        "closure_state": "ordered",
                        "executed": 3,
                        "refused": 0,
                        "failed": 1,
                        "stands_out": True,
                    },
                }
            ]
        },
    )

    id: str = Field(
        description="Fingerprint of rule, subject and onset: recomputing gives the same."
    )
    domain: str
    rule: str
    rule_version: str
    title_zh: str = Field(description="As the rule set has it that decided the newest transition.")
    title_en: str
    area: str
    area_name: str | None
    area_name_en: str | None
    point: str | None
    point_name: str | None
    subject: str = Field(description="Point id, `area:<code>` or `gateway:<id>`.")
    state: str = Field(description="pending, firing or resolved.")
    severity: Colour
    peak_severity: Colour
    stale: bool = Field(description="Its sensor fell silent: neither confirmed nor ended.")
    unverified: bool = Field(description="Rests on an implausible rise: check before acting.")
    change: str = Field(description="Why it last moved.")
    value: str | None = Field(description="Exact decimal, in `unit`.")
    threshold: str | None = Field(description="What `value` was compared with.")
    unit: str
    origin: str
    sequence: int = Field(description="Number of its newest transition.")
    onset: Moment
    updated: Moment = Field(description="Event time of the newest transition.")
    ended: Moment | None
    suppressed_by: str | None = Field(
        description="Alert, or `ticket:<id>`, that stands for it in people's lists."
    )
    held: HeldItem | None
    acted: Acted | None = Field(description="Null when nobody has done anything with it.")


class TransitionItem(BaseModel):
    """One change of an alert."""

    sequence: int
    event_time: Moment = Field(description="When it was true.")
    decided_at: Moment = Field(description="Processing time that decided it.")
    valid_until: Moment = Field(description="Nobody acts on it later without asking again.")
    state: str
    severity: Colour
    stale: bool
    unverified: bool
    change: str = Field(description="Reason of the change.")
    value: str | None
    threshold: str | None
    unit: str
    rule_version: str
    origin: str
    log_topic: str
    log_partition: int
    log_position: int = Field(description="Log offset of the evidence.")
    evidence: dict[str, Any]
    suppressed_by: str | None
    held: HeldItem | None


class LateItem(BaseModel):
    """Readings that came too late to be judged, and would have changed the alert. They move
    nothing: an alert's history is never rewritten."""

    kind: str = Field(
        description="What they would have changed: `earlier`, it would have begun earlier; "
        "`higher`, it would have been worse then; `longer`, it would not have ended; `raised`, "
        "there would have been another alert, in that hour, that never was."
    )
    readings: int = Field(description="How many there were.")
    first_time: Moment = Field(description="Event time of the earliest.")
    first_value: str
    worst_time: Moment = Field(description="Event time of the worst.")
    worst_value: str
    unit: str
    threshold: str = Field(description="That the worst met.")
    severity: Colour = Field(description="Of this threshold.")
    sensor: str | None
    property: str | None
    decided_at: Moment = Field(description="Processing time at which the first of them came.")
    log_topic: str
    log_partition: int
    log_position: int = Field(description="Log offset of the first that came.")


async def open_alerts(seen: View, *, point: str | None = None, limit: int = 100) -> list[AlertItem]:
    """Open alerts, worst first; of one point when given."""
    rows = await seen.reader.rows(
        AlertRow,
        "alerts_worst",
        areas=None,
        domain=None,
        states=STATES["open"],
        point=point,
        severity=0,
        start=None,
        end=None,
        after_severity=None,
        after_onset=None,
        after_id=None,
        limit=limit,
    )
    return await alert_items(rows, seen)


async def alert_items(rows: Sequence[AlertRow], seen: View) -> list[AlertItem]:
    """The rows for people, with what was done with them."""
    acted = await _acted(seen.reader, [row.id for row in rows])
    titles = await seen.rule_titles(row.rule_version for row in rows)
    return [
        alert_item(row, titles.of(row.rule, row.rule_version), acted.get(row.id)) for row in rows
    ]


def alert_item(row: AlertRow, title: Title, acted: Acted | None) -> AlertItem:
    """The row for people."""
    return AlertItem(
        id=row.id,
        domain=row.domain,
        rule=row.rule,
        rule_version=row.rule_version,
        title_zh=title.zh,
        title_en=title.en,
        area=row.area,
        area_name=row.area_name,
        area_name_en=row.area_name_en,
        point=row.point,
        point_name=row.point_name,
        subject=row.subject,
        state=row.state,
        severity=colour(row.severity),
        peak_severity=colour(row.peak_severity),
        stale=row.stale,
        unverified=row.unverified,
        change=row.change,
        value=row.value,
        threshold=row.threshold,
        unit=row.unit,
        origin=row.origin,
        sequence=row.sequence,
        onset=row.onset,
        updated=row.updated,
        ended=row.ended,
        suppressed_by=row.suppressed_by,
        held=_held(row.held_severity, row.held_until),
        acted=acted,
    )


async def _acted(reader: Reader, ids: list[str]) -> dict[str, Acted]:
    rows = await reader.rows(ActedRow, "acted_on", alerts=ids)
    return {row.id: acted_item(row) for row in rows}


def acted_item(row: ActedRow) -> Acted:
    """The row for people."""
    return Acted(
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        assigned_to=row.assigned_to,
        silenced_until=row.silenced_until,
        closed_as=row.closed_as,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        close_state=row.close_state,
        closure=row.closure,
        closure_state=row.closure_state,
        executed=row.executed,
        refused=row.refused,
        failed=row.failed,
        stands_out=row.refused + row.failed > 0,
    )


def transition_item(row: TransitionRow) -> TransitionItem:
    """The row for people."""
    return TransitionItem(
        sequence=row.sequence,
        event_time=row.event_time,
        decided_at=row.decided_at,
        valid_until=row.valid_until,
        state=row.state,
        severity=colour(row.severity),
        stale=row.stale,
        unverified=row.unverified,
        change=row.change,
        value=row.value,
        threshold=row.threshold,
        unit=row.unit,
        rule_version=row.rule_version,
        origin=row.origin,
        log_topic=row.topic,
        log_partition=row.partition,
        log_position=row.position,
        evidence=dict(row.evidence),
        suppressed_by=row.suppressed_by,
        held=None
        if row.held is None
        else _held(row.held["severity"], from_ms(row.held["until_ms"])),
    )


def late_item(row: LateRow) -> LateItem:
    """The row for people."""
    return LateItem(
        kind=row.kind,
        readings=row.readings,
        first_time=row.first_time,
        first_value=row.first_value,
        worst_time=row.worst_time,
        worst_value=row.worst_value,
        unit=row.unit,
        threshold=row.threshold,
        severity=colour(row.severity),
        sensor=row.sensor,
        property=row.property,
        decided_at=row.decided_at,
        log_topic=row.topic,
        log_partition=row.partition,
        log_position=row.position,
    )


def _held(severity: int | None, until: datetime | None) -> HeldItem | None:
    if severity is None or until is None:
        return None
    return HeldItem(severity=colour(severity), until=until)
