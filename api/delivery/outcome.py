"""How an attempt to deliver ended, and what a delivery has become by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_TEXT = 300  # characters of an error or a receipt that are kept


class State(StrEnum):
    """Of a delivery. The last three are final, until a person retries a dead letter."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"  # by a newer state of the same alert, where only that counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver answered, or why it did not. `final`: another attempt would end the same."""

    delivered: bool
    status: int | None = None
    error: str | None = None
    receipt: str | None = None
    final: bool = False
    wish_s: float | None = None  # how long the receiver wishes to be left alone


@dataclass(frozen=True, slots=True)
class Result:
    """What is written of a delivery."""

    subscription: str
    sequence: int
    alert: str
    state: State
    attempts: int
    next_s: float | None = None  # wall clock, epoch seconds
    outcome: Outcome | None = None
    missed: tuple[int, ...] = ()  # what a sent message told of as missed


def shorten(text: str) -> str:
    """One line, without what a terminal or a database would choke on, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MOST_TEXT else line[: MOST_TEXT - 1] + "…"
