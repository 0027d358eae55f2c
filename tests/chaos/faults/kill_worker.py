"""kill -9 of a worker, in the middle of its work or while it starts."""

from __future__ import annotations

import random
import signal

from tests.chaos.faults import linger
from tests.chaos.world import World

WHILE_IT_STARTS = 0.2


class KillWorker:
    name = "kill -9 of a worker"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        if chance.random() < WHILE_IT_STARTS:
            worker = world.fleet.join()
            linger(chance, 2.0)
        else:
            worker = chance.choice(world.fleet.alive)
            linger(chance, 0.8)
        worker.signal(signal.SIGKILL)
        worker.wait_end()


FAULT = KillWorker()
