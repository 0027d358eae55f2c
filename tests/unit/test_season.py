"""Seasons: days of the profile's zone, both ends included, also across New Year."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from streams.alerting.season import Season, day_number

ZONE_MS = 8 * 3_600_000
FLOOD = Season(((415, 1015),), ZONE_MS)
WINTER = Season(((1101, 331),), ZONE_MS)


def at(text: str) -> int:
    """Epoch ms of a local time."""
    moment = datetime.fromisoformat(f"{text}+08:00")
    return int(moment.astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("season", "time", "holds"),
    [
        (FLOOD, "2026-04-14T23:59:59", False),
        (FLOOD, "2026-04-15T00:00:00", True),
        (FLOOD, "2026-10-15T23:59:59", True),
        (FLOOD, "2026-10-16T00:00:00", False),
        (WINTER, "2026-12-31T23:59:59", True),
        (WINTER, "2027-01-01T00:00:00", True),
        (WINTER, "2027-03-31T23:59:59", True),
        (WINTER, "2027-04-01T00:00:00", False),
        (WINTER, "2026-10-31T23:59:59", False),
        (Season(((229, 229),), ZONE_MS), "2028-02-29T12:00:00", True),
        (Season(((229, 229),), ZONE_MS), "2027-03-01T00:00:00", False),
    ],
)
def test_a_day_is_of_a_season_from_its_first_to_its_last_moment(
    season: Season, time: str, holds: bool
) -> None:
    assert season.holds(at(time)) is holds
    assert season.hold(np.array([at(time)])).tolist() == [holds]


def test_the_end_is_the_first_moment_out_of_season() -> None:
    assert FLOOD.end_after(at("2026-08-17T10:00:00")) == at("2026-10-16T00:00:00")
    assert WINTER.end_after(at("2026-12-31T23:00:00")) == at("2027-04-01T00:00:00")


def test_a_season_of_all_the_year_never_ends() -> None:
    assert Season(((101, 1231),), ZONE_MS).end_after(at("2026-08-17T10:00:00")) is None


@pytest.mark.parametrize("text", ["6-1", "13-01", "02-30", "0601", "06-31", "", "06-01 "])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_number(text) is None


def test_the_twenty_ninth_of_february_is_a_day() -> None:
    assert day_number("02-29") == 229
