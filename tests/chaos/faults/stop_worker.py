"""SIGSTOP of a worker in the middle of a COPY, until others have taken its work; then SIGCONT.

What it had begun must not be stored. It may live on or leave the field, and must harm nobody.
"""

from __future__ import annotations

import random
import signal

from tests.chaos.faults import linger
from tests.chaos.wire import Moment, Then, Trap
from tests.chaos.world import World

FIND_COPY_S = 60.0


class StopWorker:
    name = "SIGSTOP of a worker in mid COPY, SIGCONT after its work was taken"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        worker = chance.choice(world.fleet.alive)
        owner = f"citybrain owner {world.namespace} city"
        trap = worker.wire.set_trap(Trap(Moment.MID_COPY, Then.HOLD, owner))
        world.wait(trap.shut.is_set, "the worker copies nothing", FIND_COPY_S)
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
        linger(chance, 1.0)


FAULT = StopWorker()
