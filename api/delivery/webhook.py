"""Webhooks: one signed POST (Standard Webhooks), its answer read within bounds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver
from standardwebhooks.webhooks import Webhook

from api.delivery.guard import Guard, Network, Refused, url_mistake
from api.delivery.outcome import Outcome, shorten
from api.delivery.subscription import Subscription

MOST_ANSWER = 16 << 10
MOST_RECEIPT = 200
MOST_HEADER = 4 << 10
DNS_S = 10
KEEP_S = 30.0


class WebhookSender:
    """Sends to the targets of subscriptions. Made inside a running loop; close it."""

    def __init__(
        self,
        networks: Sequence[Network] = (),
        timeout_s: float = 10.0,
        resolver: AbstractResolver | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        inner = tuple(networks)
        # A connection is shared only by those who may make it themselves.
        self._sessions = {
            (False, "https"): guarded_session(Guard(), timeout_s, resolver, trusted),
            (True, "https"): guarded_session(Guard(inner), timeout_s, resolver, trusted),
            (True, "http"): guarded_session(
                Guard(inner, public=False), timeout_s, resolver, trusted
            ),
        }
        self._timeout_s = timeout_s

    async def close(self) -> None:
        """Drops the connections."""
        for session in self._sessions.values():
            await session.close()

    async def send(self, to: Subscription, id: str, body: bytes) -> Outcome:
        """One attempt. `id` is the idempotency key. Never raises but for cancellation."""
        mistake = url_mistake(to.target, inner=to.inner_network)
        if mistake is not None:
            return Outcome(False, error=f"the target {mistake}", final=True)
        session = self._sessions[to.inner_network, urlsplit(to.target).scheme]
        headers = signed(to.secrets(datetime.now(UTC)), id, body, datetime.now(UTC))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _post(session, to.target, headers, body)
        except TimeoutError:
            return Outcome(False, error=f"no answer within {self._timeout_s:g} s")
        except aiohttp.ClientError as error:
            return Outcome(False, error=shorten(words_of(error)))
        except (OSError, ValueError) as error:
            return Outcome(False, error=shorten(str(error) or type(error).__name__))


def signed(secrets: Sequence[str], id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; one signature for each secret that is valid now."""
    text = body.decode()
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(s).sign(id, at, text) for s in secrets),
    }


def guarded_session(
    guard: Guard,
    timeout_s: float,
    resolver: AbstractResolver | None = None,
    trusted: ssl.SSLContext | None = None,
) -> aiohttp.ClientSession:
    """A client that connects only where the guard allows, follows nothing and trusts nobody's
    proxies."""
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=resolver,
        ttl_dns_cache=DNS_S,
        ssl=trusted if trusted is not None else True,
        keepalive_timeout=KEEP_S,
        socket_factory=guard.make_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=MOST_ANSWER,
        max_line_size=MOST_HEADER,
        max_field_size=MOST_HEADER,
        headers={
            "user-agent": f"citybrain/{version('citybrain')}",
            "accept": "application/json",
            "accept-encoding": "identity",
        },
    )


async def _post(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes
) -> Outcome:
    async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        status = answer.status
        if 300 <= status < 400:
            answer.close()
            return Outcome(False, status, "answers with a redirect, which is not followed")
        text = await read_bounded(answer)
        if text is None:
            return Outcome(False, status, f"answers with more than {MOST_ANSWER >> 10} KiB")
        if 200 <= status < 300:
            return Outcome(True, status, receipt=_receipt(text))
        return Outcome(
            False,
            status,
            shorten(f"{status} {_phrase(status)} {text[:MOST_RECEIPT].decode(errors='replace')}"),
            final=status == HTTPStatus.GONE,
            wish_s=_wish_s(answer.headers.get("retry-after")),
        )


async def read_bounded(answer: aiohttp.ClientResponse) -> bytes | None:
    """The body; None, and the connection is dropped, when it is too long."""
    parts, size = [], 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > MOST_ANSWER:
            answer.close()
            return None
        parts.append(part)
    return b"".join(parts)


def _receipt(text: bytes) -> str | None:
    """The field `receipt` of a JSON object, if the receiver gives one."""
    if not text.startswith(b"{"):
        return None
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    found = content.get("receipt") if isinstance(content, dict) else None
    return shorten(found)[:MOST_RECEIPT] if isinstance(found, str) else None


def _wish_s(header: str | None) -> float | None:
    """Retry-After in seconds; a date is not worth trusting a stranger's clock."""
    if header is None or not header.isascii() or not header.isdigit():
        return None
    return float(header[:9])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def words_of(error: aiohttp.ClientError) -> str:
    """What went wrong, without the target: it may hold a secret in its query."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name has no address"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        return f"refused: {cause}" if isinstance(cause, Refused) else f"cannot be reached: {cause}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "hung up without an answer"
    return f"{type(error).__name__}: {error}"
