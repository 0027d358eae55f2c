"""House numbers of the shelter domain: defaults and sources (domain.md §4, §8.3, §10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from streams.contracts.domain import Parameter
from streams.contracts.reason import Severity

CLASSES = ("emergency", "temporary", "short", "medium", "long")
"""紧急, 临时, 短期, 中期, 长期 (GB 51143-2015 §3.1)."""

WATCH_PCT = "shelter.occupancy.watch_pct"
YELLOW_PCT = "shelter.occupancy.yellow_pct"
ORANGE_PCT = "shelter.occupancy.orange_pct"
RED_OVER_PCT = "shelter.occupancy.red_over_pct"
CONSECUTIVE = "shelter.raise.consecutive"
CLEAR_MIN = "shelter.clear.minutes"
SILENCE_HOURS = "shelter.silence_hours"
CLOSED_SEVERITY = "shelter.closed.severity"
UNREPORTED_SEVERITY = "shelter.unreported.severity"
CLEAR_COUNT = "shelter.evidence.clear_count"
HAZARD_OF_RULE = "shelter.hazard.of_rule"
OFFICIAL_HAZARDS = "shelter.official.hazard_of_type"
COUNT_RULE = "shelter.standardised.count_rule"
EARTHQUAKE_M2 = "shelter.earthquake.m2_per_person"
EARTHQUAKE_1_DAYS = "shelter.earthquake.class_1_days"
EARTHQUAKE_2_DAYS = "shelter.earthquake.class_2_days"
SPHERE_M2 = "shelter.sphere.m2_per_person"
SPHERE_WATER = "shelter.sphere.water_l_per_day"
SPHERE_TOILET = "shelter.sphere.persons_per_toilet"
SPHERE_TAP = "shelter.sphere.persons_per_tap"
NOT_HEEDED = "-"
COUNT_RULES = LESS_DEREGISTERED, ACCEPTED = "accepted_less_deregistered", "accepted"

RANKS = {
    Severity.BLUE: "shelter.rank.blue",
    Severity.YELLOW: "shelter.rank.yellow",
    Severity.ORANGE: "shelter.rank.orange",
    Severity.RED: "shelter.rank.red",
}

_SEVERITIES = {s.name.lower(): s for s in RANKS}
_POSITIVE = re.compile(r"(?=.*[1-9])\d{1,9}(\.\d{1,9})?")
_GB = "GB 51143-2015 §3.1 (text not checked)"
_HOUSE = "本平台约定"
_EARTHQUAKE = "GB 21734-2008 (text not checked)"
_SPHERE = "Sphere handbook"
_LEAST_HA = {"short": "0.2", "medium": "1.0", "long": "5.0"}
_SERVICE_KM = {"emergency": "0.5", "short": "0.5-1.0", "medium": "1.0-1.5", "long": "1.5-2.5"}
_M2 = ("0.5", "1.0", "2.0", "3.0", "4.5")
_DAYS = ("1", "3", "15", "30", "100")


def m2_key(kind: str) -> str:
    """The parameter of the area per person of a class."""
    return f"shelter.m2_per_person.{kind}"


def days_key(kind: str) -> str:
    """The parameter of the days of stay of a class."""
    return f"shelter.stay_days.{kind}"


def min_area_key(kind: str) -> str:
    """The parameter of the least effective area of a class; not every class has one."""
    return f"shelter.class.min_area_ha.{kind}"


def service_key(kind: str) -> str:
    """The parameter of the distance that a class serves; not every class has one."""
    return f"shelter.class.service_km.{kind}"


def severity_rank(parameters: Mapping[str, str], key: str) -> int:
    """What a rule without a measurement judges: the rank of the severity that a parameter names."""
    return int(parameters[RANKS[_SEVERITIES[parameters[key]]]])


def hazards_by_rule(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Beginning of a rule's name → the hazard that its alerts are. ValueError when malformed."""
    return _hazards_by_rule(parameters[HAZARD_OF_RULE])


@lru_cache(maxsize=64)
def _hazards_by_rule(text: str) -> Mapping[str, str]:
    found = {}
    for part in text.split(","):
        beginning, _, hazard = (piece.strip() for piece in part.partition("="))
        if not (beginning and hazard):
            raise ValueError(f"{HAZARD_OF_RULE}: {part.strip()!r} is not rule=hazard")
        found[beginning] = hazard
    return MappingProxyType(found)


def official_hazards(parameters: Mapping[str, str]) -> dict[str, str]:
    """Type of an official warning → the hazard that it is; empty when they are not heeded.

    ValueError when malformed.
    """
    text, found = parameters[OFFICIAL_HAZARDS].strip(), {}
    for part in text.split(",") if text != NOT_HEEDED else ():
        kind, _, hazard = (word.strip() for word in part.partition("="))
        if not (kind and hazard):
            raise ValueError(f"{OFFICIAL_HAZARDS}: {part.strip()!r} is not type=hazard")
        found[kind] = hazard
    return found


def mistakes_in(parameters: Mapping[str, str]) -> list[str]:
    """Everything in a profile that this domain could not compute with."""
    positive = (
        *map(m2_key, CLASSES),
        *map(days_key, CLASSES),
        *map(min_area_key, _LEAST_HA),
        *(SILENCE_HOURS, EARTHQUAKE_M2, EARTHQUAKE_1_DAYS, EARTHQUAKE_2_DAYS),
        *(SPHERE_M2, SPHERE_WATER, SPHERE_TOILET, SPHERE_TAP),
    )
    found = [
        f"{key} = {parameters[key]!r} is not a number above 0"
        for key in positive
        if not _POSITIVE.fullmatch(parameters[key])
    ]
    for key in (CLOSED_SEVERITY, UNREPORTED_SEVERITY):
        if parameters[key] not in _SEVERITIES:
            found.append(f"{key} = {parameters[key]!r} is none of {', '.join(_SEVERITIES)}")
    if parameters[COUNT_RULE] not in COUNT_RULES:
        found.append(f"{COUNT_RULE} = {parameters[COUNT_RULE]!r}: use {' or '.join(COUNT_RULES)}")
    for read in (hazards_by_rule, official_hazards):
        try:
            read(parameters)
        except ValueError as error:
            found.append(str(error))
    return found


PARAMETERS = (
    *(Parameter(m2_key(c), m2, "m²/人", "K", _GB) for c, m2 in zip(CLASSES, _M2, strict=True)),
    *(Parameter(days_key(c), d, "d", "K", _GB) for c, d in zip(CLASSES, _DAYS, strict=True)),
    *(
        Parameter(min_area_key(c), ha, "ha", "K", "GB 51143-2015 (text not checked)")
        for c, ha in _LEAST_HA.items()
    ),
    *(
        Parameter(service_key(c), km, "km", "K", "GB 51143-2015 (text not checked)")
        for c, km in _SERVICE_KM.items()
    ),
    Parameter(EARTHQUAKE_M2, "1.5", "m²/人", "K", _EARTHQUAKE),
    Parameter(EARTHQUAKE_1_DAYS, "30", "d", "K", _EARTHQUAKE + ": Ⅰ from so many days on"),
    Parameter(EARTHQUAKE_2_DAYS, "10", "d", "K", _EARTHQUAKE + ": Ⅱ from so many days on"),
    Parameter(SPHERE_M2, "3.5", "m²/人", "V", _SPHERE + ": covered floor"),
    Parameter(SPHERE_WATER, "15", "L/人/d", "K", _SPHERE),
    Parameter(SPHERE_TOILET, "20", "人", "K", _SPHERE),
    Parameter(SPHERE_TAP, "250", "人", "K", _SPHERE),
    Parameter(WATCH_PCT, "70", "%", "H", "domain.md §4: shown, no alert"),
    Parameter(YELLOW_PCT, "80", "%", "H", "domain.md §4: at or above"),
    Parameter(ORANGE_PCT, "95", "%", "H", "domain.md §4: at or above"),
    Parameter(RED_OVER_PCT, "100", "%", "H", "domain.md §4: only above, judged unrounded"),
    Parameter(CONSECUTIVE, "1", "counts", "H", _HOUSE),
    Parameter(CLEAR_MIN, "10", "min", "H", _HOUSE),
    Parameter(SILENCE_HOURS, "2", "h", "H", "domain.md §4: no report for 2 h while open"),
    Parameter(CLOSED_SEVERITY, "orange", "", "H", _HOUSE + ": closed under a red warning"),
    Parameter(UNREPORTED_SEVERITY, "yellow", "", "H", _HOUSE + ": no report while open"),
    Parameter(CLEAR_COUNT, "1", "evidence", "H", _HOUSE + ": the first evidence ends them"),
    *(
        Parameter(key, str(int(s)), "rank", "H", "order of the severities, for rules by evidence")
        for s, key in RANKS.items()
    ),
    Parameter(
        HAZARD_OF_RULE,
        "waterlogging=flood, weather.rainstorm=flood, weather.typhoon=typhoon",
        "",
        "H",
        _HOUSE + ": what an alert is for a shelter, by the beginning of its rule's name",
    ),
    Parameter(
        OFFICIAL_HAZARDS,
        NOT_HEEDED,
        "",
        "H",
        _HOUSE + ": official red warnings that count as ours, e.g. 台风=typhoon, 暴雨=flood",
    ),
    Parameter(COUNT_RULE, LESS_DEREGISTERED, "", "H", f"domain.md §4, row 19; other: {ACCEPTED}"),
)
