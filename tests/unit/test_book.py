"""The alerts of one area: identity, sequence, withdrawal, silence, timers."""

from __future__ import annotations

import numpy as np

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.rule import fingerprint
from streams.alerting.ruling import everywhere
from streams.alerting.track import BookState
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Origin, Severity
from tests.support.tiers import CM, depth_rule

MINUTE = 60_000
DEPTH = "waterlogging.depth"
HERE = Subject("p1", "p1")
THERE = Subject("p2", "p2")


def book(area: str = "330106") -> Book:
    made = Book(area)
    made.use("waterlogging", {DEPTH: everywhere(depth_rule())})
    return made


def at(minute: float, origin: Origin = Origin.LIVE) -> Moment:
    return Moment(round(minute * MINUTE), position=7, origin=origin)


def judge(held: Book, minute: float, cm: float, subject: Subject = HERE) -> list[Transition]:
    time_ms = round(minute * MINUTE)
    return held.judge(DEPTH, subject, time_ms, round(cm * CM), at(minute))


def flooded(cm: float = 31) -> Book:
    held = book()
    judge(held, 0, cm)
    judge(held, 1, cm)
    return held


def test_nothing_below_the_first_tier_opens_an_alert() -> None:
    held = book()
    assert judge(held, 0, 14.9) == []
    assert list(held.open()) == []


def test_what_fires_follows_every_transition_rule_and_restart() -> None:
    held = flooded()
    assert [alert[2:] for alert in held.firing()] == [("p1", Severity.ORANGE, False)]
    held.silence("p1", 2 * MINUTE, at(2))
    assert [alert[2:] for alert in held.firing()] == [("p1", Severity.ORANGE, True)]
    held.use("other", {DEPTH: everywhere(depth_rule())})
    assert [alert[0] for alert in held.firing()] == ["other"]
    kept, held.state = held.state, BookState()
    assert held.firing() == ()
    held.state = kept
    held.withdraw(DEPTH, HERE, 3 * MINUTE, Change.WITHDRAWN, at(3))
    assert held.firing() == ()


def test_a_transition_says_what_when_and_why() -> None:
    held = book()
    onset, confirmed = judge(held, 0, 31)
    (raised,) = judge(held, 1, 31)
    assert (onset.state, onset.severity) == (AlertState.PENDING, Severity.ORANGE)
    assert (confirmed.state, confirmed.severity) == (AlertState.FIRING, Severity.BLUE)
    assert (raised.change, raised.severity) == (Change.RAISED, Severity.ORANGE)
    assert (raised.value, raised.threshold, raised.unit) == ("31", "30", "cm")
    assert [t.sequence for t in (onset, confirmed, raised)] == [1, 2, 3]
    assert raised.alert == onset.alert == fingerprint(DEPTH, "p1", 0)
    assert (raised.onset_ms, raised.event_ms, raised.decided_ms) == (0, MINUTE, MINUTE)
    assert (raised.area, raised.point, raised.subject) == ("330106", "p1", "p1")
    assert raised.valid_until_ms == MINUTE + held.valid_ms
    assert raised.position == 7


def test_a_new_onset_is_a_new_alert() -> None:
    held = flooded()
    held.withdraw(DEPTH, HERE, 2 * MINUTE, Change.WITHDRAWN, at(2))
    (onset, _) = judge(held, 3, 31)
    assert onset.alert == fingerprint(DEPTH, "p1", 3 * MINUTE)
    assert onset.sequence == 1


def test_no_alert_begins_where_the_last_one_of_its_point_began() -> None:
    """It would have the same id, and its transitions numbers that are taken."""
    held = flooded()
    held.withdraw(DEPTH, HERE, 2 * MINUTE, Change.WITHDRAWN, at(2))
    assert held.judge(DEPTH, HERE, 0, 31 * CM, at(3)) == []
    assert held.judge(DEPTH, HERE, 1, 31 * CM, at(3))[0].alert == fingerprint(DEPTH, "p1", 1)


def test_points_do_not_share_an_alert() -> None:
    held = flooded()
    (onset, _) = judge(held, 2, 31, THERE)
    assert onset.subject == "p2"
    assert len(list(held.open())) == 2


def test_withdrawing_ends_it_with_its_reason() -> None:
    held = flooded()
    why = {"why": "spike"}
    (gone,) = held.withdraw(DEPTH, HERE, 2 * MINUTE, Change.WITHDRAWN, at(2), why)
    assert (gone.state, gone.change, gone.value) == (
        AlertState.RESOLVED,
        Change.WITHDRAWN,
        None,
    )
    assert gone.evidence == why
    assert held.withdraw(DEPTH, HERE, 2 * MINUTE, Change.WITHDRAWN, at(2)) == []
    assert held.onset(DEPTH, HERE) is None


def test_silence_reaches_only_its_subject() -> None:
    held = flooded()
    judge(held, 1, 31, THERE)
    (stale,) = held.silence("p1", 3 * MINUTE, at(3))
    assert (stale.subject, stale.change, stale.stale) == ("p1", Change.STALE, True)
    assert stale.severity is Severity.ORANGE, "silence lowers nothing"
    assert held.silence("p1", 4 * MINUTE, at(4)) == []
    assert sorted(stale for _, _, stale in held.open()) == [False, True]


def test_a_timer_fires_stamped_with_its_deadline() -> None:
    held = flooded()
    judge(held, 2, 10)
    due = held.due()
    assert due == (12 * MINUTE, f"{DEPTH}|p1")
    (cleared,) = held.fire(due[1], due[0], position=9)
    assert (cleared.change, cleared.event_ms, cleared.decided_ms) == (
        Change.CLEARED,
        12 * MINUTE,
        12 * MINUTE,
    )
    assert held.due() is None


def test_the_origin_of_the_evidence_stays_with_the_timer() -> None:
    held = book()
    for minute, cm in ((0, 31), (1, 31), (2, 0)):
        held.judge(DEPTH, HERE, minute * MINUTE, cm * CM, at(minute, Origin.DRILL))
    due = held.due()
    assert due is not None
    (cleared,) = held.fire(due[1], due[0], position=9)
    assert cleared.origin is Origin.DRILL


def test_a_reading_that_ends_the_old_alert_can_begin_a_new_one() -> None:
    """Rows that come together: dry for ten minutes, then a flood again."""
    held = flooded()
    judge(held, 2, 0)
    found = judge(held, 12, 60)
    assert [(t.change, t.severity) for t in found] == [
        (Change.CLEARED, Severity.ORANGE),
        (Change.ONSET, Severity.RED),
        (Change.CONFIRMED, Severity.RED),
    ]
    assert len({t.alert for t in found}) == 2
    assert [t.sequence for t in found] == [4, 1, 2]


def test_columns_say_the_same_as_one_by_one() -> None:
    depths = [0, 14.9, 31, 31, 31, 26, 10, 12.9, 60, 15, 3, 0]
    one, other = book(), book()
    single: list[Transition] = []
    for minute, cm in enumerate(depths):
        single += one.judge(DEPTH, HERE, minute * MINUTE, round(cm * CM), at(20))
    rows = (
        np.zeros(len(depths), np.int32),
        np.arange(len(depths), dtype=np.int64) * MINUTE,
        np.array([round(cm * CM) for cm in depths], np.int64),
        np.zeros(len(depths), np.bool_),
    )
    assert other.judge_rows(DEPTH, {0: HERE}, rows, at(20)) == single
    assert single, "the series raises something"


def test_an_alert_in_doubt_is_marked() -> None:
    held = book()
    onset, confirmed = held.judge(DEPTH, HERE, 0, 60 * CM, at(0), unverified=True)
    assert onset.unverified
    assert confirmed.unverified
