"""Passwords: argon2id hashes (pwdlib's parameters of RFC 9106), what is long enough, new ones.

Hashing takes tens of milliseconds and 64 MiB, by intent: call it in a thread, few at once.
"""

from __future__ import annotations

import secrets
from functools import cache

from pwdlib import PasswordHash

SHORTEST = 12  # NIST SP 800-63B-4 asks for 15 where a password stands alone, 8 with more factors: H
LONGEST = 256


def hashed(password: str) -> str:
    """The hash that is stored."""
    return _hasher().hash(password)


def verified(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it is the password, and a new hash when the stored one is of old parameters.

    Without a stored hash it takes as long as with one, so that time does not tell who exists.
    """
    if stored is None:
        _hasher().verify(password, _nobodys())
        return False, None
    return _hasher().verify_and_update(password, stored)


def mistake_of(password: str, login: str) -> str | None:
    """Why it may not be a password; None when it may."""
    if len(password) < SHORTEST:
        return f"at least {SHORTEST} characters; a sentence is easy to remember"
    if len(password) > LONGEST:
        return f"at most {LONGEST} characters"
    if len(set(password)) < 5 or login.lower() in (password.lower(), password.lower()[::-1]):
        return "too easy to guess"
    return None


def generated() -> str:
    """A new password: 20 letters and digits without look-alikes, in groups; about 98 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))
