"""What every response carries: security headers, and an entity tag so that unchanged answers are
not sent again (RFC 9110 §8.8.3, §13.1.2)."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


class SecurityHeaders:
    """Adds the security headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


class EntityTags:
    """Tags whole JSON, XML and CSV answers of successful GETs; 304 when the client has them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        tagger = _Tagger(Headers(scope=scope).get("if-none-match", ""), send)
        await self._app(scope, receive, tagger)


class _Tagger:
    """Holds the start of a response back until its body, if that comes in one piece."""

    def __init__(self, held_by_client: str, send: Send) -> None:
        self._client = {tag.strip().removeprefix("W/") for tag in held_by_client.split(",")}
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _taggable(message):
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            if message["type"] == "http.response.body" and not message.get("more_body"):
                message = self._tag(start, message)
            await self._send(start)
        await self._send(message)

    def _tag(self, start: Message, body: Message) -> Message:
        digest = hashlib.blake2b(body.get("body", b""), digest_size=12).hexdigest()
        headers = MutableHeaders(scope=start)
        headers["etag"] = f'"{digest}"'
        headers.setdefault("cache-control", "private, no-cache")  # answers differ by caller
        headers.setdefault("vary", "accept")
        if f'"{digest}"' not in self._client:
            return body
        start["status"] = 304
        for name in ("content-length", "content-type"):
            del headers[name]
        return {**body, "body": b""}


def _taggable(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    tagged = "json" in kind or "+xml" in kind or kind.startswith("text/csv")
    return start["status"] == 200 and tagged
