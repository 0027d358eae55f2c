"""Laws of the wire: what goes out comes back, every encoding means the same, and nothing that
comes in raises anything but `InvalidEvent`."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.contracts.codec import decode, encode, encode_control, encode_tick
from streams.contracts.exact import EXACT_LIMIT, to_scaled, to_text
from streams.contracts.frame import JSON, MSGPACK, Control, Frame, Record, Tick
from streams.contracts.reason import Origin, Reason
from streams.contracts.timestamp import from_rfc3339, to_rfc3339
from streams.errors import InvalidEvent

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_站点", min_size=1, max_size=12)
TIMES = st.integers(-(2**52), 2**52)
INGEST = st.integers(0, 253_402_300_799_999)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    sensors = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    properties = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    rows = draw(st.integers(0, 12))

    def column(elements: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(elements, min_size=rows, max_size=rows))

    flags = column(st.sampled_from([1, 2, 3, 4, 9])) if draw(st.booleans()) else None
    units = draw(st.none() | st.lists(NAMES, min_size=len(properties), max_size=len(properties)))
    near = draw(st.booleans())
    return Frame(
        source=draw(st.from_regex(r"[a-z0-9/:.-]{1,20}", fullmatch=True)),
        id=draw(NAMES),
        domain=draw(st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)),
        area=draw(st.from_regex(r"[0-9]{6}", fullmatch=True)),
        origin=draw(st.sampled_from(Origin)),
        ingest_ms=draw(INGEST),
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None if units is None else tuple(units),
        sensor=np.array(column(st.integers(0, len(sensors) - 1)), np.int32),
        property=np.array(column(st.integers(0, len(properties) - 1)), np.int32),
        time_ms=np.array(
            column(st.integers(1_700_000_000_000, 1_700_000_600_000) if near else TIMES), np.int64
        ),
        value=np.array(column(st.floats(allow_infinity=False)), np.float64),
        flag=None if flags is None else np.array(flags, np.int8),
        backfill=draw(st.booleans()),
    )


def same(left: Frame, right: Frame) -> bool:
    plain = (
        "source",
        "id",
        "domain",
        "area",
        "origin",
        "ingest_ms",
        "sensors",
        "properties",
        "units",
        "backfill",
    )
    arrays = ("sensor", "property", "time_ms")
    flags = (left.flag is None) == (right.flag is None)
    if left.flag is not None and right.flag is not None:
        flags = left.flag.tolist() == right.flag.tolist()
    return (
        flags
        and all(getattr(left, name) == getattr(right, name) for name in plain)
        and all(getattr(left, name).tolist() == getattr(right, name).tolist() for name in arrays)
        and np.array_equal(left.value, right.value, equal_nan=True)
    )


@given(frames(), st.sampled_from([JSON, MSGPACK]))
def test_what_goes_out_comes_back(frame: Frame, encoding: str) -> None:
    found = decode(Record(0, 0, *encode(frame, encoding)))
    assert isinstance(found, Frame)
    assert same(found, frame)


@given(frames(), st.integers(0, 6))
def test_every_encoding_gives_the_same_scaled_values(frame: Frame, scale: int) -> None:
    scaled = []
    for encoding in (JSON, MSGPACK):
        found = decode(Record(0, 0, *encode(frame, encoding)))
        assert isinstance(found, Frame)
        values, fits = to_scaled(found.value, scale)
        scaled.append((values.tolist(), fits.tolist()))
    assert scaled[0] == scaled[1]


@given(INGEST)
def test_ticks_and_control_records_come_back(ingest_ms: int) -> None:
    assert decode(Record(0, 0, *encode_tick(ingest_ms))) == Tick(ingest_ms)
    control = decode(Record(0, 0, *encode_control("profile", "sha256:00", ingest_ms)))
    assert control == Control(ingest_ms, "profile", "sha256:00")


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_an_instant_keeps_its_millisecond_through_text(time_ms: int) -> None:
    assert from_rfc3339(to_rfc3339(time_ms)) == time_ms


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_time",
            "ce_subject",
            "content-type",
            "origin",
            "backfill",
            "ce_origin",
            "ce_",
        ]
    )
    | st.text(max_size=8),
    st.text(max_size=30)
    | st.sampled_from(
        [
            "1.0",
            "citybrain.air.observation.v1",
            "citybrain.tick.v1",
            "citybrain.control.v1",
            "2026-11-23T15:40:00Z",
            JSON,
            MSGPACK,
            "application/cloudevents+json",
            "live",
        ]
    ),
)


def read(record: Record) -> object:
    """The event, or the refusal: any other exception fails the test."""
    try:
        return decode(record)
    except InvalidEvent as refusal:
        return refusal


def refuses_or_reads(record: Record) -> None:
    found = read(record)
    assert isinstance(found, Frame | Tick | Control | InvalidEvent)
    if isinstance(found, InvalidEvent):
        assert found.detail
        assert found.reason in Reason


@given(HEADERS, st.binary(max_size=200))
def test_arbitrary_records_are_read_or_refused(headers: dict[str, str], body: bytes) -> None:
    refuses_or_reads(Record(0, 0, headers, body))


@given(frames(), st.sampled_from([JSON, MSGPACK]), st.data())
def test_damaged_frames_are_read_or_refused(
    frame: Frame, encoding: str, data: st.DataObject
) -> None:
    headers, body = encode(frame, encoding)
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        if damaged:
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    refuses_or_reads(Record(0, 0, headers, bytes(damaged)))


@given(frames(), st.sampled_from([JSON, MSGPACK]), st.data())
def test_a_truncated_frame_is_refused(frame: Frame, encoding: str, data: st.DataObject) -> None:
    headers, body = encode(frame, encoding)
    with pytest.raises(InvalidEvent):
        decode(Record(0, 0, headers, body[: data.draw(st.integers(0, len(body) - 1))]))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {
            "schema": st.just(1) | PLAIN,
            "sensors": st.just(["a"]) | PLAIN,
            "properties": st.just(["p"]) | PLAIN,
            "sensor": st.just([0]) | PLAIN,
            "time0": st.just(1) | PLAIN,
            "time": st.just([0]) | PLAIN,
            "value": st.just([1.5]) | PLAIN,
        },
        optional={"property": PLAIN, "flag": PLAIN, "units": PLAIN},
    )
)
def test_wrong_types_are_read_or_refused(body: dict[str, object]) -> None:
    headers, _ = encode(FRAME, JSON)
    refuses_or_reads(Record(0, 0, headers, msgspec.json.encode(body)))


FRAME = Frame(
    "gw", "1", "air", "330106", Origin.LIVE, 0, ("a",), ("p",), None,
    np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64), np.ones(1),
)  # fmt: skip


@given(st.lists(st.floats(), max_size=8), st.integers(0, 15))
@example([0.285, 2.675, 1.005, 0.5, 1.5, -0.5, 5e-324, 1.7976931348623157e308, -0.0], 2)
@example([9007199254740991.0, 9007199254740992.0, 4503599627370495.5, 4503599627370496.5], 0)
def test_scaling_is_decimal_arithmetic(values: list[float], scale: int) -> None:
    scaled, fits = to_scaled(np.array(values, np.float64), scale)
    for value, found, fit in zip(values, scaled.tolist(), fits.tolist(), strict=True):
        exact = exactly(value, scale)
        assert fit == (exact is not None)
        assert found == (exact or 0)


@given(st.integers(-(10**6), 10**6), st.integers(1, 8), st.integers(0, 6))
def test_halves_go_to_even(whole: int, digits: int, scale: int) -> None:
    """The hard cases: decimals that lie on, or one digit beside, a half."""
    value = float(Decimal(whole).scaleb(-digits))
    scaled, fits = to_scaled(np.array([value]), scale)
    assert fits[0]
    assert scaled[0] == exactly(value, scale)


def exactly(value: float, scale: int) -> int | None:
    if not np.isfinite(value):
        return None
    product = Decimal(repr(value)) * 10**scale if abs(value) < 1e300 else Decimal("1e300")
    result = int(product.to_integral_value(ROUND_HALF_EVEN))
    return result if abs(result) < EXACT_LIMIT else None


@given(st.integers(-(2**60), 2**60), st.integers(0, 12))
def test_text_is_exact_and_short(value: int, scale: int) -> None:
    text = to_text(value, scale)
    assert Decimal(text) == Decimal(value).scaleb(-scale)
    assert "." not in text or not text.endswith(("0", "."))
