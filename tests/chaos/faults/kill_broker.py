"""kill -9 of the broker, which is started again."""

from __future__ import annotations

import random

from tests.chaos.faults import linger
from tests.chaos.world import World


class KillBroker:
    name = "kill -9 of the broker"
    needs_broker = True

    def strike(self, world: World, chance: random.Random) -> None:
        assert world.host.broker is not None
        linger(chance, 0.5)
        world.host.broker.kill()
        linger(chance, 3.0)
        world.host.broker.start()


FAULT = KillBroker()
