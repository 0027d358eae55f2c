"""Receivers that want to hurt, and targets that lead into our own network."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks.webhooks import Webhook

from api.delivery.filter import Filter
from api.delivery.guard import parse_networks
from api.delivery.outcome import Outcome
from api.delivery.subscription import Channel, Subscription
from api.delivery.webhook import MOST_ANSWER, WebhookSender
from tests.support.receiver import Answer, Receiver, status

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"citybrain.alert.v1"}'


class Names(AbstractResolver):
    """Says in turn what a test wants a name's address to be."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._addresses[min(self.asked, len(self._addresses) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]  # fmt: skip

    async def close(self) -> None:
        return


def subscription(target: str, **given: Any) -> Subscription:
    values: dict[str, Any] = {
        "id": "s", "name": "s", "channel": Channel.WEBHOOK, "target": target,
        "filter": Filter.model_validate({}), "secret": SECRET, "inner_network": True,
    }  # fmt: skip
    return Subscription(**(values | given))


def send(
    to: Subscription,
    *,
    networks: tuple[str, ...] = ("127.0.0.0/8",),
    timeout_s: float = 1.0,
    resolver: AbstractResolver | None = None,
    times: int = 1,
) -> Outcome:
    """The last outcome of so many attempts by one sender."""

    async def run() -> Outcome:
        sender = WebhookSender(parse_networks(networks), timeout_s, resolver)
        try:
            for _ in range(times):
                found = await sender.send(to, "s-1", BODY)
            return found
        finally:
            await sender.close()

    return asyncio.run(run())


async def endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 65536)


async def drip(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(300):
        await answer.write(b"x")
        await asyncio.sleep(0.1)
    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def bomb(_: web.Request) -> web.StreamResponse:
    import gzip

    body = gzip.compress(b"\0" * 10_000_000)
    return web.Response(body=body[: MOST_ANSWER // 2], headers={"content-encoding": "gzip"})


async def many_headers(_: web.Request) -> web.StreamResponse:
    return web.Response(headers={f"x-{n}": "y" * 3000 for n in range(500)})


async def receipt(_: web.Request) -> web.StreamResponse:
    return web.json_response({"receipt": "order 17\r\n" + "z" * 1000})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless, "more than 16 KiB"),
        (drip, "no answer within 1 s"),
        (reset, "hung up|reset"),
        (status(500), "500 Internal Server Error"),
        (status(307, location="http://127.0.0.1:1/"), "redirect"),
        (status(301, location="http://169.254.169.254/latest/meta-data"), "redirect"),
        (many_headers, "."),
    ],
)
def test_what_a_receiver_may_do_to_us(receiver: Receiver, answer: Answer, words: str) -> None:
    import re

    receiver.answer = answer
    outcome = send(subscription(receiver.url()))
    assert not outcome.delivered
    assert re.search(words, outcome.error or "")
    assert len(outcome.error or "") <= 300
    assert len(receiver.received) == 1, "a redirect was followed"


def test_a_packed_answer_is_not_unpacked(receiver: Receiver) -> None:
    receiver.answer = bomb
    assert send(subscription(receiver.url())).delivered


def test_a_receipt_is_kept_in_bounds(receiver: Receiver) -> None:
    receiver.answer = receipt
    kept = send(subscription(receiver.url())).receipt
    assert kept is not None
    assert kept.startswith("order 17 zzz")
    assert len(kept) <= 200


def test_gone_is_final_and_a_wish_to_wait_is_heard(receiver: Receiver) -> None:
    receiver.answer = status(410)
    assert send(subscription(receiver.url())).final
    receiver.answer = status(429, **{"retry-after": "120"})
    assert send(subscription(receiver.url())).wish_s == 120


def test_loopback_is_refused_unless_allowed(receiver: Receiver) -> None:
    here = receiver.url()
    outside = subscription(here.replace("http:", "https:"), inner_network=False)
    assert "127.0.0.1 is not public" in (send(outside).error or "")
    assert "must be https" in (send(subscription(here, inner_network=False)).error or "")
    assert "not public" in (send(subscription(here), networks=("10.0.0.0/8",)).error or "")
    assert receiver.received == []
    assert send(subscription(here)).delivered


def test_a_name_that_moves_into_our_network_is_refused(receiver: Receiver) -> None:
    """The name was public when the subscription was made, and is loopback when we connect."""
    names = Names("127.0.0.1")
    rebound = subscription(f"https://moves.example:{receiver.port}/", inner_network=False)
    outcome = send(rebound, resolver=names)
    assert "127.0.0.1 is not public" in (outcome.error or "")
    assert names.asked == 1
    assert receiver.received == []


def test_every_connection_is_checked_anew(receiver: Receiver) -> None:
    """First an allowed address, then another one: the second attempt connects nowhere."""

    async def last(_: web.Request) -> web.StreamResponse:
        answer = web.Response(status=204)
        answer.force_close()
        return answer

    receiver.answer = last
    names = Names("127.0.0.1", "10.0.0.1")

    async def run() -> list[Outcome]:
        sender = WebhookSender(parse_networks(("127.0.0.0/8",)), 1.0, names)
        to = subscription(f"http://moves.example:{receiver.port}/")
        try:
            first = await sender.send(to, "s-1", BODY)
            for session in sender._sessions.values():
                session.connector.clear_dns_cache()  # type: ignore[union-attr]
            return [first, await sender.send(to, "s-2", BODY)]
        finally:
            await sender.close()

    first, second = asyncio.run(run())
    assert first.delivered
    assert "10.0.0.1 is not public" in (second.error or "")


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(subscription(receiver.url())).delivered


def test_both_secrets_sign_while_one_is_rotated(receiver: Receiver) -> None:
    from datetime import UTC, datetime, timedelta

    old = "whsec_" + "QUJD" * 8
    later = datetime.now(UTC) + timedelta(hours=1)
    to = subscription(receiver.url(), previous_secret=old, previous_until=later)
    assert send(to).delivered
    (one,) = receiver.received
    for secret in (SECRET, old):
        assert Webhook(secret).verify(one.body, one.headers)
    past = datetime.now(UTC) - timedelta(seconds=1)
    send(subscription(receiver.url(), previous_secret=old, previous_until=past))
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old).verify(receiver.received[1].body, receiver.received[1].headers)


def test_nobody_there(receiver: Receiver) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = send(subscription(f"http://127.0.0.1:{taken.getsockname()[1]}/?key=hush"))
    assert "cannot be reached" in (outcome.error or "")
    assert "hush" not in (outcome.error or "")
