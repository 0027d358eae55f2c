"""When people are told of an incident: when it opens, becomes worse, is over, and now and then
while it changes. Pure: time is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from api.delivery.line import Item

LOOK_S = 1.0  # looked at again after that
ALONE_S = 30.0  # older than that it is told by itself: nobody waits for a grouping that is dead


class Word(StrEnum):
    """Why an incident is told."""

    OPENED = "opened"
    RAISED = "raised"
    CHANGED = "changed"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class IncidentNow:
    """An incident as it stands."""

    id: str
    status: str
    domain: str
    area: str
    began: datetime
    severity: int
    peak: int
    by_severity: Sequence[int]
    open: int
    hidden: int
    ended: int
    over: bool

    @property
    def alerts(self) -> int:
        """How many alerts are in it."""
        return self.open + self.hidden + self.ended

    @property
    def weight(self) -> int:
        """The colour that a message gives it: at its end the worst that it was."""
        return self.peak if self.over else self.severity


@dataclass(frozen=True, slots=True)
class Before:
    """What this subscriber was told of an incident last."""

    severity: int
    at_s: float
    over: bool
    upto: int = -1  # numbers of the outbox that were in it


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the alerts in hand. `upto`: the outbox is grouped up to there."""

    upto: int
    incident_of: Mapping[str, str] = field(default_factory=dict)
    incidents: Mapping[str, IncidentNow] = field(default_factory=dict)
    told: Mapping[str, Before] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()  # alerts that people have silenced or closed


@dataclass(frozen=True, slots=True)
class Telling:
    """What becomes of the items in hand."""

    words: Mapping[str, Word]  # incident: why it is told now
    tell: Sequence[Item]  # of these incidents, or by themselves
    needless: Sequence[Item]
    later: Sequence[tuple[Item, float]]  # with when to look again


def plan_telling(items: Sequence[Item], known: Known, now_s: float, digest_s: float) -> Telling:
    """Decides for one subscriber. Every item is in exactly one of the three lists."""
    words: dict[str, Word] = {}
    waiting: list[tuple[Item, str]] = []
    tell: list[Item] = []
    needless: list[Item] = []
    later: list[tuple[Item, float]] = []
    for item in items:
        alert = item.event.alert
        id = known.incident_of.get(alert)
        before = known.told.get(id or "")
        if alert in known.quiet or item.event.content.get("suppressed_by") is not None:
            needless.append(item)
        elif item.event.sequence > known.upto:
            if now_s - item.queued_s < ALONE_S:
                later.append((item, now_s + LOOK_S))
            else:
                tell.append(item)
        elif id is None or id not in known.incidents:
            needless.append(item)  # it never fired
        elif before is not None and item.event.sequence <= before.upto:
            needless.append(item)  # an earlier message told of it
        elif known.incidents[id].over and before is not None and before.over:
            needless.append(item)
        elif known.incidents[id].over and before is not None:
            later.append((item, now_s + LOOK_S))  # who was told of it is told of the end apart
        else:
            waiting.append((item, id))
            word = word_of(known.incidents[id], before, item, now_s, digest_s)
            if word is not None and words.get(id) is not Word.RAISED:
                words[id] = word
    for item, id in waiting:
        if id in words:
            tell.append(item)
        else:
            later.append((item, known.told[id].at_s + digest_s))
    return Telling(words, tell, needless, later)


def word_of(
    incident: IncidentNow, before: Before | None, item: Item, now_s: float, digest_s: float
) -> Word | None:
    """Why this change of it is told now; None: later."""
    if incident.over:
        return Word.OVER
    if before is None or before.over:
        return Word.OPENED
    if min(int(item.event.content["severity"]), incident.severity) > before.severity:
        return Word.RAISED
    return Word.CHANGED if now_s >= before.at_s + digest_s else None
