"""Random words that let somebody in: API keys, tokens of sessions and links, and their digests.

Each has 256 random bits, so that a plain SHA-256 digest keeps it as safe as a slow hash would: slow
hashes protect words that people choose. Only digests are stored; a word is shown once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_KEY = re.compile(r"cb_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key as it is made: the only moment at which its text is known."""

    id: str
    text: str
    digest: bytes


def make_key() -> NewKey:
    """A new key `cb_<id>_<secret>` (a gateway's begins with `cb1_`)."""
    id_ = secrets.token_hex(6)
    text = f"cb_{id_}_{make_token()}"
    return NewKey(id_, text, digest(text))


def key_id(text: str) -> str | None:
    """The public part of what looks like a key; None when it does not."""
    match = _KEY.fullmatch(text)
    return match[1] if match else None


def make_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> bytes:
    """What is stored of a word."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def derived(token: str, purpose: str) -> str:
    """A word that only who has the token can make, for one purpose; it does not tell the token."""
    found = hmac.digest(token.encode("utf-8", "surrogatepass"), purpose.encode(), "sha256")
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
