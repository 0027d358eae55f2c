"""What a target of mail or chat may look like. Pure."""

from __future__ import annotations

import re

from api.delivery.subscription import Channel

MOST_ADDRESSES = 50
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,200}")


def addresses(target: str) -> list[str]:
    """The addresses of a mail's target."""
    return [part.strip() for part in target.split(",") if part.strip()]


def target_mistake(channel: Channel, target: str) -> str | None:
    """Why this is no target of that channel; None when it may be one."""
    if channel is Channel.MAIL:
        found = addresses(target)
        if not found or len(found) > MOST_ADDRESSES:
            return f"must be 1 to {MOST_ADDRESSES} addresses"
        return None if all(map(_is_address, found)) else "must be addresses of mail, by commas"
    parts = target.split()
    most = 2 if channel is Channel.DINGTALK else 1
    if not 1 <= len(parts) <= most or not all(map(_TOKEN.fullmatch, parts)):
        return "must be the robot's token, letters, digits, - and _"
    return None


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None
