"""Generated schemas equal the files, and describe what the code sends and reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from streams.contracts.codec import decode, encode, encode_control, encode_tick
from streams.contracts.frame import JSON, MSGPACK, Record
from streams.contracts.outcome import Held, Transition
from streams.contracts.reason import AlertState, Change, Origin, Reason, Severity
from streams.contracts.schemas import build_files, build_schemas, write_files
from streams.contracts.topics import ALERT, OBSERVATION, TOPICS, Direction, find_topic
from streams.contracts.warning import encode_announcement
from streams.errors import InvalidEvent
from streams.log import ALERT_TOPIC, OBSERVATION_TOPIC
from streams.storage.alerts import alert_state
from tests.support.frames import TIME_MS, make_frame
from tests.support.official import warning

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
SCHEMAS = build_schemas()


def check(name: str, message: object) -> None:
    jsonschema.Draft202012Validator(
        SCHEMAS[name], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(message)


def test_the_files_are_what_the_code_generates() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert written == build_files(), "run: python -m streams.contracts.schemas"


def test_writing_takes_away_what_is_no_longer_generated(tmp_path: Path) -> None:
    (tmp_path / "old.schema.json").write_text("{}")
    write_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(build_files())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_one_and_its_examples_pass(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    for example in schema.get("examples", ()):
        check(name, example)


@pytest.mark.parametrize("name", ["frame", "reading"])
def test_examples_are_read_by_the_decoder(name: str) -> None:
    headers, _ = encode(make_frame(), JSON)
    for example in SCHEMAS[name]["examples"]:
        decode(Record(0, 0, headers, msgspec.json.encode(example)))


def test_what_the_code_sends_fits_its_schema() -> None:
    headers, body = encode(make_frame(), JSON)
    check("headers", headers)
    check("frame", json.loads(body))
    check("headers", encode(make_frame(backfill=True), MSGPACK)[0])
    check("headers", encode_tick(TIME_MS)[0])
    headers, body = encode_control("profile", "sha256:00", TIME_MS)
    check("headers", headers)
    check("control", json.loads(body))
    told = warning("a", TIME_MS, refers=("b",), geometry={"type": "Point", "coordinates": [1, 2]})
    headers, body = encode_announcement(told, "gw", Origin.LIVE, TIME_MS)
    check("headers", headers)
    check("warning", json.loads(body))


GOOD: dict[str, Any] = json.loads(encode(make_frame(), JSON)[1])


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"more": 1},
        {"value": ["1", 2, 3]},
        {"flag": [1, 2, 7]},
        {"sensors": ["", "b"]},
        {"sensors": ["a\x00", "b"]},
        {"sensor": [-1, 0, 0]},
        {"time0": 2**60},
        {"time": [0.5, 0, 0]},
    ],
)
def test_schema_and_decoder_refuse_the_same(change: dict[str, Any]) -> None:
    headers, _ = encode(make_frame(), JSON)
    bad = GOOD | change
    with pytest.raises(jsonschema.ValidationError):
        check("frame", bad)
    with pytest.raises(InvalidEvent):
        decode(Record(0, 0, headers, json.dumps(bad).encode()))


def test_an_alert_in_the_outbox_fits_its_schema() -> None:
    transition = Transition(
        alert="a1", sequence=1, rule="waterlogging.depth", rule_version="1", domain="waterlogging",
        area="330106", point=None, subject="area:330106", onset_ms=TIME_MS, event_ms=TIME_MS,
        decided_ms=TIME_MS, state=AlertState.FIRING, severity=Severity.RED, stale=False,
        unverified=False, change=Change.CONFIRMED, value="0.52", threshold="0.5", unit="m",
        origin=Origin.LIVE, position=3, valid_until_ms=TIME_MS, evidence={"depth": "0.52"},
    )  # fmt: skip
    check("alert", alert_state(transition))
    held = Held(Severity.RED, TIME_MS + 900_000)
    hidden = replace(transition, change=Change.HIDDEN, suppressed_by="ticket:s/a/unit/5", held=held)
    check("alert", alert_state(hidden))


def test_a_fact_and_a_dead_letter_fit_their_schemas() -> None:
    fact = {
        "indicator": "plan.15", "area": "330100", "period": "month", "start_ms": TIME_MS,
        "end_ms": TIME_MS + 1, "revision": 1, "value": "93.5", "numerator": "187",
        "denominator": "200", "have": 200, "want": 210, "lower": "89.0", "upper": None, "unit": "%",
        "method": "1", "detail": {}, "cause": "closed", "known_ms": TIME_MS,
    }  # fmt: skip
    check("fact", fact)
    letter = {
        "reason": Reason.MALFORMED.value, "detail": "truncated", "topic": OBSERVATION,
        "partition": 0, "position": 5, "row": -1, "source": "gw", "area": "", "domain": "",
        "content_base64": "",
    }  # fmt: skip
    check("deadletter", letter)


def test_topics_are_named_once() -> None:
    assert (OBSERVATION, ALERT) == (OBSERVATION_TOPIC, ALERT_TOPIC)
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_complete(topic: Any) -> None:
    assert topic.name.endswith(".v1")
    assert set(topic.messages) <= set(SCHEMAS)
    assert topic.key
    if topic.direction is Direction.IN:
        assert topic.timestamp == "LogAppendTime"
        assert not topic.compacted
    assert find_topic(topic.name) is topic


def test_the_asyncapi_document_refers_only_to_what_exists() -> None:
    document = json.loads(build_files()["asyncapi.json"])
    assert document["asyncapi"].startswith("3.")
    assert {one["address"] for one in document["channels"].values()} == {t.name for t in TOPICS}
    for reference in references(document):
        if reference.startswith("./"):
            assert (FOLDER / reference[2:]).exists()
        else:
            assert found_at(document, reference)


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    if isinstance(node, list):
        return [found for value in node for found in references(value)]
    return []


def found_at(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
        if "$ref" in document:
            document = found_at_root(document["$ref"])
    return document


def found_at_root(reference: str) -> Any:
    return found_at(json.loads(build_files()["asyncapi.json"]), reference)
