"""What each scenario shows: its temperatures, winds, snow and dust cross the thresholds of
domain.md §5.1 and §1.2 when `docs/simulation.md` says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from sensors.simulation import season
from sensors.simulation.air import POLLUTANTS, AirPlayer
from sensors.simulation.player import STEP_MS
from sensors.simulation.scenario import SCENARIOS
from sensors.simulation.sky import Air, Sky
from sensors.simulation.world import World
from streams.contracts.domain import HOUR_MS
from streams.contracts.frame import Float64
from streams.domains import find_domains
from tests.support.zhejiang import registry_of

HOURS = np.arange(0.0, 120.0, 0.25)
FORCE_6, FORCE_8 = 10.8, 17.2  # GB/T 28591-2012, m/s
NORTH, SOUTH = (0.0, 140.0), (0.0, -140.0)  # km in the plane


def sky(scenario: str) -> Sky:
    return SCENARIOS[scenario].sky(7, SCENARIOS[scenario].start_ms())


@lru_cache
def course(scenario: str, what: str, place: tuple[float, float]) -> Float64:
    """A quantity of the air at a place, quarter by quarter of an hour."""
    found, x, y = sky(scenario), np.array([place[0]]), np.array([place[1]])
    take: Callable[[Air], Float64] = lambda air: getattr(air, what)  # noqa: E731
    return np.array([float(take(found.air(hour, x, y))[0]) for hour in HOURS])


def daily(scenario: str, place: tuple[float, float]) -> list[float]:
    """The highest temperature of each calendar day (Shanghai) that is played."""
    start = season.local_hour(SCENARIOS[scenario].start_ms())
    day = ((HOURS + start) // 24).astype(int)
    warmth = course(scenario, "temperature_c", place)
    return [float(warmth[day == number].max()) for number in range(day.max() + 1)]


def test_the_heat_wave_reaches_37_on_its_first_day_and_40_on_the_fourth() -> None:
    highest = daily("heat-wave", NORTH)
    assert len(highest) >= 5
    assert all(t >= 35.0 for t in highest[:5])  # yellow: three days of 35 ℃
    assert highest[0] >= 36.5  # the warmest stations 37 ℃: orange
    assert all(t >= 37.0 for t in highest[1:4])
    assert highest[3] >= 40.0  # red
    assert max(highest) < 42.0
    assert highest[5] < 33.0  # broken


def test_thunderstorms_end_the_heat_wave() -> None:
    found = sky("heat-wave")
    x, y = np.meshgrid(np.linspace(-140, 140, 40), np.linspace(-150, 150, 40))
    fall = [float(found.rain_mm_h(hour, x.ravel(), y.ravel()).max()) for hour in HOURS]
    assert max(np.array(fall)[HOURS < 96]) < 3.0
    assert max(np.array(fall)[(HOURS > 100) & (HOURS < 108)]) > 30.0


@pytest.mark.parametrize(("place", "drop"), [(NORTH, 16.0), (SOUTH, 12.0)])
def test_the_cold_wave_drops_in_24_hours_below_zero_with_force_6(
    place: tuple[float, float], drop: float
) -> None:
    warmth = course("cold-wave", "temperature_c", place)
    wind = course("cold-wave", "wind_m_s", place)
    lowest = [
        (float(warmth[i - 96 : i].min()), float(warmth[max(i - 192, 0) : i - 96].min()))
        for i in range(184, 240)  # hours 46 to 60: both windows are measured
    ]
    assert max(before - after for after, before in lowest) >= drop
    assert min(after for after, _ in lowest) <= 0.0
    assert wind.max() >= FORCE_6
    assert warmth[HOURS < 18].min() > 4.0  # mild before


def test_snow_falls_after_the_front_and_not_before() -> None:
    world = SCENARIOS["cold-wave"].world(registry_of(20), 7, SCENARIOS["cold-wave"].start_ms())
    rained = 0
    for step in range(26 * 120, 40 * 120):
        world.advance(world.start_ms + step * STEP_MS)
        if step == 27 * 120:
            rained = int(world.ground.rain_um.max())
            assert world.ground.snow_um.max() == 0
    assert rained < int(world.ground.rain_um.max())
    assert 4_000 < world.ground.snow_um.max() < 40_000
    assert 3.0 < world.ground.snow_depth_cm.max() < 40.0
    assert (world.ground.snow_cover_mm * 1000 <= world.ground.snow_um + 1).all()


def test_snow_and_frost_make_roads_slow() -> None:
    mild, icy = played("cold-wave", 10.0), played("cold-wave", 48.0)
    assert icy.ground.air.temperature_c.max() < -3.0
    free = mild.roads.free_kmh
    assert (icy.roads.speed_kmh <= 0.7 * free).all()
    assert (mild.roads.speed_kmh / free).mean() > 0.8


@lru_cache
def played(scenario: str, until_h: float) -> World:
    """The world from the front's hour 20 on (or from the beginning)."""
    start_ms = SCENARIOS[scenario].start_ms()
    world = SCENARIOS[scenario].world(registry_of(20), 7, start_ms)
    for step in range(20 * 120 if until_h > 20 else 0, round(until_h * 120)):
        world.advance(start_ms + step * STEP_MS)
    return world


def test_the_smog_reaches_heavy_pollution_and_a_front_clears_it() -> None:
    world = SCENARIOS["smog"].world(registry_of(400), 7, SCENARIOS["smog"].start_ms())
    player = AirPlayer(world, find_domains()["air"])
    hours = []
    for begin_ms in range(world.start_ms, world.start_ms + 100 * HOUR_MS, STEP_MS):
        hours += [block.value for block in player.advance(begin_ms)[:1]]
    assert POLLUTANTS[0] == "pm25"
    values = np.array(hours).T
    worst = values.max(axis=0)
    assert worst[:6].min() > 75  # polluted from the first hour on
    assert 200 <= np.median(values.max(axis=1)) <= 350
    assert worst.max() <= 500
    assert (np.median(values, axis=0) > 115).sum() > 48  # for more than two days
    assert worst[-4:].max() < 75


def test_still_air_and_no_rain_in_the_smog() -> None:
    before = HOURS < 80
    assert course("smog", "wind_m_s", NORTH)[before].max() < 2.0
    assert course("smog", "haze", NORTH)[before].min() >= 3.0
    assert course("smog", "wind_m_s", NORTH)[(HOURS > 86) & (HOURS < 92)].min() > 4.0
    found = sky("smog")
    assert all(found.rain_mm_h(h, np.zeros(1), np.zeros(1))[0] == 0.0 for h in HOURS[before])


def test_the_typhoon_blows_with_force_8_over_land_and_cools() -> None:
    storm, calm = sky("typhoon"), sky("ordinary")
    x, y = np.meshgrid(np.linspace(-140, 140, 30), np.linspace(-150, 150, 30))
    air = storm.air(5.0, x.ravel(), y.ravel())
    assert air.wind_m_s.max() >= FORCE_8
    assert air.wind_m_s.max() < 30.0
    usual = calm.air(5.0, x.ravel(), y.ravel())
    assert (usual.wind_m_s < FORCE_6).all()


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_no_sky_is_impossible(scenario: str) -> None:
    found = sky(scenario)
    x, y = np.meshgrid(np.linspace(-200, 200, 9), np.linspace(-200, 200, 9))
    for hour in range(0, 150, 3):
        air = found.air(float(hour), x.ravel(), y.ravel())
        fall = found.rain_mm_h(float(hour), x.ravel(), y.ravel())
        assert (fall >= 0).all()
        assert (fall < 300).all()
        assert ((air.cloud >= 0) & (air.cloud <= 1)).all()
        assert ((air.wind_m_s >= 0) & (air.wind_m_s < 45)).all()
        assert ((air.temperature_c > -20) & (air.temperature_c < 45)).all()
        assert ((air.haze > 0) & (air.layer > 0)).all()
        for values in (fall, air.cloud, air.wind_m_s, air.temperature_c, air.haze, air.layer):
            assert values.shape == (81,)
