"""Arbitrary bytes at the gateway, arbitrary msgpack in the log: read or refused, nothing else."""

from __future__ import annotations

import json

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sensors.gateway.checking import check
from sensors.gateway.decoding import decode as decode_request
from sensors.gateway.directory import Device, Directory, Place
from sensors.gateway.framing import frame_pieces
from sensors.gateway.reading import BadRequest, Reading, Refused, Request
from streams.contracts.codec import decode, encode
from streams.contracts.frame import JSON, MSGPACK, Frame, Record
from streams.errors import InvalidEvent
from tests.support.frames import make_frame

FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | FLOATS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
DIRECTORY = Directory(
    "v1",
    frozenset({"gw"}),
    {
        name: Device("gw", area, {"depth": Place(area, "water", number, "m")})
        for number, (name, area) in enumerate((("s1", "330106"), ("s2", "330108")))
    },
)
READINGS = st.fixed_dictionaries(
    {
        "sensor": st.sampled_from(["s1", "s2"]) | PLAIN,
        "property": st.just("depth") | PLAIN,
        "time": st.integers(946_684_800_000, 1_800_000_000_000) | PLAIN,
        "value": st.floats(-1e6, 1e6) | PLAIN,
    },
    optional={"unit": st.just("m") | PLAIN, "flag": st.sampled_from([1, 3, 9]) | PLAIN, "x": PLAIN},
)


def attempt(body: bytes) -> Request | None:
    """The request, or None for a refusal: any other exception fails the test."""
    try:
        return decode_request(JSON, {}, body, most=1000, now_ms=0)
    except BadRequest:
        return None


@given(st.binary(max_size=100) | PLAIN.map(lambda plain: json.dumps(plain).encode()))
def test_arbitrary_bodies_are_read_or_refused(body: bytes) -> None:
    attempt(body)


@given(
    st.lists(READINGS | PLAIN, max_size=12),
    st.none() | st.text("abc-0123", min_size=1, max_size=10),
    st.integers(1, 5),
)
def test_every_reading_is_in_a_frame_or_refused_with_its_index(
    readings: list[object], id_: str | None, frame_rows: int
) -> None:
    body = json.dumps({"gateway": "gw", "readings": readings} | ({"id": id_} if id_ else {}))
    request = attempt(body.encode())
    assert request is not None
    assert all(isinstance(one, Reading | Refused) for one in request.readings)
    pieces, refused = check(request, DIRECTORY)
    indices = [one.index for one in refused]
    assert indices == sorted(set(indices))
    assert sum(len(piece.rows) for piece in pieces) + len(refused) == len(readings)

    ids: list[str] = []
    rows = 0
    for number, (partition, frame) in enumerate(
        frame_pieces(pieces, frame_rows, 0, lambda: f"n{len(ids)}")
    ):
        found = decode(Record(number, 0, *encode(frame)))
        assert isinstance(found, Frame)
        assert found.value.tolist() == frame.value.tolist()
        assert len(frame) <= frame_rows
        assert DIRECTORY.devices[frame.sensors[0]].places["depth"].partition == partition
        ids.append(frame.id)
        rows += len(frame)
    assert rows == len(readings) - len(refused)


def column(kind: str, values: list[int]) -> st.SearchStrategy[object]:
    return st.just(np.array(values, kind).tobytes()) | st.binary(max_size=16) | PLAIN


@given(
    st.fixed_dictionaries(
        {
            "schema": st.just(1) | PLAIN,
            "sensors": st.just(["a"]) | PLAIN,
            "properties": st.just(["p"]) | PLAIN,
            "sensor": column("<u2", [0]),
            "time0": st.just(1) | PLAIN,
            "time": column("<i4", [0]),
            "value": column("<f8", [1]),
        },
        optional={"property": column("u1", [0]), "flag": column("u1", [1]), "units": PLAIN},
    )
)
def test_arbitrary_packed_columns_are_read_or_refused(body: dict[str, object]) -> None:
    headers, _ = encode(make_frame(), MSGPACK)
    try:
        found: object = decode(Record(0, 0, headers, msgspec.msgpack.encode(body)))
    except InvalidEvent as refused:
        found = refused
    assert isinstance(found, Frame | InvalidEvent)
