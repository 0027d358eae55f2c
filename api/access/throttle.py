"""How often a login may fail: by account from one address, by address, and by account. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed logins of late."""

    pair: int  # of this account from this address
    address: int  # from this address, whatever account
    login: int  # of this account, from wherever


@dataclass(frozen=True, slots=True)
class Limits:
    """How many failures within `within` close the door until they are older (H).

    Many more are allowed to an account than to an address, so that nobody can lock somebody else
    out from one address; and still few enough that guessing goes nowhere.
    """

    pair: int = 5
    address: int = 30
    login: int = 100
    within: timedelta = timedelta(minutes=15)


def is_closed(failures: Failures, limits: Limits) -> bool:
    """Whether the next attempt is refused without looking at the password."""
    return (
        failures.pair >= limits.pair
        or failures.address >= limits.address
        or failures.login >= limits.login
    )
