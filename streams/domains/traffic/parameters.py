"""House numbers of the traffic domain: defaults and sources (domain.md §3, §8.3, §10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from streams.contracts.domain import HOUR_MS, Parameter

INTERPOLATION = "traffic.tpi.interpolation"
WEIGHT = "traffic.network.weight"
MEASURE = "traffic.link.measure"
FLOOR_KMH = "traffic.link.floor_kmh"
FROM_HOUR = "traffic.free_flow.from_hour"
TO_HOUR = "traffic.free_flow.to_hour"
DAYS = "traffic.free_flow.days"
PERCENTILE = "traffic.free_flow.percentile"
LEAST_VALUES = "traffic.free_flow.least_values"
UTC_OFFSET = "traffic.free_flow.utc_offset_hours"
SETTLE_MIN = "traffic.settle.minutes"
EPISODE_GRADE = "traffic.episode.from_grade"
EPISODE_LEAST_MIN = "traffic.episode.least_minutes"
EPISODE_CLEAR_MIN = "traffic.episode.clear_minutes"
BLUE, YELLOW = "traffic.alert.blue_grade", "traffic.alert.yellow_grade"
ORANGE, RED = "traffic.alert.orange_grade", "traffic.alert.red_grade"
RAISE_MIN, CLEAR_MIN = "traffic.alert.raise_minutes", "traffic.alert.clear_minutes"
LEAST_LENGTH_M = "traffic.alert.least_length_m"
LEAST_SHARE = "traffic.alert.area_least_share"

LINEAR = "linear"
VEHICLE_KM, LENGTH = "vehicle_km", "length"
TRAVEL_TIME, SPEED = "travel_time", "speed"
M_H = 1000  # m/h in a km/h: speeds inside are whole m/h

_HOUSE = "本平台约定"

PARAMETERS = (
    Parameter(INTERPOLATION, LINEAR, "", "H", "domain.md §3: not in the standard's text"),
    Parameter(WEIGHT, VEHICLE_KM, "", "H", "domain.md §3; other: length"),
    Parameter(
        MEASURE, TRAVEL_TIME, "", "H", f"{_HOUSE}: rules where a link has both; other: speed"
    ),
    Parameter(FLOOR_KMH, "1", "km/h", "H", f"{_HOUSE}: least speed in sums of travel times"),
    Parameter(FROM_HOUR, "23", "h", "H", "domain.md §8.3"),
    Parameter(TO_HOUR, "5", "h", "H", "domain.md §8.3"),
    Parameter(DAYS, "14", "days", "H", "domain.md §8.3"),
    Parameter(PERCENTILE, "85", "%", "H", "domain.md §8.3; linear, k = 1 + (n-1)p/100"),
    Parameter(LEAST_VALUES, "100", "values", "H", "domain.md §8.3"),
    Parameter(UTC_OFFSET, "8", "h", "H", f"{_HOUSE}: zone of the quiet hours"),
    Parameter(
        SETTLE_MIN, "60", "min", "H", f"{_HOUSE}: a value is final; at least the horizon + 5"
    ),
    Parameter(EPISODE_GRADE, "3", "grade", "H", f"{_HOUSE}: from 轻度拥堵"),
    Parameter(EPISODE_LEAST_MIN, "15", "min", "H", "as the alerts of domain.md §8.3"),
    Parameter(EPISODE_CLEAR_MIN, "15", "min", "H", "as the alerts of domain.md §8.3"),
    Parameter(BLUE, "3", "grade", "H", "domain.md §8.3: 轻度拥堵"),
    Parameter(YELLOW, "4", "grade", "H", "domain.md §8.3: 中度拥堵"),
    Parameter(ORANGE, "5", "grade", "H", "domain.md §8.3: 严重拥堵"),
    Parameter(RED, "6", "grade", "H", "domain.md §8.3: 严重拥堵 together with a flooded link"),
    Parameter(RAISE_MIN, "15", "min", "H", "domain.md §8.3"),
    Parameter(CLEAR_MIN, "15", "min", "H", "domain.md §8.3"),
    Parameter(LEAST_LENGTH_M, "500", "m", "H", "domain.md §8.3"),
    Parameter(
        LEAST_SHARE, "0.5", "1", "H", f"{_HOUSE}: of the length with a state, to judge an area"
    ),
)

_DEFAULTS: Mapping[str, str] = {p.key: p.default for p in PARAMETERS}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    INTERPOLATION: (LINEAR,),
    WEIGHT: (VEHICLE_KM, LENGTH),
    MEASURE: (TRAVEL_TIME, SPEED),
}
_RANGES: Mapping[str, tuple[int, int | None]] = {
    EPISODE_GRADE: (2, 5),
    PERCENTILE: (0, 100),
    FROM_HOUR: (0, 24),
    TO_HOUR: (0, 24),
    DAYS: (1, None),
    UTC_OFFSET: (-12, 14),
    LEAST_SHARE: (0, 1),
}
"""Least and most; every other number is at least 0."""
_MINUTE_MS = 60_000

FACT_KEYS = (INTERPOLATION, WEIGHT, MEASURE, FLOOR_KMH)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet hours that free flow is learnt from; times of day and offset in ms."""

    from_ms: int
    to_ms: int
    zone_ms: int
    days: int
    percentile: Fraction
    least: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The parameters, parsed: speeds in m/h, lengths in mm, times in ms."""

    by_vehicles: bool
    prefer_speed: bool
    floor_mh: int
    quiet: Quiet
    settle_ms: int
    from_grade: int
    episode_least_ms: int
    episode_clear_ms: int
    red_grade: int
    least_length_mm: int
    least_share: Fraction


def mistakes_in(parameters: Mapping[str, str]) -> list[str]:
    """Everything that the domain cannot compute with: such a profile is refused."""
    found: list[str] = []
    for key in _DEFAULTS:
        try:
            if key in _CHOICES:
                _text(parameters, key)
            else:
                _within(parameters, key)
        except ValueError as error:
            found.append(str(error))
    return found


def echo(parameters: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The values that a figure was made with, to stand beside it."""
    return {key: parameters.get(key, _DEFAULTS[key]) for key in keys}


def chosen_weight(parameters: Mapping[str, str]) -> str:
    """`vehicle_km` or `length`; ValueError for anything else."""
    return _text(parameters, WEIGHT)


def read_numbers(parameters: Mapping[str, str]) -> Numbers:
    """Parses the profile's values; absent keys have their default. ValueError names a wrong key."""

    def scaled(key: str, factor: int = 1) -> int:
        return int(_number(parameters, key) * factor)

    _text(parameters, INTERPOLATION)
    for key in _RANGES:
        _within(parameters, key)
    quiet = Quiet(
        from_ms=scaled(FROM_HOUR, HOUR_MS),
        to_ms=scaled(TO_HOUR, HOUR_MS),
        zone_ms=scaled(UTC_OFFSET, HOUR_MS),
        days=scaled(DAYS),
        percentile=_number(parameters, PERCENTILE) / 100,
        least=scaled(LEAST_VALUES),
    )
    return Numbers(
        by_vehicles=chosen_weight(parameters) == VEHICLE_KM,
        prefer_speed=_text(parameters, MEASURE) == SPEED,
        floor_mh=max(1, scaled(FLOOR_KMH, M_H)),
        quiet=quiet,
        settle_ms=scaled(SETTLE_MIN, _MINUTE_MS),
        from_grade=scaled(EPISODE_GRADE),
        episode_least_ms=scaled(EPISODE_LEAST_MIN, _MINUTE_MS),
        episode_clear_ms=scaled(EPISODE_CLEAR_MIN, _MINUTE_MS),
        red_grade=scaled(RED),
        least_length_mm=scaled(LEAST_LENGTH_M, 1000),
        least_share=_number(parameters, LEAST_SHARE),
    )


def _text(parameters: Mapping[str, str], key: str) -> str:
    value = parameters.get(key, _DEFAULTS[key])
    if key in _CHOICES and value not in _CHOICES[key]:
        raise ValueError(f"{key}: {value!r} is none of {', '.join(_CHOICES[key])}")
    return value


def _within(parameters: Mapping[str, str], key: str) -> None:
    low, high = _RANGES.get(key, (0, None))
    value = _number(parameters, key)
    if value < low or (high is not None and value > high):
        most = "" if high is None else f" and at most {high}"
        raise ValueError(f"{key}: {value} is not at least {low}{most}")


def _number(parameters: Mapping[str, str], key: str) -> Fraction:
    text = parameters.get(key, _DEFAULTS[key])
    try:
        return Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"{key}: {text!r} is not a number") from error
