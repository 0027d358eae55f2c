"""A test of rules: what is measured when, what else happens, which transitions are wanted when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.alerting.ruleset import RuleSet
from streams.contracts.closing import Ending
from streams.contracts.reason import Change, Severity

SOURCE = "/rules/test"  # of the gateways of a test


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a test, and the name of the gateway that speaks for it ("": the one of all)."""

    id: str
    type: str
    area: str
    attributes: Mapping[str, str]
    gateway: str = ""

    @property
    def source(self) -> str:
        """The gateway's id."""
        return source_of(self.gateway)


@dataclass(frozen=True, slots=True)
class Seen:
    """One value: of a property, or, where `what` names a rule, of what the domain derives.

    It is on its way `late_ms` longer than usual.
    """

    time_ms: int
    point: str
    what: str
    value: float
    late_ms: int = 0


@dataclass(frozen=True, slots=True)
class Warned:
    """An official warning: its type (暴雨, …), its colour, where it holds, and until when."""

    type: str
    severity: Severity
    areas: tuple[str, ...]
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HandClose:
    """A person closes the newest alert of a rule and subject. `seen` is the severity that they
    saw, None: the one that it has."""

    rule: str
    subject: str
    ending: Ending
    seen: Severity | None = None
    reason: str = ""


Happening = RuleSet | frozenset[str] | Warned | HandClose


@dataclass(frozen=True, slots=True)
class Happens:
    """At a moment: another rule set, points that leave, a warning, or a person's close."""

    time_ms: int
    what: Happening


@dataclass(frozen=True, slots=True)
class Wanted:
    """One transition that must come between two event times (both included), or none at all.

    `more`: what else must be true of it, by field, as written; the fields are those of
    `deploy.rules.came`.
    """

    line: int
    rule: str
    subject: str
    from_ms: int = 0
    to_ms: int = 0
    change: Change | None = None
    severity: Severity | None = None
    never: bool = False
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    """One test. Times are epoch ms of its day, by the profile's zone.

    `rules` are its own, None: those of the folder.
    """

    file: str
    line: int
    name: str
    start_ms: int
    until_ms: int
    profile: Mapping[str, str]
    rules: RuleSet | None = None
    places: dict[str, Place] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    happens: list[Happens] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)


def source_of(gateway: str) -> str:
    """The id of a gateway by its name in a test."""
    return f"{SOURCE}/{gateway}" if gateway else SOURCE


def clock(case: Case, time_ms: int) -> str:
    """The time of the test's day; 24:10:00 is the next one."""
    minutes, seconds = divmod((time_ms - case.start_ms) // 1000, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
