"""JSON Schemas (2020-12) of everything on the wire, and where they are written.

`python -m streams.contracts.schemas [FOLDER]` writes them and the AsyncAPI document into
docs/schemas; a test compares. A schema says what can be said about one message alone: that
columns are of one length and indices inside their dictionary is the decoder's to check.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from streams.contracts.cap.model import Status
from streams.contracts.closing import MAX_REASON, Ending
from streams.contracts.cloudevents import MAX_TEXT
from streams.contracts.codec import CONTROL_KINDS
from streams.contracts.columns import MAX_PROPERTIES, MAX_TIME_MS, SCHEMA
from streams.contracts.frame import MAX_ROWS
from streams.contracts.reason import AlertState, Change, Flag, Origin, Reason, Severity
from streams.contracts.schemas_asyncapi import build_asyncapi
from streams.contracts.warning import Form, Kind

Schema: TypeAlias = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path("docs/schemas")

_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_TEXT,
    "pattern": r"^[^\u0000-\u001f\u007f]+$",
}
_TIME: Schema = {"type": "integer", "minimum": -MAX_TIME_MS, "maximum": MAX_TIME_MS}
_FLAG: Schema = {"enum": [int(flag) for flag in Flag]}
_TEXT: Schema = {"type": "string"}
_DECIMAL: Schema = {"type": ["string", "null"], "description": "Decimal text or null."}
_OTHERS = "tick|control|refusal|warning|close"
_COUNT: Schema = {"type": "integer", "minimum": 0}


def build_schemas() -> dict[str, Schema]:
    """Every schema by name, as it is written."""
    found = {
        "headers": _headers(),
        "frame": _frame(),
        "reading": _reading(),
        "tick": {"title": "Tick", "description": "Time has passed: no body.", "maxLength": 0}
        | {"type": "string"},
        "control": _control(),
        "refusal": {
            "title": "Refusal",
            "description": "What a gateway could not take, as it came: the bytes. Headers say why.",
        },
        "warning": _warning(),
        "close": _close(),
        "alert": _alert(),
        "fact": _fact(),
        "deadletter": _dead_letter(),
    }
    return {
        name: {"$schema": DIALECT, "$id": f"urn:citybrain:schema:{name}:{SCHEMA}"} | schema
        for name, schema in found.items()
    }


def render(document: Mapping[str, Any]) -> str:
    """The text of a generated file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def build_files() -> dict[str, str]:
    """The text of every generated file by its name."""
    files = {f"{name}.schema.json": render(s) for name, s in build_schemas().items()}
    return files | {"asyncapi.json": render(build_asyncapi())}


def write_files(folder: Path = FOLDER) -> None:
    """Writes every generated file; takes away schemas that are no longer generated."""
    folder.mkdir(parents=True, exist_ok=True)
    files = build_files()
    for old in folder.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _object(
    title: str, description: str, required: Schema, optional: Schema | None = None
) -> Schema:
    return {
        "title": title,
        "description": description,
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": required | (optional or {}),
    }


def _column(items: Schema, description: str) -> Schema:
    return {
        "type": "array",
        "items": items,
        "maxItems": MAX_ROWS,
        "description": description,
    }


def _names(most: int, description: str) -> Schema:
    return {"type": "array", "items": _NAME, "maxItems": most, "description": description}


def _headers() -> Schema:
    time = {"type": "string", "format": "date-time", "description": "Ingest time, RFC 3339."}
    required: Schema = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _NAME | {"description": "Unique per source: a retried frame is dropped whole."},
        "ce_source": _NAME | {"format": "uri-reference", "description": "The gateway."},
        "ce_type": {
            "type": "string",
            "pattern": rf"^citybrain\.([a-z][a-z0-9_]*\.observation|{_OTHERS})\.v1$",
        },
        "ce_time": time,
    }
    optional: Schema = {
        "ce_subject": _NAME | {"description": "The area (frames, closes)."},
        "content-type": {
            "enum": ["application/json", "application/msgpack", "application/octet-stream"]
        },
        "origin": {"enum": [origin.value for origin in Origin], "description": "Frames, warnings."},
        "backfill": {
            "enum": ["true", "false"],
            "description": "Old recordings: revises figures, notifies nobody.",
        },
        "reason": {"enum": [reason.value for reason in Reason], "description": "Refusals."},
        "detail": {"type": "string", "maxLength": MAX_TEXT, "description": "Refusals."},
        "rows": {"type": "string", "pattern": "^[1-9][0-9]{0,5}$", "description": "Refusals."},
    }
    schema = _object("Headers", "CloudEvents 1.0 binary mode on Kafka.", required, optional)
    return schema | {"additionalProperties": {"type": "string"}}


def _frame() -> Schema:
    required: Schema = {
        "schema": {"const": SCHEMA},
        "sensors": _names(MAX_ROWS, "Dictionary of `sensor`. msgpack: at most 65,536."),
        "properties": _names(MAX_PROPERTIES, "Dictionary of `property`."),
        "sensor": _column(_COUNT, "Index into sensors. msgpack: bytes, u2."),
        "time0": _TIME | {"description": "Epoch ms that `time` counts from."},
        "time": _column(
            {"type": "integer"}, "Event time less time0, ms. msgpack: bytes, i4 or i8."
        ),
        "value": _column(
            {"type": ["number", "null"]}, "In the canonical unit; null = NaN. msgpack: bytes, f8."
        ),
    }
    optional: Schema = {
        "property": _column(
            _COUNT, "Index into properties; not needed for one. msgpack: bytes, u1."
        ),
        "units": _names(MAX_PROPERTIES, "Unit of each property, checked, never converted."),
        "flag": _column(_FLAG, "The source's own QARTOD flags. msgpack: bytes, u1."),
    }
    description = (
        "Readings of one area as columns of equal length. The msgpack form has the same keys with "
        "columns as little-endian bytes."
    )
    return _object("Frame", description, required, optional) | {
        "examples": [
            {
                "schema": SCHEMA,
                "sensors": ["fp-1", "fp-2"],
                "properties": ["depth"],
                "sensor": [0, 1, 0],
                "time0": 1782864000000,
                "time": [0, 0, 60000],
                "value": [0.31, 0.05, 0.33],
            }
        ]
    }


def _reading() -> Schema:
    required: Schema = {
        "sensor": _NAME,
        "property": _NAME,
        "time": _TIME | {"description": "Event time, epoch ms."},
        "value": {"type": ["number", "null"]},
    }
    optional: Schema = {"schema": {"const": SCHEMA}, "unit": _NAME, "flag": _FLAG}
    example = {"sensor": "fp-1", "property": "depth", "time": 1782864000000, "value": 0.31}
    return _object("Reading", "A record with a single reading.", required, optional) | {
        "examples": [example]
    }


def _control() -> Schema:
    required: Schema = {
        "kind": {"enum": list(CONTROL_KINDS)},
        "version": _NAME | {"description": "sha256:<hex> of the canonical content."},
    }
    return _object("Control", "A version comes into force at this offset.", required)


def _close() -> Schema:
    required: Schema = {
        "alert": _NAME,
        "subject": _NAME | {"description": "What the alert is about."},
        "region": {"type": "boolean", "description": "An alert of a whole city or of a gateway."},
        "severity": {"enum": [1, 2, 3, 4], "description": "What was seen: above it does not hold."},
        "number": {"type": "integer", "minimum": 1, "description": "Counts the alert's actions."},
        "by": _NAME,
        "ending": {"enum": [ending.value for ending in Ending]},
        "reason": _TEXT | {"maxLength": MAX_REASON},
    }
    return _object("Close", "A person has closed an alert; `ce_subject` is its area.", required)


def _warning() -> Schema:
    moment: Schema = {"type": ["integer", "null"], "minimum": -MAX_TIME_MS, "maximum": MAX_TIME_MS}
    named = _object("Named", "An earlier message.", {"sender": _NAME, "identifier": _NAME})
    required: Schema = {
        "sender": _NAME,
        "identifier": _NAME | {"description": "With the sender: unique."},
        "sent_ms": _TIME,
        "kind": {"enum": [kind.value for kind in Kind], "description": "CAP msgType."},
        "status": {"enum": [status.value for status in Status], "description": "CAP status."},
        "form": {"enum": [form.value for form in Form], "description": "How it came."},
        "issuers": {"type": "array", "items": _TEXT},
        "event": _TEXT | {"description": "The agency's word."},
        "type": _TEXT | {"description": "Chinese name of a known type; empty when it is none."},
        "severity": {
            "enum": [int(severity) for severity in Severity],
            "description": "0 none stated, 1 蓝 blue, 2 黄 yellow, 3 橙 orange, 4 红 red.",
        },
        "areas": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[0-9]{6}([0-9]{3})?$"},
            "description": "GB/T 2260.",
        },
        "area_text": _TEXT,
        "headline": _TEXT,
        "description": _TEXT,
        "language": _TEXT,
        "media_type": _TEXT,
        "original": {"type": "string", "contentEncoding": "base64"},
    }
    optional: Schema = {
        "instruction": _TEXT,
        "effective_ms": moment,
        "onset_ms": moment,
        "expires_ms": moment | {"description": "null: the house's rule says when it ends."},
        "references": {"type": "array", "items": named, "description": "Updated or cancelled."},
        "series": _TEXT | {"description": "Takes the place of the older one of its series."},
        "geometry": {"type": ["object", "null"], "description": "GeoJSON."},
    }
    description = "An official warning, appended to every partition. `ce_id` names it."
    return _object("Official warning", description, required, optional)


def _alert() -> Schema:
    required: Schema = {
        "alert": _TEXT | {"description": "Fingerprint of rule, subject and onset: same, same id."},
        "sequence": {"type": "integer", "minimum": 1},
        "rule": _TEXT,
        "rule_version": _TEXT,
        "domain": _TEXT,
        "area": _TEXT,
        "point": {"type": ["string", "null"]},
        "subject": _TEXT | {"description": "Point id, area:<code> or gateway:<id>."},
        "onset_ms": _TIME,
        "event_ms": _TIME | {"description": "When it was true."},
        "decided_ms": _TIME | {"description": "Processing time that decided it."},
        "valid_until_ms": _TIME | {"description": "Do not act on it later than that."},
        "state": {"enum": [state.value for state in AlertState]},
        "severity": {
            "enum": [int(severity) for severity in Severity],
            "description": "0 none, 1 蓝 blue, 2 黄 yellow, 3 橙 orange, 4 红 red.",
        },
        "stale": {"type": "boolean", "description": "Its sensor fell silent."},
        "unverified": {"type": "boolean"},
        "change": {"enum": [change.value for change in Change]},
        "value": _DECIMAL,
        "threshold": _DECIMAL,
        "unit": _TEXT,
        "origin": {"enum": [origin.value for origin in Origin]},
        "evidence": {"type": "object"},
        "completeness": _completeness(),
        "suppressed_by": {
            "type": ["string", "null"],
            "description": "Alert that hides this one in people's lists, or ticket:<id> of the "
            "maintenance ticket that stands there instead; programs get both.",
        },
        "held": _held(),
    }
    return _object("Alert event", "Full state of an alert after one transition.", required)


def _held() -> Schema:
    required: Schema = {
        "severity": {"enum": [int(severity) for severity in Severity]},
        "until_ms": _TIME | {"description": "Event time; released then."},
    }
    told = _object("Held", "It flaps: people's lists go on showing this colour.", required)
    return told | {"type": ["object", "null"]}


def _completeness() -> Schema:
    required: Schema = {
        "points": _COUNT | {"description": "Points with sensors."},
        "reporting": _COUNT | {"description": "Of them, those with a sensor that speaks."},
        "unknown": {"type": "boolean", "description": "What is said is not to be believed."},
    }
    told = _object("Completeness", "Of the area, when it was decided; null: unknown.", required)
    return told | {"type": ["object", "null"]}


def _fact() -> Schema:
    required: Schema = {
        "indicator": _TEXT,
        "area": _TEXT,
        "period": {"enum": ["hour", "day", "month", "year", "state"]},
        "start_ms": _TIME,
        "end_ms": _TIME,
        "revision": {"type": "integer", "minimum": 1},
        "value": _DECIMAL,
        "numerator": _DECIMAL,
        "denominator": _DECIMAL,
        "have": _COUNT,
        "want": _COUNT,
        "lower": _DECIMAL,
        "upper": _DECIMAL,
        "unit": _TEXT,
        "method": _TEXT,
        "detail": {"type": "object"},
        "cause": _TEXT,
        "known_ms": _TIME | {"description": "Known from; later revisions supersede it."},
    }
    return _object("Fact event", "One revision of an indicator's value.", required)


def _dead_letter() -> Schema:
    required: Schema = {
        "reason": {"enum": [reason.value for reason in Reason]},
        "detail": _TEXT,
        "topic": _TEXT,
        "partition": _COUNT,
        "position": _COUNT,
        "row": {"type": "integer", "minimum": -1, "description": "-1 = the whole record."},
        "source": _TEXT,
        "area": _TEXT,
        "domain": _TEXT,
        "content_base64": {"type": "string", "contentEncoding": "base64"},
    }
    return _object("Dead letter", "A refused record or row, with its original bytes.", required)


if __name__ == "__main__":
    write_files(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
