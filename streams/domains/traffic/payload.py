"""How states and indices are told: JSON without floats, each with its method's name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from streams.domains.traffic.grade import METHOD, NAMES, grade_of, tpi_of, tti_of
from streams.domains.traffic.measure import FreeFlow, LinkState, Measure
from streams.domains.traffic.network import Index, Sums
from streams.domains.traffic.parameters import M_H

DTP_DIGITS, TTI_DIGITS, TPI_DIGITS = 4, 3, 2
SPEED_DIGITS, TIME_DIGITS = 3, 3
US_PER_S = 10**6
MM_PER_M = 1000


def show(value: Fraction, digits: int) -> str:
    """Decimal text with exactly so many digits, half to even (GB/T 8170); for values ≥ 0.

    As `streams.indicators.rounding.show`, in plain integers: there are many of these.
    """
    power = 10**digits
    units, rest = divmod(value.numerator * power, value.denominator)
    units += 2 * rest > value.denominator or (2 * rest == value.denominator and units % 2)
    whole, part = divmod(units, power)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)


def of_dtp(dtp: Fraction) -> dict[str, Any]:
    """DTP, TTI, TPI and grade; the grade is that of the exact DTP."""
    tti, grade = tti_of(dtp), grade_of(dtp)
    return {
        "dtp": show(dtp, DTP_DIGITS),
        "tti": None if tti is None else show(tti, TTI_DIGITS),
        "tpi": show(tpi_of(dtp), TPI_DIGITS),
        "grade": int(grade),
        "grade_name": NAMES[grade - 1],
    }


NO_STATE: Mapping[str, Any] = dict.fromkeys(("dtp", "tti", "tpi", "grade", "grade_name"))


def of_link(measured: Measure, state: LinkState | None) -> dict[str, Any]:
    """A link's measure and, where a free flow is known, its state and the free flow used."""
    time_us = measured.time_us
    return {
        "speed_kmh": show(measured.speed / M_H, SPEED_DIGITS),
        "travel_time_s": None
        if time_us is None
        else show(Fraction(time_us, US_PER_S), TIME_DIGITS),
        "vehicles": measured.vehicles,
        "measured_by": measured.by,
        **(NO_STATE if state is None else of_dtp(state.dtp)),
        **of_free_flow(None if state is None else state.free),
        "method": METHOD,
    }


def of_free_flow(free: FreeFlow | None) -> dict[str, Any]:
    """The free flow that was used, and where it is from."""
    return {
        "free_flow_kmh": None if free is None else show(Fraction(free.speed_mh, M_H), SPEED_DIGITS),
        "free_flow_origin": None if free is None else free.origin,
        "free_flow_n": None if free is None else free.n,
    }


def of_index(index: Index | None, sums: Sums) -> dict[str, Any]:
    """An area's index with what it rests on; None where no link has a state."""
    known = NO_STATE if index is None else of_dtp(index.dtp)
    return {
        **known,
        "method": None if index is None else index.method,
        "weight": None if index is None else index.weight,
        "weight_wanted": None if index is None else index.wanted,
        "delay_us": None if index is None else index.delay_us,
        "time_us": None if index is None else index.time_us,
        "links": sums.links,
        "have": sums.have,
        "counted": sums.counted,
        "without_free_flow": sums.unrated,
        "free_flow": free_flow_counts(sums),
        "vehicles": sums.vehicles,
        "grade_m": grade_lengths(sums),
    }


def free_flow_counts(sums: Sums) -> dict[str, int]:
    """Wanted links by where their free flow is from."""
    registered = sums.links - sums.learnt - sums.unknown
    return {"registered": registered, "learnt": sums.learnt, "unknown": sums.unknown}


def grade_lengths(sums: Sums) -> dict[str, str]:
    """Length by grade, metres (运行状况等级里程)."""
    return {
        name: show(Fraction(mm, MM_PER_M), 0) for name, mm in zip(NAMES, sums.grade_mm, strict=True)
    }


def grade_shares(sums: Sums) -> dict[str, str] | None:
    """运行状况等级里程比例: percent of the length that has a state, by grade."""
    if not sums.have_mm:
        return None
    return {
        name: show(Fraction(100 * mm, sums.have_mm), 1)
        for name, mm in zip(NAMES, sums.grade_mm, strict=True)
    }
