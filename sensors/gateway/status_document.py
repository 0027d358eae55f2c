"""What OpenAPI says about the status of gateways."""

from __future__ import annotations

from typing import Any

STATUS = (
    "What a gateway says of itself and its devices; the same JSON that an MQTT gateway keeps as "
    "the retained message of its `status` topic. Written within some seconds; the newest word "
    "wins. It moves no alert: those come from readings alone. Readings, too, count as being heard."
)
STATUSES = (
    "Gateways that were ever heard, when, and what they said last. `quiet` is true when one was "
    "not heard for the quiet time of the settings, or said `offline`. With a key: its own gateway "
    "only."
)

_TIME = {
    "oneOf": [
        {"type": "string", "format": "date-time"},
        {"type": "integer", "description": "epoch ms"},
    ]
}
_STATE = {"enum": ["online", "degraded", "offline"]}
_SHAPE = {
    "type": "object",
    "required": ["state"],
    "additionalProperties": False,
    "properties": {
        "state": _STATE,
        "gateway": {"type": "string", "description": "May be left out when the key says it."},
        "version": {"type": "string", "maxLength": 200},
        "queue": {"type": "integer", "minimum": 0, "description": "Readings that wait in it."},
        "time": {**_TIME, "description": "Its own clock."},
        "detail": {"type": "string", "maxLength": 200},
        "devices": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["device", "state"],
                "additionalProperties": False,
                "properties": {
                    "device": {"type": "string", "description": "A sensor of this gateway."},
                    "state": _STATE,
                    "seen": {**_TIME, "description": "When the gateway heard it last."},
                },
            },
        },
    },
}
_EXAMPLE = {
    "gateway": "gw-330106-1",
    "state": "degraded",
    "version": "1.4.2",
    "queue": 120,
    "detail": "uplink over 4G",
    "devices": [
        {"device": "fp-330106-001-d", "state": "offline", "seen": "2026-07-01T07:40:00+08:00"}
    ],
}
STATUS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _SHAPE, "example": _EXAMPLE}},
    }
}
_PROBLEM: dict[str, Any] = {"application/problem+json": {}}
STATUS_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Noted; `refused` lists devices that are not this gateway's",
        "content": {
            "application/json": {
                "example": {"gateway": "gw-330106-1", "devices": 1, "refused": []},
            }
        },
    },
    400: {"description": "The body is no status", "content": _PROBLEM},
    401: {"description": "No valid key", "content": _PROBLEM},
    403: {"description": "The key of another gateway", "content": _PROBLEM},
    422: {"description": "The gateway is unknown", "content": _PROBLEM},
    429: {"description": "Beyond the gateway's quota; see Retry-After", "content": _PROBLEM},
    503: {"description": "Not now; see Retry-After", "content": _PROBLEM},
}
STATUSES_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "By name; `devices` when one gateway is asked for",
        "content": {
            "application/json": {
                "example": {
                    "as_of": "2026-07-01T00:05:00.000Z",
                    "gateways": [
                        {
                            "gateway": "gw-330106-1",
                            "seen": "2026-07-01T00:04:58.000Z",
                            "quiet": False,
                            "state": "degraded",
                            "said": "2026-07-01T00:00:00.000Z",
                            "version": "1.4.2",
                            "queue": 120,
                            "detail": "uplink over 4G",
                        }
                    ],
                }
            }
        },
    },
    401: {"description": "No valid key", "content": _PROBLEM},
    403: {"description": "The key of another gateway", "content": _PROBLEM},
    503: {"description": "The store does not answer; see Retry-After", "content": _PROBLEM},
}
