"""Laws of the messages of an alert: each is sound, and later changes move nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.cap.chain import build_chain
from api.cap.render import render
from api.queries.cap_rows import CapRow
from streams.contracts.cap.house import read_house
from streams.contracts.cap.model import MsgType, Status
from streams.contracts.cap.write import write
from streams.contracts.message_status import message_status
from streams.contracts.reason import Change, NamespaceKind, Origin
from tests.unit.test_cap_chain import FIRST, TITLES

HOUSE = read_house({})
STEPS = st.tuples(
    st.integers(-5, 90),  # minutes on; back as well, which must not happen and breaks nothing
    st.sampled_from(["pending", "firing", "firing", "firing", "resolved"]),
    st.sampled_from([change.value for change in Change]),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)


def rows_of(steps: list[tuple[int, str, str, int, bool, bool]], origin: str) -> list[CapRow]:
    rows, at = [], FIRST.decided_at
    for number, (minutes, state, change, severity, stale, unverified) in enumerate(steps, 1):
        at += timedelta(minutes=minutes)
        row = replace(
            FIRST,
            sequence=number,
            state=state,
            change=change,
            severity=0 if state == "resolved" else severity,
            stale=stale,
            unverified=unverified,
            decided_at=at,
            valid_until=at + timedelta(minutes=15),
            origin=origin,
        )
        rows.append(row)
        if state == "resolved":
            break
    return rows


@settings(max_examples=100, deadline=None)
@given(
    st.lists(STEPS, max_size=12),
    st.sampled_from([origin.value for origin in Origin]),
    st.sampled_from(NamespaceKind),
)
def test_every_life_is_told_soundly(
    steps: list[tuple[int, str, str, int, bool, bool]], origin: str, kind: NamespaceKind
) -> None:
    rows = rows_of(steps, origin)
    told = build_chain(rows, "citybrain", HOUSE.sender)
    assert len({one.identifier for one in told}) == len(told)
    assert [one.msg_type is MsgType.ALERT for one in told] == [n == 0 for n in range(len(told))]
    for number, one in enumerate(told):
        message = render(one, kind, HOUSE, TITLES, None)
        write(message)  # refuses what has no sense
        assert message.status is Status(message_status(kind, Origin(origin)))
        if number:
            assert one.references[-1].identifier == told[number - 1].identifier
    for length in range(len(rows)):
        sooner = build_chain(rows[:length], "citybrain", HOUSE.sender)
        assert sooner == told[: len(sooner)], "what was told does not change"
