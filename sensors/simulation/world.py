"""The joined world: one state that the players read, moved in one fixed order.

Within a step of 30 s: the sky rains on the ground (`ground`), the counties learn how bad it is
(`counties`), traffic meets the weather and the closed roads (`roads`), people go to shelters or
home (`refuge`). Nothing flows back within a step. The state after a step is a function of
registry, sky, seed and start alone: played again, it is the same.
"""

from __future__ import annotations

from sensors.simulation.counties import Counties
from sensors.simulation.ground import Ground
from sensors.simulation.player import STEP_MS
from sensors.simulation.refuge import Refuge
from sensors.simulation.roads import Roads
from sensors.simulation.sky import Sky
from streams.catalog import Registry
from streams.contracts.domain import HOUR_MS


class World:
    """See the module. `start_ms` is the start of the play, a whole minute."""

    def __init__(self, registry: Registry, sky: Sky, seed: int, start_ms: int) -> None:
        self.registry = registry
        self.sky = sky
        self.seed = seed
        self.start_ms = start_ms
        self.ground = Ground(registry, sky, seed)
        self.counties = Counties(registry, self.ground, sky)
        self.roads = Roads(registry, self.ground, self.counties, seed)
        self.refuge = Refuge(registry, self.counties, seed)

    def hour(self, time_ms: float) -> float:
        """Hours since the start."""
        return (time_ms - self.start_ms) / HOUR_MS

    def advance(self, start_ms: int) -> None:
        """The step [start, start + STEP_MS); steps must follow each other."""
        hour = self.hour(start_ms + STEP_MS / 2)
        self.ground.advance(start_ms, hour)
        self.counties.advance(start_ms, hour)
        self.roads.advance(start_ms)
        self.refuge.advance()
