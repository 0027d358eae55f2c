"""The whole city, step by step: world, players, frames, faults; ticks between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sensors.simulation.faults import Fault
from sensors.simulation.frames import Packer
from sensors.simulation.player import STEP_MS, Player
from sensors.simulation.world import World
from streams.contracts.frame import Frame

TICK_MS = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """What leaves the city until the next step ends; ingest times never go back.

    `ticks_ms` are moments at which every partition is told that time has passed.
    """

    end_ms: int
    frames: tuple[Frame, ...]
    ticks_ms: tuple[int, ...]


def run(
    world: World, players: Sequence[Player], faults: Sequence[Fault], end_ms: int
) -> Iterator[Step]:
    """The steps from the world's start until `end_ms`, deterministic; a world plays once."""
    packers = [Packer(player) for player in players]
    for begin_ms in range(world.start_ms, end_ms, STEP_MS):
        world.advance(begin_ms)
        frames: list[Frame] = []
        for player, packer in zip(players, packers, strict=True):
            frames += packer.pack(player.advance(begin_ms), begin_ms)
        step_end_ms = begin_ms + STEP_MS
        for fault in faults:
            frames = fault.apply(step_end_ms, frames)
        frames.sort(key=lambda f: (f.ingest_ms, f.source, f.id))
        ticks = tuple(range(step_end_ms, step_end_ms + STEP_MS, TICK_MS))
        yield Step(step_end_ms, tuple(frames), ticks)
