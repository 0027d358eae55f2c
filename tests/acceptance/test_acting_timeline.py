"""People and programs act on alerts, read as days: who did what at what time, and what held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.actions import callouts, closures, messages
from api.actions.actor import NotAllowed
from api.actions.callout import Call, Level, Post
from api.actions.closure import Given, State, Step
from api.actions.message import Draft
from api.actions.message import Given as Words
from api.actions.message import State as MessageState
from api.actions.message import Step as MessageStep
from api.actions.refusal import Conflict, Refused
from streams.contracts.reason import Change, NamespaceKind, Severity
from tests.support.acting_day import COUNTY, LINK, Day, moment
from tests.support.actors import COMMANDER, OPERATOR, PROGRAM, SECOND

pytestmark = pytest.mark.integration
LOOKED = Given("drained, no debris")


@pytest.fixture
def day(database_url: str, namespace: str) -> Iterator[Day]:
    made = Day(database_url, namespace)
    yield made
    made.close()


def test_a_road_is_closed_and_stays_closed_until_a_person_reopens_it(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.YELLOW)
    assert day.steps() == []
    day.at("10:01")
    day.alert(Severity.ORANGE, Change.RAISED)
    assert day.steps() == ["10:01 advise system"]
    day.at("10:03")
    assert day.step(COMMANDER, Step.ORDER) is State.ORDERED
    day.at("10:06")
    assert day.step(PROGRAM, Step.CONFIRM, Given(reference="gate 7/221")) is State.CONFIRMED

    day.at("10:40")  # depth 0
    day.alert(Severity.NONE, Change.CLEARED)
    assert day.one("select state from closure") == "confirmed"
    day.at("23:00")
    assert day.one("select state from closure") == "confirmed"
    for nobody in (PROGRAM, OPERATOR):
        with pytest.raises(NotAllowed):
            day.step(nobody, Step.REOPEN, LOOKED)
    assert day.step(COMMANDER, Step.REOPEN, LOOKED) is State.REOPENED
    assert day.steps() == [
        "10:01 advise system",
        "10:03 order account:commander",
        "10:06 confirm key:signals",
        "10:40 note system",
        "23:00 reopen account:commander",
    ]
    assert [what for _, what in day.audit() if what.startswith("closure")] == [
        "closure.advise",
        "closure.order",
        "closure.confirm",
        "closure.note",
        "closure.reopen",
    ]


def test_a_silent_sensor_keeps_the_road_closed(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.RED)
    day.step(COMMANDER, Step.ORDER)
    day.at("10:20")
    day.alert(Severity.RED, Change.STALE, stale=True)
    with pytest.raises(Refused, match="sensor is silent"):
        day.step(COMMANDER, Step.REOPEN, LOOKED)
    assert day.one("select state from closure") == "ordered"
    assert day.step(COMMANDER, Step.REOPEN, Given("crew on the spot: dry", despite=True))


def test_advice_falls_away_with_its_alert_because_the_road_was_never_closed(day: Day) -> None:
    day.at("10:00")
    day.alert()
    day.at("10:02")
    day.alert(Severity.NONE, Change.WITHDRAWN)
    assert day.steps() == ["10:00 advise system", "10:02 withdraw system"]


def test_a_second_alert_joins_the_closure_that_runs_and_holds_its_advice(day: Day) -> None:
    day.at("10:00")
    day.alert()
    day.at("10:01")
    day.alert(name="rise")
    assert day.one("select alerts from closure") == ["flood", "rise"]
    day.at("10:02")
    day.alert(Severity.NONE, Change.CLEARED)
    assert day.one("select state from closure") == "advised"
    day.at("10:03")
    day.alert(Severity.NONE, Change.CLEARED, name="rise")
    assert day.one("select state from closure") == "withdrawn"


def test_advice_falls_away_with_its_own_alerts_though_another_watches_the_road(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.YELLOW, name="rise")
    day.alert()
    day.at("10:05")
    day.alert(Severity.NONE, Change.CLEARED)
    assert day.one("select state from closure") == "withdrawn"


def test_an_order_is_held_by_whatever_is_still_open_at_the_road(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.YELLOW, name="rise")
    day.alert()
    day.step(COMMANDER, Step.ORDER)
    day.at("10:05")
    day.alert(Severity.NONE, Change.CLEARED)
    with pytest.raises(Refused, match="still open"):
        day.step(COMMANDER, Step.REOPEN, LOOKED)


def test_after_a_reopening_a_worse_alert_advises_again(day: Day) -> None:
    day.at("10:00")
    day.alert()
    day.step(COMMANDER, Step.ORDER)
    day.step(COMMANDER, Step.REOPEN, Given("one lane is dry", despite=True))
    day.at("10:10")
    day.alert(Severity.RED, Change.RAISED)
    assert day.rows("select state from closure order by id") == ["reopened", "advised"]


def test_what_nobody_decides_becomes_overdue(day: Day) -> None:
    day.at("10:00")
    day.alert()
    assert day.one("select due from closure") == moment("10:05")
    day.at("10:04")
    day.step(COMMANDER, Step.ORDER)
    assert day.one("select due from closure") == moment("10:19")
    day.at("10:10")
    day.step(OPERATOR, Step.CONFIRM)
    assert day.one("select due from closure") is None


def test_of_a_drill_nothing_is_real_and_it_hides_no_real_closure(day: Day) -> None:
    day.run("update namespace set kind = 'drill'")
    day.kind = NamespaceKind.DRILL
    day.at("10:00")
    day.alert()
    assert day.one("select exercise from closure")
    assert day.one("select exercise from callout")
    day.run("update namespace set kind = 'live'")
    day.kind = NamespaceKind.LIVE
    day.at("10:01")
    day.alert(name="real")
    assert day.rows("select exercise, alerts from closure order by id") == [
        (True, ["flood"]),
        (False, ["real"]),
    ]


def test_orange_calls_county_and_town_and_goes_up_until_somebody_answers(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.ORANGE)
    day.at("10:02")
    callouts.answer(day.connection, OPERATOR, day.now, "flood", Call(Level.TOWN, Post.OFFICER))
    day.at("10:05")
    day.at("10:12")
    callouts.answer(day.connection, OPERATOR, day.now, "flood", Call(Level.CITY, Post.OFFICER))
    day.at("10:14")
    callouts.confirm(day.connection, PROGRAM, day.now, "flood", Level.TOWN)
    day.at("11:00")
    assert day.calls() == [
        "10:00 called county officer",
        "10:00 called town officer",
        "10:02 answered town officer",
        "10:05 called county deputy",
        "10:10 called city officer",
        "10:12 answered city officer",
        "10:14 acting town",
        "10:15 not_acting county",
    ]
    assert day.one("select overdue from callout")


def test_red_calls_village_and_owner_too_and_the_end_calls_nobody(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.ORANGE)
    day.at("10:01")
    day.alert(Severity.RED, Change.RAISED)
    day.at("10:03")
    day.alert(Severity.NONE, Change.CLEARED)
    day.at("12:00")
    assert day.calls() == [
        "10:00 called county officer",
        "10:00 called town officer",
        "10:01 called village officer",
        "10:01 called owner officer",
        "10:03 ended county",
    ]
    assert not day.one("select overdue from callout")


def test_a_look_after_an_outage_lets_deadlines_pass_at_their_own_times(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.ORANGE)
    day.at("11:30")
    assert day.calls()[2:] == [
        "10:05 called county deputy",
        "10:05 called town deputy",
        "10:10 called city officer",
        "10:15 called province officer",
        "10:15 not_acting county",
        "10:15 not_acting town",
        "10:20 unreached county",
        "10:25 unreached town",
    ]


def test_what_was_due_before_a_rise_comes_before_it(day: Day) -> None:
    day.at("10:00")
    day.alert(Severity.ORANGE)
    day.now = moment("10:07")
    day.alert(Severity.RED, Change.RAISED)
    assert day.calls()[2:] == [
        "10:05 called county deputy",
        "10:05 called town deputy",
        "10:07 called village officer",
        "10:07 called owner officer",
    ]


def test_last_nights_alert_is_not_acted_on_in_the_morning(day: Day) -> None:
    day.now = moment("02:00")
    day.run("update acting_position set sequence = 1000")  # nobody heeds the outbox
    day.alert()
    day.now = moment("03:00")
    day.alert(Severity.NONE, Change.CLEARED)
    day.run("update acting_position set sequence = -1")
    day.at("08:00")
    assert day.steps() == []
    assert day.calls() == []


def test_a_public_message_needs_a_second_commander(day: Day) -> None:
    day.at("10:00")
    day.alert()
    wanted = Draft(COUNTY, "文三路下穿积水, 请绕行。", "Avoid it.", moment("12:00"), "flood")
    id = messages.draft(day.connection, COMMANDER, day.now, wanted)
    with pytest.raises(NotAllowed, match="author"):
        messages.take(day.connection, COMMANDER, day.now, id, MessageStep.SIGN)
    with pytest.raises(Conflict):
        messages.take(
            day.connection, PROGRAM, day.now, id, MessageStep.SEND, Words(reference="sms 1")
        )
    day.at("10:05")
    signed = messages.take(day.connection, SECOND, day.now, id, MessageStep.SIGN)
    assert signed is MessageState.SIGNED
    with pytest.raises(Conflict, match="expired"):
        messages.take(
            day.connection,
            PROGRAM,
            moment("12:00"),
            id,
            MessageStep.SEND,
            Words(reference="sms 1"),
        )
    sent = messages.take(
        day.connection, PROGRAM, day.now, id, MessageStep.SEND, Words(reference="sms 1")
    )
    assert sent is MessageState.SENT
    correction = Draft(COUNTY, "更正: 已可通行。", "", moment("13:00"), "flood", id)
    assert messages.draft(day.connection, OPERATOR, day.now, correction) > id


def test_a_commander_may_close_a_road_that_nobody_advised(day: Day) -> None:
    day.at("09:00")
    id = closures.begin(day.connection, COMMANDER, day.now, Step.ORDER, LINK, None)
    day.at("09:30")
    day.alert()
    assert day.one("select state from closure where id = %s", id) == "ordered"
    assert day.one("select alerts from closure where id = %s", id) == ["flood"]
