"""Laws of what people do: who opens a road, who speaks to the public, who is called and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.actions import callout, closure, message
from api.actions.actor import SYSTEM, Actor, Kind
from api.actions.refusal import Refused
from tests.support.actors import COMMANDER, PEOPLE, PROGRAM, SECOND

AREA = "330106"
START = datetime(2026, 7, 1, 10, tzinfo=UTC)
ACTORS = st.sampled_from((*PEOPLE, PROGRAM, SYSTEM))
LIMITS = callout.Limits()
AFTER_A_WAIT = (callout.Event.CALLED, callout.Event.UNREACHED)
TEXTS = st.sampled_from(("", "seen on the spot"))


class ClosureLaw(RuleBasedStateMachine):
    """One road, anybody trying anything while the water comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.state: closure.State | None = None
        self.hazard = closure.Hazard.OPEN
        self.shut = False  # by order, until a person reopens it
        self.opened_by: list[tuple[Kind, closure.Hazard, bool]] = []

    @rule(hazard=st.sampled_from(closure.Hazard))
    def water(self, hazard: closure.Hazard) -> None:
        """Depth 0 ends the alert, silence makes it stale: neither moves the closure."""
        self.hazard = hazard

    @rule(
        step=st.sampled_from(closure.Step),
        by=ACTORS,
        note=TEXTS,
        reference=TEXTS,
        despite=st.booleans(),
    )
    def attempt(
        self, step: closure.Step, by: Actor, note: str, reference: str, despite: bool
    ) -> None:
        given_ = closure.Given(note, reference, despite)
        try:
            after = closure.next_state(self.state, step, by, AREA, given_, self.hazard)
        except Refused:
            return
        if self.shut and after not in closure.CLOSED:
            self.opened_by.append((by.kind, self.hazard, despite))
            self.shut = False
        self.shut = self.shut or after in closure.CLOSED
        self.state = after

    @invariant()
    def only_people_open_roads(self) -> None:
        assert all(kind is Kind.PERSON for kind, _, _ in self.opened_by)

    @invariant()
    def nobody_opens_one_under_water_without_saying_so(self) -> None:
        assert all(h is closure.Hazard.OVER or despite for _, h, despite in self.opened_by)

    @invariant()
    def shut_is_shut(self) -> None:
        assert self.shut == (self.state in closure.CLOSED)


class MessageLaw(RuleBasedStateMachine):
    """One message, anybody trying anything."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.message = message.Message(
            message.State.DRAFT, COMMANDER.who, AREA, START + timedelta(hours=1), False, "d"
        )
        self.signers: set[str] = set()

    @rule(minutes=st.integers(1, 9))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(exercise=st.booleans())
    def drill(self, exercise: bool) -> None:
        if self.message.state is message.State.DRAFT:
            self.message = replace(self.message, exercise=exercise)

    @rule(step=st.sampled_from(message.Step), by=ACTORS, note=TEXTS, reference=TEXTS)
    def attempt(self, step: message.Step, by: Actor, note: str, reference: str) -> None:
        given_ = message.Given(note, reference)
        try:
            after = message.next_state(self.message, step, by, self.now, given_)
        except Refused:
            return
        if step is message.Step.SIGN:
            assert by.kind is Kind.PERSON
            self.signers.add(by.who)
        if step is not message.Step.REFUSE:
            assert self.now < self.message.expires
        self.message = replace(self.message, state=after)

    @rule(step=st.sampled_from((message.Step.SIGN, message.Step.SEND)))
    def go_on(self, step: message.Step) -> None:
        """As it should be: another commander signs, a program sends."""
        by = SECOND if step is message.Step.SIGN else PROGRAM
        self.attempt(step, by, "seen on the spot", "sms 1")

    @invariant()
    def two_people_stand_behind_what_is_sent(self) -> None:
        if self.message.state in (message.State.SIGNED, message.State.SENT):
            assert self.signers - {self.message.author}
        if self.message.state is message.State.SENT:
            assert not self.message.exercise


class CalloutLaw(RuleBasedStateMachine):
    """One alert, and whoever answers, whenever."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.severity = 0
        self.callout = callout.Callout()
        self.happened: list[callout.Happening] = []

    @rule(seconds=st.integers(1, 1200))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.callout, happened = callout.expire(self.callout, self.now, LIMITS)
        self.happened += happened

    @rule(severity=st.integers(1, 4))
    def rise(self, severity: int) -> None:
        self.severity = severity
        self.callout, happened = callout.call_out(
            self.callout, severity, callout.Level.COUNTY, self.now
        )
        self.happened += happened

    @rule(level=st.sampled_from(callout.Level), post=st.sampled_from(callout.Post))
    def answer(self, level: callout.Level, post: callout.Post) -> None:
        try:
            self.callout, happened = callout.answer(
                self.callout, callout.Call(level, post), "who", self.now
            )
        except Refused:
            return
        self.happened += happened

    @rule(level=st.sampled_from(callout.Level))
    def act(self, level: callout.Level) -> None:
        try:
            self.callout, happened = callout.confirm(self.callout, level, "who", self.now)
        except Refused:
            return
        self.happened += happened

    @invariant()
    def each_post_is_called_once(self) -> None:
        calls = Counter(h.call for h in self.happened if h.event is callout.Event.CALLED)
        assert all(times == 1 for times in calls.values())

    @invariant()
    def everybody_called_has_time_to_answer(self) -> None:
        for line in {h.line for h in self.happened}:
            calls = [h.at for h in self.happened if h.line is line and h.event in AFTER_A_WAIT]
            assert all(b - a >= LIMITS.answer for a, b in pairwise(calls))

    @invariant()
    def what_happened_is_in_order(self) -> None:
        times = [h.at for h in self.happened]
        assert times == sorted(times)

    @invariant()
    def no_deadline_is_behind(self) -> None:
        waits = callout.due(self.callout, LIMITS)
        assert waits is None or waits > self.now

    @invariant()
    def who_answered_is_not_passed_on(self) -> None:
        for line in self.callout.lines:
            if line.acting_by is not None:
                assert line.answered_by is not None


QUICK = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestClosureLaw = ClosureLaw.TestCase
TestClosureLaw.settings = QUICK
TestMessageLaw = MessageLaw.TestCase
TestMessageLaw.settings = QUICK
TestCalloutLaw = CalloutLaw.TestCase
TestCalloutLaw.settings = QUICK


@given(st.lists(st.integers(1, 900), max_size=12), st.sampled_from((3, 4)))
def test_a_late_look_gives_the_same_as_many_punctual_ones(steps: list[int], severity: int) -> None:
    once, _ = callout.call_out(callout.Callout(), severity, callout.Level.COUNTY, START)
    often, happened, now = once, [], START
    for seconds in steps:
        now += timedelta(seconds=seconds)
        often, more = callout.expire(often, now, LIMITS)
        happened += more
    assert callout.expire(once, now, LIMITS) == (often, happened)


def test_nothing_awaited_after_the_end() -> None:
    called, _ = callout.call_out(callout.Callout(), 4, callout.Level.COUNTY, START)
    ended = callout.end(called)
    assert callout.due(ended, LIMITS) is None
    assert callout.expire(ended, START + timedelta(days=1), LIMITS) == (ended, [])
