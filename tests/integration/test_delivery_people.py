"""Mail to a real SMTP server and texts to robots, on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.process import wait_until
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Severity
from streams.storage.migrate import migrate
from tests.support.deliveries import delivering, put, states, subscribe, transition
from tests.support.mosquitto import free_port
from tests.support.receiver import receiving

pytestmark = pytest.mark.integration
PATIENCE_S = 15.0


class Postbox:
    """What an SMTP server took; refuses the first so many."""

    def __init__(self) -> None:
        self.refuse = 0
        self.letters: list[EmailMessage] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse > 0:
            self.refuse -= 1
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        letter = BytesParser(policy=default).parsebytes(content)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 queued as 17"


@pytest.fixture
def space(database_url: str, namespace: str) -> str:
    migrate(database_url, namespace, NamespaceKind.LIVE)
    return namespace


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


def until(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, PATIENCE_S, 0.02)


def smtp(box: Postbox) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_from": "citybrain@city.example",
    }


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
    assert letter["Subject"] == "【演练】红色 waterlogging.depth 330106 wl-1 等 2 条"
    assert letter["To"] == target
    assert str(letter["Message-ID"]).endswith("@city.example>")
    text = letter.get_content()
    assert text.count("【演练】") == 2
    assert "来源：演练" in text


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
            put(database_url, space, transition(f"a{n}"))
        until(lambda: states(database_url, space) == {"sent": 30})
        assert time.monotonic() - first >= 0.9
    assert len(postbox.letters) <= 4
