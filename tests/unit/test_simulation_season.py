"""The calendar: Shanghai hours, weekends, the sun's course, the usual temperature."""

from __future__ import annotations

import pytest

from sensors.simulation import season
from sensors.simulation.scenario import parse_start


def at(text: str) -> int:
    return parse_start(text)


def test_hours_are_those_of_shanghai() -> None:
    assert season.local_hour(at("2026-08-11T00:00")) == 0.0
    assert season.local_hour(at("2026-08-11T13:30")) == 13.5
    assert season.local_hour(at("2026-08-11T00:00+00:00")) == 8.0


@pytest.mark.parametrize(
    ("moment", "weekend"),
    [
        ("2026-11-20T23:59", False),
        ("2026-11-21T00:00", True),
        ("2026-11-22T23:59", True),
        ("2026-11-23T00:00", False),
    ],
)
def test_the_weekend_begins_and_ends_at_midnight_in_shanghai(moment: str, weekend: bool) -> None:
    assert season.is_weekend(at(moment)) is weekend


def test_days_are_long_and_bright_in_summer() -> None:
    rise, set_, strength = season.daylight(at("2026-08-06T12:00"))
    assert (rise, set_, strength) == pytest.approx((5.3, 18.7, 1.0), abs=0.1)
    rise, set_, strength = season.daylight(at("2026-12-21T12:00"))
    assert (rise, set_) == pytest.approx((6.8, 17.2), abs=0.1)
    assert strength == pytest.approx(0.62, abs=0.02)


def test_it_is_warmest_in_the_afternoon_of_july_and_coldest_before_sunrise_of_january() -> None:
    day = [season.usual_c(at(f"2026-07-23T{h:02}:30"), 0.3) for h in range(24)]
    assert day.index(max(day)) == 14
    assert day.index(min(day)) in (4, 5)
    assert max(day) == pytest.approx(32.0, abs=1.0)
    assert season.usual_c(at("2026-01-22T05:00"), 0.3) == pytest.approx(2.3, abs=1.0)


def test_clouds_flatten_the_day() -> None:
    noon, night = at("2026-07-23T14:30"), at("2026-07-23T05:00")
    clear = season.usual_c(noon, 0.0) - season.usual_c(night, 0.0)
    assert season.usual_c(noon, 1.0) - season.usual_c(night, 1.0) < 0.5 * clear


def test_the_daily_wave_is_continuous_and_turns_twice() -> None:
    wave = [season.daily_wave(h / 100) for h in range(2_400)]
    steps = [b - a for a, b in zip(wave, [*wave[1:], wave[0]], strict=True)]
    assert max(abs(s) for s in steps) < 0.01
    turns = sum((a > 0) != (b > 0) for a, b in zip(steps, [*steps[1:], steps[0]], strict=True))
    assert turns == 2
