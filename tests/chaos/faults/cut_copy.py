"""The connection is cut in the middle of a COPY, or all of a worker's connections at any moment."""

from __future__ import annotations

import random

from tests.chaos.faults import linger, spring
from tests.chaos.wire import Moment, Then
from tests.chaos.world import World


class CutCopy:
    name = "connection cut in mid COPY, or all connections of a worker"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        if chance.random() < 0.5:
            linger(chance, 0.8)
            chance.choice(world.fleet.alive).wire.cut()
        else:
            spring(world, Moment.MID_COPY, Then.CUT, "city")


FAULT = CutCopy()
