"""What a subscriber did with an event: executed, refused or failed, with its own reference. Pure.

The same answer again is the same answer. Another one for the same event is kept beside it, and the
newest counts: a gate that failed may be shut at the second try.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What became of it."""

    EXECUTED = "executed"
    REFUSED = "refused"  # the subscriber decided not to
    FAILED = "failed"  # it tried and could not


@dataclass(frozen=True, slots=True)
class Answer:
    """What a subscriber says."""

    outcome: Outcome
    reference: str
    reason: str = ""


def mistakes(answer: Answer) -> list[str]:
    """What is missing: always a reference, and a reason unless it was executed."""
    found = []
    if not answer.reference.strip():
        found.append("reference: a subscriber's own number of what it did")
    if answer.outcome is not Outcome.EXECUTED and not answer.reason.strip():
        found.append(f"reason: say why it {answer.outcome}")
    return found


def repeated(earlier: Sequence[Answer], answer: Answer) -> int | None:
    """Which of the earlier answers for the event this one repeats; None when it is news."""
    for number, each in enumerate(earlier):
        if each == answer:
            return number
    return None


def is_late(answered: datetime, valid_until: datetime) -> bool:
    """Whether it acted on an event that nobody should act on any more."""
    return answered > valid_until


def stands_out(newest: Iterable[Outcome]) -> bool:
    """Whether people must look: somebody who was told has not done it."""
    return any(outcome is not Outcome.EXECUTED for outcome in newest)
