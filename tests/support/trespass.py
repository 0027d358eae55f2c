"""What somebody of one county asks for in another, for every route of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.access.need import NEEDS, Need
from tests.support.seed import Seeded
from tests.support.seed_acts import Acts

WISH = {
    "name": "theirs",
    "target": "https://example.org/hook",
    "filter": {"areas": ["{theirs}"]},
}

BODIES: Mapping[str, Any] = {
    "POST /v1/session": {"login": "nobody", "password": "wrong password 1"},
    "POST /v1/session/link": {"token": "x" * 43},
    "POST /v1/session/password": {"old": "wrong password 1", "new": "another long one 2"},
    "POST /v1/access/accounts": {
        "login": "new.one",
        "password": "a long enough word",
        "grants": [{"role": "viewer", "area": "{theirs}"}],
    },
    "PATCH /v1/access/accounts/{login}": {"name": "changed"},
    "POST /v1/access/accounts/{login}/grants": {"role": "viewer", "area": "{theirs}"},
    "POST /v1/alerts/{id}/actions": {"action": "acknowledge"},
    "POST /v1/closures": {"link": "{link}"},
    "POST /v1/closures/{id}/steps": {"step": "order"},
    "POST /v1/messages": {
        "area": "{theirs}",
        "text_zh": "积水",
        "expires": "2099-01-01T00:00:00+08:00",
    },
    "POST /v1/messages/{id}/signature": {"digest": "x"},
    "POST /v1/messages/{id}/refusal": {"note": "wrong"},
    "POST /v1/messages/{id}/sending": {"reference": "1"},
    "POST /v1/events/{event}/answers": {
        "subscription": "s",
        "outcome": "executed",
        "reference": "2",
    },
    "POST /v1/callouts/{alert}/answers": {"level": "county"},
    "POST /v1/callouts/{alert}/confirmations": {"line": "county"},
    "POST /v1/subscriptions": WISH,
    "PUT /v1/subscriptions/{id}": WISH,
    "POST /v1/subscriptions/preview": {"areas": ["{theirs}"]},
    "POST /v1/access/keys": {"name": "k", "scopes": ["read"], "areas": ["{theirs}"]},
}
QUERIES: Mapping[str, Mapping[str, str]] = {
    "GET /v1/points": {"area": "{theirs}"},
    "GET /v1/alerts": {"area": "{theirs}"},
    "GET /v1/incidents": {"area": "{theirs}"},
    "GET /v1/incidents/screen": {"area": "{theirs}"},
    "GET /v1/events": {"area": "{theirs}"},
    "GET /v1/events/stream": {"area": "{theirs}"},
    "GET /v1/closures": {"area": "{theirs}"},
    "GET /v1/messages": {"area": "{theirs}"},
    "GET /v1/callouts": {"area": "{theirs}"},
    "GET /v1/cap/feed": {"area": "{theirs}"},
    "GET /v1/ledger": {"area": "{theirs}"},
    "GET /v1/tickets": {"area": "{theirs}"},
    "GET /v1/episodes": {"area": "{theirs}"},
    "GET /v1/sensors/health": {"area": "{theirs}"},
    "GET /v1/facts": {"area": "{theirs}"},
    "GET /v1/fiware/entities": {"type": "FloodMonitoring", "area": "{theirs}"},
    "GET /v1/readings": {"property": "depth", "point": "{point}"},
    "GET /v1/sensorthings/v1.1/{path}": {},
}
# What a list answers to who asks for another county by name; else 403.
NOT_TOLD: Mapping[str, int] = {
    "GET /v1/readings": 422,  # as for a point that is not there
    "GET /v1/sensorthings/v1.1/{path}": 404,
    "GET /v1/live": 200,  # takes no area
    "GET /v1/subscriptions": 200,
    "GET /v1/access/accounts": 200,
    "GET /v1/access/keys": 200,
    "GET /v1/access/audit": 200,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One route with its parameters filled in."""

    route: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def need(self) -> Need:
        return NEEDS[self.route]


def requests(seeded: Seeded, acts: Acts, key_id: str, login: str) -> list[Request]:
    """Every route, asking for what belongs to the seeded county."""
    words = {
        "theirs": seeded.county,
        "code": seeded.county,
        "area": seeded.county,
        "point": seeded.point,
        "login": login,
        "role": "viewer",
        "indicator": "waterlogging.flooded",
        "period": "hour",
        "start": "2024-09-16T05:00:00+08:00",
        "alert": acts.alert,
        "event": str(acts.event),
        "link": acts.link,
        "identifier": f"{seeded.namespace}-{acts.alert}-1",
        "path": f"Things('{seeded.point}')",
    }
    found = []
    for route in NEEDS:
        method, path = route.split(" ")
        own = words | {"id": _id(path, seeded, acts, key_id)}
        query = {name: text.format(**own) for name, text in QUERIES.get(route, {}).items()}
        body = _filled(BODIES.get(route), own)
        found.append(Request(route, method, path.format(**own), query, body))
    return found


def _id(path: str, seeded: Seeded, acts: Acts, key_id: str) -> str:
    acted = {
        "closures": str(acts.closure),
        "messages": str(acts.message),
        "subscriptions": acts.subscription,
        "deliveries": f"{acts.subscription}-{acts.event}",
    }
    if (kind := path.split("/")[2]) in acted:
        return acted[kind]
    if "/incidents/" in path:
        return acts.incident
    if "/alerts/" in path:
        return seeded.alert
    if "/keys/" in path:
        return key_id
    if "/fiware/" in path:
        return f"urn:ngsi-ld:FloodMonitoring:{seeded.namespace}:{seeded.point}"
    return seeded.point


def _filled(given: Any, words: Mapping[str, str]) -> Any:
    if isinstance(given, dict):
        return {name: _filled(value, words) for name, value in given.items()}
    if isinstance(given, list):
        return [_filled(each, words) for each in given]
    return given.format(**words) if isinstance(given, str) else given
