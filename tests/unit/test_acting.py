"""What people and programs may do with alerts, edges first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.actions import acting, alert_action, callout, closure, message
from api.actions.acting import Answer, Outcome
from api.actions.actor import SYSTEM, Actor, Kind, NotAllowed, Role
from api.actions.alert_action import LIMITS, Action, Done, Given, Standing
from api.actions.closure import Hazard, State, Step
from api.actions.refusal import Conflict, Refused, Unknown
from streams.contracts.closing import Ending
from tests.support.actors import COMMANDER, ELSEWHERE, OPERATOR, PROGRAM, SECOND, VIEWER

AREA = "330106"
NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def check(
    action: Action,
    by: Actor = OPERATOR,
    given: Given = Given("note"),  # noqa: B008 - frozen
    severity: int = 2,
    stands: Standing = Standing(),  # noqa: B008 - frozen
) -> None:
    alert_action.check(action, by, AREA, severity, stands, given, NOW, LIMITS)


def test_roles_hold_in_their_area_and_below() -> None:
    city = Actor("account:a", Kind.PERSON, ((Role.COMMANDER, "330100"),))
    assert city.may(Role.OPERATOR, "330106")
    assert city.may(Role.COMMANDER, "330100")
    assert not city.may(Role.VIEWER, "330000")
    assert not city.may(Role.VIEWER, "330206")
    assert not SYSTEM.may(Role.VIEWER, "330106")


@pytest.mark.parametrize("by", [VIEWER, ELSEWHERE, PROGRAM, SYSTEM])
def test_only_operators_of_the_area_act_on_an_alert(by: Actor) -> None:
    with pytest.raises(NotAllowed):
        check(Action.ACKNOWLEDGE, by)


def test_closing_an_orange_alert_by_hand_takes_a_commander() -> None:
    closing = Given("pump test", ending=Ending.FALSE_ALARM)
    check(Action.CLOSE, OPERATOR, closing, severity=2)
    with pytest.raises(NotAllowed):
        check(Action.CLOSE, OPERATOR, closing, severity=3)
    check(Action.CLOSE, COMMANDER, closing, severity=4)


@pytest.mark.parametrize(
    ("action", "given", "missing"),
    [
        (Action.COMMENT, Given(), "note"),
        (Action.ASSIGN, Given(), "assignee"),
        (Action.CLOSE, Given("why"), "ending"),
        (Action.SILENCE, Given("why"), "until"),
        (Action.SILENCE, Given("why", until=NOW), "until"),
        (Action.SILENCE, Given("why", until=NOW + 13 * HOUR), "until"),
        (Action.SILENCE, Given(until=NOW + HOUR), "note"),
    ],
)
def test_each_action_needs_what_it_needs(action: Action, given: Given, missing: str) -> None:
    with pytest.raises(Refused, match=missing):
        check(action, given=given)


def test_the_longest_silence_is_allowed() -> None:
    check(Action.SILENCE, given=Given("works", until=NOW + LIMITS.longest_silence))


def test_nobody_acknowledges_twice_and_a_closed_alert_takes_comments_only() -> None:
    with pytest.raises(Conflict, match="account:a"):
        check(Action.ACKNOWLEDGE, stands=Standing(acknowledged_by="account:a"))
    closed = Standing(closed=Ending.FALSE_ALARM)
    check(Action.COMMENT, stands=closed)
    with pytest.raises(Conflict):
        check(Action.ASSIGN, given=Given(assignee="li"), stands=closed)
    with pytest.raises(Conflict):
        check(Action.UNSILENCE)


def test_what_was_done_lapses_when_the_alert_has_risen_above_it() -> None:
    def done(action: Action, given: Given, holds: bool) -> Done:
        return Done(action, "account:a", given, holds)

    for holds in (True, False):
        given = [
            done(Action.ACKNOWLEDGE, Given(), holds),
            done(Action.ASSIGN, Given(assignee="li"), holds),
            done(Action.SILENCE, Given("works", until=NOW + HOUR), holds),
            done(Action.CLOSE, Given("dry", ending=Ending.CLOSED_BY_HAND), holds),
        ]
        stands = alert_action.standing(given, NOW)
        assert stands.assigned_to == "li"
        assert (stands.acknowledged_by == "account:a") is holds
        assert (stands.silenced_until == NOW + HOUR) is holds
        assert (stands.closed is Ending.CLOSED_BY_HAND) is holds


def test_a_silence_ends_with_its_end() -> None:
    hush = [Done(Action.SILENCE, "a", Given("works", until=NOW + HOUR))]
    assert alert_action.standing(hush, NOW + HOUR - timedelta(seconds=1)).silenced_until
    assert alert_action.standing(hush, NOW + HOUR).silenced_until is None
    hush.append(Done(Action.UNSILENCE, "a", Given()))
    assert alert_action.standing(hush, NOW).silenced_until is None


@pytest.mark.parametrize("step", Step)
def test_what_programs_and_the_system_may_do_with_a_road(step: Step) -> None:
    def may(by: Actor) -> bool:
        try:
            by.require_kind(closure.RULES[step].kinds, step)
        except NotAllowed:
            return False
        return True

    assert may(PROGRAM) is (step in (Step.CONFIRM, Step.NOTE))
    assert may(SYSTEM) is (step in (Step.ADVISE, Step.WITHDRAW, Step.NOTE))


def test_no_hazard_moves_a_closure_and_an_open_one_only_forbids() -> None:
    seen = closure.Given("dry")
    for state in closure.CLOSED:
        for hazard in (Hazard.OPEN, Hazard.STALE):
            with pytest.raises(Refused, match="despite"):
                closure.next_state(state, Step.REOPEN, COMMANDER, AREA, seen, hazard)
        after = closure.next_state(state, Step.REOPEN, COMMANDER, AREA, seen, Hazard.OVER)
        assert after is State.REOPENED
    with pytest.raises(Refused, match="note"):
        closure.next_state(
            State.CONFIRMED, Step.REOPEN, COMMANDER, AREA, closure.NOTHING, Hazard.OVER
        )


def test_the_worst_hazard_counts_and_unknown_is_worse_than_open() -> None:
    assert closure.worst([]) is Hazard.OVER
    assert closure.worst([Hazard.OVER, Hazard.OPEN]) is Hazard.OPEN
    assert closure.worst([Hazard.OPEN, Hazard.STALE, Hazard.OVER]) is Hazard.STALE


def test_a_program_confirms_with_its_reference() -> None:
    with pytest.raises(Refused, match="reference"):
        closure.next_state(State.ORDERED, Step.CONFIRM, PROGRAM, AREA, closure.NOTHING, Hazard.OPEN)


def words(zh: str = "请绕行", en: str = "", hours: float = 1) -> message.Draft:
    return message.Draft(AREA, zh, en, NOW + hours * HOUR)


def test_the_limits_of_a_message_are_inclusive_and_all_mistakes_are_told() -> None:
    most = message.LIMITS
    assert message.mistakes(words("字" * most.zh, "e" * most.en, 24), NOW, most) == []
    assert (
        len(message.mistakes(words("字" * (most.zh + 1), "e" * (most.en + 1), 25), NOW, most)) == 3
    )
    assert len(message.mistakes(words(" ", hours=0), NOW, most)) == 2


def test_a_digest_changes_with_every_part() -> None:
    base = words()
    others = [words("请绕行。"), words(en="x"), words(hours=2)]
    assert len({message.digest(each) for each in [base, *others]}) == 4


def test_a_signature_is_for_what_was_read_and_an_exercise_is_never_sent() -> None:
    text = message.Message(message.State.DRAFT, COMMANDER.who, AREA, NOW + HOUR, True, "d")
    with pytest.raises(Conflict, match="read"):
        message.next_state(text, message.Step.SIGN, SECOND, NOW, message.Given(digest="other"))
    signed = message.Message(message.State.SIGNED, COMMANDER.who, AREA, NOW + HOUR, True, "d")
    with pytest.raises(Conflict, match="exercise"):
        message.next_state(
            signed, message.Step.SEND, PROGRAM, NOW, message.Given(reference="sms 1")
        )


def test_an_author_may_take_the_own_draft_back() -> None:
    text = message.Message(message.State.DRAFT, OPERATOR.who, AREA, NOW + HOUR, False, "d")
    given = message.Given("a typing error")
    assert message.next_state(text, message.Step.REFUSE, OPERATOR, NOW, given) == "refused"


def test_the_same_answer_again_is_no_news_and_another_is() -> None:
    failed = Answer(Outcome.FAILED, "7/221", "gate stuck")
    assert acting.repeated([], failed) is None
    assert acting.repeated([failed], failed) == 0
    assert acting.repeated([failed], Answer(Outcome.EXECUTED, "7/222")) is None


def test_answers_need_a_reference_and_a_reason_unless_executed() -> None:
    assert acting.mistakes(Answer(Outcome.EXECUTED, "1")) == []
    assert len(acting.mistakes(Answer(Outcome.REFUSED, " "))) == 2
    assert acting.stands_out([Outcome.EXECUTED, Outcome.REFUSED])
    assert not acting.stands_out([Outcome.EXECUTED])
    assert not acting.is_late(NOW, NOW)
    assert acting.is_late(NOW + timedelta(milliseconds=1), NOW)


def test_the_deadline_itself_is_too_late_a_millisecond_before_is_not() -> None:
    called, _ = callout.call_out(callout.Callout(), 3, callout.Level.COUNTY, NOW)
    limit = NOW + callout.LIMITS.answer
    early = limit - timedelta(milliseconds=1)
    assert callout.expire(called, early, callout.LIMITS) == (called, [])
    _, happened = callout.expire(called, limit, callout.LIMITS)
    assert {h.call.post for h in happened if h.call} == {callout.Post.DEPUTY}


def test_an_alert_of_a_city_calls_the_city_only() -> None:
    _, happened = callout.call_out(callout.Callout(), 4, callout.Level.CITY, NOW)
    assert [h.line for h in happened] == [callout.Level.CITY]


def test_who_was_not_called_cannot_answer() -> None:
    called, _ = callout.call_out(callout.Callout(), 3, callout.Level.COUNTY, NOW)
    city = callout.Call(callout.Level.CITY, callout.Post.OFFICER)
    with pytest.raises(Unknown):
        callout.answer(called, city, "account:a", NOW)
    with pytest.raises(Unknown):
        callout.confirm(called, callout.Level.VILLAGE, "account:a", NOW)
