"""Laws of the messages of an alert: each is sound, and later changes move nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from api.cap.chain import Told, build_chain, cap_time, identifier
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
    told = build_chain(rows, "citybrain", HOUSE.sender, None)
    assert len({one.identifier for one in told}) == len(told)
    assert [one.msg_type is MsgType.ALERT for one in told] == [n == 0 for n in range(len(told))]
    for number, one in enumerate(told):
        message = render(one, kind, HOUSE, TITLES, None)
        write(message)  # refuses what has no sense
        assert message.status is Status(message_status(kind, Origin(origin)))
        if number:
            assert one.references[-1].identifier == told[number - 1].identifier
    for length in range(len(rows)):
        sooner = build_chain(rows[:length], "citybrain", HOUSE.sender, None)
        assert sooner == told[: len(sooner)], "what was told does not change"


def told_until(rows: list[CapRow], minutes: int, renew_s: int = 300) -> list[Told]:
    """Every telling up to so many minutes after the first row, each built for itself."""
    at = FIRST.decided_at + timedelta(minutes=minutes)
    known = [replace(row, judged_at=at) for row in rows if row.decided_at <= at]
    last = build_chain(known, "citybrain", HOUSE.sender, renew_s)
    found: list[Told] = []
    for row in known:
        of_row = [one.renewal for one in last if one.row.sequence == row.sequence]
        for renewal in range(max(of_row, default=-1) + 1):
            wanted = (row.sequence, renewal)
            chain = build_chain(known, "citybrain", HOUSE.sender, renew_s, wanted)
            name = identifier("citybrain", row.alert, *wanted)
            found += [one for one in chain if one.identifier == name]
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STEPS.filter(lambda step: step[0] > 0), min_size=1, max_size=6),
    st.integers(1, 1200),
    st.lists(st.integers(0, 400), min_size=2, max_size=4),
)
def test_a_live_alert_is_never_seen_as_expired(
    steps: list[tuple[int, str, str, int, bool, bool]], renew_s: int, moments: list[int]
) -> None:
    """Its chain hangs together, each is told before the one before expires, and time moves nothing
    that was told."""
    rows = _forwards(rows_of(steps, "live"))
    before: list[Told] = []
    for minutes in sorted(moments):
        told = told_until(rows, minutes, renew_s)
        assert [one.identifier for one in told[: len(before)]] == [o.identifier for o in before]
        assert [replace(o, row=FIRST) for o in told[: len(before)]] == [
            replace(o, row=FIRST) for o in before
        ], "what was told stays as it was told"
        before = told
    for one, after in pairwise(before):
        assert after.references[-1].identifier == one.identifier
        assert one.sent < after.sent <= one.expires
        unexpired = [o.identifier for o in before if o.sent < after.sent < o.expires]
        assert set(unexpired) <= {r.identifier for r in after.references}
        write(render(after, NamespaceKind.LIVE, HOUSE, TITLES, None))
    if before and before[-1].msg_type is not MsgType.CANCEL:
        now = cap_time(FIRST.decided_at + timedelta(minutes=max(moments)))
        assert before[-1].expires > now, "an open alert, and nobody holds a message that is good"


def _forwards(rows: list[CapRow]) -> list[CapRow]:
    """Nothing that has fired is pending again."""
    fired = False
    found = []
    for row in rows:
        fired |= row.state == "firing"
        found.append(replace(row, state="firing") if fired and row.state == "pending" else row)
    return found


@given(st.integers(0, 2000))
def test_nothing_of_a_replay_is_told_again(minutes: int) -> None:
    rows = rows_of([(1, "firing", "raised", 2, False, False)], "replayed")
    assert len(told_until(rows, minutes)) == (minutes >= 1)


def test_nothing_is_told_again_after_the_end_or_while_nobody_judges() -> None:
    rows = rows_of([(1, "firing", "raised", 2, False, False)], "live")
    assert [one.renewal for one in told_until(rows, 11)] == [0]
    assert [one.renewal for one in told_until(rows, 12)] == [0, 1]
    assert [one.renewal for one in told_until(rows, 60)] == [0, 1, 2, 3, 4, 5]
    ended = rows_of(
        [(1, "firing", "raised", 2, False, False), (30, "resolved", "cleared", 1, False, False)],
        "live",
    )
    assert [one.msg_type.value for one in told_until(ended, 600)] == [
        "Alert",
        "Update",
        "Update",
        "Cancel",
    ]
