"""The wire, case by case: what is read, and the reason for everything that is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from streams.contracts.codec import decode, encode, encode_control, encode_refusal, encode_tick
from streams.contracts.exact import to_scaled, to_text
from streams.contracts.frame import (
    JSON,
    MAX_BODY_BYTES,
    MAX_ROWS,
    MSGPACK,
    Control,
    Frame,
    Record,
    Refusal,
)
from streams.contracts.reason import Origin, Reason
from streams.contracts.timestamp import from_rfc3339, to_rfc3339
from streams.errors import InvalidEvent
from tests.support.frames import TIME_MS, make_frame

BODY: dict[str, Any] = {
    "schema": 1,
    "sensors": ["a", "b"],
    "properties": ["depth"],
    "sensor": [0, 1],
    "time0": TIME_MS,
    "time": [0, 1000],
    "value": [0.25, 0.5],
}
PACKED: dict[str, Any] = BODY | {
    "sensor": np.array([0, 1], "<u2").tobytes(),
    "time": np.array([0, 1000], "<i4").tobytes(),
    "value": np.array([0.25, 0.5], "<f8").tobytes(),
}


def read(body: object, **change: str | None) -> Frame:
    """The frame of a JSON body under good headers, changed; None takes a header away."""
    good = encode(make_frame(), JSON)[0]
    names = {"content_type": "content-type"}
    changed = {names.get(name, name): value for name, value in change.items()}
    found = {k: v for k, v in (good | changed).items() if v is not None}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    frame = decode(Record(0, 0, found, raw))
    assert isinstance(frame, Frame)
    return frame


def refusal(body: object, **change: str | None) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as refused:
        read(body, **change)
    assert refused.value.detail
    return refused.value


def packed(**change: object) -> bytes:
    body = {k: v for k, v in (PACKED | change).items() if v is not None}
    return msgspec.msgpack.encode(body)


def test_a_frame_in_json_is_as_documented() -> None:
    headers, body = encode(make_frame(), JSON)
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": "f-1",
        "ce_source": "gw-330106-1",
        "ce_type": "citybrain.waterlogging.observation.v1",
        "ce_time": "2026-07-01T00:00:01.500Z",
        "ce_subject": "330106",
        "content-type": "application/json",
        "origin": "live",
    }
    assert json.loads(body) == {
        "schema": 1,
        "sensors": ["fp-1", "积水点-2"],
        "properties": ["depth", "rain"],
        "units": ["m", "mm"],
        "sensor": [0, 1, 0],
        "property": [0, 0, 1],
        "time0": TIME_MS - 60_000,
        "time": [60_000, 60_000, 0],
        "value": [0.31, 0.1, 12.5],
        "flag": [1, 2, 3],
    }


def test_a_packed_frame_has_little_endian_columns() -> None:
    headers, body = encode(make_frame(), MSGPACK)
    assert headers["content-type"] == "application/msgpack"
    found = msgspec.msgpack.decode(body)
    assert found["sensor"] == bytes([0, 0, 1, 0, 0, 0])
    assert found["property"] == bytes([0, 0, 1])
    assert np.frombuffer(found["time"], "<i4").tolist() == [60_000, 60_000, 0]
    assert np.frombuffer(found["value"], "<f8").tolist() == [0.31, 0.1, 12.5]
    assert found["flag"] == bytes([1, 2, 3])


def test_times_far_apart_take_eight_bytes() -> None:
    times = np.array([0, 2**31, 2**40], np.int64)
    frame = make_frame(time_ms=times)
    for encoding in (JSON, MSGPACK):
        found = decode(Record(0, 0, *encode(frame, encoding)))
        assert isinstance(found, Frame)
        assert found.time_ms.tolist() == times.tolist()


def test_values_that_are_no_numbers_pass_through_for_the_pipeline() -> None:
    found = read(BODY | {"value": [None, 1]})
    assert np.isnan(found.value[0])
    infinite = packed(value=np.array([np.inf, 1.0]).tobytes())
    assert np.isposinf(read(infinite, content_type=MSGPACK).value[0])


def test_a_single_reading_is_a_frame_of_one_row() -> None:
    reading = {"sensor": "sensors", "property": "depth", "time": TIME_MS, "value": 0.31}
    frame = read(reading)
    assert (frame.sensors, frame.properties, frame.units) == (("sensors",), ("depth",), None)
    assert (frame.time_ms.tolist(), frame.value.tolist()) == ([TIME_MS], [0.31])
    more = read(reading | {"unit": "m", "flag": 3})
    assert more.units == ("m",)
    assert more.flag is not None
    assert more.flag.tolist() == [3]


def test_backfill_and_origin_travel_as_headers() -> None:
    frame = make_frame(origin=Origin.DRILL, backfill=True)
    headers, body = encode(frame)
    assert (headers["origin"], headers["backfill"]) == ("drill", "true")
    found = decode(Record(0, 0, headers, body))
    assert isinstance(found, Frame)
    assert (found.origin, found.backfill) == (Origin.DRILL, True)
    assert read(BODY, backfill="false").backfill is False


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ce_id": None}, Reason.BAD_HEADERS),
        ({"ce_id": "a\x00b"}, Reason.BAD_HEADERS),
        ({"ce_id": "x" * 300}, Reason.BAD_HEADERS),
        ({"ce_source": ""}, Reason.BAD_HEADERS),
        ({"ce_source": "not a uri"}, Reason.BAD_HEADERS),
        ({"ce_time": None}, Reason.BAD_HEADERS),
        ({"ce_time": "2026-07-01"}, Reason.BAD_HEADERS),
        ({"ce_time": "2026-07-01T00:00:60Z"}, Reason.BAD_HEADERS),
        ({"ce_subject": None}, Reason.BAD_HEADERS),
        ({"origin": None}, Reason.BAD_HEADERS),
        ({"origin": "LIVE"}, Reason.BAD_HEADERS),
        ({"backfill": "yes"}, Reason.BAD_HEADERS),
        ({"ce_specversion": None}, Reason.BAD_HEADERS),
        ({"ce_specversion": "2.0"}, Reason.UNKNOWN_VERSION),
        ({"ce_type": "citybrain.air.observation.v2"}, Reason.UNKNOWN_VERSION),
        ({"ce_type": "citybrain.control.v9"}, Reason.UNKNOWN_VERSION),
        ({"ce_type": "com.example.event"}, Reason.UNKNOWN_TYPE),
        ({"ce_type": "citybrain.AIR.observation.v1"}, Reason.UNKNOWN_TYPE),
        ({"content_type": None}, Reason.BAD_HEADERS),
        ({"content_type": "text/csv"}, Reason.UNKNOWN_ENCODING),
        ({"content_type": "application/json; charset=latin-1"}, Reason.UNKNOWN_ENCODING),
        ({"content_type": MSGPACK}, Reason.WRONG_TYPE),
    ],
)
def test_bad_headers_are_refused(change: dict[str, str | None], reason: Reason) -> None:
    assert refusal(BODY, **change).reason is reason


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (b"", Reason.MALFORMED, ""),
        (b"\xff", Reason.MALFORMED, ""),
        (json.dumps(BODY).encode()[:-2], Reason.MALFORMED, ""),
        (json.dumps(BODY).encode() + b"x", Reason.MALFORMED, ""),
        ([], Reason.WRONG_TYPE, "object"),
        (BODY | {"schema": 2}, Reason.UNKNOWN_VERSION, "schema 2"),
        (BODY | {"schema": 2, "sensor": "new", "more": 1}, Reason.UNKNOWN_VERSION, "schema 2"),
        ({k: v for k, v in BODY.items() if k != "value"}, Reason.WRONG_SHAPE, "value"),
        ({k: v for k, v in BODY.items() if k != "schema"}, Reason.WRONG_SHAPE, "schema"),
        (BODY | {"flags": [1, 1]}, Reason.WRONG_SHAPE, "flags"),
        (BODY | {"value": [1]}, Reason.WRONG_SHAPE, "rows"),
        (BODY | {"flag": [1]}, Reason.WRONG_SHAPE, "flag"),
        (BODY | {"property": [0]}, Reason.WRONG_SHAPE, "property"),
        (BODY | {"sensor": [0, 2]}, Reason.WRONG_SHAPE, "dictionary"),
        (BODY | {"sensor": [0, -1]}, Reason.WRONG_SHAPE, "dictionary"),
        (BODY | {"properties": ["a", "b"]}, Reason.WRONG_SHAPE, "property"),
        (BODY | {"units": ["m", "mm"]}, Reason.WRONG_SHAPE, "units"),
        (BODY | {"value": ["1", 2]}, Reason.WRONG_TYPE, "value"),
        (BODY | {"value": [True, 2]}, Reason.WRONG_TYPE, "value"),
        (BODY | {"time": [0, 2**70]}, Reason.WRONG_TYPE, "64 bits"),
        (BODY | {"time0": 2**60}, Reason.WRONG_TYPE, "time0"),
        (BODY | {"sensors": ["a", ""]}, Reason.WRONG_TYPE, "sensors"),
        (BODY | {"sensors": ["a", "b\x00"]}, Reason.WRONG_TYPE, "sensors"),
        (BODY | {"sensors": ["a", "b" * 201]}, Reason.WRONG_TYPE, "200"),
        (BODY | {"flag": [1, 7]}, Reason.WRONG_TYPE, "QARTOD"),
        (BODY | {"flag": [1, 257]}, Reason.WRONG_TYPE, "QARTOD"),
        (BODY | {"flag": [1, 2**80]}, Reason.WRONG_TYPE, ""),
        ({"sensor": "a", "property": "depth", "time": 0}, Reason.WRONG_SHAPE, "value"),
        ({"sensor": "a", "property": "d", "time": 0.5, "value": 1}, Reason.WRONG_TYPE, "time"),
        ({"sensor": "a", "property": "d", "time": 2**70, "value": 1}, Reason.WRONG_TYPE, "time"),
        (
            {"sensor": "a", "property": "d", "time": 0, "value": 1, "flag": 5},
            Reason.WRONG_TYPE,
            "QAR",
        ),
        ({"sensor": "a", "property": "", "time": 0, "value": 1}, Reason.WRONG_TYPE, "property"),
        ({"schema": 3, "sensor": "a"}, Reason.UNKNOWN_VERSION, "schema 3"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(body: object, reason: Reason, says: str) -> None:
    refused = refusal(body)
    assert refused.reason is reason
    assert says in refused.detail


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": b"1234567"}, Reason.WRONG_SHAPE),
        ({"sensor": b"123"}, Reason.WRONG_SHAPE),
        ({"sensor": b"1234567890"}, Reason.WRONG_SHAPE),
        ({"time": b"123456789012"}, Reason.WRONG_SHAPE),
        ({"sensor": [0, 1]}, Reason.WRONG_TYPE),
        ({"sensor": None}, Reason.WRONG_SHAPE),
        ({"flag": b"\x01\x80"}, Reason.WRONG_TYPE),
        ({"flag": b"\x01"}, Reason.WRONG_SHAPE),
        ({"property": b"\x00\x01"}, Reason.WRONG_SHAPE),
        ({"schema": 2}, Reason.UNKNOWN_VERSION),
    ],
)
def test_bad_packed_columns_are_refused(change: dict[str, object], reason: Reason) -> None:
    assert refusal(packed(**change), content_type=MSGPACK).reason is reason


def test_what_is_too_large_is_refused() -> None:
    assert refusal(b" " * (MAX_BODY_BYTES + 1)).reason is Reason.OVERSIZED
    rows = MAX_ROWS + 1
    many = BODY | {"sensor": [0] * rows, "time": [0] * rows, "value": [0] * rows}
    assert refusal(many).reason is Reason.OVERSIZED
    assert refusal(BODY | {"properties": ["p"] * 300}).reason is Reason.OVERSIZED


def test_times_that_overflow_stay_absurd_instead_of_wrapping() -> None:
    wide = np.array([2**63 - 1, -(2**63)], "<i8").tobytes()
    found = read(packed(time=wide, time0=TIME_MS), content_type=MSGPACK)
    assert found.time_ms[0] > 2**61
    assert found.time_ms[1] < -(2**61)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"kind":"weather","version":"1"}', b'{"kind":"registry","version":""}']
)
def test_a_control_record_that_names_nothing_is_refused(body: bytes) -> None:
    headers, _ = encode_control("registry", "sha256:ab", 0)
    with pytest.raises(InvalidEvent):
        decode(Record(0, 0, headers, body))


def test_a_control_record_is_read() -> None:
    found = decode(Record(0, 0, *encode_control("registry", "sha256:ab", TIME_MS)))
    assert found == Control(TIME_MS, "registry", "sha256:ab")


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"source": "a b"},
        {"area": ""},
        {"sensor": np.array([0, 1, 2], np.int32)},
        {"value": np.array([1.0])},
        {"units": ("m",)},
        {"ingest_ms": 10**18},
    ],
)
def test_what_is_no_frame_is_not_sent(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        encode(make_frame(**change))


def test_what_cannot_be_encoded_is_not_sent() -> None:
    with pytest.raises(ValueError, match="encoding"):
        encode(make_frame(), "text/csv")
    with pytest.raises(ValueError, match="activate"):
        encode_control("weather", "1", 0)
    with pytest.raises(ValueError, match="years"):
        encode_tick(10**18)


def test_a_half_is_what_its_decimal_text_says() -> None:
    values = np.array([0.285, 0.275, 0.5, 1.5, -2.5, 0.1, np.nan, np.inf, 1e16, -0.0])
    scaled, fits = to_scaled(values, 2)
    assert scaled.tolist() == [28, 28, 50, 150, -250, 10, 0, 0, 0, 0]
    assert fits.tolist() == [True] * 6 + [False, False, False, True]
    assert to_scaled(np.array([0.5, 1.5, 2.5, -0.5]), 0)[0].tolist() == [0, 2, 2, 0]
    with pytest.raises(ValueError, match="scale"):
        to_scaled(values, 16)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [(1250, 3, "1.25"), (-5, 1, "-0.5"), (100, 2, "1"), (0, 4, "0"), (7, 0, "7"), (-7, 2, "-0.07")],
)
def test_text_is_decimal(value: int, scale: int, text: str) -> None:
    assert to_text(value, scale) == text


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T08:00:00.0019+08:00", 1),
        ("1969-12-31t23:59:59.999z", -1),
        ("2026-02-28T23:59:59-00:00", 1_772_323_199_000),
    ],
)
def test_instants_are_read(text: str, time_ms: int) -> None:
    assert from_rfc3339(text) == time_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1970-01-01",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00",
        "1970-13-01T00:00:00Z",
        "1970-01-01 00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1970-01-01T00:00:00+25:00",
        "１970-01-01T00:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="date-time"):
        from_rfc3339(text)


def test_instants_are_written_with_milliseconds() -> None:
    assert to_rfc3339(1) == "1970-01-01T00:00:00.001Z"
    assert to_rfc3339(-62_135_596_800_000) == "0001-01-01T00:00:00.000Z"


REFUSED = Refusal("/gw/1", "330106", TIME_MS, Reason.MALFORMED, "no JSON: line 1", 3, b"\x00{")


def test_a_refusal_comes_back_as_it_was_written() -> None:
    headers, body = encode_refusal(REFUSED, "r1")
    assert decode(Record(0, 0, headers, body)) == REFUSED


def test_a_refusals_detail_can_always_be_written() -> None:
    headers, body = encode_refusal(replace(REFUSED, detail="a\nb\ud800" + "x" * 500), "r1")
    found = decode(Record(0, 0, headers, body))
    assert isinstance(found, Refusal)
    assert found.detail.startswith("a b")
    assert len(found.detail) <= 200


@pytest.mark.parametrize(
    ("header", "value"), [("reason", "whim"), ("rows", "0"), ("rows", "many"), ("rows", "1234567")]
)
def test_a_refusal_with_wrong_headers_is_refused_itself(header: str, value: str) -> None:
    headers, body = encode_refusal(REFUSED, "r1")
    with pytest.raises(InvalidEvent) as caught:
        decode(Record(0, 0, headers | {header: value}, body))
    assert caught.value.reason is Reason.BAD_HEADERS
