"""Call-out (叫应): who must be called about an alert, until somebody answers and acts. Pure.

Orange calls the duty officers of county and town, red also the village and the point's owner
(domain.md §8.3). Who does not answer in time is followed by the deputy, then by the level above, up
to the province; each post is called once. Deadlines fire in order, stamped with the deadline, so
that a late look gives the same as a punctual one. Not here yet: one call-out for alerts of one
cause, and who holds a post tonight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from api.actions.refusal import Conflict, Unknown

RED = 4
ORANGE = 3


class Level(StrEnum):
    """Whose officers."""

    VILLAGE = "village"
    OWNER = "owner"  # who runs the point
    TOWN = "town"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"


class Post(StrEnum):
    """Whom of a level."""

    OFFICER = "officer"
    DEPUTY = "deputy"


class Event(StrEnum):
    """What happened in a call-out; these are its steps."""

    CALLED = "called"
    ANSWERED = "answered"
    ACTING = "acting"
    UNREACHED = "unreached"  # nobody is left to be called
    NOT_ACTING = "not_acting"  # answered or not, nobody has confirmed acting in time
    ENDED = "ended"


ABOVE: Mapping[Level, Level] = {
    Level.VILLAGE: Level.TOWN,
    Level.OWNER: Level.COUNTY,
    Level.TOWN: Level.COUNTY,
    Level.COUNTY: Level.CITY,
    Level.CITY: Level.PROVINCE,
}


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """A post that is called."""

    level: Level
    post: Post


@dataclass(frozen=True, slots=True)
class Limits:
    """House conventions of domain.md §8.3."""

    answer: timedelta = timedelta(minutes=5)
    acting: timedelta = timedelta(minutes=15)


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Line:
    """One level that must know: its ladder of calls, and how far up it has come."""

    level: Level
    started: datetime
    called_at: datetime
    rung: int = 0
    answered_by: str | None = None
    acting_by: str | None = None
    unreached: bool = False
    not_acting: bool = False


@dataclass(frozen=True, slots=True)
class Callout:
    """All lines of an alert. `ended`: the alert is over, nobody is called any more."""

    lines: tuple[Line, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a line, at its own time."""

    event: Event
    at: datetime
    line: Level
    call: Call | None = None
    who: str | None = None


def levels(severity: int, area_level: Level) -> tuple[Level, ...]:
    """Which levels must know; of an alert of a whole city or province only that."""
    if severity < ORANGE:
        return ()
    if area_level in (Level.CITY, Level.PROVINCE):
        return (area_level,)
    called = (Level.COUNTY, Level.TOWN)
    return (*called, Level.VILLAGE, Level.OWNER) if severity >= RED else called


def ladder(level: Level) -> tuple[Call, ...]:
    """Officer, deputy, then the officers above."""
    calls = [Call(level, Post.OFFICER), Call(level, Post.DEPUTY)]
    while level in ABOVE:
        level = ABOVE[level]
        calls.append(Call(level, Post.OFFICER))
    return tuple(calls)


def call_out(
    callout: Callout, severity: int, area_level: Level, now: datetime
) -> tuple[Callout, list[Happening]]:
    """Adds the lines that this severity asks for and that are not there yet."""
    known = {line.level for line in callout.lines}
    happened: list[Happening] = []
    for level in levels(severity, area_level):
        if level in known:
            continue
        before = _called(callout)
        callout = replace(callout, lines=(*callout.lines, Line(level, now, now)), ended=False)
        happened += _call(ladder(level)[0], level, now, before)
    return callout, happened


def due(callout: Callout, limits: Limits) -> datetime | None:
    """The next deadline; None when nothing is awaited."""
    return min((at for at, _, _ in _deadlines(callout, limits)), default=None)


def expire(callout: Callout, now: datetime, limits: Limits) -> tuple[Callout, list[Happening]]:
    """Lets all deadlines up to now pass, in order."""
    happened: list[Happening] = []
    while True:
        first = min(_deadlines(callout, limits), default=None, key=lambda each: each[:2])
        if first is None or first[0] > now:
            return callout, happened
        at, number, event = first
        before = _called(callout)
        line = _passed(callout.lines[number], at, event)
        callout = _with(callout, number, line)
        if event is Event.NOT_ACTING or line.unreached:
            happened.append(Happening(event, at, line.level))
        else:
            happened += _call(ladder(line.level)[line.rung], line.level, at, before)


def answer(
    callout: Callout, call: Call, who: str, now: datetime
) -> tuple[Callout, list[Happening]]:
    """Somebody answered: counts for every line that has called this post and waits.

    A late answer counts, too. `Unknown` when the post was not called, `Conflict` when every line
    that called it was answered before.
    """
    if call not in _called(callout):
        raise Unknown(f"the {call.post} of the {call.level} was not called")
    happened: list[Happening] = []
    for number, line in enumerate(callout.lines):
        if line.answered_by is None and call in _up_to(line):
            line = replace(line, answered_by=who, unreached=False)
            callout = _with(callout, number, line)
            happened.append(Happening(Event.ANSWERED, now, line.level, call, who))
    if not happened:
        raise Conflict(f"the call to the {call.level} was answered already")
    return callout, happened


def confirm(
    callout: Callout, level: Level, who: str, now: datetime
) -> tuple[Callout, list[Happening]]:
    """A level acts, which is an answer, too. `Unknown` or `Conflict` as for `answer`."""
    for number, line in enumerate(callout.lines):
        if line.level is not level:
            continue
        if line.acting_by is not None:
            raise Conflict(f"{line.acting_by} has confirmed already that the {level} acts")
        answered = line.answered_by or who
        line = replace(line, acting_by=who, answered_by=answered, unreached=False)
        return _with(callout, number, line), [Happening(Event.ACTING, now, level, None, who)]
    raise Unknown(f"the {level} was not called out")


def end(callout: Callout) -> Callout:
    """The alert is over."""
    return replace(callout, ended=True)


def is_overdue(callout: Callout) -> bool:
    """Whether people must look: a level that nobody reaches, or that does not act."""
    return not callout.ended and any(
        line.acting_by is None and (line.unreached or line.not_acting) for line in callout.lines
    )


def _deadlines(callout: Callout, limits: Limits) -> Iterator[tuple[datetime, int, Event]]:
    if callout.ended:
        return
    for number, line in enumerate(callout.lines):
        if line.answered_by is None and not line.unreached:
            yield line.called_at + limits.answer, number, Event.UNREACHED
        if line.acting_by is None and not line.not_acting:
            yield line.started + limits.acting, number, Event.NOT_ACTING


def _passed(line: Line, at: datetime, event: Event) -> Line:
    if event is Event.NOT_ACTING:
        return replace(line, not_acting=True)
    if line.rung + 1 == len(ladder(line.level)):
        return replace(line, unreached=True)
    return replace(line, rung=line.rung + 1, called_at=at)


def _called(callout: Callout) -> frozenset[Call]:
    return frozenset(call for line in callout.lines for call in _up_to(line))


def _up_to(line: Line) -> tuple[Call, ...]:
    return ladder(line.level)[: line.rung + 1]


def _call(call: Call, level: Level, at: datetime, before: frozenset[Call]) -> list[Happening]:
    return [] if call in before else [Happening(Event.CALLED, at, level, call)]


def _with(callout: Callout, number: int, line: Line) -> Callout:
    lines = list(callout.lines)
    lines[number] = line
    return replace(callout, lines=tuple(lines))
