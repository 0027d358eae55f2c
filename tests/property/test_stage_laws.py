"""Laws of the stages: they change what lists show and nothing else, whatever the stories."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.ruling import everywhere
from streams.alerting.stages.flap import FlapNumbers
from streams.alerting.stages.hide import Doubt
from streams.alerting.track import BookState
from streams.contracts import state as state_bytes
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Origin, Severity
from streams.contracts.ticket import by_ticket
from tests.support.tiers import CM, counting_rule, depth_rule

DEPTH, COUNT = "waterlogging.depth", "toy.count"
SUBJECTS = (Subject("p", "p"), Subject("q", "q"), Subject("area:330106", None))
LISTS_ONLY = (Change.HIDDEN, Change.SHOWN)
# (minutes since before, rule, subject, cm or count, what else happens first)
STEP = st.tuples(
    st.integers(0, 9),
    st.sampled_from([DEPTH, COUNT]),
    st.sampled_from(range(3)),
    st.sampled_from([0, 9, 12, 16, 20, 28, 31, 52]),
    st.sampled_from(["", "", "", "", "silence", "ticket", "no ticket", "withdraw", "drill"]),
)
STORY = st.lists(STEP, max_size=40)
Story = list[tuple[int, str, int, int, str]]
USUAL = FlapNumbers()
DOUBT = Doubt("s/depth/unit/0", Severity.ORANGE)


def make(hidden_by: tuple[str, ...], numbers: FlapNumbers) -> Book:
    book = Book("330106")
    book.stages.numbers = numbers
    book.use("waterlogging", {DEPTH: everywhere(depth_rule())})
    book.use("toy", {COUNT: replace(everywhere(counting_rule("1", "1")), hidden_by=hidden_by)})
    return book


def play(
    story: Story,
    hidden_by: tuple[str, ...] = (DEPTH,),
    *,
    tickets: bool = True,
    numbers: FlapNumbers = USUAL,
    restart: bool = False,
) -> tuple[list[Transition], Book]:
    book, now, found = make(hidden_by, numbers), 0, list[Transition]()
    for minutes, rule, place, value, also in story:
        now += minutes * 60_000
        if restart:
            kept, doubts = state_bytes.dump(book.state), book.stages.doubts
            book = make(hidden_by, numbers)
            book.state = state_bytes.restore(kept, BookState)
            book.stages.doubts = doubts
        while (due := book.due()) is not None and due[0] <= now:
            found += book.fire(due[1], due[0], 1)
        subject = SUBJECTS[place]
        moment = Moment(now, 1, Origin.DRILL if also == "drill" else Origin.LIVE)
        match also:
            case "silence":
                found += book.silence(subject.key, now, moment)
            case "withdraw":
                found += book.withdraw(rule, subject, now, Change.WITHDRAWN, moment)
            case "ticket" | "no ticket" if tickets:
                doubts = {f"{rule}|{subject.key}": DOUBT} if also == "ticket" else {}
                book.stages.doubts = doubts
                found += book.stage_again(moment)
        unit = CM if rule == DEPTH else 1
        found += book.judge(rule, subject, now, value * unit, moment)
    return found, book


def without_stages(transitions: list[Transition]) -> list[Transition]:
    """Every transition that is not about lists only, as if there were none."""
    return [
        replace(t, sequence=0, suppressed_by=None, held=None)
        for t in transitions
        if t.change not in LISTS_ONLY
    ]


@given(story=STORY)
@settings(deadline=None)
def test_programs_get_the_same_transitions_whatever_the_stages_say(story: Story) -> None:
    never = FlapNumbers(moves=10_000)
    plain, _ = play(story, (), tickets=False, numbers=never)
    assert all((t.suppressed_by, t.held) == (None, None) for t in plain)
    assert all(t.change not in LISTS_ONLY for t in plain)
    assert without_stages(play(story)[0]) == without_stages(plain)


@given(story=STORY)
@settings(deadline=None)
def test_without_hidden_by_and_tickets_nothing_is_suppressed(story: Story) -> None:
    found, _ = play(story, (), tickets=False)
    assert all(t.suppressed_by is None and t.change not in LISTS_ONLY for t in found)


@given(story=STORY)
@settings(deadline=None)
def test_what_is_held_is_never_below_what_holds(story: Story) -> None:
    for one in play(story)[0]:
        if one.held is not None and one.state is AlertState.FIRING:
            assert one.held.severity >= one.severity
            assert one.held.until_ms > one.event_ms


@given(story=STORY)
@settings(deadline=None)
def test_the_stream_alone_tells_who_is_hidden_and_by_what(story: Story) -> None:
    """What lists know from the transitions is what holds; the one that hides is there, speaks, is
    at least as bad and not hidden by a ticket; a ticket hides no red."""
    found, book = play(story)
    newest = {t.alert: t for t in found}
    numbers: dict[str, int] = {}
    for one in found:
        assert one.sequence == numbers.get(one.alert, 0) + 1
        numbers[one.alert] = one.sequence
    for track in book.state.tracks.values():
        last = newest[track.alert]
        assert last.suppressed_by == track.hidden_by
        if track.hidden_by is None:
            continue
        assert last.state is AlertState.FIRING
        if by_ticket(track.hidden_by):
            assert last.severity < Severity.RED
            continue
        parent = newest[track.hidden_by]
        assert (parent.state, parent.stale, parent.rule) == (AlertState.FIRING, False, DEPTH)
        assert parent.severity >= last.severity
        assert not by_ticket(parent.suppressed_by)


@given(story=STORY)
@settings(deadline=None)
def test_nothing_is_left_to_be_told(story: Story) -> None:
    """Looking at every alert again finds what was told. Nothing is held here: a hold that has run
    out is told with the next change only."""
    _, book = play(story, numbers=FlapNumbers(moves=10_000))
    now = sum(step[0] for step in story) * 60_000
    assert book.stage_again(Moment(now, 1, Origin.LIVE)) == []


@given(story=STORY)
@settings(deadline=None)
def test_restarts_change_nothing(story: Story) -> None:
    assert play(story)[0] == play(story, restart=True)[0]


@given(story=STORY)
@settings(deadline=None)
def test_what_is_remembered_of_flaps_is_bounded(story: Story) -> None:
    _, book = play(story)
    assert len(book.state.flaps) <= len(SUBJECTS) * 2
    for flap in book.state.flaps.values():
        assert len(flap.at_ms) == len(flap.colour)
        assert flap.at_ms[0] >= flap.at_ms[-1] - 900_000
