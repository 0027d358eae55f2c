"""Optimistic locking: who changes something says what they have seen of it."""

from __future__ import annotations

from api.actions.refusal import Conflict


class Overtaken(Conflict):
    """Somebody was faster."""


def expect(expected: int | None, actual: int) -> None:
    """`Overtaken` when the caller has seen another step as the newest; None asks for nothing."""
    if expected is not None and expected != actual:
        raise Overtaken(f"it has moved on: its newest step is {actual}, not {expected}; read it")
