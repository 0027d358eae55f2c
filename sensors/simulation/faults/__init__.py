"""Faults: each takes the frames of a step and gives them back spoilt. Composable, deterministic.

A fault never makes an ingest time go back within an area, and never changes an origin.
"""

from __future__ import annotations

from typing import Protocol

from streams.contracts.frame import Frame


class Fault(Protocol):
    """One thing that goes wrong between the ground and the log."""

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        """The frames of the step that ends at `now_ms`, spoilt; called once per step, in order."""
