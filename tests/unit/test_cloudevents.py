"""CloudEvents on Kafka as their own project tests them, and what we refuse."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from streams.contracts.cloudevents import STRUCTURED, CloudEvent, read, write_structured
from streams.contracts.codec import decode, encode
from streams.contracts.frame import JSON, MSGPACK, Frame, Record
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent
from tests.support.frames import make_frame
from tests.support.shared_data import shared_data

FEATURE = "conformance/kafka-protocol-binding.feature"
CONTENT_TYPES = ("application/cloudevents+json", "application/cloudevents+json; charset=utf-8")


def scenarios() -> dict[str, str]:
    """The scenarios of the conformance feature by their first word."""
    text = (shared_data("cloudevents") / FEATURE).read_text(encoding="utf-8")
    parts = re.split(r"^\s*Scenario(?: Outline)?: ", text, flags=re.MULTILINE)[1:]
    return {part.split()[0]: part for part in parts}


def tables(text: str) -> list[dict[str, str]]:
    """The key-value tables of a scenario, in order."""
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|") or len(cells) != 2:
            continue
        if cells == ["key", "value"]:
            found.append({})
        else:
            found[-1][cells[0]] = cells[1]
    return found


def documents(text: str) -> list[str]:
    return [part.strip() for part in re.findall(r'"""(.*?)"""', text, flags=re.DOTALL)]


def test_the_binary_scenario_of_the_conformance_suite() -> None:
    scenario = scenarios()["Binary"]
    headers, attributes = tables(scenario)
    payload, data = documents(scenario)
    event = read(headers, payload.encode())
    assert event.attributes() == attributes
    assert json.loads(event.data) == json.loads(data)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_structured_scenario_of_the_conformance_suite(content_type: str) -> None:
    scenario = scenarios()["Structured"]
    assert f"| {content_type}" in scenario
    headers, attributes = tables(scenario)
    payload, data = documents(scenario)
    headers = {k: v.replace("<contentType>", content_type) for k, v in headers.items()}
    event = read(headers, payload.encode())
    assert event.attributes() == attributes
    assert json.loads(event.data) == json.loads(data)


@pytest.mark.parametrize("encoding", [JSON, MSGPACK])
def test_our_frames_are_events_by_the_schema_of_the_specification(encoding: str) -> None:
    text = (shared_data("cloudevents") / "cloudevents.schema.json").read_text(encoding="utf-8")
    headers, body = encode(make_frame(), encoding)
    event = read(headers, body)
    _, structured = write_structured(event)
    jsonschema.Draft7Validator(json.loads(text)).validate(json.loads(structured))


@pytest.mark.parametrize("encoding", [JSON, MSGPACK])
def test_a_frame_in_structured_mode_says_the_same(encoding: str) -> None:
    frame = make_frame()
    headers, body = encode(frame, encoding)
    event = read(headers, body)
    extended = CloudEvent(
        event.id,
        event.source,
        event.type,
        event.data,
        event.time,
        event.subject,
        event.datacontenttype,
        {"origin": "live", "backfill": "true"},
    )
    found = decode(Record(0, 0, *write_structured(extended)))
    assert isinstance(found, Frame)
    assert found.value.tolist() == frame.value.tolist()
    assert (found.area, found.origin, found.backfill) == (frame.area, frame.origin, True)


def structured(**change: object) -> bytes:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "1",
        "source": "/gw",
        "type": "citybrain.tick.v1",
        "time": "2026-07-01T00:00:00Z",
    }
    return json.dumps({k: v for k, v in (event | change).items() if v is not None}).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"[]", Reason.WRONG_TYPE),
        (structured()[:-1], Reason.MALFORMED),
        (structured(id=None), Reason.BAD_HEADERS),
        (structured(id=""), Reason.BAD_HEADERS),
        (structured(source="a b"), Reason.BAD_HEADERS),
        (structured(type={"a": 1}), Reason.WRONG_TYPE),
        (structured(specversion="0.3"), Reason.UNKNOWN_VERSION),
        (structured(data=1, data_base64="MQ=="), Reason.BAD_HEADERS),
        (structured(data_base64="%"), Reason.MALFORMED),
        (structured(data_base64=5), Reason.WRONG_TYPE),
        (structured(Origin="live"), Reason.BAD_HEADERS),
    ],
)
def test_a_damaged_structured_event_is_refused(body: bytes, reason: Reason) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        read({"content-type": STRUCTURED}, body)
    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json; charset=latin-1",
        "application/cloudevents-batch+json",
        "application/cloudevents+avro",
    ],
)
def test_other_structured_forms_are_unknown(content_type: str) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        read({"content-type": content_type}, structured())
    assert refusal.value.reason is Reason.UNKNOWN_ENCODING
