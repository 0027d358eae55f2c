"""The joined world: the same again, whatever else is played; instruments read it and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sensors.simulation.city import run
from sensors.simulation.player import STEP_MS
from sensors.simulation.scenario import SCENARIOS, players
from sensors.simulation.world import World
from streams.domains import find_domains
from tests.support.simulated import START_MS, digest, frames, series, steps
from tests.support.zhejiang import registry_of

SCENARIO_NAMES = sorted(SCENARIOS)


def state(world: World) -> dict[str, Any]:
    """Every number that the world keeps."""
    parts: dict[str, object] = {
        name: getattr(world, name) for name in ("ground", "counties", "roads", "refuge")
    }
    found = {
        f"{part}.{name}": value.tolist()
        for part, owner in parts.items()
        for name, value in vars(owner).items()
        if isinstance(value, np.ndarray)
    }
    water = world.ground.water
    return found | {name: getattr(water, name).tolist() for name in water.__slots__}


def after(minutes: int, seed: int = 7, scenario: str = "typhoon") -> World:
    start_ms = SCENARIOS[scenario].start_ms()
    world = SCENARIOS[scenario].world(registry_of(40), seed, start_ms)
    for step in range(2 * minutes):
        world.advance(start_ms + step * STEP_MS)
    return world


@pytest.mark.parametrize("scenario", SCENARIO_NAMES)
def test_the_same_again_and_another_seed_is_another_world(scenario: str) -> None:
    one = state(after(30, scenario=scenario))
    assert one == state(after(30, scenario=scenario))
    assert one != state(after(30, 8, scenario))


@pytest.mark.parametrize("scenario", SCENARIO_NAMES)
def test_every_scenario_gives_the_same_bytes_again(scenario: str) -> None:
    start_ms = SCENARIOS[scenario].start_ms()
    first = digest(frames(steps(20, scenario, start_ms=start_ms)))
    assert first == digest(frames(steps(20, scenario, start_ms=start_ms)))


def test_players_read_the_world_and_change_nothing() -> None:
    world = SCENARIOS["typhoon"].world(registry_of(40), 7, START_MS)
    for _ in run(world, players(world, find_domains().values()), (), START_MS + 60 * 60_000):
        pass
    assert state(world) == state(after(60))


@pytest.mark.parametrize("left_out", sorted(find_domains()))
def test_a_domain_sends_the_same_whether_the_others_are_played_or_not(left_out: str) -> None:
    whole = [f for f in frames(steps(40)) if f.domain != left_out]
    world = SCENARIOS["typhoon"].world(registry_of(40), 7, START_MS)
    some = [d for d in find_domains().values() if d.name != left_out]
    found = frames(run(world, players(world, some), (), START_MS + 40 * 60_000))
    assert digest(whole) == digest(found)


def test_temperature_and_wind_come_every_minute_and_snow_every_ten() -> None:
    found = frames(steps(60))
    for name, every_ms in (("air_temperature", 60_000), ("gust", 60_000), ("snowfall", 600_000)):
        for times, _ in series(found, name).values():
            assert np.diff(times).tolist() == [every_ms] * (len(times) - 1)
            assert len(times) >= 5


def test_a_gust_is_above_the_mean_wind() -> None:
    found = frames(steps(60))
    wind, gust = series(found, "wind_speed"), series(found, "gust")
    for name, (_, mean) in wind.items():
        assert (gust[name][1] > mean).all()
        assert mean.min() > 0


def test_snowfall_adds_up_to_the_snow_of_the_nearest_gauge() -> None:
    start_ms = SCENARIOS["cold-wave"].start_ms()
    late_ms = start_ms + 33 * 3_600_000
    world = SCENARIOS["cold-wave"].world(registry_of(40), 7, start_ms)
    playing = players(world, [find_domains()["weather"]])
    fallen: dict[int, float] = {}
    for begin_ms in range(late_ms, late_ms + 4 * 3_600_000 + STEP_MS, STEP_MS):
        world.advance(begin_ms)
        for block in playing[0].advance(begin_ms):
            for channel, value in zip(block.channel.tolist(), block.value.tolist(), strict=True):
                if playing[0].channels[channel].property == "snowfall":
                    fallen[channel] = fallen.get(channel, 0.0) + value
    gauges = world.ground.snow_um / 1000.0
    assert max(fallen.values()) > 0.5
    for total in fallen.values():
        assert np.abs(gauges - total).min() < 0.11
        assert total == pytest.approx(round(total, 1))


def test_the_bucket_loses_no_rain() -> None:
    tips = series(frames(steps(60)), "rain")
    world = after(60)
    for number, gauge in enumerate(world.ground.gauges):
        told_um = round(1000 * tips[f"{gauge}-r"][1].sum())
        assert 0 <= world.ground.rain_um[number] - told_um < 100
