"""The database takes no writes for a while. Workers wait; nobody gives a record up, nobody ends."""

from __future__ import annotations

import random

from tests.chaos.faults import linger
from tests.chaos.world import World


class ReadOnly:
    name = "database read-only"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        before = world.fleet.alive
        linger(chance, 0.5)
        world.database.set_read_only(True)
        try:
            linger(chance, 4.0, 1.0)
        finally:
            world.database.set_read_only(False)
        world.wait_progress("the database took no writes")
        assert world.fleet.alive == before, "a worker ended because the database took no writes"


FAULT = ReadOnly()
