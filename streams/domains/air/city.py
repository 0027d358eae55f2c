"""City figures: the hourly and the daily AQI of a city from its stations' concentrations.

Arithmetic mean of concentrations over the evaluation stations, then IAQI, then maximum. Never the
worst station's AQI, never a mean of AQIs (HJ 663-2013 §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from streams.contracts.domain import FactValue, Payload
from streams.domains.air.aqi import daily_index, hourly_index, pollutant_of
from streams.domains.air.day import verdicts
from streams.domains.air.derive import index_payload, verdict_payload
from streams.domains.air.parameters import DAY_KEYS, HOUR_KEYS, Numbers, echo, read_numbers
from streams.domains.air.partial import Members, Sums, fraction_pair, merge_members
from streams.domains.air.rounding import fixed_text
from streams.domains.air.standard import RULES, IndexRule

_MEAN = "mean of concentrations over stations, then IAQI, then maximum (HJ 663)"


def city_hour(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """The city's hourly AQI; None when no member has an air station.

    `detail["alert_aqi"]` is the AQI that may raise an alert: the lower of the AQI over all
    stations and over those that have shown life (see `alert_value`).
    """
    merged = merge_members(members.values())
    if not merged.total:
        return None
    numbers = read_numbers(parameters)
    rule = _rule(merged)
    index = hourly_index(merged.sums.means(), merged.planned, rule, numbers)
    living = hourly_index(merged.living.means(), merged.planned, rule, numbers)
    alert = None
    if index.aqi is not None and living.aqi is not None:
        alert = min(index.aqi, living.aqi)
    detail = {
        **index_payload(index),
        "method": _MEAN,
        "concentration": _shown(merged.sums, numbers),
        "stations": merged.stations,
        "frozen": merged.frozen,
        "alert_aqi": alert,
        "parameters": echo(parameters, HOUR_KEYS),
    }
    return FactValue(
        _text(index.aqi), None, None, len(merged.stations), merged.total, detail=detail
    )


def city_day(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """The city's daily AQI; None when no member has an air station.

    A pollutant counts when enough stations have its daily value (`meets_quorum`).
    `detail["rules"]` has the day under both index rules: aqi, valid, good.
    """
    merged = merge_members(members.values())
    if not merged.total:
        return None
    numbers = read_numbers(parameters)
    means = merged.sums.means()
    values = {
        item: value
        for item, value in means.items()
        if meets_quorum(
            merged.sums.count[item], merged.expected.get(pollutant_of(item), 0), numbers
        )
    }
    index = daily_index(values, merged.planned, _rule(merged), numbers)
    rules = verdicts(values, merged.planned, numbers)
    own = rules[_rule(merged).key]
    detail = {
        **index_payload(index),
        "method": _MEAN,
        "valid": own.valid,
        "rules": verdict_payload(rules),
        "concentration": {
            item: {"mean": fraction_pair(means[item]), "stations": merged.sums.count[item]}
            for item in means
        },
        "shown": _shown(merged.sums, numbers),
        "below_quorum": sorted(set(means) - set(values)),
        "stations": merged.stations,
        "frozen": merged.frozen,
        "parameters": echo(parameters, DAY_KEYS),
    }
    aqi = own.aqi if own.valid else None
    return FactValue(_text(aqi), None, None, len(merged.stations), merged.total, detail=detail)


def meets_quorum(have: int, want: int, numbers: Numbers) -> bool:
    """Valid stations are at least 75 % of the city's, 50 % where it has fewer than 4 (HJ 663-2013
    §6; house parameters `air.city.*`)."""
    share = numbers.quorum_small if want < numbers.small_below else numbers.quorum
    return have > 0 and Fraction(have) >= share * want


def alert_value(fact: FactValue) -> int | None:
    """What rule `air.city` judges: None while no station of the city has shown life."""
    value = fact.detail.get("alert_aqi")
    return None if value is None else int(value)


def _rule(members: Members) -> IndexRule:
    return next(rule for rule in RULES if rule.version == members.standard)


def _shown(sums: Sums, numbers: Numbers) -> dict[str, str]:
    return {
        item: fixed_text(value, numbers.digits(item), numbers.mode)
        for item, value in sorted(sums.means().items())
    }


def _text(aqi: int | None) -> str | None:
    return None if aqi is None else str(aqi)
