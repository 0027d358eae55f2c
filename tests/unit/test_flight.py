"""One batch in flight: its errors come home with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from streams.contracts.outcome import Outcome
from streams.errors import FenceLost
from streams.runtime.flight import Flight
from streams.storage.commit import Piece


def piece(partition: int) -> Piece:
    return Piece(partition, 0, Outcome(next_offset=1))


def test_what_was_launched_lands_once() -> None:
    committed: list[int] = []
    flight = Flight(lambda pieces: committed.extend(p.partition for p in pieces))
    flight.launch([piece(1), piece(2)])
    assert flight.flying
    pieces, error = flight.land()
    assert ([p.partition for p in pieces], error, committed) == ([1, 2], None, [1, 2])
    assert flight.land() == ([], None)
    flight.close()


@pytest.mark.parametrize("error", [FenceLost("gone"), ValueError("bad"), KeyboardInterrupt()])
def test_errors_come_with_the_pieces(error: BaseException) -> None:
    def commit(pieces: Sequence[Piece]) -> None:
        raise error

    flight = Flight(commit)
    flight.launch([piece(1)])
    pieces, found = flight.land()
    assert [p.partition for p in pieces] == [1]
    assert found is error
    flight.close()


def test_closing_does_not_wait_for_ever() -> None:
    hangs = threading.Event()

    def commit(pieces: Sequence[Piece]) -> None:
        assert hangs.wait(60)

    flight = Flight(commit)
    flight.launch([piece(1)])
    flight.close(timeout_s=0.0)
    assert flight.flying
    hangs.set()
    flight.close()
