"""Traffic under rain, snow and water: more is never faster, closed means deep, nobody is lost."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.simulation import roads
from sensors.simulation.player import STEP_MS
from sensors.simulation.scenario import SCENARIOS, parse_start
from sensors.simulation.world import World
from tests.support.simulated import START_MS, frames, series, steps
from tests.support.zhejiang import registry_of

RAIN = np.linspace(0.0, 150.0, 301)
NOTHING = np.zeros_like(RAIN)


def typhoon(hours: float, points: int = 100) -> World:
    world = SCENARIOS["typhoon"].world(registry_of(points), 7, START_MS)
    for begin_ms in range(START_MS, START_MS + round(hours * 3_600_000), STEP_MS):
        world.advance(begin_ms)
    return world


def test_more_rain_is_slower_and_narrower_down_to_the_usual_shares() -> None:
    speed, capacity = roads.weather(RAIN, NOTHING, NOTHING)
    assert (np.diff(speed) < 0).all()
    assert (np.diff(capacity) < 0).all()
    assert (speed[0], capacity[0]) == (1.0, 1.0)
    assert speed[-1] == pytest.approx(0.84, abs=0.01)
    assert capacity[-1] == pytest.approx(0.70, abs=0.01)


def test_snow_and_ice_slow_too_and_ice_needs_frost_and_snow() -> None:
    speed, capacity = roads.weather(NOTHING, RAIN, NOTHING)
    assert (np.diff(speed) <= 0).all()
    assert speed[-1] == pytest.approx(0.60, abs=0.01)
    assert capacity[-1] == pytest.approx(0.73, abs=0.01)
    warmth, cover = np.array([5.0, -5.0, -5.0, 1.0]), np.array([9.0, 0.0, 9.0, 9.0])
    assert roads.ice(warmth, cover).tolist() == [0.0, 0.0, 1.0, 0.0]
    assert roads.weather(np.zeros(1), np.zeros(1), np.ones(1))[0] == pytest.approx([0.65])


def test_deeper_water_is_slower_and_at_thirty_centimetres_nearly_nothing_moves() -> None:
    share = roads.wade(np.linspace(0.0, 0.5, 101))
    assert share[0] == 1.0
    assert (np.diff(share) <= 0).all()
    assert share[30] == pytest.approx(0.28, abs=0.01)  # 15 cm
    assert (share[60:] < 0.03).all()
    assert (share > 0).all()


def test_vehicles_of_a_closed_link_take_the_open_detours_in_equal_parts() -> None:
    wanted = np.array([90.0, 10.0, 20.0, 30.0])
    detour = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    flow, stranded = roads.divert(wanted, np.array([True, False, False, False]), detour)
    assert flow.tolist() == [0.0, 40.0, 50.0, 60.0]
    assert stranded == 0.0
    flow, stranded = roads.divert(wanted, np.array([True, True, False, False]), detour)
    assert flow.tolist() == [0.0, 0.0, 70.0, 80.0]
    assert stranded == 0.0


def test_where_every_way_is_closed_vehicles_are_stranded_and_counted() -> None:
    wanted, detour = np.array([90.0, 10.0]), np.array([[1, -1, -1], [0, -1, -1]])
    flow, stranded = roads.divert(wanted, np.array([True, True]), detour)
    assert flow.tolist() == [0.0, 0.0]
    assert stranded == 100.0


def test_rush_hours_are_on_workdays_only() -> None:
    def day(text: str) -> list[float]:
        return [roads.demand(parse_start(f"{text}T{hour:02}:00")) for hour in range(24)]

    tuesday, sunday = day("2026-08-11"), day("2026-08-16")
    assert tuesday[8] == tuesday[18] == max(tuesday) == 1.0
    assert tuesday[8] > 1.4 * tuesday[12]
    assert max(sunday) < 0.85
    assert sunday[8] < 0.5
    assert min(tuesday) < 0.1


def test_demand_runs_on_over_midnight() -> None:
    before, after = parse_start("2026-08-11T23:59"), parse_start("2026-08-12T00:00")
    assert abs(roads.demand(before) - roads.demand(after)) < 0.01


def test_a_link_is_closed_when_the_point_on_it_is_deep_and_only_then() -> None:
    world = typhoon(6.0)
    found = world.roads
    deep = {
        p.attributes["link"]
        for p, depth in zip(world.ground.points, world.ground.depth_m, strict=True)
        if "link" in p.attributes and depth >= roads.CLOSED_M
    }
    # The roads saw the depths of the last whole minute; half a minute later some may differ.
    closed = {link.id for link, shut in zip(found.links, found.closed, strict=True) if shut}
    assert len(closed) > 5
    assert len(closed ^ deep) <= 1
    assert (found.closed == (found.depth_m >= roads.CLOSED_M)).all()
    assert (found.speed_kmh[found.closed] == roads.CRAWL_KMH).all()
    assert (found.flow_per_h[found.closed] == 0.0).all()
    assert (found.depth_m[[not p for p in _watched(world)]] == 0.0).all()


def test_diverted_or_stranded_no_vehicle_is_lost() -> None:
    for hours in (0.5, 3.0, 6.0):
        found = typhoon(hours).roads
        assert found.flow_per_h.sum() + found.stranded_per_h == pytest.approx(
            found.wanted_per_h.sum(), rel=1e-12
        )


def test_the_rain_of_the_storm_slows_the_city_and_the_storm_empties_it() -> None:
    wet, dry = typhoon(3.0), SCENARIOS["ordinary"].world(registry_of(100), 7, START_MS)
    for begin_ms in range(START_MS, START_MS + 3 * 3_600_000, STEP_MS):
        dry.advance(begin_ms)
    open_links = ~wet.roads.closed & (wet.roads.depth_m == 0.0)
    calmer = wet.roads.flow_per_h[open_links].sum() / dry.roads.flow_per_h[open_links].sum()
    assert calmer < 0.9
    same = roads.weather(wet.ground.rain_mm_h, wet.ground.snow_mm_h, np.zeros(25))[0]
    assert same.mean() < 0.97


def _watched(world: World) -> list[bool]:
    own = {p.attributes.get("link") for p in world.ground.points}
    return [link.id in own for link in world.roads.links]


def test_speed_times_travel_time_is_the_length_and_intervals_are_five_minutes() -> None:
    registry = registry_of(40)
    found = frames(steps(61))
    times = series(found, "travel_time")
    assert times
    for sensor, (begins, speed) in series(found, "speed").items():
        length_m = float(registry.points[registry.sensors[sensor].point].attributes["length_m"])
        assert np.diff(begins).tolist() == [300_000] * (len(begins) - 1)
        assert not (begins % 300_000).any()
        assert begins[0] == START_MS
        metres = speed / 3.6 * times[sensor][1]
        assert metres == pytest.approx(np.full(len(metres), length_m), rel=0.05)


def test_a_closed_link_reports_a_crawl_and_no_vehicle() -> None:
    world = SCENARIOS["typhoon"].world(registry_of(40), 7, START_MS)
    found = frames(steps(180))
    speed, count = series(found, "speed"), series(found, "vehicle_count")
    shut: dict[str, list[int]] = {}
    for begin_ms in range(START_MS, START_MS + 180 * 60_000, STEP_MS):
        world.advance(begin_ms)
        if begin_ms % 60_000 == 0:
            for number in np.flatnonzero(world.roads.closed).tolist():
                shut.setdefault(world.roads.links[number].id, []).append(begin_ms)
    whole = 0
    for link, minutes in shut.items():
        begins, speeds = speed[f"{link}-t"]
        for begin, kmh, vehicles in zip(begins, speeds, count[f"{link}-t"][1], strict=True):
            inside = sum(begin <= minute < begin + 300_000 for minute in minutes)
            if inside == 5:
                whole += 1
                assert kmh == pytest.approx(roads.CRAWL_KMH, rel=0.15)
                assert vehicles == 0.0
            elif inside == 0:
                assert kmh > 0.0
    assert whole > 10


def test_speeds_stay_between_a_crawl_and_free_flow() -> None:
    registry = registry_of(40)
    for sensor, (_, speed) in series(frames(steps(180)), "speed").items():
        free = float(registry.points[registry.sensors[sensor].point].attributes["free_flow_kmh"])
        assert speed.min() >= 0.8 * roads.LEAST_KMH
        assert speed.max() <= 1.15 * free
