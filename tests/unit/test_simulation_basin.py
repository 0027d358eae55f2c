"""The water balance at one place: nothing is lost, dry stays dry, the known depth comes out."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.simulation import basin, noise
from sensors.simulation.sky import plane, texture, tide_m

HOUR_STEPS = 120


def place(**changes: int) -> basin.Places:
    given = {
        "runoff_permille": 1000,
        "delay_s": 30,
        "drain_um_h": 30_000,
        "fill_um": 10_000,
        "brim_um": 1_000_000,
        "tidal": 0,
        "street_mm": 2_000,
    } | changes
    return basin.Places(**{name: np.array([value]) for name, value in given.items()})


def rain_for(places: basin.Places, mm_h: float, steps: int, sea_mm: int = 0) -> basin.Water:
    water = basin.Water.none(1)
    fall = np.array([round(mm_h * 1000 / HOUR_STEPS)])
    for _ in range(steps):
        basin.advance(places, water, fall, sea_mm, 30)
    return water


def test_rain_below_the_drains_capacity_leaves_the_street_dry() -> None:
    water = rain_for(place(), 25.0, HOUR_STEPS)
    assert water.pond[0] == 0
    assert water.drained[0] > 24_000


def test_what_the_drains_do_not_take_ponds() -> None:
    water = rain_for(place(), 42.0, HOUR_STEPS // 2)
    assert water.pond[0] > 6_000  # more than (42 - 30) mm/h in half an hour: the river rises too
    assert water.pond[0] < 21_000


def test_the_reference_volume_is_thirty_centimetres_and_four_times_it_sixty() -> None:
    places = place()
    assert basin.depth_m(places, np.array([10_000]))[0] == pytest.approx(0.3)
    assert basin.depth_m(places, np.array([40_000]))[0] == pytest.approx(0.6)
    assert basin.depth_m(places, np.array([0]))[0] == 0.0


def test_water_over_the_brim_runs_away() -> None:
    water = rain_for(place(brim_um=5_000), 120.0, HOUR_STEPS)
    assert water.pond[0] == 5_000
    assert water.spilled[0] > 0


def test_a_pond_empties_after_the_rain() -> None:
    places = place()
    water = rain_for(places, 60.0, HOUR_STEPS // 2)
    deep = water.pond[0]
    for _ in range(2 * HOUR_STEPS):
        basin.advance(places, water, np.array([0]), 0, 30)
    assert deep > 10_000
    assert water.pond[0] == 0


def test_long_rain_drowns_the_outfalls() -> None:
    wet, dry = rain_for(place(), 50.0, 6 * HOUR_STEPS), rain_for(place(), 50.0, HOUR_STEPS)
    assert wet.drained[0] < 6 * dry.drained[0]


def test_the_sea_comes_in_at_tidal_places_only_and_without_rain() -> None:
    inland = rain_for(place(), 0.0, HOUR_STEPS, sea_mm=2_300)
    coast = rain_for(place(tidal=1), 0.0, HOUR_STEPS, sea_mm=2_300)
    assert inland.pond[0] == 0
    assert basin.depth_m(place(), coast.pond)[0] == pytest.approx(0.3, abs=0.01)


def test_the_tide_turns_twice_a_day() -> None:
    level = [tide_m(h / 10) for h in range(248)]
    peaks = [i for i in range(1, 247) if level[i - 1] < level[i] and level[i] >= level[i + 1]]
    assert len(peaks) == 2


def test_the_plane_measures_kilometres() -> None:
    x, y = plane(np.array([120.5, 121.5]), np.array([29.0, 30.0]))
    assert (x[0], y[0]) == (0.0, 0.0)
    assert x[1] == pytest.approx(97.4)
    assert y[1] == pytest.approx(110.9)


def test_chance_depends_on_seed_stream_name_and_moment_and_on_nothing_else() -> None:
    names = noise.name_keys(("a", "b", "c"))
    one = noise.uniform(noise.key(7, "x"), names, 5)
    assert one.tolist() == noise.uniform(noise.key(7, "x"), names, 5).tolist()
    assert one[1] == noise.uniform(noise.key(7, "x"), names[1:2], 5)[0]
    for other in (noise.key(8, "x"), noise.key(7, "y")):
        assert noise.uniform(other, names, 5).tolist() != one.tolist()
    assert noise.uniform(noise.key(7, "x"), names, 6).tolist() != one.tolist()


def test_chance_is_spread_evenly() -> None:
    draws = noise.uniform(noise.key(7, "spread"), np.arange(20_000))
    counts = np.histogram(draws, 20, (0.0, 1.0))[0]
    assert counts.min() > 880
    assert counts.max() < 1_120
    bells = noise.bell(noise.key(7, "bell"), np.arange(20_000))
    assert abs(bells.mean()) < 0.03
    assert bells.std() == pytest.approx(1.0, abs=0.03)


def test_the_texture_is_continuous() -> None:
    x = np.linspace(-30.0, 30.0, 4_001)
    field = texture(noise.key(7, "t"), x, 0.3 * x, 12.0)
    assert np.abs(np.diff(field)).max() < 0.01
    assert field.max() - field.min() > 0.3
