"""Messages that others wrote become records that the codec can judge."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from streams.contracts.codec import decode, encode_tick
from streams.contracts.frame import Tick
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent
from streams.log.kafka_record import record_of


def message(headers: list[tuple[str, bytes | None]], value: bytes | None = b"") -> SimpleNamespace:
    return SimpleNamespace(offset=7, timestamp=1_700_000_000_000, headers=headers, value=value)


def tick_headers() -> list[tuple[str, bytes | None]]:
    return [(name, value.encode()) for name, value in encode_tick(1_700_000_000_000)[0].items()]


def test_a_tombstone_with_good_headers_is_what_its_headers_say() -> None:
    assert decode(record_of(message(tick_headers(), None))) == Tick(1_700_000_000_000)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"tick-\xd6\xd0", None])
def test_a_header_that_is_no_text_is_refused_and_does_not_crash(bad: bytes | None) -> None:
    headers = [(name, bad if name == "ce_id" else value) for name, value in tick_headers()]
    with pytest.raises(InvalidEvent) as caught:
        decode(record_of(message(headers)))
    assert caught.value.reason is Reason.BAD_HEADERS


def test_two_headers_that_are_no_text_stay_different() -> None:
    one, other = (record_of(message([("ce_id", bad)])).headers for bad in (b"\xff", b"\xfe"))
    assert one != other


def test_a_record_without_headers_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        decode(record_of(message([], b"x")))
