"""Exactly once: faults at random moments under load, then the judgement of one undisturbed pass.

The short run has every fault once or twice; `make chaos-long` draws as many rounds as it is told,
every kind at least three times. `CHAOS_SEED` and `CHAOS_ROUNDS` choose.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.chaos.database import Database
from tests.chaos.faults import Fault, all_faults
from tests.chaos.hosts import Host
from tests.chaos.scene import scene_of
from tests.chaos.verdict import judge
from tests.chaos.world import World, make_world

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("CHAOS_SEED", "20261124"))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "36"))
AT_LEAST = 3


@pytest.fixture(params=["table", "faust"])
def scene(request: pytest.FixtureRequest) -> Iterator[tuple[Host, Database]]:
    """A host and a database of this test's own: they are going to be killed."""
    with scene_of(request.param) as made:
        yield made


def test_every_fault_leaves_no_trace(scene: tuple[Host, Database], tmp_path: Path) -> None:
    host, database = scene
    chance = random.Random(SEED)
    faults = all_faults(host.broker is not None)
    chance.shuffle(faults)
    run(host, database, tmp_path, faults, chance)


@pytest.mark.long
def test_many_faults_leave_no_trace(scene: tuple[Host, Database], tmp_path: Path) -> None:
    host, database = scene
    chance = random.Random(SEED)
    run(host, database, tmp_path, drawn(all_faults(host.broker is not None), chance), chance)


def drawn(faults: Sequence[Fault], chance: random.Random) -> list[Fault]:
    """Every fault at least so often, the rest by chance, in random order."""
    found = [fault for fault in faults for _ in range(AT_LEAST)]
    found += [chance.choice(faults) for _ in range(ROUNDS - len(found))]
    chance.shuffle(found)
    return found


def run(
    host: Host, database: Database, folder: Path, faults: Sequence[Fault], chance: random.Random
) -> None:
    world = make_world(host, database, "shaken", folder, SEED)
    print(f"seed {SEED}, host {host.name}, {len(faults)} rounds, full disk by {database.disk}")
    try:
        world.fleet.fill_up()
        world.feeder.start()
        world.wait_progress("the start")
        for number, fault in enumerate(faults, start=1):
            strike(world, fault, chance, number)
        world.feeder.stop()
        world.drain()
        world.fleet.stop()
    finally:
        world.feeder.put_away()
        world.fleet.put_away()
    print(f"{world.feeder.steps_sent} steps of load")
    print(judge(world, "straight"))


def strike(world: World, fault: Fault, chance: random.Random, number: int) -> None:
    """A round: the fault, a fleet at full strength again, and work that goes on."""
    began = time.monotonic()
    fault.strike(world, chance)
    world.fleet.fill_up()
    took = world.wait_progress(fault.name)
    now = time.monotonic()
    print(f"round {number}: {fault.name}: {now - began:.1f} s, work goes on after {took:.1f} s")
