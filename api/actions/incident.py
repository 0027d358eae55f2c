"""Grouping (事件归并): which alerts are one incident for people's lists. Pure; event time only.

An incident is one domain in one county (in their city or province for alerts of these) and one
status, whose firing alerts overlap or follow each other within a quiet gap. Programs are not
concerned: they get every transition.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

COLOURS = 5
NOTHING = -1  # what people see of an alert that is over or hidden
GAP_MS = 30 * 60_000  # house number: a city's own convention, no standard gives one
COUNTY_DIGITS = 6
Key: TypeAlias = tuple[str, str, str]  # status, domain, county (or city, or province)


class Step(StrEnum):
    """What happens to an incident, for people."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    CLOSED = "closed"
    REOPENED = "reopened"  # a late alert of before the end of the quiet


class Phase(StrEnum):
    """Of an alert, as far as grouping looks."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Held:
    """The alert flaps: people go on seeing this colour until then."""

    severity: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """One transition, as its message tells it. `number` is the outbox's."""

    number: int
    alert: str
    sequence: int
    status: str
    domain: str
    area: str
    at_ms: int
    phase: Phase
    severity: int
    hidden_by: str | None = None
    held: Held | None = None

    @property
    def key(self) -> Key:
        """Of what it can be a part."""
        return self.status, self.domain, self.area[:COUNTY_DIGITS]


@dataclass(slots=True)
class Member:
    """An alert of an incident, in its present state."""

    alert: str
    incident: str
    area: str
    began_ms: int
    ended_ms: int | None = None
    severity: int = 0
    hidden_by: str | None = None
    held: Held | None = None
    shown: int = NOTHING
    sequence: int = 0

    def seen(self) -> int:
        """What people see of it: its colour or the one that is held; nothing when it is over."""
        if self.hidden_by is not None:
            return NOTHING
        held = NOTHING if self.held is None else self.held.severity
        return max(held, self.severity if self.ended_ms is None else NOTHING)


@dataclass(slots=True)
class Incident:
    """An incident in its present state. `by_severity` counts what people see."""

    id: str
    key: Key
    began_ms: int
    changed_ms: int
    severity: int = 0
    peak: int = 0
    by_severity: list[int] = field(default_factory=lambda: [0] * COLOURS)
    open: int = 0
    hidden: int = 0
    ended: int = 0
    quiet_ms: int | None = None
    closed_ms: int | None = None
    steps: int = 0
    opened: int = -1
    upto: int = -1

    @property
    def firing(self) -> int:
        """How many members fire, whether people see them or not."""
        return self.open + self.hidden


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that an incident has made. `alert`: what did it; None: time."""

    incident: str
    number: int
    area: str
    step: Step
    at_ms: int
    severity: int
    alert: str | None = None


def incident_id(alert: str) -> str:
    """Of the incident that this alert opens: an alert is of one incident only."""
    return hashlib.blake2b(f"incident {alert}".encode(), digest_size=8).hexdigest()


class Grouping:
    """Takes transitions in the order of their numbers. It owns what it is given.

    `incidents` holds of every key that comes the newest incident, `members` every alert that comes
    and is known, and all that are held. Any split of the same transitions over several groupings
    gives the same.
    """

    def __init__(
        self,
        incidents: Iterable[Incident] = (),
        members: Iterable[Member] = (),
        gap_ms: int = GAP_MS,
    ) -> None:
        self._gap_ms = gap_ms
        self.incidents = {each.id: each for each in incidents}
        self.members = {each.alert: each for each in members}
        self.touched: set[str] = set()
        self.moved: set[str] = set()
        self.steps: list[Taken] = []
        self._newest: dict[Key, Incident] = {}
        self._holds: dict[str, list[tuple[int, str]]] = {}
        for each in self.incidents.values():
            known = self._newest.get(each.key)
            if known is None or each.opened > known.opened:
                self._newest[each.key] = each
        for member in self.members.values():
            self._hold(member)

    def take(self, told: Told) -> None:
        """Counts one transition; one that was counted before changes nothing."""
        member = self.members.get(told.alert)
        if told.phase is Phase.PENDING or (member is not None and told.sequence <= member.sequence):
            return
        newest = self._newest.get(told.key)
        if newest is not None:
            self._pass(newest, told.at_ms)
        if member is not None:
            self._change(self.incidents[member.incident], member, told)
        elif told.phase is Phase.FIRING:
            self._join(newest, told)

    def pass_time(self, now_ms: int) -> None:
        """Lets holds and quiets end that are over by then."""
        for incident in list(self.incidents.values()):
            self._pass(incident, now_ms)

    def _join(self, newest: Incident | None, told: Told) -> None:
        opens = newest is None or not self._goes_on(newest, told.at_ms)
        if newest is None or opens:
            newest = Incident(incident_id(told.alert), told.key, told.at_ms, told.at_ms)
            newest.opened = told.number
            self.incidents[newest.id] = self._newest[told.key] = newest
        elif newest.closed_ms is not None:
            newest.closed_ms = None
            self._step(newest, Step.REOPENED, told.at_ms, told.alert)
        newest.began_ms = min(newest.began_ms, told.at_ms)
        member = Member(told.alert, newest.id, told.area, told.at_ms)
        self.members[told.alert] = member
        self._change(newest, member, told, opens=opens)

    def _goes_on(self, incident: Incident, at_ms: int) -> bool:
        """Whether an alert that fires from then on overlaps it, or follows within the gap."""
        if incident.quiet_ms is None or any(incident.by_severity):
            return True
        return at_ms <= incident.quiet_ms + self._gap_ms

    def _change(
        self, incident: Incident, member: Member, told: Told, *, opens: bool = False
    ) -> None:
        known = member.sequence > 0
        if known:
            self._count(incident, member, -1)
        if told.phase is Phase.RESOLVED:
            member.ended_ms = told.at_ms
        else:
            member.ended_ms, member.severity = None, told.severity
        member.hidden_by, member.sequence = told.hidden_by, told.sequence
        held = told.held
        member.held = held if held is not None and held.until_ms > told.at_ms else None
        self._hold(member)
        self._count(incident, member, 1)
        incident.changed_ms = max(incident.changed_ms, told.at_ms)
        incident.upto = max(incident.upto, told.number)
        self._settle(incident, told.at_ms, told.alert, opens=opens)

    def _count(self, incident: Incident, member: Member, by: int) -> None:
        if member.ended_ms is not None:
            incident.ended += by
        elif member.hidden_by is not None:
            incident.hidden += by
        else:
            incident.open += by
        if by > 0:
            member.shown = member.seen()
        if member.shown != NOTHING:
            incident.by_severity[member.shown] += by
        self.moved.add(member.alert)
        self.touched.add(incident.id)

    def _settle(
        self, incident: Incident, at_ms: int, alert: str | None, *, opens: bool = False
    ) -> None:
        """What follows from the counts: the colour, and whether it is quiet."""
        before = incident.severity
        incident.severity = max(
            (rank for rank, count in enumerate(incident.by_severity) if count), default=0
        )
        incident.peak = max(incident.peak, incident.severity)
        if incident.firing:
            incident.quiet_ms = None
        else:
            incident.quiet_ms = max(incident.quiet_ms or at_ms, at_ms)
        if opens:
            self._step(incident, Step.OPENED, at_ms, alert)
        elif incident.severity > before:
            self._step(incident, Step.RAISED, at_ms, alert)
        elif incident.severity < before:
            self._step(incident, Step.LOWERED, at_ms, alert)

    def _pass(self, incident: Incident, now_ms: int) -> None:
        """Deadlines up to then, in order, stamped with the deadline."""
        holds = self._holds.get(incident.id, [])
        while holds and holds[0][0] <= now_ms:
            until_ms, alert = heapq.heappop(holds)
            member = self.members[alert]
            if member.held is not None and member.held.until_ms == until_ms:
                self._count(incident, member, -1)
                member.held = None
                self._count(incident, member, 1)
                self._settle(incident, until_ms, None)
        if incident.quiet_ms is None or incident.closed_ms is not None or holds:
            return
        if (over_ms := incident.quiet_ms + self._gap_ms) < now_ms:
            incident.closed_ms = over_ms
            self._step(incident, Step.CLOSED, over_ms, None)

    def _hold(self, member: Member) -> None:
        if member.held is not None:
            holds = self._holds.setdefault(member.incident, [])
            heapq.heappush(holds, (member.held.until_ms, member.alert))

    def _step(self, incident: Incident, step: Step, at_ms: int, alert: str | None) -> None:
        incident.steps += 1
        self.touched.add(incident.id)
        self.steps.append(
            Taken(
                incident.id, incident.steps, incident.key[2], step, at_ms, incident.severity, alert
            )
        )
