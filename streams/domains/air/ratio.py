"""优良天数比率: good days ÷ VALID days × 100 %, by city and for the province (the Plan, row 15).

An invalid day leaves numerator and denominator. Every figure stands under both index rules: the
Plan's 93 % was set under the 2012 rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from streams.contracts.domain import FactValue
from streams.domains.air.parameters import PROVINCE_KEYS, RATIO_KEYS, Numbers, echo, read_numbers
from streams.domains.air.rounding import fixed_text
from streams.domains.air.standard import RULES

HUNDRED = Fraction(100)
OWN = "own"
"""Each day by the rule in force on it: the headline."""
_METHOD = "days with AQI <= 100 / valid days * 100 %"


@dataclass(frozen=True, slots=True)
class Tally:
    """Good and valid days out of the days that have passed."""

    good: int
    valid: int
    wanted: int

    @property
    def ratio(self) -> Fraction | None:
        """Percent, unrounded; None without a valid day."""
        return HUNDRED * self.good / self.valid if self.valid else None

    @property
    def lower(self) -> Fraction:
        """Percent if every missing day were bad."""
        return HUNDRED * self.good / self._days

    @property
    def upper(self) -> Fraction:
        """Percent if every missing day were good."""
        return HUNDRED * (self.good + self._days - self.valid) / self._days

    @property
    def _days(self) -> int:
        return max(self.wanted, self.valid, 1)


def over_days(
    days: Mapping[int, FactValue], wanted: int, parameters: Mapping[str, str]
) -> FactValue | None:
    """A city's ratio of a month or a year from its daily AQI facts by day start.

    value = 100 · good / valid with 1 digit (GB/T 8170), each day under the rule in force on it;
    `detail` has `ratio_2012rule` and `ratio_2026rule`. have/want = valid days / days passed;
    lower and upper, when days are missing, as if they had all been bad or good. None without days.
    """
    if not days or wanted <= 0:
        return None
    numbers = read_numbers(parameters)
    facts = list(days.values())
    tallies = {OWN: _tally((_own(fact) for fact in facts), wanted)} | {
        rule.key: _tally((fact.detail["rules"][rule.key] for fact in facts), wanted)
        for rule in RULES
    }
    own = tallies[OWN]
    detail = {
        "method": _METHOD,
        "good": own.good,
        "valid": own.valid,
        "wanted": wanted,
        **{f"ratio_{r.key}rule": _percent(tallies[r.key].ratio, numbers) for r in RULES},
        "tallies": {key: [t.good, t.valid, t.wanted] for key, t in tallies.items()},
        "standards": sorted({str(fact.detail["standard_version"]) for fact in facts}),
        "parameters": echo(parameters, RATIO_KEYS),
    }
    incomplete = own.valid < wanted
    return FactValue(
        _percent(own.ratio, numbers),
        str(100 * own.good) if own.valid else None,
        str(own.valid) if own.valid else None,
        own.valid,
        wanted,
        _percent(own.lower, numbers) if incomplete else None,
        _percent(own.upper, numbers) if incomplete else None,
        detail,
    )


def over_cities(cities: Mapping[str, FactValue], parameters: Mapping[str, str]) -> FactValue | None:
    """The province's ratio from its cities' of the same period.

    By default the mean of the unrounded city ratios; `detail["pooled"]` is Σgood ÷ Σvalid
    (`air.province.ratio_method` exchanges them). have/want = cities with a ratio / cities of the
    province; bounds from the cities' own, a city without any counts 0 … 100.
    """
    known = {
        code: {key: Tally(*t) for key, t in fact.detail["tallies"].items()}
        for code, fact in sorted(cities.items())
    }
    if not known:
        return None
    numbers = read_numbers(parameters)
    tallies = {key: [own[key] for own in known.values()] for key in (OWN, *(r.key for r in RULES))}
    own = tallies[OWN]
    chosen = _province(own, numbers.pooled)
    have = sum(tally.valid > 0 for tally in own)
    want = max(numbers.cities, len(known))
    incomplete = have < want or any(t.valid < t.wanted for t in own)
    detail = {
        "method": "pooled_days" if numbers.pooled else "mean_of_cities",
        "mean_of_cities": _percent(_province(own, False), numbers),
        "pooled": _percent(_province(own, True), numbers),
        **{
            f"ratio_{r.key}rule": _percent(_province(tallies[r.key], numbers.pooled), numbers)
            for r in RULES
        },
        "cities": {c: _percent(t[OWN].ratio, numbers) for c, t in known.items()},
        "good": sum(t.good for t in own),
        "valid": sum(t.valid for t in own),
        "wanted": sum(t.wanted for t in own),
        "standards": sorted({s for fact in cities.values() for s in fact.detail["standards"]}),
        "parameters": echo(parameters, PROVINCE_KEYS),
    }
    lower, upper = _province_bounds(own, want, numbers.pooled)
    return FactValue(
        _percent(chosen, numbers),
        None if chosen is None else str(chosen.numerator),
        None if chosen is None else str(chosen.denominator),
        have,
        want,
        _percent(lower, numbers) if incomplete else None,
        _percent(upper, numbers) if incomplete else None,
        detail,
    )


def _own(fact: FactValue) -> Mapping[str, Any]:
    version = fact.detail["standard_version"]
    rule = next(rule for rule in RULES if rule.version == version)
    verdict: Mapping[str, Any] = fact.detail["rules"][rule.key]
    return verdict


def _tally(days: Iterable[Mapping[str, Any]], wanted: int) -> Tally:
    valid = [day for day in days if day["valid"]]
    return Tally(sum(bool(day["good"]) for day in valid), len(valid), wanted)


def _province(cities: list[Tally], pooled: bool) -> Fraction | None:
    if pooled:
        return Tally(sum(t.good for t in cities), sum(t.valid for t in cities), 0).ratio
    ratios = [ratio for tally in cities if (ratio := tally.ratio) is not None]
    return sum(ratios, Fraction(0)) / len(ratios) if ratios else None


def _province_bounds(cities: list[Tally], want: int, pooled: bool) -> tuple[Fraction, Fraction]:
    absent = want - len(cities)
    if pooled:
        passed = max(t.wanted for t in cities)
        days = sum(t.wanted for t in cities) + absent * passed
        good, valid = sum(t.good for t in cities), sum(t.valid for t in cities)
        whole = Tally(good, valid, days)
        return whole.lower, whole.upper
    low = sum((t.lower for t in cities), Fraction(0)) / want
    high = (sum((t.upper for t in cities), Fraction(0)) + HUNDRED * absent) / want
    return low, high


def _percent(value: Fraction | None, numbers: Numbers) -> str | None:
    return None if value is None else fixed_text(value, numbers.digits_ratio, numbers.mode)
