"""The connection is cut after COMMIT was done, before its answer arrives."""

from __future__ import annotations

import random

from tests.chaos.wire import Moment, Then, Trap
from tests.chaos.world import World

FIND_COMMIT_S = 60.0


class CutCommit:
    name = "connection cut after COMMIT, before its answer"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        """On a connection that owns something: a partition, or the region log."""
        owner = f"citybrain owner {world.namespace} "
        traps = [
            (w, w.wire.set_trap(Trap(Moment.COMMITTED, Then.CUT, owner))) for w in world.fleet.alive
        ]
        try:
            world.wait(
                lambda: any(trap.shut.is_set() for _, trap in traps),
                "nobody commits anything",
                FIND_COMMIT_S,
            )
        finally:
            for worker, trap in traps:
                worker.wire.remove_trap(trap)


FAULT = CutCommit()
