"""SIGSTOP of a worker in the middle of a COPY, until others have taken its work; then SIGCONT.

What it had begun must not be stored. It may live on or leave the field, and must harm nobody.
"""

from __future__ import annotations

import random
import signal

from tests.chaos.faults import linger, spring
from tests.chaos.wire import Moment, Then
from tests.chaos.world import World


class StopWorker:
    name = "SIGSTOP of a worker in mid COPY, SIGCONT after its work was taken"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        worker, trap = spring(world, Moment.MID_COPY, Then.HOLD, "city")
        worker.signal(signal.SIGSTOP)
        try:
            if chance.random() < 0.5:
                trap.released.set()  # then its backend waits for the rest of the transaction
            if world.host.workers == 1:
                world.fleet.join().wait_ready()
            world.wait_progress("a worker was stopped in the middle of a COPY")
        finally:
            trap.released.set()
            worker.signal(signal.SIGCONT)
        if world.host.workers == 1:
            worker.wait_end()  # somebody else has everything: it has to see that and leave
        linger(chance, 1.0)


FAULT = StopWorker()
