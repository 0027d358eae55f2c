"""Facts of county, city and province by hour and day, from integer partial sums.

DTP = Σ delay ÷ Σ travel time, TTI = Σ travel time ÷ Σ free-flow time, TPI from DTP, and the share
of congested length (运行状况等级里程比例). Over several hours every hour weighs by its own sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from streams.contracts.domain import FactSpec, FactValue, Payload, Title
from streams.domains.traffic.grade import Grade, tpi_of, tti_of
from streams.domains.traffic.network import Index, Sums, index_of
from streams.domains.traffic.parameters import FACT_KEYS, LENGTH, VEHICLE_KM, chosen_weight, echo
from streams.domains.traffic.payload import (
    DTP_DIGITS,
    TPI_DIGITS,
    TTI_DIGITS,
    free_flow_counts,
    grade_shares,
    of_dtp,
    of_index,
    show,
)

Compute = Callable[[str, Mapping[str, Payload], Mapping[str, str]], FactValue | None]
LEVELS = ("county", "city", "province")
SHARE_DIGITS = 1


def dtp(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """延误时间比 of the network, 0 … 1; numerator Σ delay, denominator Σ travel time (µs)."""

    def ratio(index: Index) -> tuple[int, int]:
        return index.delay_us, index.time_us

    return _fact(level, members, parameters, ratio, lambda value: value, DTP_DIGITS)


def tti(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """行程时间比 of the network; numerator Σ travel time, denominator Σ free-flow time (µs)."""

    def ratio(index: Index) -> tuple[int, int]:
        return index.time_us, index.time_us - index.delay_us

    return _fact(level, members, parameters, ratio, tti_of, TTI_DIGITS)


def tpi(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """交通运行指数 of the network, 0 … 10, from its DTP; numerator and denominator exact."""

    def ratio(index: Index) -> tuple[int, int]:
        return tpi_of(index.dtp).as_integer_ratio()

    return _fact(level, members, parameters, ratio, tpi_of, TPI_DIGITS)


def congested_share(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """拥堵里程比例: length at 轻度拥堵 or worse ÷ length with a state × 100; `detail` has all five.

    Bounds when links are missing: all of their length flows, or all of it is congested.
    """
    sums = _joined(members)
    if not sums.links:
        return None
    congested = sum(sums.grade_mm[Grade.LIGHT - 1 :])
    known = sums.have_mm > 0
    missing = sums.length_mm - sums.have_mm
    incomplete = known and missing > 0
    return FactValue(
        value=_percent(congested, sums.have_mm) if known else None,
        numerator=str(100 * congested) if known else None,
        denominator=str(sums.have_mm) if known else None,
        have=sums.have,
        want=sums.links,
        lower=_percent(congested, sums.length_mm) if incomplete else None,
        upper=_percent(congested + missing, sums.length_mm) if incomplete else None,
        detail=_detail(level, members, parameters, sums)
        | {"method": "GB/T 33171-2016 运行状况等级里程比例", "shares": grade_shares(sums)},
    )


def _fact(
    level: str,
    members: Mapping[str, Payload],
    parameters: Mapping[str, str],
    ratio: Callable[[Index], tuple[int, int]],
    scale: Callable[[Fraction], Fraction | None],
    digits: int,
) -> FactValue | None:
    """The index on one scale; both weights stand in the detail. None without a link."""
    sums = _joined(members)
    if not sums.links:
        return None
    index = index_of(sums, chosen_weight(parameters))
    if index is None:
        detail = _detail(level, members, parameters, sums)
        return FactValue(None, have=0, want=sums.links, detail=detail)
    numerator, denominator = ratio(index)
    stated = denominator > 0
    return FactValue(
        value=show(Fraction(numerator, denominator), digits) if stated else None,
        numerator=str(numerator) if stated else None,
        denominator=str(denominator) if stated else None,
        have=sums.have,
        want=sums.links,
        lower=_bound(index.lower, scale, digits),
        upper=_bound(index.upper, scale, digits),
        detail=_detail(level, members, parameters, sums) | of_index(index, sums) | _both(sums),
    )


def _bound(
    value: Fraction | None, scale: Callable[[Fraction], Fraction | None], digits: int
) -> str | None:
    """None also where the scale has no end: TTI when the missing links stand."""
    scaled = None if value is None else scale(value)
    return None if scaled is None else show(scaled, digits)


def _both(sums: Sums) -> dict[str, Any]:
    """DTP by either weight, each with its name; by vehicle-km None when nobody was counted."""
    found: dict[str, Any] = {}
    for weight in (VEHICLE_KM, LENGTH):
        index = index_of(sums, weight)
        same = index is not None and index.weight == weight
        found[f"by_{weight}"] = of_dtp(index.dtp) if index is not None and same else None
    return found


def _detail(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str], sums: Sums
) -> dict[str, Any]:
    return {
        "level": level,
        "members": sorted(members),
        "have": sums.have,
        "links": sums.links,
        "without_free_flow": sums.unrated,
        "free_flow": free_flow_counts(sums),
        "parameters": echo(parameters, FACT_KEYS),
        "convention": "本平台约定",
    }


def _joined(members: Mapping[str, Payload]) -> Sums:
    sums = Sums()
    for area in sorted(members):
        sums.join(Sums.from_payload(members[area]))
    return sums


def _percent(part: int, whole: int) -> str:
    return show(Fraction(100 * part, whole), SHARE_DIGITS)


_KINDS: tuple[tuple[str, Title, str, Compute], ...] = (
    ("traffic.dtp", Title("延误时间比", "delay time proportion"), "1", dtp),
    ("traffic.tti", Title("行程时间比", "travel time index"), "1", tti),
    ("traffic.tpi", Title("交通运行指数", "traffic performance index"), "", tpi),
    (
        "traffic.congested_share",
        Title("拥堵里程比例", "share of congested length"),
        "%",
        congested_share,
    ),
)
_PERIODS = (("hour", "小时", "hourly"), ("day", "日", "daily"))

FACTS = tuple(
    FactSpec(
        f"{name}.{period}",
        Title(f"{zh}{title.zh}", f"{en} {title.en}"),
        unit,
        period,
        LEVELS,
        compute,
        method="GB/T 33171-2016",
    )
    for period, zh, en in _PERIODS
    for name, title, unit, compute in _KINDS
)
