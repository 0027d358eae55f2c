"""What OpenAPI says about the gateway's routes."""

from __future__ import annotations

from typing import Any

READINGS = (
    "Readings of one gateway, checked one by one against the registry. The answer comes after the "
    "log has taken every reading that was accepted. 200: at least one was accepted (or none was "
    "sent); `refused` lists the others. 422: all were refused. 429 and 503 with `Retry-After`: "
    "nothing is kept, send the same again. With `id`, a batch that is sent again is dropped whole "
    "downstream; without, reading by reading."
)
HEALTH = "200 when a registry is active and the last append to the log succeeded, else 503."
METRICS = "Prometheus text format."

_REFUSED = {
    "type": "object",
    "required": ["index", "sensor", "reason", "detail"],
    "properties": {
        "index": {"type": "integer", "minimum": 0},
        "sensor": {"type": "string"},
        "reason": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_READING = {
    "type": "object",
    "required": ["sensor", "property", "time", "value"],
    "additionalProperties": False,
    "properties": {
        "sensor": {"type": "string"},
        "property": {"type": "string"},
        "time": {
            "description": "When it was measured; the start of the interval for interval values.",
            "oneOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "description": "epoch ms"},
            ],
        },
        "value": {"type": "number", "description": "In the property's canonical unit."},
        "unit": {"type": "string", "description": "Checked when given, never converted."},
        "flag": {"enum": [1, 2, 3, 4, 9], "description": "The device's own QARTOD flag."},
    },
}
_BATCH = {
    "type": "object",
    "required": ["gateway", "readings"],
    "additionalProperties": False,
    "properties": {
        "gateway": {"type": "string", "description": "Id of a registered gateway."},
        "id": {"type": "string", "maxLength": 100, "description": "Same id, same batch."},
        "readings": {"type": "array", "items": _READING},
    },
}
_EXAMPLE = {
    "gateway": "gw-330106-1",
    "id": "b-000017",
    "readings": [
        {
            "sensor": "fp-330106-001",
            "property": "depth",
            "time": "2026-07-01T08:00:00+08:00",
            "value": 0.31,
        }
    ],
}
READINGS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _BATCH, "example": _EXAMPLE}},
    }
}
_ANSWER = {
    "type": "object",
    "required": ["accepted", "refused"],
    "properties": {
        "accepted": {"type": "integer"},
        "refused": {"type": "array", "items": _REFUSED},
    },
}
_STATUSES = {
    400: "The body is no batch of readings",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The gateway is unknown, or every reading was refused (then `refused` lists them)",
    429: "This gateway has too many readings waiting; see Retry-After",
    503: "The gateway or the log cannot take more now; see Retry-After",
}
READINGS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Taken, except what is refused",
        "content": {"application/json": {"schema": _ANSWER}},
    },
    **{
        status: {"description": text, "content": {"application/problem+json": {}}}
        for status, text in _STATUSES.items()
    },
}
