"""Occupancy of one shelter: share of its capacity, level, free places. Judged unrounded."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from streams.contracts.domain import Payload, Point
from streams.domains.shelter import adequacy
from streams.domains.shelter import parameters as key
from streams.domains.shelter.balance import NONE, Balance
from streams.domains.shelter.site import capacity, hazards_of, kind_of

LEVELS = (
    ("watch", key.WATCH_PCT),
    ("yellow", key.YELLOW_PCT),
    ("orange", key.ORANGE_PCT),
    ("red", key.RED_OVER_PCT),
)


def level(occupants: int, persons: int, parameters: Mapping[str, str]) -> str | None:
    """关注 ≥ 70, 黄 ≥ 80, 橙 ≥ 95, 红 > 100 % of the capacity (domain.md §4, H); None below.

    350 of 350 is orange, 351 is red.
    """
    met = None
    for (name, _), tier in zip(
        LEVELS, _tiers(tuple(parameters[k] for _, k in LEVELS)), strict=True
    ):
        left, right = occupants * 100 * tier.denominator, tier.numerator * persons
        if left > right or (left == right and name != "red"):
            met = name
    return met


@lru_cache(maxsize=64)
def _tiers(texts: tuple[str, ...]) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, texts))


def percent_text(occupants: int, persons: int) -> str:
    """For people: one digit, half up. No decision rests on it."""
    tenths = (2000 * occupants + persons) // (2 * persons)
    return f"{tenths // 10}.{tenths % 10}"


def percent_of(ratio: Fraction) -> str:
    """A ratio in percent, one digit, half up."""
    return percent_text(ratio.numerator, ratio.denominator)


def free_places(balance: Balance, persons: int | None) -> int | None:
    """Places left; None when it is not open, not counted, or has no capacity."""
    if persons is None or balance.open != 1 or not balance.heard:
        return None
    return max(0, persons - balance.occupants)


def payload_of(point: Point, balance: Balance, parameters: Mapping[str, str]) -> Payload:
    """The result `shelter.occupancy` of one closed window: how it stands at the window's end."""
    found, kind = capacity(point, parameters), kind_of(point)
    persons = found.persons
    counted = balance.heard and persons is not None
    return {
        "open": None if balance.open == NONE else balance.open == 1,
        "occupants": balance.occupants if balance.heard else None,
        "counted_ms": None if balance.counted_ms == NONE else balance.counted_ms,
        "missing": balance.short_by,
        "capacity": persons,
        "capacity_basis": found.basis.value,
        "percent": percent_text(balance.occupants, persons) if counted and persons else None,
        "level": level(balance.occupants, persons, parameters) if counted and persons else None,
        "free": free_places(balance, persons),
        "class": kind,
        "stay_days": parameters.get(key.days_key(kind)),
        "service_km": parameters.get(key.service_key(kind)),
        "below_class_area": adequacy.below_class_area(point, parameters),
        "earthquake_class": adequacy.earthquake_class(point, parameters),
        "earthquake_area": adequacy.has_earthquake_area(point, persons, parameters),
        "covered_area": adequacy.has_covered_area(point, balance.occupants, parameters)
        if balance.heard
        else None,
        "hazards": list(hazards_of(point)),
        "room": point.attributes.get("room"),
    }
