"""Workers join and leave while commits are slow: the work in flight goes over in good order."""

from __future__ import annotations

import random
import signal

from tests.chaos.faults import linger
from tests.chaos.world import World

CHANGES = 2
SLOW_S = (0.2, 0.8)


class SlowCommits:
    name = "workers joining and leaving with slow commits"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        for worker in world.fleet.alive:
            worker.wire.commit_delay_s = chance.uniform(*SLOW_S)
        for _ in range(CHANGES):
            self._change(world, chance)
        for worker in world.fleet.alive:
            worker.wire.commit_delay_s = 0.0

    def _change(self, world: World, chance: random.Random) -> None:
        """One joins and one leaves, in this order or the other; who leaves ends cleanly."""
        leaving = chance.choice(world.fleet.alive)
        fresh = world.fleet.join()
        fresh.wire.commit_delay_s = chance.uniform(*SLOW_S)
        linger(chance, 3.0)
        leaving.signal(signal.SIGTERM)
        leaving.wait_end()
        assert leaving.ended_well(), leaving.last_words()
        fresh.wait_ready()


FAULT = SlowCommits()
