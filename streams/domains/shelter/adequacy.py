"""What a shelter meets of other rules, and what its people need: shown, never an alert.

Least areas of GB 51143-2015, classes of GB 21734-2008, minimums of the Sphere handbook
(domain.md §4; K but for Sphere's 3.5 m², V). Distances to water and the size of camps are not
computed: the registry does not state them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from streams.contracts.domain import Payload, Point
from streams.domains.shelter import parameters as key
from streams.domains.shelter.site import area_m2, fit_for, kind_of

M2_PER_HA = 10_000


def below_class_area(point: Point, parameters: Mapping[str, str]) -> bool | None:
    """Whether its effective area is less than its class must have (`shelter.class.min_area_ha.*`).

    None when the area is not stated, or the class has no least area.
    """
    least, area = parameters.get(key.min_area_key(kind_of(point))), area_m2(point)
    return None if least is None or area is None else area < Fraction(least) * M2_PER_HA


def earthquake_class(point: Point, parameters: Mapping[str, str]) -> str | None:
    """Ⅰ ≥ 30 d, Ⅱ 10–29 d, Ⅲ < 10 d of stay (GB 21734-2008, K); None when it is not fit for one
    or the class is unknown."""
    days = parameters.get(key.days_key(kind_of(point)))
    if days is None or not fit_for(point, "earthquake"):
        return None
    if Fraction(days) >= Fraction(parameters[key.EARTHQUAKE_1_DAYS]):
        return "Ⅰ"
    return "Ⅱ" if Fraction(days) >= Fraction(parameters[key.EARTHQUAKE_2_DAYS]) else "Ⅲ"


def has_earthquake_area(
    point: Point, persons: int | None, parameters: Mapping[str, str]
) -> bool | None:
    """Whether its capacity leaves 1.5 m² for each (GB 21734-2008, K); None when it is not fit for
    an earthquake, or area or capacity is not known."""
    return _is_enough(point, persons, parameters[key.EARTHQUAKE_M2], fit_for(point, "earthquake"))


def has_covered_area(point: Point, persons: int, parameters: Mapping[str, str]) -> bool | None:
    """Whether the people in it have 3.5 m² of covered floor each (Sphere, V); None when it is not
    registered as indoor, or the area is not known."""
    indoor = point.attributes.get("room") == "indoor"
    return _is_enough(point, persons, parameters[key.SPHERE_M2], indoor)


def needs(persons: int, parameters: Mapping[str, str]) -> Payload:
    """Least water (litres a day), toilets and taps for so many people (Sphere, K), rounded up."""

    def at_least(value: Fraction) -> int:
        return -(-value.numerator // value.denominator)

    return {
        "water_l_per_day": at_least(persons * Fraction(parameters[key.SPHERE_WATER])),
        "toilets": at_least(persons / Fraction(parameters[key.SPHERE_TOILET])),
        "taps": at_least(persons / Fraction(parameters[key.SPHERE_TAP])),
    }


def _is_enough(point: Point, persons: int | None, per_person: str, asked: bool) -> bool | None:
    area = area_m2(point)
    if not asked or area is None or persons is None:
        return None
    return area >= persons * Fraction(per_person)
