"""Who asks: a person with grants, a program with a key, or anybody where reading is open. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from api.access.need import Need
from api.access.role import EVERYTHING, IMPLIED, NOTHING, Grant, Reach, Role, Scope, reach_of

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the audit names it: `account:<login>`, `key:<id>` or `anonymous`."""

    who: str
    address: str
    grants: tuple[Grant, ...] = ()
    key: tuple[frozenset[Scope], Reach] | None = None
    session: bytes | None = None  # digest of the session, when there is one
    must_change_password: bool = False

    @property
    def login(self) -> str | None:
        """Of a person."""
        return self.who.removeprefix("account:") if self.who.startswith("account:") else None

    def reach(self, need: Need) -> Reach:
        """Where the caller has what a route needs; nowhere when at all not."""
        if need.public:
            return EVERYTHING
        if need.own and self.login is not None:
            return EVERYTHING
        if self.key is not None:
            scopes, areas = self.key
            return areas if need.scope in scopes else NOTHING
        return NOTHING if need.role is None else self.reach_as(need.role)

    @property
    def sight(self) -> Reach:
        """What of the namespace the caller may see to act on it."""
        return self.reach_as(Role.VIEWER) if self.key is None else self.key[1]

    def reach_as(self, role: Role) -> Reach:
        """Where a person has this role, or one that includes it."""
        return reach_of(grant.area for grant in self.grants if role in IMPLIED[grant.role])


def lacking(caller: Caller, need: Need) -> str:
    """In words, what a caller would need who may not."""
    if caller.key is not None:
        if need.scope is None:
            return "No API key may do this; it needs an account."
        return f"This needs an API key with the scope {need.scope}."
    if need.own or need.role is None:
        return "This needs an account."
    return f"This needs the role {need.role}."
