"""Cursors of events: opaque, whole, and nobody else's."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.events.cursor import Cursor, Malformed, parse
from api.events.event import Mark, Wanted, cloud_event, event
from api.queries.event_rows import EventRow

LOG = Cursor(UUID(int=7), 0)
ROW = EventRow(
    4,
    "a1",
    "330106",
    "Actual",
    True,
    {
        "alert": "a1",
        "domain": "air",
        "change": "lowered",
        "severity": 1,
        "decided_ms": 1_000,
        "valid_until_ms": 2_000,
        "origin": "live",
    },
    3,
)
MARK = Mark.of(ROW)


@given(log=st.uuids(), number=st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_was(log: UUID, number: int) -> None:
    text = Cursor(log, number).text()
    assert parse(text) == Cursor(log, number)
    assert text.isascii()
    assert not set(text) & set("+/=&? ")


@given(text=st.text(max_size=60))
def test_anything_else_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


@given(number=st.integers(0, 2**63 - 1), at=st.integers(0, 38), other=st.sampled_from("Aa0_"))
def test_a_changed_letter_is_noticed(number: int, at: int, other: str) -> None:
    text = Cursor(LOG.log, number).text()
    changed = text[:at] + other + text[at + 1 :]
    if changed != text:
        with pytest.raises(Malformed):
            parse(changed)


def test_an_event_from_before_has_no_completeness() -> None:
    told = event(ROW, LOG)
    assert (told["completeness"], told["suppressed_by"]) == (None, None)
    assert parse(told["cursor"]) == Cursor(LOG.log, 5)
    cloud = cloud_event(ROW, LOG, "/v1/events")
    assert cloud["id"] == f"{LOG.log}-4"
    assert cloud["data"] is ROW.content


def test_who_asked_for_a_severity_hears_of_the_end_of_what_had_it() -> None:
    assert Wanted(severity=3).matches(MARK), "it was orange"
    assert not Wanted(severity=4).matches(MARK)
    assert Wanted(areas={"330106"}, domain="air", change="lowered").matches(MARK)
    for other in (Wanted(areas={"330108"}), Wanted(domain="shelter"), Wanted(change="raised")):
        assert not other.matches(MARK)
