"""Who acts: a person, a program or the system itself, and what they may do where. Pure.

The state machines ask nothing else of whoever acts; who somebody is and what was granted is decided
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.actions.refusal import Refused
from streams.contracts.area_code import covers

EVERYWHERE = "all"


class Kind(StrEnum):
    """What kind of actor."""

    PERSON = "person"
    PROGRAM = "program"
    SYSTEM = "system"


class Role(StrEnum):
    """What somebody may do in an area and everything in it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    COMMANDER = "commander"
    REPORTER = "reporter"  # a program that says what became of what it was told
    SUBSCRIBER = "subscriber"  # manages the subscriptions that tell of this area


IMPLIED: Mapping[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.VIEWER, Role.OPERATOR, Role.REPORTER}),
    Role.COMMANDER: frozenset({Role.VIEWER, Role.OPERATOR, Role.COMMANDER, Role.REPORTER}),
    Role.REPORTER: frozenset({Role.REPORTER}),
    Role.SUBSCRIBER: frozenset({Role.SUBSCRIBER}),
}


class NotAllowed(Refused):
    """Not by this actor."""

    def __init__(self, why: str) -> None:
        super().__init__([why])


class OutOfSight(NotAllowed):
    """Not by this actor, who has nothing at all there and need not learn that it exists."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`who` as the audit names it, e.g. `account:wang`, `key:4f21`, `local:root`, `system`."""

    who: str
    kind: Kind
    grants: tuple[tuple[Role, str], ...] = ()

    def may(self, role: Role, area: str) -> bool:
        """Whether they have the role, or one that includes it, in all of this area."""
        return any(
            role in IMPLIED[granted] and (place == EVERYWHERE or covers(place, area))
            for granted, place in self.grants
        )

    def require(self, role: Role, area: str) -> None:
        """`NotAllowed` unless they may; `OutOfSight` when they have no role there."""
        if not self.may(role, area):
            anything = any(self.may(each, area) for each in Role)
            raise (NotAllowed if anything else OutOfSight)(f"this needs the role {role} for {area}")

    def require_kind(self, kinds: frozenset[Kind], what: str) -> None:
        """`NotAllowed` unless they are of one of these kinds."""
        if self.kind not in kinds:
            allowed = " or ".join(f"a {kind}" for kind in Kind if kind in kinds)
            raise NotAllowed(f"{what} takes {allowed}, never a {self.kind}")


SYSTEM = Actor("system", Kind.SYSTEM)
