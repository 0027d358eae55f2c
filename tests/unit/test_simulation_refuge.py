"""People and shelters: told to go only under a threat, none lost, none crowded by chance."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from sensors.simulation import counties, refuge
from sensors.simulation.player import STEP_MS
from sensors.simulation.scenario import SCENARIOS
from sensors.simulation.world import World
from streams.contracts.domain import Point
from tests.support.simulated import START_MS, frames, series, steps
from tests.support.zhejiang import registry_of


def play(scenario: str, from_h: float, until_h: float, points: int = 60) -> World:
    """The world after these hours of the scenario; nothing happened before them."""
    start_ms = SCENARIOS[scenario].start_ms()
    world = SCENARIOS[scenario].world(registry_of(points), 7, start_ms)
    for step in range(round(from_h * 120), round(until_h * 120)):
        world.advance(start_ms + step * STEP_MS)
    return world


@lru_cache(maxsize=1)
def storm() -> tuple[World, list[tuple[int, int, int, float, int]]]:
    """The typhoon over 36 hours with, every half hour: hour, occupants, open, threat, orders."""
    world = SCENARIOS["typhoon"].world(registry_of(20), 7, START_MS)
    seen = []
    for step in range(36 * 120):
        world.advance(START_MS + step * STEP_MS)
        check(world)
        if step % 60 == 0:
            seen.append(
                (
                    step // 120,
                    int(world.refuge.occupants.sum()),
                    int(world.refuge.open.sum()),
                    float(world.counties.threat.max()),
                    int(world.counties.ordered.sum()),
                )
            )
    return world, seen


def check(world: World) -> None:
    """What holds after every step."""
    found = world.refuge
    assert (found.came - found.left == found.occupants).all()
    assert (found.occupants >= 0).all()
    assert (found.at_home >= 0).all()
    assert (found.at_home + found.occupants == found.people).all()
    assert (found.occupants[~found.crowded] <= found.capacity[~found.crowded]).all()
    assert (found.occupants[~found.open] == 0).all()
    assert (found.occupants <= refuge.CROWDED[1] * found.capacity).all()


def test_the_storm_fills_the_shelters_and_afterwards_they_are_empty_and_shut() -> None:
    world, seen = storm()
    assert seen[0][1:3] == (0, 0)
    by_hour = {hour: (people, opened) for hour, people, opened, _, _ in seen}
    assert by_hour[1][1] > 0
    assert by_hour[5][0] > 0.5 * world.refuge.people.sum()
    assert by_hour[35] == (0, 0)
    assert world.refuge.came.sum() == world.refuge.left.sum() > 0


def test_people_go_only_under_an_order_and_an_order_needs_a_threat() -> None:
    _, seen = storm()
    before = 0
    for _, people, _, threat, orders in seen:
        assert people <= before or orders > 0
        before = people
        if threat >= counties.ORDER_AT:
            assert orders > 0


@pytest.mark.parametrize("scenario", ["ordinary", "smog"])
def test_no_threat_no_order_no_person_in_a_shelter(scenario: str) -> None:
    world = play(scenario, 6.0, 18.0, 20)
    assert not world.counties.ordered.any()
    assert not world.refuge.open.any()
    assert world.refuge.came.sum() == 0


def test_great_heat_and_hard_frost_bring_few() -> None:
    for scenario, from_h, until_h in (("heat-wave", 70.0, 78.0), ("cold-wave", 42.0, 48.0)):
        world = play(scenario, from_h, until_h, 20)
        assert world.counties.storm.max() < counties.ORDER_AT
        assert world.counties.ordered.all()
        share = world.refuge.occupants.sum() / world.refuge.people.sum()
        assert 0.12 <= share < 0.35


def test_emergency_grounds_and_deregistered_shelters_stay_out_of_it() -> None:
    world, _ = storm()
    unused = [
        p.attributes["class"] == "emergency" or "deregistered" in p.attributes
        for p in world.refuge.shelters
    ]
    assert any(unused)
    assert world.refuge.came[unused].sum() == 0
    assert (world.refuge.people[[not u for u in unused]] > 0).all()


def test_some_keepers_turn_nobody_away_and_only_they_exceed_their_capacity() -> None:
    world = SCENARIOS["typhoon"].world(registry_of(1_800), 7, START_MS)
    found = world.refuge
    assert 1 <= found.crowded.sum() <= 20
    assert (found.people[~found.crowded] <= found.capacity[~found.crowded]).all()


@pytest.mark.parametrize(
    ("attributes", "persons"),
    [
        ({"capacity": "120"}, 120),
        ({"effective_area_m2": "700", "class": "short"}, 350),
        ({"effective_area_m2": "100", "class": "long"}, 22),
        ({"effective_area_m2": "99.5", "class": "emergency"}, 199),
    ],
)
def test_capacity_is_registered_or_the_area_by_class(
    attributes: dict[str, str], persons: int
) -> None:
    point = Point("s", "shelter", "330106", "s", None, None, attributes)
    assert refuge.capacity(point) == persons


def test_counters_tell_what_passed_and_counts_what_is_there() -> None:
    found = frames(steps(120, registry=registry_of(60)))
    world = play("typhoon", 0.0, 2.0)
    number = world.refuge.number
    came, left = series(found, "check_in"), series(found, "check_out")
    assert came
    for sensor, (_, passed) in came.items():
        balance = passed.sum() - left[sensor][1].sum()
        shelter = number[sensor.removesuffix("-s")]
        assert (passed >= 0).all()
        assert abs(balance - world.refuge.occupants[shelter]) <= 0.1 * max(passed.sum(), 10)
    for sensor, (_, there) in series(found, "occupants").items():
        shelter = number[sensor.removesuffix("-s")]
        assert there.max() <= refuge.CROWDED[1] * world.refuge.capacity[shelter]
    assert not set(came) & set(series(found, "occupants"))


def test_whole_persons_move_and_the_last_one_goes_too() -> None:
    waiting, steps_taken = np.array([1_000]), 0
    while waiting[0]:
        waiting = waiting - refuge._moving(waiting, refuge.LEAVING_S)
        steps_taken += 1
        assert steps_taken < 2_000
    assert waiting.dtype == np.int64
