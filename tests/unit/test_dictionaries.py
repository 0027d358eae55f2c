"""Dictionaries that were read before: the same names, the same refusals, a limited memory."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from streams.contracts.columns import read_packed, write_packed
from streams.contracts.dictionaries import Dictionaries
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin, Reason
from streams.errors import InvalidEvent

ROWS = 40


def frame_of(prefix: str) -> Frame:
    names = tuple(f"{prefix}-{number}" for number in range(ROWS))
    row = np.arange(ROWS, dtype=np.int32)
    time_ms, value = 1_786_896_000_000 + row.astype(np.int64), row / 8
    zeros, origin = np.zeros(ROWS, np.int32), Origin.SIMULATED
    return Frame(
        *("s", "1", "waterlogging", "330106", origin, 0, names, ("depth",), None),
        *(row, zeros, time_ms, value),
    )


def test_what_was_read_before_reads_the_same() -> None:
    frame = frame_of("again")
    first, second = (read_packed(write_packed(frame)) for _ in range(2))
    assert first.sensors == second.sensors == frame.sensors
    assert second.sensors is first.sensors
    assert second.value.tolist() == first.value.tolist() == frame.value.tolist()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 2}, Reason.UNKNOWN_VERSION),
        ({"more": 1}, Reason.WRONG_SHAPE),
        ({"time0": "now"}, Reason.WRONG_TYPE),
        ({"sensor": b"\xff\xff" * ROWS}, Reason.WRONG_SHAPE),
    ],
)
def test_a_known_dictionary_excuses_nothing(change: dict[str, object], reason: Reason) -> None:
    body = write_packed(frame_of("known"))
    read_packed(body)
    with pytest.raises(InvalidEvent) as caught:
        read_packed(msgspec.msgpack.encode(msgspec.msgpack.decode(body) | change))
    assert caught.value.reason is reason


def test_names_that_do_not_print_are_refused_every_time() -> None:
    body = write_packed(frame_of("bell\a"))
    for _ in range(2):
        with pytest.raises(InvalidEvent, match="do not print"):
            read_packed(body)


def test_the_memory_is_limited() -> None:
    held = Dictionaries(most_bytes=10)
    one, other = ("a",), ("b",)
    held.remember(b"123456", one)
    assert held.find(b"123456") is one
    held.remember(b"abcdef", other)
    assert held.find(b"123456") is None
    assert not held.knows(one)
    assert held.knows(other)
