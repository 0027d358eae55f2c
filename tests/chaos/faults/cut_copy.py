"""The connection is cut in the middle of a COPY, or all of a worker's connections at any moment."""

from __future__ import annotations

import random

from tests.chaos.faults import linger
from tests.chaos.wire import Moment, Then, Trap
from tests.chaos.world import World

FIND_COPY_S = 60.0


class CutCopy:
    name = "connection cut in mid COPY, or all connections of a worker"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        worker = chance.choice(world.fleet.alive)
        if chance.random() < 0.5:
            linger(chance, 0.8)
            worker.wire.cut()
            return
        owner = f"citybrain owner {world.namespace} "
        trap = worker.wire.set_trap(Trap(Moment.MID_COPY, Then.CUT, owner))
        try:
            world.wait(trap.shut.is_set, "the worker copies nothing", FIND_COPY_S)
        finally:
            worker.wire.remove_trap(trap)


FAULT = CutCopy()
