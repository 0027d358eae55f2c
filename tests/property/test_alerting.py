"""Laws of alerts: none fires without its rule, every one ends or is open, identity is content."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.rule import Thresholds, fingerprint
from streams.alerting.ruling import everywhere
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Origin
from tests.support.tiers import CM, counting_rule, depth_rule

POINT = Subject("p", "p")
RULES = {"waterlogging.depth": depth_rule(), "toy.count": counting_rule()}
EVERY = pytest.mark.parametrize("name", list(RULES))
# (minutes since the reading before, value in cm or plain, silent before it)
STORY = st.lists(
    st.tuples(
        st.integers(1, 25),
        st.sampled_from([0, 9, 10, 12, 13, 14, 15, 19, 20, 26, 27, 28, 30, 31, 35, 49, 50, 55]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)
Story = list[tuple[int, int, bool]]


def play(name: str, story: Story) -> tuple[list[Transition], Book, list[tuple[int, int]]]:
    """All transitions, the book, and the observations (ms, scaled)."""
    rule = RULES[name]
    book = Book("330106")
    book.use(name.split(".")[0], {name: everywhere(rule)})
    unit = CM if name == "waterlogging.depth" else 1
    found: list[Transition] = []
    seen: list[tuple[int, int]] = []
    now = 0
    for minutes, value, silent in story:
        now += minutes * 60_000
        while (due := book.due()) is not None and due[0] <= now:
            found += book.fire(due[1], due[0], 1)
        moment = Moment(now, 1, Origin.LIVE)
        if silent:
            found += book.silence("p", now, moment)
        found += book.judge(name, POINT, now, value * unit, moment)
        seen.append((now, value * unit))
    return found, book, seen


def met(rule: Thresholds, tier: int, seen: list[tuple[int, int]], until_ms: int) -> bool:
    """Whether the readings up to a time raise the tier: one far above, or enough in a row."""
    values = [value for time, value in seen if time <= until_ms]
    jumped = rule.jump is not None and values[-1] >= rule.jump[tier - 1]
    row = values[-rule.consecutive :]
    return jumped or (len(row) == rule.consecutive and all(v >= rule.meet[tier - 1] for v in row))


@EVERY
@given(story=STORY)
@settings(deadline=None)
def test_nothing_fires_or_rises_without_its_rule_met(name: str, story: Story) -> None:
    found, _, seen = play(name, story)
    rule = RULES[name]
    for transition in found:
        if transition.change in (Change.CONFIRMED, Change.RAISED):
            tier = rule.severities.index(transition.severity) + 1
            assert met(rule, tier, seen, transition.event_ms)


@EVERY
@given(story=STORY)
@settings(deadline=None)
def test_every_alert_is_a_numbered_story_that_ends_or_is_open(name: str, story: Story) -> None:
    found, book, _ = play(name, story)
    by_alert = [list(group) for _, group in groupby(found, key=lambda t: t.alert)]
    assert len({group[0].alert for group in by_alert}) == len(by_alert), "one after the other"
    for group in by_alert:
        assert [t.sequence for t in group] == list(range(1, len(group) + 1))
        assert group[0].change is Change.ONSET
        assert group[0].alert == fingerprint(name, "p", group[0].onset_ms)
        assert len({t.onset_ms for t in group}) == 1
        assert [t.event_ms for t in group] == sorted(t.event_ms for t in group)
        assert all(t.state is not AlertState.RESOLVED for t in group[:-1])
    ended = [group[-1].state is AlertState.RESOLVED for group in by_alert]
    assert all(ended[:-1])
    is_open = book.onset(name, POINT) is not None
    assert is_open == bool(ended and not ended[-1])


@EVERY
@given(story=STORY)
@settings(deadline=None)
def test_the_same_story_gives_the_same_transitions(name: str, story: Story) -> None:
    assert play(name, story)[0] == play(name, story)[0]


@EVERY
@given(story=STORY)
@settings(deadline=None)
def test_it_ends_once_the_water_is_gone(name: str, story: Story) -> None:
    """Two dry readings, ten minutes apart, and the timer."""
    found, book, _ = play(name, [*story, (1, 0, False), (1, 0, False), (11, 0, False)])
    assert book.onset(name, POINT) is None
    assert not found or found[-1].state is AlertState.RESOLVED
