"""Robots of DingTalk, WeCom and Feishu: one text. Written here because their answers matter.

All three answer HTTP 200 also when they refuse, with a code in the body; apprise 2.3 takes such an
answer of DingTalk and WeCom for a success, and a refused alert would count as sent.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson

from api.delivery.guard import Guard
from api.delivery.outcome import Outcome, shorten
from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Channel, Subscription
from api.delivery.webhook import guarded_session, read_bounded, words_of
from api.delivery.wording import Letter

# What a robot takes in one text, in bytes, with room for the subject's line.
MOST_BYTES = {Channel.DINGTALK: 15_000, Channel.WECOM: 2_000, Channel.FEISHU: 15_000}


class ChatSender:
    """Sends to robots at the addresses of the settings. Made inside a running loop; close it."""

    def __init__(self, settings: DeliverSettings) -> None:
        self._session = guarded_session(Guard(settings.networks()), settings.timeout_s)
        self._timeout_s = settings.timeout_s
        self._bases = {
            Channel.DINGTALK: settings.dingtalk_url,
            Channel.WECOM: settings.wecom_url,
            Channel.FEISHU: settings.feishu_url,
        }

    async def close(self) -> None:
        """Drops the connections."""
        await self._session.close()

    async def send(self, to: Subscription, id: str, letter: Letter) -> Outcome:
        """One attempt. Never raises but for cancellation. Robots know no key: `id` is not told."""
        text = letter.text(MOST_BYTES[to.channel], to.language)
        text = text if len(letter.lines) == 1 else f"{letter.subject}\n{text}"
        text = text.encode()[: MOST_BYTES[to.channel]].decode(errors="ignore")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(self._url(to), content(to.channel, text))
        except TimeoutError:
            return Outcome(False, error=f"no answer within {self._timeout_s:g} s")
        except aiohttp.ClientError as error:
            return Outcome(False, error=shorten(words_of(error)))
        except (OSError, ValueError) as error:
            return Outcome(False, error=shorten(str(error) or type(error).__name__))

    def _url(self, to: Subscription) -> str:
        token, *secret = to.target.split()
        url = self._bases[to.channel] + quote(token, safe="")
        return url + dingtalk_signature(secret[0], int(time.time() * 1000)) if secret else url

    async def _post(self, url: str, body: dict[str, Any]) -> Outcome:
        headers = {"content-type": "application/json"}
        async with self._session.post(
            url, data=orjson.dumps(body), headers=headers, allow_redirects=False
        ) as answer:
            text = await read_bounded(answer)
            if answer.status != 200:
                return Outcome(False, answer.status, f"answers {answer.status}")
            return judge(text or b"")


def content(channel: Channel, text: str) -> dict[str, Any]:
    """A text as the robot wants it."""
    if channel is Channel.FEISHU:
        return {"msg_type": "text", "content": {"text": text}}
    return {"msgtype": "text", "text": {"content": text}}


def judge(answer: bytes) -> Outcome:
    """What the robot's answer says: code 0 (`errcode`, Feishu's `code`) alone is a success."""
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return Outcome(False, 200, "answers without a code")
    if not isinstance(found, dict):
        return Outcome(False, 200, "answers without a code")
    code = found.get("errcode", found.get("code", found.get("StatusCode")))
    if code == 0:
        return Outcome(True, 200)
    words = found.get("errmsg", found.get("msg", ""))
    return Outcome(False, 200, shorten(f"refused with code {code}: {words}"))


def dingtalk_signature(secret: str, at_ms: int) -> str:
    """DingTalk's signature of a robot with a secret (加签): HMAC-SHA-256 of time and secret."""
    told = f"{at_ms}\n{secret}".encode()
    digest = hmac.new(secret.encode(), told, hashlib.sha256).digest()
    return "&" + urlencode({"timestamp": at_ms, "sign": base64.b64encode(digest).decode()})
