"""kill -9 of PostgreSQL's first process; it is started again and recovers from its log."""

from __future__ import annotations

import random

from tests.chaos.faults import linger
from tests.chaos.world import World


class KillDatabase:
    name = "kill -9 of PostgreSQL"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        linger(chance, 0.5)
        world.database.kill()
        linger(chance, 2.0)
        world.database.start()


FAULT = KillDatabase()
