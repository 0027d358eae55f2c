"""The stages in a book of alerts: what is held, what hides what, and how programs learn it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.ruling import everywhere
from streams.alerting.stages.hide import Doubt
from streams.alerting.track import BookState
from streams.contracts import state as state_bytes
from streams.contracts.closing import Close, Ending
from streams.contracts.outcome import Held, Transition
from streams.contracts.reason import Change, Origin, Severity
from tests.support.tiers import CM, counting_rule, depth_rule

MINUTE = 60_000
DEPTH, COUNT = "waterlogging.depth", "toy.count"
HERE, THERE, WHOLE = Subject("p1", "p1"), Subject("p2", "p2"), Subject("area:330106", None)


def book(hidden_by: tuple[str, ...] = (DEPTH,)) -> Book:
    """Depth, and a count (10 blue, 20 yellow, 30 red, at once) that depth hides."""
    made = Book("330106")
    made.use("waterlogging", {DEPTH: everywhere(depth_rule(consecutive="1"))})
    count = everywhere(counting_rule("1", "1"))
    made.use("toy", {COUNT: replace(count, hidden_by=hidden_by)})
    return made


def at(minute: float, origin: Origin = Origin.LIVE) -> Moment:
    return Moment(round(minute * MINUTE), 7, origin)


def depth(held: Book, minute: float, cm: float, subject: Subject = HERE) -> list[Transition]:
    return held.judge(DEPTH, subject, round(minute * MINUTE), round(cm * CM), at(minute))


def count(
    held: Book, minute: float, value: int, subject: Subject = HERE, origin: Origin = Origin.LIVE
) -> list[Transition]:
    return held.judge(COUNT, subject, round(minute * MINUTE), value, at(minute, origin))


def told(transitions: list[Transition]) -> list[tuple[str, str, str | None]]:
    return [(t.rule, t.change.value, t.suppressed_by) for t in transitions]


# inhibition --------------------------------------------------------------------------------------


def test_a_child_of_a_firing_parent_begins_hidden() -> None:
    held = book()
    parent = depth(held, 0, 31)[-1].alert
    onset, confirmed = count(held, 1, 10)
    assert onset.suppressed_by is None, "a pending alert is in nobody's way"
    assert confirmed.suppressed_by == parent


def test_a_parent_that_begins_later_hides_and_its_end_shows() -> None:
    held = book()
    count(held, 0, 10)
    *own, hidden = depth(held, 1, 31)
    assert told([hidden]) == [(COUNT, "hidden", own[-1].alert)]
    assert (hidden.sequence, hidden.value, hidden.severity) == (3, "10", Severity.BLUE)
    assert (hidden.event_ms, hidden.decided_ms) == (MINUTE, MINUTE)
    assert hidden.evidence == {"was": None}
    gone, shown = held.withdraw(DEPTH, HERE, 2 * MINUTE, Change.WITHDRAWN, at(2))
    assert told([gone, shown]) == [(DEPTH, "withdrawn", None), (COUNT, "shown", None)]
    assert shown.evidence == {"was": own[-1].alert}


def test_worse_than_its_parent_it_is_shown() -> None:
    held = book()
    parent = depth(held, 0, 15)[-1].alert
    assert count(held, 1, 10)[-1].suppressed_by == parent
    (raised,) = count(held, 2, 30)
    assert (raised.severity, raised.suppressed_by) == (Severity.RED, None)
    *_, hidden = depth(held, 3, 56)
    assert told([hidden]) == [(COUNT, "hidden", parent)]


def test_a_parent_that_falls_below_its_child_hides_it_no_more() -> None:
    held = book()
    depth(held, 0, 31)
    count(held, 1, 20)
    depth(held, 2, 20)
    (lowered, shown) = held.fire(f"{DEPTH}|p1", 12 * MINUTE, 7)
    assert (lowered.severity, shown.change) == (Severity.BLUE, Change.SHOWN)


def test_a_stale_parent_hides_nobody() -> None:
    held = book()
    depth(held, 0, 31)
    count(held, 1, 10)
    changes = [(t.rule, t.change) for t in held.silence("p1", 2 * MINUTE, at(2), "waterlogging")]
    assert changes == [(DEPTH, Change.STALE), (COUNT, Change.SHOWN)]
    fresh, hidden = depth(held, 3, 31)
    assert (fresh.change, hidden.change) == (Change.FRESH, Change.HIDDEN)


def test_it_is_about_the_same_point_or_the_whole_area() -> None:
    held = book()
    depth(held, 0, 31, THERE)
    assert count(held, 1, 10)[-1].suppressed_by is None
    parent = depth(held, 2, 31, WHOLE)
    assert told(parent[-1:]) == [(COUNT, "hidden", parent[0].alert)]
    gone = held.withdraw(DEPTH, WHOLE, 3 * MINUTE, Change.RETIRED, at(3))
    assert told(gone[1:]) == [(COUNT, "shown", None)]


def test_an_ending_is_told_as_the_alert_was_shown() -> None:
    held = book()
    parent = depth(held, 0, 31)[-1].alert
    count(held, 1, 10)
    (cleared,) = count(held, 2, 0)
    assert (cleared.change, cleared.suppressed_by) == (Change.CLEARED, parent)


def test_a_drill_hides_nothing_that_is_live() -> None:
    held = book()
    held.judge(DEPTH, HERE, 0, 31 * CM, at(0, Origin.DRILL))
    assert count(held, 1, 10)[-1].suppressed_by is None


def test_another_rule_set_changes_what_hides_what() -> None:
    held = book()
    parent = depth(held, 0, 31)[-1].alert
    count(held, 1, 10)
    held.use("toy", {COUNT: everywhere(counting_rule("1", "1"))})
    assert told(held.refit(at(2))) == [(COUNT, "shown", None)]
    held.use("toy", {COUNT: replace(everywhere(counting_rule("1", "1")), hidden_by=(DEPTH,))})
    assert told(held.refit(at(3))) == [(COUNT, "hidden", parent)]


def test_lists_change_but_neither_the_colour_nor_who_is_told_to_look() -> None:
    held = book()
    count(held, 0, 10)
    depth(held, 1, 31)
    moves = held.moves
    held.use("toy", {COUNT: everywhere(counting_rule("1", "1"))})
    assert [t.change for t in held.refit(at(2))] == [Change.SHOWN]
    assert held.moves == moves


def close(held: Book, minute: float, one: Transition) -> list[Transition]:
    """A person closes the alert as it is."""
    said = Close(
        one.area, one.alert, one.subject, False, one.severity, 1, "who", Ending.FALSE_ALARM, ""
    )
    return held.close(said, at(minute))[1]


def test_a_parent_that_a_person_closed_hides_nobody() -> None:
    held = book()
    parent = depth(held, 0, 31)[-1]
    count(held, 1, 10)
    assert told(close(held, 2, parent)) == [(DEPTH, "closed", None), (COUNT, "shown", None)]
    assert depth(held, 3, 31) == [], "followed in silence"
    assert count(held, 4, 20)[-1].suppressed_by is None


def test_a_closed_child_is_told_nothing_and_a_new_one_is_staged_anew() -> None:
    held = book()
    child = count(held, 0, 10)[-1]
    assert [t.change for t in close(held, 1, child)] == [Change.CLOSED]
    parent = depth(held, 2, 31)
    assert {t.rule for t in parent} == {DEPTH}
    risen = count(held, 3, 20)
    assert [t.change for t in risen] == [Change.ONSET, Change.CONFIRMED]
    assert [t.suppressed_by for t in risen] == [None, parent[0].alert]
    assert [t.sequence for t in risen] == [1, 2]


# sensors that are not believed -------------------------------------------------------------------

TICKET = Doubt("s1/depth/unit/0", Severity.ORANGE)


def test_a_ticket_that_opens_hides_and_one_that_closes_shows() -> None:
    held = book()
    depth(held, 0, 31)
    held.stages.doubts = {f"{DEPTH}|p1": TICKET}
    assert told(held.stage_again(at(1))) == [(DEPTH, "hidden", f"ticket:{TICKET.ticket}")]
    assert held.stage_again(at(2)) == [], "once"
    held.stages.doubts = {}
    assert told(held.stage_again(at(3))) == [(DEPTH, "shown", None)]


def test_red_is_shown_whatever_the_ticket_says() -> None:
    held = book()
    held.stages.doubts = {f"{DEPTH}|p1": TICKET}
    assert [t.suppressed_by for t in depth(held, 0, 31)[1:]] == [f"ticket:{TICKET.ticket}"]
    (raised,) = depth(held, 1, 51)
    assert (raised.severity, raised.suppressed_by) == (Severity.RED, None)


def test_another_point_bears_it_out_while_it_fires_as_badly() -> None:
    held = book()
    held.stages.doubts = {f"{DEPTH}|p1": TICKET}
    depth(held, 0, 31)
    assert told(depth(held, 1, 20, THERE))[2:] == [], "blue does not bear orange out"
    assert told(depth(held, 2, 31, THERE))[1:] == [(DEPTH, "shown", None)]
    *_, hidden = held.withdraw(DEPTH, THERE, 3 * MINUTE, Change.WITHDRAWN, at(3))
    assert told([hidden]) == [(DEPTH, "hidden", f"ticket:{TICKET.ticket}")]
    held.stages.doubts = {f"{DEPTH}|{p}": TICKET for p in ("p1", "p2")}
    assert depth(held, 4, 31, THERE)[-1].suppressed_by is not None, "nor does a doubted one"


def test_what_is_not_believed_hides_nobody() -> None:
    held = book()
    depth(held, 0, 31)
    count(held, 1, 10)
    held.stages.doubts = {f"{DEPTH}|p1": TICKET}
    assert told(held.stage_again(at(2))) == [
        (DEPTH, "hidden", f"ticket:{TICKET.ticket}"),
        (COUNT, "shown", None),
    ]


# damping -----------------------------------------------------------------------------------------


def flapping() -> tuple[Book, list[Transition]]:
    """Fires and clears every two minutes: each time a new alert."""
    held, found = book(), list[Transition]()
    for minute, value in enumerate((20, 0, 20, 0, 10)):
        found += count(held, 2 * minute, value)
    return held, found


def test_it_flaps_over_episodes() -> None:
    _, found = flapping()
    confirmed, cleared = found[1], found[2]
    assert found[0].alert != found[-1].alert
    assert (confirmed.held, cleared.held) == (None, None)
    fourth = found[5]
    assert (fourth.change, fourth.held) == (Change.CLEARED, Held(Severity.YELLOW, 21 * MINUTE))
    onset, last = found[-2:]
    assert onset.held == Held(Severity.YELLOW, 21 * MINUTE), "a pending one moves no colour"
    assert (last.severity, last.held) == (Severity.BLUE, Held(Severity.YELLOW, 23 * MINUTE))


def test_a_sensor_that_was_wrong_holds_nothing() -> None:
    held, _ = flapping()
    (gone,) = held.withdraw(COUNT, HERE, 9 * MINUTE, Change.WITHDRAWN, at(9))
    assert gone.held is None
    assert count(held, 10, 10)[-1].held is None


def test_a_held_colour_is_what_a_parent_must_match() -> None:
    held, _ = flapping()
    *_, confirmed = depth(held, 9, 15)
    assert (confirmed.rule, confirmed.severity) == (DEPTH, Severity.BLUE), "people see it yellow"
    *_, hidden = depth(held, 10, 28)
    assert told([hidden])[0][:2] == (COUNT, "hidden")


def test_verification_moves_no_colour() -> None:
    held = book()
    for minute, doubtful in enumerate((True, False) * 2):
        held.judge(DEPTH, HERE, minute * MINUTE, 31 * CM, at(minute), unverified=doubtful)
    assert len(held.state.flaps[f"{DEPTH}|p1"].at_ms) == 1


# what is kept ------------------------------------------------------------------------------------


def test_a_checkpoint_in_the_middle_changes_nothing() -> None:
    held, _ = flapping()
    depth(held, 9, 31)
    other = book()
    other.state = state_bytes.restore(state_bytes.dump(held.state), BookState)
    assert depth(held, 10, 20) == depth(other, 10, 20)
    assert count(held, 11, 30) == count(other, 11, 30)


def test_checkpoints_from_before_the_stages_are_read() -> None:
    held = book()
    depth(held, 0, 31)
    count(held, 0, 10)
    old = state_bytes.dump(
        {
            "tracks": {
                key: {
                    name: getattr(track, name)
                    for name in track.__slots__
                    if name not in ("colour", "hidden_by")
                }
                for key, track in held.state.tracks.items()
            },
            "points": held.state.points,
            "origins": held.state.origins,
            "onsets": held.state.onsets,
        }
    )
    other = book()
    other.state = state_bytes.restore(old, BookState)
    assert [t.change for t in other.stage_again(at(1))] == [Change.HIDDEN]


@pytest.mark.parametrize("key", [COUNT, DEPTH])
def test_parents_rank_before_their_children(key: str) -> None:
    held = book()
    assert held._rules.rank(key) == (1 if key == COUNT else 0)
