"""Words of access: roles of people, scopes of programs, and where either holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from streams.contracts.area_code import covers, is_area_code, stem_of

ALL = "all"  # in place of a code: everything, also what stands in no area


class Role(StrEnum):
    """What a person may do. An administrator gives access and, by that alone, no orders."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    COMMANDER = "commander"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """What a program may do. No scope lets a program give access."""

    READ = "read"
    ACT = "act"  # what an operator may
    SUBSCRIBE = "subscribe"
    REPORT = "report"  # say what became of what was delivered


IMPLIED: Mapping[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.VIEWER, Role.OPERATOR}),
    Role.COMMANDER: frozenset({Role.VIEWER, Role.OPERATOR, Role.COMMANDER}),
    Role.ADMINISTRATOR: frozenset({Role.VIEWER, Role.ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an area and everything in it."""

    role: Role
    area: str


def read_grant(text: str) -> Grant:
    """A grant written as `role@area`. `ValueError` says what is wrong."""
    role, at, area = text.partition("@")
    if role not in set(Role) or not at or not is_place(area):
        roles = ", ".join(Role)
        raise ValueError(f"{text!r}: must be role@area; roles: {roles}; area: a code or {ALL}")
    return Grant(Role(role), area)


def is_place(text: str) -> bool:
    """Whether a grant or key may name it: the code of an area, or `all`."""
    return text == ALL or is_area_code(text)


def holds(outer: str, inner: str) -> bool:
    """Whether who has `outer` has `inner`, too."""
    return outer == ALL or (inner != ALL and covers(outer, inner))


@dataclass(frozen=True, slots=True)
class Reach:
    """The areas in which a caller may do something: codes, each with what lies in it, or `all`."""

    areas: tuple[str, ...]

    @property
    def everything(self) -> bool:
        return ALL in self.areas

    def covers(self, area: str) -> bool:
        """Whether all of the area, or `all`, is inside."""
        return any(holds(outer, area) for outer in self.areas)

    def meets(self, area: str) -> bool:
        """Whether some of the area is inside."""
        return self.covers(area) or any(holds(area, inner) for inner in self.areas)

    def stems(self) -> list[str] | None:
        """What the codes of all areas inside begin with; None = everything."""
        return None if self.everything else [stem_of(area) for area in self.areas]

    def within(self, other: Reach) -> bool:
        """Whether the other one covers all of this."""
        return all(other.covers(area) for area in self.areas)

    def __str__(self) -> str:
        return ", ".join(self.areas)


def reach_of(areas: Iterable[str]) -> Reach:
    """Without repetitions, in order."""
    return Reach(tuple(sorted(set(areas))))


EVERYTHING = Reach((ALL,))
NOTHING = Reach(())
