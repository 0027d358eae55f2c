"""Records of the past, flat, one model for each kind: what GeoJSON, CSV and JSON share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.colour import Colour, colour
from api.exact import Exact, mean, unscaled
from api.latest import FLAG_NAMES
from api.moment import Moment
from api.queries.past_rows import (
    PastFactRow,
    PastReadingRow,
    PastResultRow,
    PastTransitionRow,
    PastWindowRow,
)
from api.routers.facts import FactItem, fact_item
from api.series import SeriesProperty


class Record(BaseModel):
    """What every record has: its place, so that it can stand on a map or alone in a table."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="Stable: the same record has the same id in every answer.")
    area: str | None
    point: str | None
    point_name: str | None
    lon: float | None
    lat: float | None


class ReadingRecord(Record):
    """One accepted reading. `value` is what was measured, whatever the flag says."""

    sensor: str
    property: str
    time: Moment = Field(description="Event time (start of the interval for interval values).")
    end: Moment | None = Field(description="End of the interval; null when it is an instant.")
    value: Exact
    unit: str
    flag: int = Field(description="QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")
    quality: str
    position: int


class WindowRecord(Record):
    """A closed window: `n` readings with a flag of at most 2; `bad` are the others."""

    sensor: str
    property: str
    time: Moment
    end: Moment
    size_s: int
    n: int
    bad: int
    low: Exact | None
    high: Exact | None
    sum: Exact
    mean: Exact | None
    unit: str


class ResultRecord(Record):
    """A derived value of a point, e.g. a station's hourly AQI, or of an area as a whole."""

    kind: str
    time: Moment
    end: Moment
    period_s: int
    payload: dict[str, Any]


class TransitionRecord(Record):
    """One change of an alert."""

    alert: str
    sequence: int
    domain: str
    rule: str
    subject: str
    time: Moment = Field(description="Event time: when it was true.")
    decided_at: Moment
    valid_until: Moment
    state: str
    severity: Colour
    stale: bool
    unverified: bool
    change: str
    value: str | None
    threshold: str | None
    unit: str
    origin: str
    position: int
    evidence: dict[str, Any]


class FactRecord(FactItem):
    """A fact in force, with the centre of its area."""

    id: str
    lon: float | None
    lat: float | None


def reading_record(row: PastReadingRow, known: Mapping[str, SeriesProperty]) -> ReadingRecord:
    """The row for people."""
    prop = known[row.property]
    return ReadingRecord(
        id=f"{row.sensor}/{row.property}/{_ms(row.t)}",
        area=row.area,
        point=row.point,
        point_name=row.point_name,
        lon=row.lon,
        lat=row.lat,
        sensor=row.sensor,
        property=row.property,
        time=row.t,
        end=row.t + timedelta(seconds=prop.interval_s) if prop.interval_s else None,
        value=unscaled(row.value, prop.scale),
        unit=prop.unit,
        flag=row.flag,
        quality=FLAG_NAMES.get(row.flag, "unknown"),
        position=row.position,
    )


def window_record(row: PastWindowRow, known: Mapping[str, SeriesProperty]) -> WindowRecord:
    """The row for people; low and high only where something counted."""
    prop = known[row.property]
    return WindowRecord(
        id=f"{row.sensor}/{row.property}/{row.size_s}/{_ms(row.start)}",
        area=row.area,
        point=row.point,
        point_name=row.point_name,
        lon=row.lon,
        lat=row.lat,
        sensor=row.sensor,
        property=row.property,
        time=row.start,
        end=row.start + timedelta(seconds=row.size_s),
        size_s=row.size_s,
        n=row.n,
        bad=row.bad,
        low=None if row.low is None or not row.n else unscaled(row.low, prop.scale),
        high=None if row.high is None or not row.n else unscaled(row.high, prop.scale),
        sum=unscaled(row.total, prop.scale),
        mean=mean(row.total, row.n, prop.scale),
        unit=prop.unit,
    )


def result_record(row: PastResultRow) -> ResultRecord:
    """The row for people."""
    return ResultRecord(
        id=f"{row.kind}/{row.subject}/{row.period_s}/{_ms(row.start)}",
        area=row.area,
        point=row.point,
        point_name=row.point_name,
        lon=row.lon,
        lat=row.lat,
        kind=row.kind,
        time=row.start,
        end=row.start + timedelta(seconds=row.period_s),
        period_s=row.period_s,
        payload=dict(row.payload),
    )


def transition_record(row: PastTransitionRow) -> TransitionRecord:
    """The row for people."""
    return TransitionRecord(
        id=f"{row.alert}/{row.sequence}",
        area=row.area,
        point=row.point,
        point_name=row.point_name,
        lon=row.lon,
        lat=row.lat,
        alert=row.alert,
        sequence=row.sequence,
        domain=row.domain,
        rule=row.rule,
        subject=row.subject,
        time=row.event_time,
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
        origin=row.origin,
        position=row.position,
        evidence=dict(row.evidence),
    )


def fact_record(row: PastFactRow) -> FactRecord:
    """The row for people."""
    return FactRecord(
        **fact_item(row).model_dump(),
        id=f"{row.indicator}/{row.area}/{row.period}/{_ms(row.start)}",
        lon=row.lon,
        lat=row.lat,
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
