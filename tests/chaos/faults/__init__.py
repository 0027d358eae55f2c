"""Faults, one a file. Each strikes a world that is under load; afterwards all work must go on.

`ALL` finds them: a new file with a `FAULT` is drawn from then on.
"""

from __future__ import annotations

import pkgutil
import random
import time
from importlib import import_module
from typing import Protocol

from tests.chaos.world import World


class Fault(Protocol):
    """Something that goes wrong, at a moment that chance picks."""

    name: str
    needs_broker: bool

    def strike(self, world: World, chance: random.Random) -> None:
        """Does it, and undoes what does not heal by itself. May assert what must hold meanwhile."""


def linger(chance: random.Random, longest_s: float, least_s: float = 0.0) -> None:
    """Lets a random time pass: the fault is to come at any moment. Nothing is waited for."""
    time.sleep(chance.uniform(least_s, longest_s))


def all_faults(with_broker: bool) -> list[Fault]:
    """Every fault that this world can have, by name."""
    found: list[Fault] = [
        import_module(f"{__name__}.{module.name}").FAULT
        for module in pkgutil.iter_modules(__path__)
    ]
    return [fault for fault in found if with_broker or not fault.needs_broker]
