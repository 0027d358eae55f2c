"""Quality checks over real recordings: a unit mix-up in Beijing's CO and in New York's depths."""

from __future__ import annotations

from functools import cache

import pytest

from sensors.feeds import floodnet, prsa
from sensors.feeds.feed import Row
from sensors.feeds.national_air import PROPERTIES
from streams.contracts.domain import Point
from streams.contracts.reason import Change
from tests.support.model_store import ModelStore
from tests.support.recorded import HOUR_MS, play, registry_of, tickets
from tests.support.shared_data import shared_data
from tests.support.small_city import PROPERTY_IDS

pytestmark = pytest.mark.acceptance

DAY_MS = 24 * HOUR_MS
DAYS = 9
TURNS, BACK = 5 * DAY_MS + 7 * HOUR_MS, 7 * DAY_MS  # after the first row
INCHES = 1 / 0.0254


@cache
def beijing() -> tuple[Row, ...]:
    (path,) = shared_data("aqi-beijing-prsa-2016").glob("*.csv.gz")
    rows = [row for row in prsa.read(path) if isinstance(row, Row)]
    end = min(row.time_ms for row in rows) + DAYS * DAY_MS
    return tuple(row for row in rows if row.time_ms < end)


@cache
def play_beijing(since: int | None, until: int = BACK) -> ModelStore:
    """CO in µg/m³, said to be mg/m³, from a time after the first row until another."""
    rows = beijing()
    first = min(row.time_ms for row in rows)
    names = sorted({row.sensor for row in rows})
    points = [Point(name, "air_station", "", name, None, None, {}) for name in names]

    def mix_up(_sensor: str, time_ms: int, prop: str, value: float) -> float:
        wrong = since is not None and first + since <= time_ms < first + until
        return value * 1000 if prop == "co" and wrong else value

    return play(registry_of(points, PROPERTIES, "prsa"), "air", rows, mix_up)


def raised(store: ModelStore) -> set[tuple[str, int]]:
    """Alerts that were raised: (subject, onset)."""
    return {
        (t["subject"], t["onset_ms"])
        for held in store.transitions.values()
        for t in held
        if t["change"] in (Change.RAISED, Change.CONFIRMED)
    }


def test_beijing_as_it_was_says_nothing_of_units() -> None:
    assert tickets(play_beijing(None), "unit") == []


def test_co_in_micrograms_is_one_ticket_of_the_source_and_ends() -> None:
    opened, closed = tickets(play_beijing(TURNS), "unit")
    first = min(row.time_ms for row in beijing())
    assert (opened[0], opened[1], opened[3], closed[3]) == (0, "co", False, True)
    assert opened[2] == first + TURNS, "from its first hour"
    assert (opened[4]["unit"], opened[4]["by"]) == ("µg/m³", "history")
    assert closed[2] == first + BACK + 2 * HOUR_MS


def test_readings_are_suspect_until_the_unit_is_back() -> None:
    store, first = play_beijing(TURNS), min(row.time_ms for row in beijing())
    flags: dict[bool, set[int]] = {True: set(), False: set()}
    for (_, prop, time_ms), (_, flag) in store.observation.items():
        if prop == PROPERTY_IDS["co"]:
            inside = first + TURNS <= time_ms < first + BACK
            edge = first + BACK <= time_ms < first + BACK + 2 * HOUR_MS
            if not edge:
                flags[inside].add(flag)
    assert flags[True] <= {3, 4}
    assert flags[False] == {1}


def test_the_mix_up_raises_no_alert_that_the_true_values_do_not() -> None:
    wrong, right = raised(play_beijing(TURNS)), raised(play_beijing(None))
    assert right, "January 2016 was bad enough"
    assert wrong <= right


def test_co_in_micrograms_from_the_very_start_is_told_by_the_limits() -> None:
    store = play_beijing(0, 3 * DAY_MS)
    opened, closed = tickets(store, "unit")
    assert (opened[4]["by"], opened[4]["candidates"]) == ("limits", ["µg/m³"])
    assert closed[3]
    range_open = [t for t in tickets(store, "range") if not t[3]]
    range_closed = [t for t in tickets(store, "range") if t[3]]
    assert len(range_open) == len(range_closed), "the source's ticket explains the sensors'"
    assert {t[4]["why"] for t in range_closed} == {"unit"}


@pytest.fixture(scope="module", params=[1.0, INCHES], ids=["metres", "inches"])
def street(request: pytest.FixtureRequest) -> tuple[float, ModelStore]:
    folder = shared_data("flood-floodnet-2025-10-30")
    rows = [r for r in floodnet.read(folder / "depth_readings.csv.gz") if isinstance(r, Row)]
    names = sorted({row.sensor for row in rows})
    points = [Point(name, "flood_point", "", name, None, None, {}) for name in names]
    factor: float = request.param
    store = play(
        registry_of(points, ("depth",), "floodnet"),
        "waterlogging",
        rows,
        lambda _s, _t, _p, value: value * factor,
    )
    return factor, store


def test_inches_read_as_metres_are_one_ticket(street: tuple[float, ModelStore]) -> None:
    factor, store = street
    found = tickets(store, "unit")
    if factor == 1.0:
        assert found == []
        return
    assert [(t[0], t[1], t[3]) for t in found] == [(0, "depth", False)]
    candidates = found[0][4]["candidates"]
    assert isinstance(candidates, list)
    assert "inch" in candidates


def test_water_still_alerts_but_unverified(street: tuple[float, ModelStore]) -> None:
    factor, store = street
    found = tickets(store, "unit")
    since = found[0][2] + 2 * HOUR_MS + 60_000 if factor != 1.0 else 0
    later = [
        held
        for held in store.transitions.values()
        if held[0]["rule"] == "waterlogging.depth" and held[0]["onset_ms"] >= since
    ]
    assert later
    assert {t["unverified"] for held in later for t in held if t["value"]} == {factor != 1.0}
