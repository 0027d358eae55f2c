"""The connection is cut after COMMIT was done, before its answer arrives."""

from __future__ import annotations

import random

from tests.chaos.faults import spring
from tests.chaos.wire import Moment, Then
from tests.chaos.world import World


class CutCommit:
    name = "connection cut after COMMIT, before its answer"
    needs_broker = False

    def strike(self, world: World, chance: random.Random) -> None:
        """On a connection that owns partitions, or the region log."""
        spring(world, Moment.COMMITTED, Then.CUT, chance.choice(("city", "region", "")))


FAULT = CutCommit()
