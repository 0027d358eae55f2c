"""The database's disk is full for a while. Workers wait; nobody gives a record up, nobody ends."""

from __future__ import annotations

import random

from tests.chaos.faults import linger
from tests.chaos.world import World


class FullDisk:
    name = "disk of the database full"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        before = world.fleet.alive
        linger(chance, 0.5)
        world.database.fill_disk(world.namespace)
        try:
            linger(chance, 4.0, 1.0)
        finally:
            world.database.free_disk(world.namespace)
        world.wait_progress("the disk was full")
        assert world.fleet.alive == before, "a worker ended because the disk was full"


FAULT = FullDisk()
