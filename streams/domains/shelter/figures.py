"""Facts of counties, cities and the province: capacity, occupants, free places, row 19.

Every figure says how complete it is; a shelter of which nothing is known is neither empty nor full:
the bounds say both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from streams.contracts.domain import FactSpec, FactValue, Payload, Title
from streams.domains.shelter import parameters as key
from streams.domains.shelter.adequacy import needs
from streams.domains.shelter.hours import Hour, hours_of_day, total
from streams.domains.shelter.occupancy import percent_of

Members = Mapping[str, Payload]
Compute = Callable[[str, Members, Mapping[str, str]], FactValue | None]
HOUSE = "本平台约定"
LEVELS = ("county", "city", "province")


# one hour -----------------------------------------------------------------------------------------


def open_shelters(hour: Hour) -> FactValue:
    """Shelters that said they were open in the hour; bounds: the others closed, or all open."""
    return FactValue(
        value=str(hour.open),
        have=hour.reported,
        want=hour.shelters,
        lower=str(hour.open),
        upper=str(hour.open + max(0, hour.shelters - hour.reported)),
    )


def occupants(hour: Hour) -> FactValue:
    """Persons: of every shelter the most that a count of the hour found.

    Bounds: the sum of the fewest counted; and the most, with those that nobody counted, and that
    did not say that they are closed, full.
    """
    return FactValue(
        value=str(hour.occupants) if hour.counted else None,
        have=hour.counted,
        want=hour.shelters,
        lower=str(hour.least),
        upper=str(hour.occupants + hour.uncounted_places),
    )


def free_places(hour: Hour) -> FactValue:
    """Places left in open, counted shelters, after the most that were there in the hour."""
    return FactValue(
        value=str(hour.free) if hour.reported else None,
        have=hour.reported,
        want=hour.shelters,
        lower=str(hour.free),
        upper=str(hour.free + hour.unknown_free),
        detail={"fit_for": dict(sorted(hour.free_for.items()))},
    )


def occupancy(hour: Hour) -> FactValue | None:
    """Occupants ÷ capacity × 100 of the open, counted shelters that have a capacity.

    Shown half up with one digit; numerator and denominator are exact. Bounds: what is not known
    empty, or full.
    """
    if not hour.places:
        return None
    known = Fraction(hour.sheltered, hour.places)
    everything = hour.places + hour.unknown_places
    full = Fraction(hour.sheltered + hour.unknown_places, everything)
    return FactValue(
        value=percent_of(known),
        numerator=str(hour.sheltered),
        denominator=str(hour.places),
        have=hour.reported,
        want=hour.shelters,
        lower=percent_of(Fraction(hour.sheltered, everything)),
        upper=percent_of(max(known, full)),
    )


Figure = Callable[[Hour], FactValue | None]


def of_hour(figure: Figure) -> Compute:
    """The figure of an hour, over the members."""

    def compute(level: str, members: Members, parameters: Mapping[str, str]) -> FactValue | None:
        hour = total(members.values())
        return _described(figure(hour), level, members, hour, {}) if members else None

    return compute


def of_day(figure: Figure) -> Compute:
    """The figure of the day's fullest hour: most occupants, the earliest of equals."""

    def compute(level: str, members: Members, parameters: Mapping[str, str]) -> FactValue | None:
        hours = hours_of_day(members)
        if not hours:
            return None
        fullest = max(hours, key=lambda h: (hours[h].occupants, hours[h].open, -h))
        day = {
            "fullest_hour": fullest,
            "day_checked_in": sum(h.checked_in for h in hours.values()),
            "day_checked_out": sum(h.checked_out for h in hours.values()),
        }
        return _described(figure(hours[fullest]), level, members, hours[fullest], day)

    return compute


def _described(
    fact: FactValue | None, level: str, members: Members, hour: Hour, more: Payload
) -> FactValue | None:
    if fact is None:
        return None
    detail = {
        "level": level,
        "open": hour.open,
        "counted": hour.counted,
        "capacity": hour.places,
        "checked_in": hour.checked_in,
        "checked_out": hour.checked_out,
        "members": sorted(members),
        "convention": HOUSE,
        **fact.detail,
        **more,
    }
    parts = (fact.value, fact.numerator, fact.denominator, fact.have, fact.want)
    return FactValue(*parts, fact.lower, fact.upper, detail)


# the state ----------------------------------------------------------------------------------------


def capacity_of(level: str, members: Members, parameters: Mapping[str, str]) -> FactValue | None:
    """Persons that the registered shelters hold, by class; those without a capacity are counted."""
    if not members:
        return None
    shelters = _sum(members, "shelters")
    classes: dict[str, list[int]] = {}
    for member in members.values():
        for kind, (count, persons) in member["by_class"].items():
            held = classes.setdefault(kind, [0, 0])
            held[0] += int(count)
            held[1] += int(persons)
    return FactValue(
        value=str(_sum(members, "capacity")),
        have=shelters - _sum(members, "no_capacity"),
        want=shelters,
        detail={
            "level": level,
            "by_class": {
                k: {"shelters": classes[k][0], "capacity": classes[k][1]} for k in sorted(classes)
            },
            "no_capacity": _sum(members, "no_capacity"),
            "below_class_area": _sum(members, "below_class_area"),
            "m2_per_person": {c: parameters[key.m2_key(c)] for c in key.CLASSES},
            "stay_days": {c: parameters[key.days_key(c)] for c in key.CLASSES},
            "members": sorted(members),
        },
    )


def of_now(figure: Figure) -> Compute:
    """The figure of the full hour when it was last told, by the balances, doors included."""

    def compute(level: str, members: Members, parameters: Mapping[str, str]) -> FactValue | None:
        now = {area: m["now"] for area, m in members.items()}
        hour = total(now.values())
        more = {"needs": needs(hour.occupants, parameters)}
        return _described(figure(hour), level, now, hour, more) if members else None

    return compute


def offered_free(level: str, members: Members, parameters: Mapping[str, str]) -> FactValue | None:
    """Free places of the open shelters that are fit for the hazards of their county's alerts."""
    if not members:
        return None
    offers = {area: m["offer"] for area, m in members.items()}
    free, unknown = _sum(offers, "free"), _sum(offers, "unknown")
    return FactValue(
        value=str(free),
        have=_sum({area: m["now"] for area, m in members.items()}, "reported"),
        want=_sum(members, "shelters"),
        lower=str(free),
        upper=str(free + unknown),
        detail={
            "level": level,
            "hazards": {a: list(m["hazards"]) for a, m in sorted(members.items()) if m["hazards"]},
            "shelters": _sum(offers, "shelters"),
            "capacity": _sum(offers, "capacity"),
            "open": _sum(offers, "open"),
            "members": sorted(members),
            "convention": HOUSE,
        },
    )


def standardised_shelters(
    level: str, members: Members, parameters: Mapping[str, str]
) -> FactValue | None:
    """标准化避灾安置场所（累计个数）, row 19: accepted up to the day, less de-registered."""
    if not members:
        return None
    found = {area: m["standardised"] for area, m in members.items()}
    days = sorted({m["as_of"] for m in found.values() if m["as_of"] is not None})
    shelters = _sum(found, "shelters")
    return FactValue(
        value=str(_sum(found, "count")),
        have=shelters - _sum(found, "unreadable"),
        want=shelters,
        detail={
            "level": level,
            "as_of": days[-1] if days else None,
            "accepted": _sum(found, "accepted"),
            "deregistered": _sum(found, "deregistered"),
            "unreadable": _sum(found, "unreadable"),
            "count_rule": parameters[key.COUNT_RULE],
            "members": sorted(members),
        },
    )


def _sum(members: Members, name: str) -> int:
    return sum(int(m[name]) for m in members.values())


def _series(name: str, zh: str, en: str, unit: str, figure: Figure) -> tuple[FactSpec, ...]:
    now = Title(f"当前{zh}", f"{en} now")
    hour = Title(f"小时{zh}", f"{en} of the hour")
    day = Title(f"当日最满小时{zh}", f"{en} in the fullest hour of the day")
    return (
        FactSpec(f"shelter.{name}.hour", hour, unit, "hour", LEVELS, of_hour(figure)),
        FactSpec(f"shelter.{name}.day", day, unit, "day", LEVELS, of_day(figure)),
        FactSpec(f"shelter.{name}", now, unit, "state", LEVELS, of_now(figure)),
    )


FACTS = (
    *_series("open", "开放场所数", "Open shelters", "个", open_shelters),
    *_series("occupants", "安置人数", "Persons sheltered", "人", occupants),
    *_series("free", "空余容量", "Free places", "人", free_places),
    *_series("occupancy", "容量占用率", "Occupancy", "%", occupancy),
    FactSpec(
        "shelter.capacity",
        Title("避灾安置场所容量", "Capacity of the shelters"),
        "人",
        "state",
        LEVELS,
        capacity_of,
    ),
    FactSpec(
        "shelter.offered_free",
        Title("可调用空余容量", "Free places that may be offered now"),
        "人",
        "state",
        LEVELS,
        offered_free,
    ),
    FactSpec(
        "plan.19",
        Title("标准化避灾安置场所（累计个数）", "Standardised shelters, cumulative"),
        "个",
        "state",
        LEVELS,
        standardised_shelters,
        plan_row=19,
    ),
)
