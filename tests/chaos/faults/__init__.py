"""Faults, one a file. Each strikes a world that is under load; afterwards all work must go on.

`ALL` finds them: a new file with a `FAULT` is drawn from then on.
"""

from __future__ import annotations

import pkgutil
import random
import time
from importlib import import_module
from typing import Protocol

from tests.chaos.fleet import Worker
from tests.chaos.wire import Moment, Then, Trap
from tests.chaos.world import World

SPRING_S = 90.0


class Fault(Protocol):
    """Something that goes wrong, at a moment that chance picks."""

    name: str
    needs_broker: bool

    def strike(self, world: World, chance: random.Random) -> None:
        """Does it, and undoes what does not heal by itself. May assert what must hold meanwhile."""


def linger(chance: random.Random, longest_s: float, least_s: float = 0.0) -> None:
    """Lets a random time pass: the fault is to come at any moment. Nothing is waited for."""
    time.sleep(chance.uniform(least_s, longest_s))


def spring(world: World, moment: Moment, then: Then, topic: str) -> tuple[Worker, Trap]:
    """Lays a trap for every worker that owns something whose topic begins so; gives the first that
    went into it. The others are let go."""
    owner = f"citybrain owner {world.namespace} {topic}"
    laid = [(w, w.wire.set_trap(Trap(moment, then, owner))) for w in world.fleet.alive]
    shut = [trap.shut for _, trap in laid]
    keep = None
    try:
        world.wait(
            lambda: any(one.is_set() for one in shut), f"no worker is {moment.value}", SPRING_S
        )
        keep = next(pair for pair in laid if pair[1].shut.is_set())
    finally:
        for worker, trap in laid:
            if keep is None or trap is not keep[1]:
                worker.wire.remove_trap(trap)
    return keep


def all_faults(with_broker: bool) -> list[Fault]:
    """Every fault that this world can have, by name."""
    found: list[Fault] = [
        import_module(f"{__name__}.{module.name}").FAULT
        for module in pkgutil.iter_modules(__path__)
    ]
    return [fault for fault in found if with_broker or not fault.needs_broker]
