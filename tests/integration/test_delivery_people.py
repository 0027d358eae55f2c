"""Mail to a real SMTP server and texts to robots, on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from aiohttp import web
from psycopg import sql

from api.actions.alert_action import Action, Given
from api.actions.alert_actions import act
from streams.contracts.reason import AlertState, Change, Origin, Severity
from streams.storage.connect import connect
from streams.storage.sequencer import number_outbox
from tests.support.actors import COMMANDER
from tests.support.deliveries import delivering, put, states, subscribe, transition, until
from tests.support.postbox import Postbox, posting, smtp
from tests.support.receiver import receiving

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    yield from posting()


def test_mail_bundles_what_notifies_and_is_tried_again(
    database_url: str, space: str, postbox: Postbox
) -> None:
    postbox.refuse = 1
    target = "duty@city.example, chief@city.example"
    subscribe(database_url, space, target, channel="mail", filter={"statuses": ["Exercise"]})
    drill = {"origin": Origin.DRILL}
    put(
        database_url,
        space,
        transition("a", 1, state=AlertState.PENDING, change=Change.ONSET, **drill),
        transition("a", 2, **drill),
        transition("a", 3, severity=Severity.RED, **drill),
        transition("b", 1, **drill),
    )
    with delivering(database_url, space, **smtp(postbox)):
        until(lambda: states(database_url, space) == {"sent": 2, "superseded": 1})
    (letter,) = postbox.letters
    assert letter["Subject"] == "【演练】红色 waterlogging 330106：新发事件，预警 2 条"
    assert letter["To"] == target
    assert str(letter["Message-ID"]).endswith("@city.example>")
    text = letter.get_content()
    assert text.count("【演练】") == 3, "the incident and its two alerts"
    assert text.count("来源：演练") == 3


def test_one_mail_when_it_opens_becomes_worse_and_is_over(
    database_url: str, space: str, postbox: Postbox
) -> None:
    subscribe(database_url, space, "duty@city.example", channel="mail", language="en")
    start = 1_782_864_000_000
    with delivering(database_url, space, **smtp(postbox)):
        put(database_url, space, *[transition(f"a{n}", event_ms=start) for n in range(40)])
        until(lambda: len(postbox.letters) == 1)
        put(database_url, space, *[transition(f"b{n}", event_ms=start) for n in range(40)])
        put(database_url, space, transition("c", event_ms=start, severity=Severity.RED))
        until(lambda: len(postbox.letters) == 2)
        over = {"state": AlertState.RESOLVED, "change": Change.CLEARED, "event_ms": start + 1}
        names = [f"{letter}{n}" for letter in "ab" for n in range(40)] + ["c"]
        put(database_url, space, *[transition(name, 2, **over) for name in names])
        until(lambda: ended(database_url, space) == 81)
        assert len(postbox.letters) == 2
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL(
                    "insert into {}.area_latest"
                    " values ('330106', 'waterlogging', now(), now(), '{{}}')"
                ).format(sql.Identifier(space))
            )
        until(lambda: len(postbox.letters) == 3)
    subjects = [str(each["Subject"]) for each in postbox.letters]
    assert len(subjects) == 3, subjects
    first, second, third = subjects
    assert first.startswith("orange waterlogging 330106: opened, ")
    assert second == "red waterlogging 330106: more severe, 81 alerts"
    assert third == "ended waterlogging 330106: over, 81 alerts"
    assert "81 ended; worst red" in postbox.letters[2].get_content()


def test_what_is_silenced_or_hidden_is_not_mailed(
    database_url: str, space: str, postbox: Postbox
) -> None:
    subscribe(database_url, space, "duty@city.example", channel="mail")
    put(
        database_url, space, transition("quiet"),
        transition("child", suppressed_by="quiet"),
        transition("seen", domain="air", rule="air.index"),
    )  # fmt: skip
    with connect(database_url, space, "citybrain test") as connection:
        number_outbox(connection)
        now, by = datetime.now(UTC), COMMANDER
        until_ = Given("known", until=now + timedelta(hours=1))
        act(connection, by, now, "quiet", Action.SILENCE, until_)
    with delivering(database_url, space, **smtp(postbox)):
        until(lambda: states(database_url, space) == {"sent": 1, "superseded": 1})
    (letter,) = postbox.letters
    assert "air" in letter["Subject"]
    assert "waterlogging" not in letter["Subject"]


def ended(conninfo: str, namespace: str) -> int:
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute("select coalesce(sum(ended), 0) from incident").fetchone()
    return 0 if row is None else int(row[0])


@pytest.mark.parametrize(
    ("channel", "target", "body"),
    [
        ("dingtalk", "token-12345 SECsecret1", {"msgtype": "text", "text": {"content": ...}}),
        ("wecom", "key-12345", {"msgtype": "text", "text": {"content": ...}}),
        ("feishu", "token-12345", {"msg_type": "text", "content": {"text": ...}}),
    ],
)
def test_robots_get_a_text_and_a_refusal_is_no_success(
    database_url: str, space: str, channel: str, target: str, body: dict[str, Any]
) -> None:
    codes = [310_000, 0]

    async def answer(_: web.Request) -> web.StreamResponse:
        code = codes.pop(0)
        return web.json_response({"code" if channel == "feishu" else "errcode": code})

    subscribe(database_url, space, target, channel=channel, language="en")
    with receiving(answer) as robot:
        base: dict[str, Any] = {f"{channel}_url": robot.url("/robot?token=")}
        with delivering(database_url, space, **base):
            put(database_url, space, transition("a"))
            until(lambda: states(database_url, space) == {"sent": 1})
        first, second = robot.received
    told = second.content
    key = "content" if channel == "feishu" else "text"
    text = told[key].popitem()[1]
    assert told | {key: {}} == body | {key: {}}
    assert text.startswith("orange waterlogging.depth 330106 wl-1; raised; measured 0.312 m")
    assert first.body == second.body


def test_people_are_left_in_peace_between_two_messages(
    database_url: str, space: str, postbox: Postbox
) -> None:
    subscribe(database_url, space, "duty@city.example", channel="mail")
    with delivering(database_url, space, people_every_s=1.0, **smtp(postbox)):
        put(database_url, space, transition("a0"))
        until(lambda: len(postbox.letters) == 1)
        first = time.monotonic()
        for n in range(1, 30):
            put(database_url, space, transition(f"a{n}", area=f"3302{n:02}"))
        until(lambda: states(database_url, space) == {"sent": 30})
        assert time.monotonic() - first >= 0.9
    assert len(postbox.letters) <= 4
