"""Acting over real PostgreSQL: two at once, a death between steps, and the routes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from api.access.role import ALL, Role
from api.acting import now, who_acts
from api.actions import alert_actions, answers, callouts, closures, messages
from api.actions.acting import Answer, Outcome
from api.actions.advance import advance
from api.actions.alert_action import Action, Given
from api.actions.callout import Call, Level, Post
from api.actions.closure import Step
from api.actions.expected import Overtaken
from api.actions.message import Draft
from api.actions.message import Step as MessageStep
from api.actions.refusal import Conflict, Refused
from api.app import create_app
from streams.contracts.reason import Change, NamespaceKind, Severity
from streams.log.postgres import PostgresLog
from streams.storage.connect import Connection, connect
from streams.storage.sequencer import number_outbox
from tests.support.acting_day import COUNTY, LINK, Day, moment
from tests.support.actors import COMMANDER, OPERATOR, PROGRAM, SECOND, VIEWER
from tests.support.admission import as_person, make_account, make_session
from tests.support.api_client import get
from tests.support.served import served

pytestmark = pytest.mark.integration
TRIES = 8


@pytest.fixture
def day(database_url: str, namespace: str) -> Iterator[Day]:
    made = Day(database_url, namespace)
    made.at("10:00")
    yield made
    made.close()


@pytest.fixture
def client(day: Day) -> Iterator[httpx.Client]:
    """The API as a commander uses it, at the day's time; `x-as: second` is another one."""
    opener = partial(PostgresLog, day.conninfo)
    app = create_app(day.conninfo, day.namespace, {}, open_log=opener)
    actors = {each.who: each for each in (COMMANDER, SECOND, OPERATOR, PROGRAM, VIEWER)}
    whose = {"who": COMMANDER.who}
    app.dependency_overrides[who_acts] = lambda: actors[whose["who"]]
    app.dependency_overrides[now] = lambda: day.now
    make_account(day.conninfo, day.namespace, "boss", (Role.COMMANDER, ALL))
    with served(app) as found:
        found.headers.update(as_person(make_session(day.conninfo, day.namespace, "boss")))
        found.event_hooks["request"] = [
            lambda request: whose.update(who=request.headers.get("x-as", COMMANDER.who))
        ]
        yield found


def at_once(day: Day, *calls: Callable[[Connection], object]) -> list[BaseException | None]:
    """Runs them on connections of their own at the same moment; what each raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[Connection], object]) -> BaseException | None:
        with connect(day.conninfo, day.namespace, "citybrain test", autocommit=True) as connection:
            gate.wait(10)
            try:
                call(connection)
            except Refused as refusal:
                return refusal
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_two_who_order_a_road_closed_one_is_told_that_it_is(day: Day) -> None:
    for number in range(TRIES):
        link = f"rl-{number}"
        day.add_point(link, "road_link", {})
        id = closures.begin(day.connection, OPERATOR, day.now, Step.ADVISE, link, None)

        def order(connection: Connection, id: int = id) -> object:
            return closures.take(connection, COMMANDER, day.now, id, Step.ORDER)

        said = at_once(day, order, order)
        assert [type(each) for each in said if each] == [Conflict]
        assert day.one("select count(*) from closure_step where closure = %s", id) == 2


def test_of_two_who_begin_a_closure_of_a_road_one_is_told(day: Day) -> None:
    def begin(connection: Connection) -> object:
        return closures.begin(connection, COMMANDER, day.now, Step.ORDER, LINK, None)

    said = at_once(day, begin, begin, begin)
    assert [type(each) for each in said if each] == [Conflict, Conflict]
    assert day.one("select count(*) from closure") == 1


def test_of_two_who_have_seen_the_same_one_is_overtaken(day: Day) -> None:
    alert = day.alert()

    def comment(connection: Connection) -> object:
        given = Given("seen")
        return alert_actions.act(
            connection, OPERATOR, day.now, alert, Action.COMMENT, given, expected=0
        )

    said = at_once(day, comment, comment, comment)
    assert [type(each) for each in said if each] == [Overtaken, Overtaken]
    assert day.one("select max(number) from alert_action") == 1


def test_of_many_who_acknowledge_the_first_has_done_it(day: Day) -> None:
    alert = day.alert()

    def acknowledge(connection: Connection) -> object:
        return alert_actions.act(connection, OPERATOR, day.now, alert, Action.ACKNOWLEDGE, Given())

    said = at_once(day, *[acknowledge] * 4)
    assert [type(each) for each in said if each] == [Conflict] * 3


def test_the_same_answer_sent_many_times_at_once_is_kept_once(day: Day) -> None:
    day.alert()
    said = Answer(Outcome.FAILED, "7/221", "gate stuck")

    def answer(connection: Connection) -> object:
        return answers.answer(connection, PROGRAM, day.now, 0, PROGRAM.who, said)

    assert at_once(day, *[answer] * 4) == [None] * 4
    assert day.rows("select number, outcome from acting_answer") == [(1, "failed")]
    kept = answers.answer(
        day.connection, PROGRAM, day.now, 0, PROGRAM.who, replace(said, outcome=Outcome.EXECUTED)
    )
    assert (kept.number, kept.new, kept.late) == (2, True, False)
    again = answers.answer(day.connection, PROGRAM, day.now, 0, PROGRAM.who, said)
    assert (again.number, again.new) == (1, False)
    assert day.rows("select executed, failed from alert_with_actions") == [(1, 0)]


def test_an_answer_after_the_event_has_expired_is_late(day: Day) -> None:
    day.alert()
    day.now = moment("10:16")
    kept = answers.answer(
        day.connection, PROGRAM, day.now, 0, PROGRAM.who, Answer(Outcome.EXECUTED, "1")
    )
    assert kept.late


class Died(Exception):
    """Stands for a kill between two statements."""


class Mortal:
    """A connection that dies at its n-th statement."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection, self._left = connection, statements

    def execute(self, *given: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Died
        return self._connection.execute(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_death_at_any_statement_loses_nothing_and_does_nothing_twice(day: Day) -> None:
    day.run("update acting_position set sequence = 1000000")
    day.alert()
    day.alert(Severity.RED, Change.RAISED)
    day.alert(name="rise")
    day.alert(Severity.NONE, Change.CLEARED, name="rise")
    day.run("update acting_position set sequence = -1")
    deaths = 0
    while True:
        with connect(day.conninfo, day.namespace, "citybrain test", autocommit=True) as connection:
            try:
                advance(Mortal(connection, deaths), day.now, day.plan, most=2)  # type: ignore[arg-type]
            except Died:
                deaths += 1
                assert day.one("select sequence from acting_position") in (-1, 1)
                continue
            if day.one("select sequence from acting_position") == 3:
                break
    assert deaths > 10
    assert day.steps() == ["10:00 advise system"]
    assert [call.split(" ", 1)[1] for call in day.calls()] == [
        "called county officer",
        "called town officer",
        "called village officer",
        "called owner officer",
    ]


def test_only_one_heeds_the_outbox_at_a_time(day: Day) -> None:
    with connect(day.conninfo, day.namespace, "citybrain test") as other:
        other.execute("select from acting_position for update")
        assert advance(day.connection, day.now).busy
    assert not advance(day.connection, day.now).busy


def test_what_is_no_real_news_advises_nothing(day: Day) -> None:
    day.run("update namespace set kind = 'replay'")
    day.kind = NamespaceKind.REPLAY
    day.alert()
    assert day.steps() == []
    assert day.calls() == []


def test_the_store_itself_refuses_an_authors_signature(day: Day) -> None:
    wanted = Draft(COUNTY, "请绕行", "", moment("12:00"))
    id = messages.draft(day.connection, COMMANDER, day.now, wanted)
    with pytest.raises(psycopg.errors.RaiseException, match="author"):
        day.run(
            "insert into message_step (message, number, area, step, who, at, digest)"
            " values (%s, 2, %s, 'sign', %s, now(), '')",
            id, COUNTY, COMMANDER.who,
        )  # fmt: skip
    assert messages.take(day.connection, SECOND, day.now, id, MessageStep.SIGN) == "signed"


def test_an_alert_shows_what_was_done_until_it_rises(day: Day, client: httpx.Client) -> None:
    alert = day.alert()
    path = f"/v1/alerts/{alert}/actions"
    assert client.post(path, json={"action": "acknowledge"}).status_code == 201
    assert client.post(path, json={"action": "acknowledge"}).status_code == 409
    assigned = client.post(
        path, json={"action": "assign", "assignee": "li"}, headers={"if-match": '"1"'}
    )
    assert assigned.status_code == 201
    overtaken = client.post(
        path, json={"action": "comment", "note": "x"}, headers={"if-match": '"1"'}
    )
    assert overtaken.status_code == 412
    (item,) = get(client, "/v1/alerts")["items"]
    assert item["acted"]["acknowledged_by"] == COMMANDER.who
    assert item["acted"]["assigned_to"] == "li"
    assert item["acted"]["closure_state"] == "advised"
    day.alert(Severity.RED, Change.RAISED)
    (item,) = get(client, "/v1/alerts")["items"]
    assert item["acted"]["acknowledged_by"] is None
    assert item["acted"]["assigned_to"] == "li"
    done = get(client, path)
    assert [each["action"] for each in done["items"]] == ["acknowledge", "assign"]
    assert done["sequence"] == 2


def test_closed_by_hand_is_an_ending_of_its_own(day: Day, client: httpx.Client) -> None:
    alert = day.alert()
    wrong = client.post(f"/v1/alerts/{alert}/actions", json={"action": "close"})
    assert wrong.status_code == 422
    assert {e["parameter"] for e in wrong.json()["errors"]} == {"body.note", "body.ending"}
    given = {"action": "close", "ending": "false_alarm", "note": "gauge was cleaned"}
    assert client.post(f"/v1/alerts/{alert}/actions", json=given).status_code == 202
    item = get(client, f"/v1/alerts/{alert}")["alert"]
    assert item["state"] == "firing", "until the stream has taken it"
    assert item["acted"]["closed_as"] == "false_alarm"
    assert item["acted"]["close_state"] == "closing"


def test_a_closure_over_http(day: Day, client: httpx.Client) -> None:
    day.alert()
    (one,) = get(client, "/v1/closures", area="330100")["items"]
    path = f"/v1/closures/{one['id']}/steps"
    as_program = {"x-as": PROGRAM.who}
    assert client.post(path, json={"step": "order"}, headers=as_program).status_code == 403
    assert client.post(path, json={"step": "order"}).json()["state"] == "ordered"
    assert client.post(path, json={"step": "order"}).status_code == 409
    confirmed = client.post(
        path, json={"step": "confirm", "reference": "gate 7/221"}, headers=as_program
    )
    assert confirmed.json()["closed"]
    assert client.post(path, json={"step": "reopen", "note": "dry"}).status_code == 422
    late = get(client, "/v1/closures", overdue=True)
    assert late["items"] == []
    shown = get(client, f"/v1/closures/{one['id']}")
    assert [step["step"] for step in shown["steps"]] == ["advise", "order", "confirm"]
    assert client.get("/v1/closures/999").status_code == 404
    assert client.post("/v1/closures", json={"link": "nowhere"}).status_code == 404
    assert client.post("/v1/closures", json={"link": LINK}).status_code == 409


def test_what_cannot_be_stored_is_a_mistake_of_the_request(day: Day, client: httpx.Client) -> None:
    given = {"action": "comment", "note": "a\u0000b"}
    assert client.post(f"/v1/alerts/{day.alert()}/actions", json=given).status_code == 422
    assert client.post("/v1/alerts/nothing/actions", json=given).status_code in (404, 422)
    header = client.post("/v1/closures/1/steps", json={"step": "order"}, headers={"if-match": "x"})
    assert header.status_code == 422


def test_a_message_over_http_needs_two(day: Day, client: httpx.Client) -> None:
    wanted = {"area": COUNTY, "text_zh": "请绕行", "expires": "2026-07-01T12:00:00+08:00"}
    made = client.post("/v1/messages", json=wanted).json()
    path = f"/v1/messages/{made['id']}"
    read = {"digest": made["digest"]}
    assert client.post(f"{path}/signature", json=read).status_code == 403
    second = {"x-as": SECOND.who}
    wrong = client.post(f"{path}/signature", json={"digest": "other"}, headers=second)
    assert wrong.status_code == 409
    assert client.post(f"{path}/signature", json=read, headers=second).json()["state"] == "signed"
    sending = {"reference": "sms 17"}
    sent = client.post(f"{path}/sending", json=sending, headers={"x-as": PROGRAM.who})
    assert [step["who"] for step in sent.json()["steps"]] == [
        COMMANDER.who,
        SECOND.who,
        PROGRAM.who,
    ]
    assert client.post(f"{path}/refusal", json={"note": "no"}).status_code == 409
    assert [m["id"] for m in get(client, "/v1/messages", state="sent")["items"]] == [made["id"]]


def test_answers_over_http(day: Day, client: httpx.Client) -> None:
    alert = day.alert()
    me = COMMANDER.who
    given = {"subscription": me, "outcome": "refused", "reference": "9", "reason": "no gate"}
    assert client.post("/v1/events/0/answers", json=given).status_code == 201
    assert client.post(f"/v1/events/{me}-0/answers", json=given).status_code == 200
    assert client.post("/v1/events/other-0/answers", json=given).status_code == 409
    assert client.post("/v1/events/77/answers", json=given).status_code == 404
    viewer = client.post("/v1/events/0/answers", json=given, headers={"x-as": VIEWER.who})
    assert viewer.status_code == 403
    (item,) = get(client, "/v1/alerts")["items"]
    assert (item["acted"]["refused"], item["acted"]["stands_out"]) == (1, True)
    assert len(get(client, f"/v1/alerts/{alert}/answers")["items"]) == 1


def test_a_callout_over_http(day: Day, client: httpx.Client) -> None:
    alert = day.alert()
    day.at("10:06")
    (one,) = get(client, "/v1/callouts", area=COUNTY)["items"]
    assert [(line["line"], line["post"]) for line in one["lines"]] == [
        ("county", "deputy"),
        ("town", "deputy"),
    ]
    path = f"/v1/callouts/{alert}"
    given = {"level": "county", "post": "deputy", "who": "王伟"}
    answered = client.post(f"{path}/answers", json=given).json()
    assert answered["lines"][0]["answered_by"] == "王伟"
    assert client.post(f"{path}/answers", json=given).status_code == 409
    acts = client.post(f"{path}/confirmations", json={"line": "town", "who": "李娜"}).json()
    assert acts["lines"][1]["acting_by"] == "李娜"
    assert client.get("/v1/callouts/nothing").status_code == 404
    call = Call(Level.VILLAGE, Post.OFFICER)
    with pytest.raises(Refused):
        callouts.answer(day.connection, OPERATOR, day.now, alert, call)


def test_nobody_changes_anything_where_nobody_is_known(day: Day) -> None:
    alert = day.alert()
    with served(create_app(day.conninfo, day.namespace, {})) as client:
        answer = client.post(f"/v1/alerts/{alert}/actions", json={"action": "acknowledge"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert client.post("/v1/closures", json={"link": LINK}).status_code == 401


def test_the_api_looks_after_what_follows_by_itself(day: Day) -> None:
    day.plan = replace(day.plan, closure_domains=frozenset(), callout_domains=frozenset())
    app = create_app(day.conninfo, day.namespace, {}, advance_s=0.05)
    day.run("update acting_position set sequence = 1000000")
    day.alert()
    day.run("update acting_position set sequence = -1")
    number_outbox(day.connection)
    done = threading.Event()
    with served(app):
        for _ in range(200):
            if day.one("select count(*) from closure") == 1:
                break
            done.wait(0.05)
    assert day.one("select state from closure") == "advised"
    assert day.one("select sequence from acting_position") == 0
