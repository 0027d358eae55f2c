"""What the registry says of a shelter: capacity, hazards it is fit for, dates. No occupancy here.

Attributes are texts; what cannot be read counts as not stated and is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from streams.contracts.domain import DAY_MS, SHANGHAI_OFFSET_MS, Point
from streams.domains.shelter.parameters import CLASSES, hazards_by_rule, m2_key

POINT_TYPE = "shelter"
ATTRIBUTES = (
    "capacity",
    "effective_area_m2",
    "class",
    "hazards",
    "standardised",
    "deregistered",
    "room",
)
NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,9})?")
EPOCH = date(1970, 1, 1).toordinal()


class Basis(StrEnum):
    """Where a capacity comes from, or why there is none."""

    REGISTERED = "registered"
    AREA = "area"
    NOT_POSITIVE = "not_positive"
    NOT_STATED = "not_stated"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Capacity:
    """Persons, or None and why; a shelter without a capacity never has a percentage."""

    persons: int | None
    basis: Basis


def capacity(point: Point, parameters: Mapping[str, str]) -> Capacity:
    """The registered capacity where there is one, else floor(effective area ÷ m² per person).

    The area per person is that of the shelter's class (`shelter.m2_per_person.*`; domain.md §4,
    K: GB 51143-2015 §3.1). Exact: 700 m², short → 350. Zero and less is no capacity.
    """
    given, kind = point.attributes, kind_of(point)
    per_person = parameters[m2_key(kind)] if kind in CLASSES else ""
    return _capacity(given.get("capacity", ""), given.get("effective_area_m2", ""), per_person)


@lru_cache(maxsize=1 << 16)
def _capacity(stated: str, area: str, per_person: str) -> Capacity:
    if stated.strip():
        return _positive(_number(stated.strip()), Basis.REGISTERED)
    if not area.strip() or not per_person:
        return Capacity(None, Basis.NOT_STATED)
    size = _number(area.strip())
    return _positive(None if size is None else size / Fraction(per_person), Basis.AREA)


def area_m2(point: Point) -> Fraction | None:
    """The effective area; None when it is not stated, or not above 0."""
    found = _number(point.attributes.get("effective_area_m2", "").strip())
    return found if found is not None and found > 0 else None


def kind_of(point: Point) -> str:
    """The class, or "unknown"."""
    kind = point.attributes.get("class", "").strip()
    return kind if kind in CLASSES else "unknown"


def hazards_of(point: Point) -> tuple[str, ...]:
    """The hazards that the registry says it is fit for, sorted."""
    return _hazards(point.attributes.get("hazards", ""))


@lru_cache(maxsize=1 << 12)
def _hazards(text: str) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for part in text.split(",")} - {""}))


def fit_for(point: Point, hazard: str) -> bool:
    """Whether the registry says that people may be sent here in this hazard (flood = 水災).

    What is not said is not so: a shelter without `hazards` is offered in none.
    """
    return hazard in hazards_of(point)


def hazard_of(rule: str, parameters: Mapping[str, str]) -> str | None:
    """The hazard that an alert of this rule is; None = none that shelters are registered for.

    The longest beginning in `shelter.hazard.of_rule` decides.
    """
    known = hazards_by_rule(parameters)
    fitting = [b for b in known if rule == b or rule.startswith((b + ".", b + "_"))]
    return known[max(fitting, key=len)] if fitting else None


def day_of(time_ms: int) -> str:
    """The day in Asia/Shanghai, e.g. "2026-08-17"."""
    return f"{datetime.fromtimestamp((time_ms + SHANGHAI_OFFSET_MS) // 1000, UTC):%Y-%m-%d}"


def day_ms(day: str) -> int:
    """Start of a day (Asia/Shanghai), epoch ms."""
    return (date.fromisoformat(day).toordinal() - EPOCH) * DAY_MS - SHANGHAI_OFFSET_MS


def date_of(point: Point, name: str) -> str | None:
    """An ISO date of the registry; None when it states none that can be read."""
    return _date(point.attributes.get(name, ""))


@lru_cache(maxsize=1 << 12)
def _date(text: str) -> str | None:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return None


def is_registered(point: Point, day: str) -> bool:
    """Whether it is a shelter on that day: from its `deregistered` day on it is none."""
    gone = date_of(point, "deregistered")
    return gone is None or gone > day


@lru_cache(maxsize=1 << 16)
def _number(text: str) -> Fraction | None:
    return Fraction(text) if NUMBER.fullmatch(text) else None


def _positive(found: Fraction | None, basis: Basis) -> Capacity:
    if found is None:
        return Capacity(None, Basis.UNREADABLE)
    persons = found.numerator // found.denominator
    return Capacity(persons, basis) if persons > 0 else Capacity(None, Basis.NOT_POSITIVE)
