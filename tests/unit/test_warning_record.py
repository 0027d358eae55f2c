"""Official warnings in the log: read as they were sent, or refused, and nothing else."""

from __future__ import annotations

import json

import pytest

from streams.contracts.codec import decode
from streams.contracts.frame import Record
from streams.contracts.outcome import DeadLetter
from streams.contracts.reason import NamespaceKind, Origin, Reason
from streams.contracts.warning import Announcement, encode_announcement, mistakes
from streams.errors import InvalidEvent
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.official import warning
from tests.support.small_city import DOMAINS, PROPERTY_IDS, START_MS, TOPIC

TOLD = warning(
    "a",
    START_MS,
    refers=("b", "c"),
    geometry={"type": "Point", "coordinates": [120.5, 30.25]},
    expires_ms=START_MS + 1,
    original=bytes(range(256)),
)


def record(
    origin: Origin = Origin.LIVE,
    append_ms: int = START_MS,
    changes: dict[str, object] | None = None,
) -> Record:
    headers, body = encode_announcement(TOLD, "gw", origin, START_MS)
    return Record(0, append_ms, headers, json.dumps(json.loads(body) | (changes or {})).encode())


def dead(one: Record, kind: NamespaceKind = NamespaceKind.LIVE) -> list[DeadLetter]:
    pipeline = Pipeline(PipelineSetup(TOPIC, 0, kind, DOMAINS, PROPERTY_IDS))
    outcome = pipeline.process([one], {})
    assert len(outcome.warnings) == 1 - len(outcome.dead_letters)
    return outcome.dead_letters


def test_a_warning_is_read_as_it_was_sent() -> None:
    assert decode(record()) == Announcement("gw", START_MS, Origin.LIVE, TOLD)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": None},
        {"sender": ""},
        {"identifier": "a\x00"},
        {"severity": 9},
        {"kind": "Ack"},
        {"areas": ["33"]},
        {"sent_ms": 2**60},
        {"expires_ms": "soon"},
        {"original": "no base64!"},
    ],
)
def test_another_content_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent) as refused:
        decode(record(changes=changes))
    assert refused.value.reason is Reason.WRONG_TYPE


def test_what_is_no_json_is_refused() -> None:
    good = record()
    with pytest.raises(InvalidEvent) as refused:
        decode(Record(0, START_MS, good.headers, b"{"))
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("kind", "origin", "taken"),
    [
        (NamespaceKind.LIVE, Origin.LIVE, True),
        (NamespaceKind.LIVE, Origin.SIMULATED, False),
        (NamespaceKind.LIVE, Origin.REPLAYED, False),
        (NamespaceKind.SIMULATED, Origin.LIVE, False),
        (NamespaceKind.SIMULATED, Origin.SIMULATED, True),
        (NamespaceKind.DRILL, Origin.DRILL, True),
    ],
)
def test_an_origin_enters_its_namespaces_only(
    kind: NamespaceKind, origin: Origin, taken: bool
) -> None:
    assert [letter.reason for letter in dead(record(origin), kind)] == (
        [] if taken else [Reason.ORIGIN_REFUSED]
    )


def test_a_clock_ahead_of_the_log_ages_no_city() -> None:
    (letter,) = dead(record(append_ms=START_MS - 3_600_000))
    assert letter.reason is Reason.FUTURE_INGEST


@pytest.mark.parametrize("text", ["0", "745", "-1", "a day", ""])
def test_a_wrong_house_number_is_told(text: str) -> None:
    assert len(mistakes({"warning.valid_hours": text})) == 1
    assert mistakes({}) == []
