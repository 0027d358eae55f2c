"""Los Angeles, one week of loop detectors: free flow learnt where nobody registered one.

The recording has miles per hour and no time column: rows are five minutes from 2012-03-01 00:00
Pacific standard time on. Eight detectors go straight through the domain, in event order; hours are
made from the same values with what was told before their day began.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sensors.feeds.lines import open_text
from streams.area.learnt import Learnt
from streams.contracts.domain import DAY_MS, AreaView, Derived, FactValue
from streams.domains.traffic import DOMAIN
from streams.domains.traffic.derive import hourly
from streams.domains.traffic.figures import tti
from streams.domains.traffic.link import SPEED
from tests.support.shared_data import shared_data
from tests.support.traffic_area import FIVE_MIN_MS, Street, Values, link, matrix_of, view_of

pytestmark = pytest.mark.acceptance

KMH_PER_MPH = Decimal("1.609344")  # exact by definition
DETECTORS = 8
ROWS = 2016
PER_DAY = 288
START_MS = int(datetime(2012, 3, 1, 8, tzinfo=UTC).timestamp()) * 1000  # midnight there
SETTLED = 6 * 12  # 06:00, an hour after the night


@dataclass(frozen=True)
class Week:
    """Speeds in m/h by detector, and what the domain told of every interval."""

    speeds: Mapping[str, list[int]]
    told: Mapping[tuple[str, int], Mapping[str, Any]]
    view: AreaView
    learnt: Learnt


@pytest.fixture(scope="module")
def week() -> Week:
    speeds = dict(recorded())
    points = [link(name, free_flow_kmh="", length_m="800") for name in speeds]
    street = Street(view_of(points, {"traffic.free_flow.utc_offset_hours": "-8"}))
    told: dict[tuple[str, int], Mapping[str, Any]] = {}
    learnt = Learnt(DOMAIN.learns)
    for row in range(ROWS):
        values = {name: {SPEED: own[row] / 1000} for name, own in speeds.items()}
        outputs = street.pass_by(START_MS + row * FIVE_MIN_MS, values)
        told |= {(r.point, row): r.payload for r in outputs.results if r.kind.endswith("link.5min")}
        learnt.note(outputs.results)
    return Week(speeds, told, street.view, learnt)


def recorded() -> Iterator[tuple[str, list[int]]]:
    """m/h of the first detectors, rounded as the border of the log does."""
    with open_text(shared_data("traffic-metr-la-week") / "los_speed.csv.gz") as file:
        head, *rows = csv.reader(file)
    assert len(rows) == ROWS
    for column in range(DETECTORS):
        yield head[column], [round(Decimal(row[column]) * KMH_PER_MPH * 1000) for row in rows]


def hour_of(week: Week, day: int, hour: int) -> Derived:
    """The hour as the pipeline would ask for it."""
    first = day * PER_DAY + hour * 12
    intervals: dict[str, list[Values]] = {
        name: [{SPEED: speed / 1000} for speed in own[first : first + 12]]
        for name, own in week.speeds.items()
    }
    matrix = replace(matrix_of(week.view, {hour: intervals}), day_start_ms=START_MS + day * DAY_MS)
    return hourly(week.learnt.view_for(week.view, matrix.day_start_ms), matrix, hour)


def tti_of(derived: Derived) -> FactValue:
    assert derived.partial is not None
    found = tti("county", {"x": derived.partial}, {})
    assert found is not None
    return found


def quiet_rows(day: int) -> list[int]:
    """Rows of the quiet hours up to 05:00 of this day, counted from the recording's first."""
    return [row for row in range(day * PER_DAY + 60) if not 60 <= row % PER_DAY < 276]


def test_every_interval_is_told_with_its_speed(week: Week) -> None:
    assert len(week.told) == DETECTORS * ROWS
    for (name, row), payload in week.told.items():
        assert Fraction(payload["speed_kmh"]) == Fraction(week.speeds[name][row], 1000)


def test_free_flow_is_known_from_the_second_night_on(week: Week) -> None:
    """The first night has 60 values; 132 are there at the end of the second."""
    known = PER_DAY + SETTLED
    for name in week.speeds:
        assert all(week.told[name, row]["free_flow_kmh"] is None for row in range(known))
        assert all(week.told[name, row]["grade"] is None for row in range(known))
        assert week.told[name, known]["free_flow_origin"] == "learnt"
        assert week.told[name, known]["free_flow_n"] == 132


@pytest.mark.parametrize("day", [1, 3, 6])
def test_it_is_the_85th_percentile_of_all_nights_so_far(week: Week, day: int) -> None:
    for name, speeds in week.speeds.items():
        values = [speeds[row] // 100 / 10 for row in quiet_rows(day)]
        wanted = np.percentile(values, 85, method="linear")
        told = week.told[name, day * PER_DAY + SETTLED]
        assert told["free_flow_n"] == len(values)
        assert float(told["free_flow_kmh"]) == pytest.approx(wanted, abs=0.0011)


def test_evenings_are_congested_and_nights_are_free(week: Week) -> None:
    """Monday to Wednesday; 17 to 18 h against 2 to 4 h, all detectors together."""

    def mean(first_hour: int, last_hour: int) -> float:
        rows = [
            day * PER_DAY + interval
            for day in (4, 5, 6)
            for interval in range(first_hour * 12, last_hour * 12)
        ]
        return float(np.mean([float(week.told[n, r]["dtp"]) for n in week.speeds for r in rows]))

    assert mean(2, 4) < 0.1
    assert mean(17, 18) > 3 * mean(2, 4)


@pytest.mark.parametrize("hour", [0, 8, 23])
def test_hourly_facts_begin_with_the_third_day(week: Week, hour: int) -> None:
    """Enough was learnt on the second morning: it is in force for the day after."""
    facts = [tti_of(hour_of(week, day, hour)) for day in range(7)]
    assert [f.have for f in facts] == [0, 0] + [DETECTORS] * 5
    assert [f.value is None for f in facts] == [True, True] + [False] * 5
    counts = [(f.detail["free_flow"]["learnt"], f.detail["free_flow"]["unknown"]) for f in facts]
    assert counts == [(0, DETECTORS)] * 2 + [(DETECTORS, 0)] * 5


def test_an_hour_uses_what_the_morning_before_stated(week: Week) -> None:
    """Not what its own morning knew: that was not known when the day began."""
    for day in range(2, 7):
        stated = (day - 1) * PER_DAY + SETTLED
        for result in hour_of(week, day, 17).results:
            for key in ("free_flow_kmh", "free_flow_n", "free_flow_origin"):
                assert result.payload[key] == week.told[result.point, stated][key]


def test_the_hourly_index_is_the_quotient_of_sums_by_length(week: Week) -> None:
    """Equal lengths and no counts: Σ of 1/v over Σ of 1/v_f, from the recording itself."""
    for day, hour in ((4, 8), (5, 17), (6, 3)):
        time = free = 0.0
        for name, own in week.speeds.items():
            first = day * PER_DAY + hour * 12
            mean = float(np.mean(own[first : first + 12])) / 1000
            flowing = float(week.told[name, (day - 1) * PER_DAY + SETTLED]["free_flow_kmh"])
            time += 1 / mean
            free += min(1 / flowing, 1 / mean)
        told = tti_of(hour_of(week, day, hour)).value
        assert told is not None
        assert float(told) == pytest.approx(time / free, abs=0.0006)
