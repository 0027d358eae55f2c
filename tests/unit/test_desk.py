"""One desk: never two open tickets of one kind and subject."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.domain import Ticket
from streams.quality.desk import Desk

SAID = st.builds(
    Ticket,
    sensor=st.integers(0, 2),
    property=st.sampled_from(["depth", ""]),
    kind=st.sampled_from(["spike", "unit"]),
    time_ms=st.integers(0, 9),
    closed=st.booleans(),
    evidence=st.sampled_from([{}, {"n": 1}]),
    subject=st.sampled_from(["", "source:a|b"]),
)


def test_opened_once_then_added_to_then_closed() -> None:
    desk = Desk()
    opened = Ticket(1, "depth", "jump", 5, False, {"rise": 1})
    assert desk.settle([opened]) == [opened]
    again = Ticket(1, "depth", "jump", 7, False, {"rise": 2})
    (more,) = desk.settle([again])
    assert (more.time_ms, more.evidence) == (5, {"rise": 2})
    assert desk.settle([Ticket(1, "depth", "jump", 8, False)]) == [], "nothing new"
    closed = Ticket(1, "depth", "jump", 9, True)
    assert desk.settle([closed]) == [closed]
    assert desk.settle([again]) == [again], "the next one is a new ticket"


def test_kinds_properties_and_subjects_are_apart() -> None:
    desk = Desk()
    said = [
        Ticket(1, "depth", "jump", 5, False),
        Ticket(1, "depth", "spike", 5, False),
        Ticket(1, "rain", "spike", 5, False),
        Ticket(0, "rain", "unit", 5, False, {}, "source:a"),
        Ticket(0, "rain", "unit", 5, False, {}, "source:b"),
    ]
    assert desk.settle(said) == said


def test_tickets_of_a_sensor_that_left_end_and_those_of_sources_stay() -> None:
    desk = Desk()
    said = [
        Ticket(1, "depth", "range", 50, False),
        Ticket(2, "depth", "range", 50, False),
        Ticket(0, "depth", "unit", 50, False, {}, "source:a|b"),
    ]
    desk.settle(said)
    (gone,) = desk.gone({2}, 40)
    assert (gone.sensor, gone.closed, gone.time_ms) == (1, True, 50)


@given(st.lists(SAID, max_size=30))
def test_of_one_kind_and_subject_at_most_one_is_open(said: list[Ticket]) -> None:
    open_now: dict[tuple[int, str, str, str], int] = {}
    for ticket in Desk().settle(said):
        key = (ticket.sensor, ticket.subject, ticket.property, ticket.kind)
        if ticket.closed:
            open_now.pop(key, None)
        else:
            assert open_now.setdefault(key, ticket.time_ms) == ticket.time_ms
