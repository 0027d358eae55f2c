"""The gateway's CloudEvents against the specification's own schema and conformance scenarios."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from sensors.gateway.decoding import decode
from sensors.gateway.formats.events import BATCH
from sensors.gateway.reading import Reading, Refused, Request
from streams.contracts.cloudevents import STRUCTURED
from streams.contracts.frame import JSON
from tests.support.gateway_bench import NOW_MS
from tests.support.shared_data import shared_data

EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "17",
    "source": "/zj/330106/s1",
    "type": "cn.gov.zj.citybrain.water.observation.v1",
    "time": "2026-07-01T08:00:00+08:00",
    "subject": "330106",
    "datacontenttype": "application/json",
    "data": {"property": "depth", "value": 0.31},
}


def read(kind: str, body: bytes, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode(kind, named, body, most=10, now_ms=NOW_MS, gateway="gw")


def schema() -> dict[str, object]:
    path = shared_data("cloudevents") / "cloudevents.schema.json"
    content: dict[str, object] = json.loads(path.read_text("utf-8"))
    return content


def test_what_the_house_rules_take_is_an_event_by_the_schema() -> None:
    jsonschema.validate(EVENT, schema())
    (reading,) = read(STRUCTURED, json.dumps(EVENT).encode()).readings
    assert isinstance(reading, Reading)


@pytest.mark.parametrize(
    "change",
    [{"id": ""}, {"source": ""}, {"type": ""}, {"specversion": ""}, {"subject": ""}, {"type": 7}],
)
def test_what_the_schema_refuses_the_gateway_refuses(change: dict[str, object]) -> None:
    wrong = EVENT | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema())
    (one,) = read(STRUCTURED, json.dumps(wrong).encode()).readings
    assert isinstance(one, Refused)


def scenario(mode: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of the HTTP binding's first scenario of this mode."""
    path = shared_data("cloudevents") / "conformance" / "http-protocol-binding.feature"
    text = path.read_text("utf-8").partition(f"Scenario Outline: {mode}")[2]
    request = text.split('"""')[1]
    lines = [line.strip() for line in request.strip().splitlines()]
    blank = lines.index("")
    headers = dict(line.split(": ", 1) for line in lines[1:blank])
    return {k.lower(): v for k, v in headers.items()}, "\n".join(lines[blank:]).encode()


@pytest.mark.parametrize("charset", ["", "; charset=utf-8"])
@pytest.mark.parametrize(
    ("mode", "kind"), [("Binary", JSON), ("Structured", STRUCTURED)], ids=["binary", "structured"]
)
def test_the_conformance_events_are_read_and_refused_by_their_type(
    mode: str, kind: str, charset: str
) -> None:
    """Valid events of somebody else: read as events, and refused because of our house rules."""
    headers, body = scenario(mode)
    named = {k: v for k, v in headers.items() if k.startswith("ce-")}
    assert bool(named) is (mode == "Binary")
    request = decode(kind + charset, named, body, most=10, now_ms=NOW_MS, gateway="gw")
    (refused,) = request.readings
    assert isinstance(refused, Refused)
    assert refused.reason == "unknown_type"
    assert re.search("com.example.someevent", refused.detail)


def test_the_conformance_events_adapted_to_the_house_rules_are_taken() -> None:
    headers, _ = scenario("Binary")
    named = {k: v for k, v in headers.items() if k.startswith("ce-")}
    named |= {"ce-type": str(EVENT["type"]), "ce-source": "/zj/330106/s1"}
    body = json.dumps(EVENT["data"]).encode()
    (reading,) = decode(JSON, named, body, most=10, now_ms=NOW_MS, gateway="gw").readings
    assert isinstance(reading, Reading)
    assert reading.time == "2018-04-05T03:56:24Z"


def test_a_batch_of_valid_events_is_taken() -> None:
    request = read(BATCH, json.dumps([EVENT, EVENT | {"id": "18"}]).encode())
    assert [type(one).__name__ for one in request.readings] == ["Claimed", "Claimed"]
