"""Keys of gateways: how one is made, and whether one that was shown is valid.

A key is `cb1_<id>_<secret>`; the secret is 256 random bits. Stored is the SHA-256 digest of the
whole key. That is enough: a slow hash such as argon2 protects words that people choose, which can
be guessed; 2**256 equally likely keys cannot, however fast the digest is. Digests are compared in
constant time. A key is shown once, when it is made, and stands in no log.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

_KEY = re.compile(r"cb1_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_NOBODY = bytes(32)


class Denial(Enum):
    """Why somebody is not let in; the value is what the client is told."""

    MISSING = "a key is needed: Authorization: Bearer <key>"
    WRONG = "this is no valid key"
    EXPIRED = "this key has expired"
    REVOKED = "this key was revoked"
    UNKNOWN_STATE = "keys cannot be checked now"


class NotAdmitted(Exception):
    """The sender may not come in."""

    def __init__(self, denial: Denial, key_id: str = "") -> None:
        super().__init__(denial.value)
        self.denial = denial
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Quota:
    """What a gateway may send; None where the settings' default holds."""

    readings_s: int | None = None
    readings_burst: int | None = None
    bytes_s: int | None = None
    bytes_burst: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key. It belongs to one gateway and covers `areas` and what lies in them."""

    id: str
    gateway: str
    areas: tuple[str, ...]
    digest: bytes
    expires_ms: int | None = None
    revoked: bool = False
    quota: Quota = Quota()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is made: the only moment at which its text is known."""

    id: str
    text: str
    digest: bytes


class KeySource(Protocol):
    """Where the stored keys come from. May raise `Unavailable`."""

    def stored_keys(self) -> list[Key]:
        """All keys, also those that ended."""


def make_key() -> NewKey:
    """A new random key."""
    id_ = secrets.token_hex(6)
    text = f"cb1_{id_}_{secrets.token_urlsafe(32)}"
    return NewKey(id_, text, digest(text))


def digest(text: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def find(keys: Mapping[str, Key], text: str, now_ms: int) -> Key:
    """The valid key that this text is. Raises `NotAdmitted`.

    Only who holds the whole key learns that it expired or was revoked.
    """
    match = _KEY.fullmatch(text)
    key = keys.get(match[1]) if match else None
    same = hmac.compare_digest(digest(text), key.digest if key else _NOBODY)
    if key is None or not same:
        raise NotAdmitted(Denial.WRONG)
    if key.revoked:
        raise NotAdmitted(Denial.REVOKED, key.id)
    if key.expires_ms is not None and key.expires_ms <= now_ms:
        raise NotAdmitted(Denial.EXPIRED, key.id)
    return key
