"""Readings too late for the rules on raw properties to judge them: those that met a threshold.

They move no alert (design §8); the store records what they would have changed.
"""

from __future__ import annotations

import numpy as np

from streams.alerting.rule import Thresholds
from streams.area.seat import Seat
from streams.contracts.domain import TierRule
from streams.contracts.exact import to_text
from streams.contracts.frame import Bool, Int8, Int32, Int64
from streams.contracts.late_reading import LateReading
from streams.contracts.outcome import Outcome
from streams.windows.aggregate import USABLE
from streams.windows.chunk import EMPTY, Chunk, join
from streams.windows.lane import Sifted

NEVER_MET = np.iinfo(np.int64).max


def unjudged(sifted: Sifted, flag: Int8) -> Chunk:
    """Of accepted rows those that are not newer than all before of their series, and those whose
    value was revised upwards."""
    if not len(sifted.revised) and sifted.fresh.all():
        return EMPTY
    late = np.flatnonzero(~sifted.fresh)
    found = [sifted.revised.take(np.flatnonzero(sifted.revised.value > sifted.replaced.value))]
    if len(late):
        new = sifted.new.take(late)
        found.append(Chunk(new.series, new.time_ms, new.value, flag[late], new.position))
    return join([part for part in found if len(part)])


def note_late(seat: Seat, rows: Chunk, decided_ms: int, accepted: bool, outcome: Outcome) -> None:
    """Adds to the outcome the rows that met a threshold where their rule holds."""
    if not len(rows):
        return
    for rule in seat.rules:
        if rule.property is not None:
            for at in _met(seat, rule, rows):
                found = _reading(seat, rule, rows, at, decided_ms, accepted)
                outcome.late_readings.append(found)


def _met(seat: Seat, rule: TierRule, rows: Chunk) -> list[int]:
    """Column work: usable rows of the property that meet the lowest threshold of their subject."""
    ruling, view = seat.rulings[rule.name], seat.work.view
    prop = seat.work.domain.property_index(rule.property or "")
    hot: Bool = (rows.flag <= USABLE) & (view.series_property[rows.series] == prop)
    series, inverse = np.unique(rows.series, return_inverse=True)
    hot &= rows.value >= _floors(seat, rule, series)[inverse.reshape(-1)]
    if ruling.season is not None and hot.any():
        hot &= ruling.season.hold(rows.time_ms)
    found: list[int] = np.flatnonzero(hot).tolist()
    return found


def _floors(seat: Seat, rule: TierRule, series: Int32) -> Int64:
    held = [_thresholds(seat, rule, one) for one in series.tolist()]
    return np.array([NEVER_MET if one is None else one.meet[0] for one in held], np.int64)


def _thresholds(seat: Seat, rule: TierRule, series: int) -> Thresholds | None:
    subject = seat.rule_subjects.get(rule.name, {}).get(series)
    return None if subject is None else seat.rulings[rule.name].of(subject.point)


def _reading(
    seat: Seat, rule: TierRule, rows: Chunk, at: int, decided_ms: int, accepted: bool
) -> LateReading:
    series, value = int(rows.series[at]), int(rows.value[at])
    held = _thresholds(seat, rule, series)
    assert held is not None
    tier = held.tier(value)
    return LateReading(
        rule=rule.name,
        area=seat.area,
        subject=seat.rule_subjects[rule.name][series].key,
        sensor=int(seat.work.view.series_sensor[series]),
        property=int(seat.property_id[series]),
        time_ms=int(rows.time_ms[at]),
        scaled=value,
        value=to_text(value, held.rule.unit_scale),
        unit=held.rule.unit,
        severity=held.severities[tier - 1],
        threshold=held.texts[tier - 1],
        clear_ms=held.clear_ms,
        decided_ms=decided_ms,
        position=int(rows.position[at]),
        accepted=accepted,
    )
