"""What OpenAPI says about the gateway's routes."""

from __future__ import annotations

from typing import Any

from sensors.gateway.decoding import CONTENT_TYPES, NDJSON, SENML
from sensors.gateway.formats.events import BATCH, SOURCE, TYPE
from streams.contracts.cloudevents import STRUCTURED
from streams.contracts.frame import JSON
from streams.contracts.reason import Reason

READINGS = (
    "Readings of one gateway in one of five formats, by content type: the native batch, NDJSON, "
    "SenML (RFC 8428), CloudEvents 1.0 structured and in batches; with headers `ce-…` one "
    "CloudEvent in binary mode. Who sends shows a key (`Authorization: Bearer …`), which names its "
    "gateway; else the body, `?gateway=` or the header `x-citybrain-gateway` does. Each reading is "
    "checked against the registry by itself. The answer comes after the "
    "log has taken every reading that was accepted. 200: at least one was accepted (or none was "
    "sent); `refused` lists the others. 422: all were refused. 429 and 503 with `Retry-After`: "
    "nothing is kept, send the same again. With `id`, a batch that is sent again is dropped whole "
    "downstream; without, reading by reading."
)
HEALTH = (
    "200 when a registry is active, the last append to the log succeeded and keys, where they are "
    "required, can be checked; else 503."
)
METRICS = "Prometheus text format."

_REFUSED = {
    "type": "object",
    "required": ["index", "sensor", "reason", "detail"],
    "properties": {
        "index": {"type": "integer", "minimum": 0},
        "sensor": {"type": "string"},
        "reason": {"type": "string", "enum": sorted(reason.value for reason in Reason)},
        "detail": {"type": "string"},
        "line": {"type": "integer", "description": "NDJSON: from 1."},
        "record": {"type": "integer", "description": "SenML: from 0."},
        "event": {"type": "integer", "description": "CloudEvents: from 0."},
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
    "required": ["readings"],
    "additionalProperties": False,
    "properties": {
        "gateway": {
            "type": "string",
            "description": "Id of a registered gateway; may be left out when the key names it.",
        },
        "id": {"type": "string", "maxLength": 100, "description": "Same id, same batch."},
        "readings": {"type": "array", "items": _READING},
    },
}
_EXAMPLE = {
    "gateway": "gw-330106-1",
    "id": "b-000017",
    "readings": [
        {
            "sensor": "fp-330106-001-d",
            "property": "depth",
            "time": "2026-07-01T08:00:00+08:00",
            "value": 0.31,
        }
    ],
}
_LINES = (
    '{"sensor":"fp-330106-001-d","property":"depth","time":1782864000000,"value":0.31}\n'
    '{"sensor":"fp-330106-002-d","property":"depth","time":1782864000000,"value":0.05}\n'
)
_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_SENML = {
    "type": "array",
    "description": "RFC 8428. The resolved name is <sensor>/<property> or <sensor>:<property>.",
    "items": {
        "type": "object",
        "properties": {
            **dict.fromkeys(("bn", "bu", "n", "u"), _TEXT),
            **dict.fromkeys(("bt", "bv", "v", "t", "ut"), _NUMBER),
            "bver": {"enum": [10, 26]},
        },
    },
}
_SENML_EXAMPLE = [
    {"bn": "fp-330106-001-d/", "bt": 1782864000, "bu": "mm", "n": "depth", "v": 310},
    {"n": "depth", "t": 60, "v": 325},
]
_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 200},
        "source": {"type": "string", "pattern": f"^{SOURCE.pattern}$"},
        "type": {"type": "string", "pattern": f"^{TYPE.pattern}$"},
        "subject": {"type": "string", "description": "The point, or an area around it."},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "data": {
            "description": "A reading, an array of them, or {readings: [...]}. `sensor` defaults "
            "to the device of `source`, `time` to the event's."
        },
    },
}
_EVENT_EXAMPLE = {
    "specversion": "1.0",
    "id": "17",
    "source": "/zj/330106/fp-330106-001-d",
    "type": "cn.gov.zj.citybrain.waterlogging.observation.v1",
    "subject": "330106",
    "time": "2026-07-01T08:00:00+08:00",
    "data": {"property": "depth", "value": 0.31},
}
EXAMPLES: dict[str, Any] = {
    JSON: _EXAMPLE,
    NDJSON: _LINES,
    SENML: _SENML_EXAMPLE,
    STRUCTURED: _EVENT_EXAMPLE,
    BATCH: [_EVENT_EXAMPLE, {**_EVENT_EXAMPLE, "id": "18"}],
}
_SCHEMAS: dict[str, Any] = {
    JSON: _BATCH,
    NDJSON: {"type": "string", "description": "One reading a line."},
    SENML: _SENML,
    STRUCTURED: _EVENT,
    BATCH: {"type": "array", "items": _EVENT},
}
READINGS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": _SCHEMAS[kind], "example": EXAMPLES[kind]} for kind in CONTENT_TYPES
        },
    },
    "parameters": [
        {
            "name": "gateway",
            "in": "query",
            "schema": _TEXT,
            "description": "Which gateway sends, when neither body nor key says so.",
        },
        {
            "name": "id",
            "in": "query",
            "schema": {"type": "string", "maxLength": 100},
            "description": "The request's number, for formats that have none.",
        },
    ],
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
    401: "No valid key",
    403: "The key belongs to another gateway",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "This content type is not read",
    422: "The gateway is unknown, or every reading was refused (then `refused` lists them)",
    429: "This gateway is beyond its quota, or has too many readings waiting; see Retry-After",
    503: "The gateway, the log or the check of keys does not work now; see Retry-After",
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
