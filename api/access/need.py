"""What every route needs: the one table, read by the check before each route. Pure.

A route that stands not here cannot be served: the app does not start. `None` as role or scope means
that no person, or no program, may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.access.role import Role, Scope


class Of(StrEnum):
    """How the area of what is asked for is found, and what becomes of another's."""

    NOTHING = "nothing"  # it is of no area
    SHARED = "shared"  # the map: the same for everybody who may read
    ROWS = "rows"  # rows of other areas are left out; asked for by name: 403
    OBJECT = "object"  # of another area: 404, as if it were not there
    NAMED = "named"  # its code is in the path; another's: 403


@dataclass(frozen=True, slots=True)
class Need:
    """What one route needs."""

    role: Role | None
    scope: Scope | None
    of: Of
    public: bool = False  # for everybody, also without credentials
    own: bool = False  # the person's own: for everybody with an account, whatever it may


PUBLIC = Need(None, None, Of.NOTHING, public=True)
OWN = Need(None, None, Of.NOTHING, own=True)


def reads(of: Of) -> Need:
    """A viewer, or a program that may read."""
    return Need(Role.VIEWER, Scope.READ, of)


def acts(of: Of, scope: Scope | None = None) -> Need:
    """An operator, or a program with this scope."""
    return Need(Role.OPERATOR, scope, of)


def administers(of: Of) -> Need:
    """An administrator, never a program."""
    return Need(Role.ADMINISTRATOR, None, of)


NEEDS: Mapping[str, Need] = {
    "GET /v1/session": PUBLIC,
    "POST /v1/session": PUBLIC,
    "POST /v1/session/link": PUBLIC,
    "GET /v1/session/oidc": PUBLIC,
    "GET /v1/session/oidc/callback": PUBLIC,
    "DELETE /v1/session": OWN,
    "POST /v1/session/password": OWN,
    "GET /v1/access/accounts": administers(Of.ROWS),
    "POST /v1/access/accounts": administers(Of.ROWS),
    "GET /v1/access/accounts/{login}": administers(Of.OBJECT),
    "PATCH /v1/access/accounts/{login}": administers(Of.OBJECT),
    "POST /v1/access/accounts/{login}/grants": administers(Of.OBJECT),
    "DELETE /v1/access/accounts/{login}/grants/{role}/{area}": administers(Of.OBJECT),
    "GET /v1/access/keys": administers(Of.ROWS),
    "POST /v1/access/keys": administers(Of.ROWS),
    "DELETE /v1/access/keys/{id}": administers(Of.OBJECT),
    "GET /v1/access/audit": administers(Of.ROWS),
    "GET /v1/health": reads(Of.NOTHING),
    "GET /v1/namespaces": reads(Of.NOTHING),
    "GET /v1/domains": reads(Of.NOTHING),
    "GET /v1/indicators": reads(Of.NOTHING),
    "GET /v1/areas": reads(Of.SHARED),
    "GET /v1/areas/{code}": reads(Of.SHARED),
    "GET /v1/areas/{code}/latest": reads(Of.NAMED),
    "GET /v1/areas/{code}/history": reads(Of.NAMED),
    "GET /v1/points": reads(Of.ROWS),
    "GET /v1/points/{id}": reads(Of.OBJECT),
    "GET /v1/points/{id}/latest": reads(Of.OBJECT),
    "GET /v1/points/{id}/history": reads(Of.OBJECT),
    "GET /v1/alerts": reads(Of.ROWS),
    "GET /v1/alerts/{id}": reads(Of.OBJECT),
    "GET /v1/alerts/{id}/actions": reads(Of.OBJECT),
    "POST /v1/alerts/{id}/actions": acts(Of.OBJECT),
    "GET /v1/alerts/{id}/answers": reads(Of.OBJECT),
    "GET /v1/incidents": reads(Of.ROWS),
    "GET /v1/incidents/screen": reads(Of.ROWS),
    "GET /v1/incidents/{id}": reads(Of.OBJECT),
    "GET /v1/incidents/{id}/alerts": reads(Of.OBJECT),
    "GET /v1/events": reads(Of.ROWS),
    "GET /v1/events/stream": reads(Of.ROWS),
    "GET /v1/events/{event}/answers": reads(Of.OBJECT),
    "POST /v1/events/{event}/answers": acts(Of.OBJECT, Scope.REPORT),
    "GET /v1/closures": reads(Of.ROWS),
    "POST /v1/closures": acts(Of.OBJECT),
    "GET /v1/closures/{id}": reads(Of.OBJECT),
    "POST /v1/closures/{id}/steps": acts(Of.OBJECT, Scope.ACT),
    "GET /v1/messages": reads(Of.ROWS),
    "POST /v1/messages": acts(Of.ROWS, Scope.ACT),
    "GET /v1/messages/{id}": reads(Of.OBJECT),
    "POST /v1/messages/{id}/signature": Need(Role.COMMANDER, None, Of.OBJECT),
    "POST /v1/messages/{id}/refusal": acts(Of.OBJECT),
    "POST /v1/messages/{id}/sending": acts(Of.OBJECT, Scope.REPORT),
    "GET /v1/callouts": reads(Of.ROWS),
    "GET /v1/callouts/{alert}": reads(Of.OBJECT),
    "POST /v1/callouts/{alert}/answers": acts(Of.OBJECT, Scope.REPORT),
    "POST /v1/callouts/{alert}/confirmations": acts(Of.OBJECT, Scope.REPORT),
    "GET /v1/subscriptions": acts(Of.ROWS, Scope.SUBSCRIBE),
    "POST /v1/subscriptions": acts(Of.ROWS, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/preview": acts(Of.ROWS, Scope.SUBSCRIBE),
    "GET /v1/subscriptions/{id}": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "PUT /v1/subscriptions/{id}": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "DELETE /v1/subscriptions/{id}": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/{id}/pause": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/{id}/resume": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/{id}/rotate": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/{id}/test": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "GET /v1/subscriptions/{id}/preview": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "GET /v1/subscriptions/{id}/deliveries": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/subscriptions/{id}/retry": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "POST /v1/deliveries/{id}/retry": acts(Of.OBJECT, Scope.SUBSCRIBE),
    "GET /v1/warnings": reads(Of.SHARED),
    "GET /v1/warnings/{id}": reads(Of.SHARED),
    "GET /v1/warnings/{id}/original": reads(Of.SHARED),
    "GET /v1/cap/feed": reads(Of.ROWS),
    "GET /v1/cap/{identifier}": reads(Of.OBJECT),
    "GET /v1/facts": reads(Of.ROWS),
    "GET /v1/facts/{indicator}/{area}/{period}/{start}": reads(Of.OBJECT),
    "GET /v1/readings": reads(Of.ROWS),
    "GET /v1/ledger": reads(Of.ROWS),
    "GET /v1/tickets": reads(Of.ROWS),
    "GET /v1/episodes": reads(Of.ROWS),
    "GET /v1/sensors/health": reads(Of.ROWS),
    "GET /v1/live": reads(Of.ROWS),
    "GET /v1/fiware/types": reads(Of.NOTHING),
    "GET /v1/fiware/entities": reads(Of.ROWS),
    "GET /v1/fiware/entities/{id}": reads(Of.OBJECT),
    "GET /v1/sensorthings/v1.1": reads(Of.NOTHING),
    "GET /v1/sensorthings/v1.1/{path}": reads(Of.ROWS),
}


def differences(served: Iterable[str], declared: Iterable[str]) -> list[str]:
    """What of the routes is not declared, and what is declared and not served, in words."""
    have, want = set(served), set(declared)
    missing = [f"{route} says nowhere what it needs" for route in sorted(have - want)]
    return missing + [f"{route} is declared, but not served" for route in sorted(want - have)]
