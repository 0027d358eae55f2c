"""Plays the domain waterlogging: depth gauges at points that may flood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from sensors.simulation import noise
from sensors.simulation.player import STEP_MS, STEP_S, Block, Channel, channels_of, sensors_with
from sensors.simulation.world import World
from streams.contracts.domain import Domain

DRY_MM = 3  # shallower water does not reach the depth sensor
NOISE_MM = 0.8


class WaterloggingPlayer:
    """See the module."""

    domain = "waterlogging"
    units: Mapping[str, str] = MappingProxyType({"depth": "m"})

    def __init__(self, world: World, domain: Domain) -> None:
        self._ground = world.ground
        self.channels: Sequence[Channel] = channels_of(world.registry, "depth")
        self._keys = noise.name_keys(tuple(s.name for s in sensors_with(world.registry, "depth")))
        self._noise = noise.key(world.seed, "depth.noise")
        phase = noise.uniform(noise.key(0, "phase"), self._keys) * STEP_S
        self._phase_ms = phase.astype(np.int64) * 1000

    def advance(self, start_ms: int) -> Sequence[Block]:
        """Each gauge reads at its own second of the step, to the millimetre, zero when dry."""
        before, after = self._ground.depth_before_m, self._ground.depth_m
        now = before + (after - before) * (self._phase_ms / STEP_MS)
        error = NOISE_MM * noise.bell(self._noise, self._keys, start_ms // STEP_MS)
        whole_mm = np.rint(1000.0 * now + error)
        value = np.where(1000.0 * now < DRY_MM, 0.0, np.maximum(whole_mm, 0.0)) / 1000.0
        channel = np.arange(len(self._keys), dtype=np.int32)
        return [Block(channel, start_ms + self._phase_ms, value)]


PLAYER = WaterloggingPlayer
