"""Faults: each takes the frames of a step and gives them back spoilt. Composable, deterministic.

A fault never makes an ingest time go back within an area, and never changes an origin.
`parse` reads `KIND[:ARGUMENT]`; every kind is a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from sensors.simulation.faults.dead import Dead
from sensors.simulation.faults.drift import Drift
from sensors.simulation.faults.duplicates import Duplicates
from sensors.simulation.faults.gateway_down import GatewayDown
from sensors.simulation.faults.late import Late
from sensors.simulation.faults.out_of_order import OutOfOrder
from sensors.simulation.faults.skewed_clock import SkewedClock
from sensors.simulation.faults.spiking import Spiking
from sensors.simulation.faults.stuck import Stuck
from sensors.simulation.faults.unit_change import UnitChange
from streams.contracts.frame import Frame
from streams.errors import Misconfigured


class Fault(Protocol):
    """One thing that goes wrong between the ground and the log."""

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        """The frames of the step that ends at `now_ms`, spoilt; called once per step, in order."""


Maker = Callable[[str, int, int], Fault]  # argument, seed, start_ms

KINDS: Mapping[str, Maker] = MappingProxyType(
    {
        "stuck": Stuck.parse,
        "spiking": Spiking.parse,
        "dead": Dead.parse,
        "skewed-clock": SkewedClock.parse,
        "gateway-down": GatewayDown.parse,
        "late": Late.parse,
        "duplicates": Duplicates.parse,
        "out-of-order": OutOfOrder.parse,
        "drift": Drift.parse,
        "unit-change": UnitChange.parse,
    }
)


def parse(texts: Sequence[str], seed: int, start_ms: int) -> tuple[Fault, ...]:
    """The faults in the order given. Raises `Misconfigured` with every mistake."""
    found: list[Fault] = []
    mistakes: list[str] = []
    for text in texts:
        kind, _, argument = text.partition(":")
        make = KINDS.get(kind)
        if make is None:
            mistakes.append(f"fault {kind!r} is none of {', '.join(KINDS)}")
            continue
        try:
            found.append(make(argument, seed, start_ms))
        except ValueError as error:
            mistakes.append(f"fault {text!r}: {error}")
    if mistakes:
        raise Misconfigured(mistakes)
    return tuple(found)
