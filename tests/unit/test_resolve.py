"""Rows that cannot be taken: each goes to the dead letters with its own reason, the rest stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.contracts.outcome import Outcome
from streams.contracts.reason import Reason
from tests.support.small_city import COUNTIES, frame_of
from tests.support.timeline import COUNTY, Timeline, moment

TEN = moment("10:00")
P0 = f"{COUNTY}-p0"


def send(sensor: str, prop: str, time_ms: int, value: float) -> Outcome:
    """One row that may be wrong, beside one that is right."""
    good = (f"{COUNTY}-p1", "depth", TEN, 0.1)
    return Timeline().rows([(sensor, prop, time_ms, value), good], TEN + 1000)


@pytest.mark.parametrize(
    ("sensor", "prop", "time_ms", "value", "reason"),
    [
        ("nobody", "depth", TEN, 0.1, Reason.UNKNOWN_SENSOR),
        (f"{COUNTIES[1]}-p0", "depth", TEN, 0.1, Reason.FOREIGN_AREA),
        (P0, "noise", TEN, 0.1, Reason.UNKNOWN_PROPERTY),
        (P0, "rain", TEN, 0.1, Reason.UNKNOWN_PROPERTY),  # known, but not this sensor's
        (P0, "depth", TEN, float("nan"), Reason.NOT_FINITE),
        (P0, "depth", TEN, float("inf"), Reason.NOT_FINITE),
        (P0, "depth", TEN, 1e12, Reason.OUT_OF_BOUNDS),
        (P0, "depth", 946_684_799_999, 0.1, Reason.BAD_TIME),
        (P0, "depth", 4_102_444_800_000, 0.1, Reason.BAD_TIME),
    ],
)
def test_a_bad_row_is_refused_and_the_good_one_stays(
    sensor: str, prop: str, time_ms: int, value: float, reason: Reason
) -> None:
    outcome = send(sensor, prop, time_ms, value)
    (letter,) = outcome.dead_letters
    assert (letter.reason, letter.row, letter.area) == (reason, 0, COUNTY)
    assert sensor.encode() in letter.content
    assert sum(len(readings) for readings in outcome.readings) == 1
    ((_, counts),) = outcome.ledger.items()
    assert counts.tolist() == [2, 1, 0, 0, 1, 1, 0, 0]


def test_the_first_millisecond_of_2000_is_a_time() -> None:
    outcome = send(P0, "depth", 946_684_800_000, 0.1)
    assert outcome.dead_letters == []


@pytest.mark.parametrize(("unit", "taken"), [("m", 1), ("cm", 0), ("米", 0)])
def test_a_wrong_unit_is_never_converted_silently(unit: str, taken: int) -> None:
    frame = frame_of(COUNTY, "waterlogging", 1, TEN + 1000, [(P0, "depth", TEN, 0.3)])
    outcome = Timeline().push(replace(frame, units=(unit,)))
    assert sum(len(readings) for readings in outcome.readings) == taken
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.UNKNOWN_UNIT][taken:]


def test_values_are_rounded_half_to_even_at_the_border() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.1000005, p1=0.1000015, p2=0.3)
    values = sorted(value for value, _ in city.store.observation.values())
    assert values == [100_000, 100_002, 300_000]
