"""The order of region messages: what is held back, what leaves."""

from __future__ import annotations

from streams.region.order import Clocks, Sequencer, moments
from tests.support.toy_level import clock, partial

A, B = "330102", "330105"


def test_message_waits_until_every_area_has_passed_it() -> None:
    order = Sequencer((A, B))
    first = partial(A, 10, 0, [1])
    assert order.push([first]) == []
    assert order.push([clock([B], 10)]) == []
    assert order.push([clock([B], 20)]) == []  # A itself may still say more at 10
    assert order.push([clock([A], 11)]) == [first]


def test_siblings_at_the_smallest_clock_are_not_parted() -> None:
    order = Sequencer((A, B))
    one, two = partial(A, 10, 0, [1], sequence=2), partial(A, 10, 0, [2], sequence=1)
    assert order.push([clock([A, B], 10), one]) == []
    assert order.push([two, clock([A, B], 11)]) == [two, one]


def test_ties_go_by_area_then_sequence() -> None:
    order = Sequencer((A, B))
    rows = [partial(B, 5, 0, []), partial(A, 5, 0, [], sequence=7), partial(A, 5, 0, [])]
    assert order.push([*rows, clock([A, B], 6)]) == [rows[2], rows[1], rows[0]]


def test_area_never_heard_of_holds_everything() -> None:
    order = Sequencer((A, B))
    assert order.push([partial(A, 1, 0, []), clock([A], 99)]) == []


def test_new_area_of_a_later_registry_does_not_take_back_what_left() -> None:
    clocks = Clocks({A: 50}, released_ms=50)
    assert clocks.horizon_ms((A, B)) == 50


def test_clocks_survive_their_dictionary() -> None:
    clocks = Clocks({A: 5}, 3)
    assert Clocks.from_dict(clocks.to_dict()) == clocks


def test_moments_group_by_processing_time() -> None:
    rows = [partial(A, 1, 0, []), partial(B, 1, 0, []), partial(A, 2, 0, [])]
    assert list(moments(rows)) == [(1, rows[:2]), (2, rows[2:])]
