"""A rule set: what a city says of its alert rules, as one immutable, content-hashed version.

It speaks in differences: a domain's own rules hold as they are where it says nothing. Reading it
from files is `deploy.rules`; what it makes of the rules of an area is `streams.alerting.ruling`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from streams.catalog import content_hash
from streams.contracts.reason import Severity

SHORT = 12  # digits of the hash on every transition
COLOURS = {s.name.lower(): s for s in Severity if s is not Severity.NONE}
NO = "none"  # takes away what was said before


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a rule, or an override of it, says; None and absent colours: nothing.

    Numbers are decimals as written, in the rule's unit; `none` takes a level, the jump or the
    duration away. A level that begins with `>` is met only above. `for_*` say how long a level
    must be met before the alert is raised, `clear_*` how long below before it ends.
    """

    levels: dict[str, str] = {}  # colour → threshold
    for_readings: str | None = None
    for_minutes: str | None = None
    jump: str | None = None  # one reading so far above a level raises it at once
    below_by: str | None = None  # a level is left so far below it
    clear_readings: str | None = None
    clear_minutes: str | None = None
    off: bool | None = None


class Scope(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a rule holds: everywhere that each list which is given allows."""

    areas: tuple[str, ...] = ()  # and everything below them
    types: tuple[str, ...] = ()  # of points
    points: tuple[str, ...] = ()
    where: dict[str, str] = {}  # attribute of the point → value

    @property
    def is_of_points(self) -> bool:
        """Whether it says anything of points: then it never speaks of an area as a whole."""
        return bool(self.types or self.points or self.where)


class Override(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Other terms in an area and below it, or at a point: exactly one of the two is named."""

    area: str = ""
    point: str = ""
    terms: Terms = Terms()

    @property
    def place(self) -> str:
        """Which it is of, for people."""
        return f"point {self.point}" if self.point else f"area {self.area}"


class Clause(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One rule of the set: a change of a domain's own rule of this name, or a new rule.

    `watches` is a property of the domain or the name of one of its rules over a derived value;
    only a new rule needs it, as it needs titles and `levels` and a clear condition. `hidden_by`:
    rules whose alerts hide those of this one in people's lists; `none` alone: nobody's do.
    """

    name: str
    domain: str
    watches: str = ""
    title_zh: str = ""
    title_en: str = ""
    unit: str = ""
    terms: Terms = Terms()
    scope: Scope = Scope()
    season: tuple[tuple[str, str], ...] = ()  # first and last day, MM-DD
    overrides: tuple[Override, ...] = ()
    hidden_by: tuple[str, ...] | None = None


class RuleSet(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, dict=True
):
    """One version. The order of its rules and of their overrides means nothing."""

    rules: tuple[Clause, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, in one order, for hashing and storing."""
        rules = [_in_order(one) for one in sorted(self.rules, key=lambda one: one.name)]
        return {"rules": _said(msgspec.to_builtins(rules))}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> RuleSet:
        """The reverse of `to_dict`. Raises `ValueError` for what is no rule set."""
        return msgspec.convert(content, RuleSet)

    @cached_property
    def version(self) -> str:
        """Content hash, `sha256:<hex>`."""
        return content_hash(self.to_dict())

    @property
    def mark(self) -> str:
        """The beginning of the version's digits that every transition carries."""
        return mark_of(self.version)


def mark_of(version: str) -> str:
    """The short form of a rule set's version; "" where none is in force."""
    return version.removeprefix("sha256:")[:SHORT]


def _in_order(clause: Clause) -> Clause:
    scope = clause.scope
    return msgspec.structs.replace(
        clause,
        overrides=tuple(sorted(clause.overrides, key=lambda one: (one.area, one.point))),
        season=tuple(sorted(clause.season)),
        hidden_by=None if clause.hidden_by is None else tuple(sorted(clause.hidden_by)),
        scope=Scope(
            areas=tuple(sorted(scope.areas)),
            types=tuple(sorted(scope.types)),
            points=tuple(sorted(scope.points)),
            where=scope.where,
        ),
    )


def _said(content: Any) -> Any:
    """Without what says nothing, so that it makes no difference how it is left out."""
    if isinstance(content, dict):
        said = {key: _said(value) for key, value in content.items()}
        return {key: value for key, value in said.items() if value not in ({}, [])}
    if isinstance(content, list | tuple):
        return [_said(one) for one in content]
    return content
