"""House numbers of the quality checks: keys of the city's profile, defaults, and their mistakes.

Those of single properties stand at the property (`Checks`); a profile may replace each of them
under `quality.<property>.<check>` (`off` switches a check off). All are conventions (本平台约定).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from streams.contracts.domain import Checks, Parameter, Property

OFF = "off"
DISMISSED = "quality.unit.dismissed"
FUTURE = "quality.future_tolerance_s"
INGEST_AHEAD = "quality.ingest_ahead_s"
ALERT_VALID = "alert.valid_s"
CLOSED_SILENT = "alert.closed_silent_s"

PARAMETERS = (
    Parameter(FUTURE, "300", "s", "H", "domain.md §8.3: event ahead of ingest"),
    Parameter(INGEST_AHEAD, "300", "s", "H", "ingest ahead of append, live namespaces"),
    Parameter("quality.silence.intervals", "3", "report intervals", "H", "domain.md §8.3"),
    Parameter("quality.silence.least_s", "120", "s", "H", "domain.md §8.3"),
    Parameter("quality.silence.gateway_percent", "80", "%", "H", "domain.md §8.3"),
    Parameter("quality.silence.gateway_sensors", "3", "sensors", "H", "domain.md §8.3"),
    Parameter("quality.silence.within_s", "60", "s", "H", "domain.md §8.3"),
    Parameter("quality.neighbour.sensors", "3", "neighbours", "H", "fewest that can be asked"),
    Parameter("quality.neighbour.nearest", "8", "neighbours", "H", "asked, where points are"),
    Parameter("quality.neighbour.within_km", "30", "km", "H", "asked, where points are"),
    Parameter("quality.neighbour.spreads", "5", "MAD", "H", "how far beyond their own spread"),
    Parameter("quality.neighbour.windows", "6", "windows", "H", "in a row, to open and to close"),
    Parameter("quality.drift.baseline_days", "14", "days", "H", "that a sensor's own level takes"),
    Parameter("quality.drift.recent_days", "14", "days", "H", "whose median is compared with it"),
    Parameter("quality.drift.rate_days", "28", "days", "H", "over which the rate is told"),
    Parameter("quality.drift.hours", "18", "hours", "H", "with readings, for a day to count"),
    Parameter("quality.unit.sensors", "2", "sensors", "H", "fewest of a source to be judged"),
    Parameter("quality.unit.share_percent", "80", "%", "H", "of them that show the other unit"),
    Parameter("quality.unit.beyond_percent", "50", "%", "H", "of them beyond a physical limit"),
    Parameter("quality.unit.windows", "2", "hours", "H", "in a row, to open and to close"),
    Parameter("quality.unit.clear_windows", "24", "hours", "H", "to close without a history"),
    Parameter("quality.unit.history_days", "7", "days", "H", "that make the usual level"),
    Parameter("quality.unit.least_days", "3", "days", "H", "before it can be compared with"),
    Parameter("quality.unit.alone_factor", "8", "1", "H", "smaller ones need other sources"),
    Parameter("quality.unit.alone_percent", "20", "% of the range", "H", "the same, for ℉ and K"),
    Parameter(DISMISSED, "-", "source property; …", "H", "a person says: the unit is right"),
    Parameter("quality.health.late_weight", "0.5", "1", "H", "what a late reading loses"),
    Parameter(ALERT_VALID, "900", "s", "H", "nobody acts on an alert's message later than this"),
    Parameter(CLOSED_SILENT, "21600", "s", "H", "a silent sensor's alert closed by hand is over"),
)
_DEFAULTS = {p.key: p.default for p in PARAMETERS}
_WHOLE = {p.key for p in PARAMETERS if p.key not in (DISMISSED, "quality.health.late_weight")} - {
    "quality.unit.alone_factor"
}
_POSITIVE = {
    key for key in _WHOLE if key not in (FUTURE, INGEST_AHEAD, "quality.silence.gateway_percent")
}
_DECIMAL_CHECKS = ("spike", "neighbour", "drift")
_SECOND_CHECKS = ("flat_s",)
_UNITS = {"flat_s": "s"}
_MEANING = {
    "spike": "a single value off both neighbours in time by more",
    "flat_s": "unchanged so long while others change",
    "neighbour": "a window's mean off the neighbours' median by more",
    "drift": "days off a sensor's own level by more",
}


@dataclass(frozen=True, slots=True)
class NeighbourNumbers:
    """See the parameters of the same names."""

    sensors: int = 3
    nearest: int = 8
    within_km: int = 30
    spreads: int = 5
    windows: int = 6


@dataclass(frozen=True, slots=True)
class DriftNumbers:
    """See the parameters of the same names."""

    baseline_days: int = 14
    recent_days: int = 14
    rate_days: int = 28
    hours: int = 18


@dataclass(frozen=True, slots=True)
class UnitNumbers:
    """See the parameters of the same names; `dismissed` are pairs (source, property)."""

    sensors: int = 2
    share_percent: int = 80
    beyond_percent: int = 50
    windows: int = 2
    clear_windows: int = 24
    history_days: int = 7
    least_days: int = 3
    alone_factor: Decimal = Decimal(8)
    alone_percent: int = 20
    dismissed: frozenset[tuple[str, str]] = frozenset()


def neighbour_numbers(values: Mapping[str, str]) -> NeighbourNumbers:
    """The numbers in force; absent keys have their default."""
    names = ("sensors", "nearest", "within_km", "spreads", "windows")
    return NeighbourNumbers(*(whole(values, f"quality.neighbour.{n}") for n in names))


def drift_numbers(values: Mapping[str, str]) -> DriftNumbers:
    """The numbers in force; absent keys have their default."""
    names = ("baseline_days", "recent_days", "rate_days", "hours")
    return DriftNumbers(*(whole(values, f"quality.drift.{n}") for n in names))


def unit_numbers(values: Mapping[str, str]) -> UnitNumbers:
    """The numbers in force; absent keys have their default."""
    return UnitNumbers(
        sensors=whole(values, "quality.unit.sensors"),
        share_percent=whole(values, "quality.unit.share_percent"),
        beyond_percent=whole(values, "quality.unit.beyond_percent"),
        windows=whole(values, "quality.unit.windows"),
        clear_windows=whole(values, "quality.unit.clear_windows"),
        history_days=whole(values, "quality.unit.history_days"),
        least_days=whole(values, "quality.unit.least_days"),
        alone_factor=Decimal(_text(values, "quality.unit.alone_factor")),
        alone_percent=whole(values, "quality.unit.alone_percent"),
        dismissed=frozenset(_pairs(_text(values, DISMISSED))),
    )


def late_weight(values: Mapping[str, str]) -> Decimal:
    """What a late reading loses of its worth in the health score."""
    return Decimal(_text(values, "quality.health.late_weight"))


def whole(values: Mapping[str, str], key: str) -> int:
    """A whole number in force; absent keys have their default."""
    return int(_text(values, key))


def quality_values(properties: Iterable[Property], values: Mapping[str, str]) -> dict[str, str]:
    """All keys that the checks of these properties read, with the profile's values or defaults."""
    found = {key: values.get(key, default) for key, default in _DEFAULTS.items()}
    for parameter in property_parameters(properties):
        found[parameter.key] = values.get(parameter.key, parameter.default)
    return found


def property_parameters(properties: Iterable[Property]) -> tuple[Parameter, ...]:
    """What the properties declare, as parameters; `off` where a check is not made."""
    found = []
    for prop in properties:
        for name in (*_DECIMAL_CHECKS, *_SECOND_CHECKS):
            held = getattr(prop.checks, name)
            if held is not None:
                unit = _UNITS.get(name, prop.unit)
                found.append(Parameter(_key(prop, name), str(held), unit, "H", _MEANING[name]))
    return tuple(found)


def with_profile(
    properties: tuple[Property, ...], values: Mapping[str, str]
) -> tuple[Property, ...]:
    """The properties with the limits of the profile."""
    return tuple(replace(p, checks=_checks(p, values)) for p in properties)


def mistakes(properties: Iterable[Property], values: Mapping[str, str]) -> list[str]:
    """Everything in a profile that these numbers cannot be filled with."""
    found = [*_mistakes_of_room(values)]
    for prop in properties:
        for name in (*_DECIMAL_CHECKS, *_SECOND_CHECKS):
            text = values.get(_key(prop, name))
            if text is not None and text != OFF and not _is_limit(text, name in _SECOND_CHECKS):
                what = "seconds" if name in _SECOND_CHECKS else prop.unit
                found.append(f"{_key(prop, name)} = {text!r} is not a number of {what}, nor off")
    return found


def _mistakes_of_room(values: Mapping[str, str]) -> Iterable[str]:
    for key in sorted(_DEFAULTS.keys() & values.keys()):
        text = values[key]
        if key in _WHOLE and not text.isdecimal():
            yield f"{key} = {text!r} is not a whole number"
        elif key in _POSITIVE and int(text) < 1:
            yield f"{key} = {text!r} must be at least 1"
        elif key == "quality.health.late_weight" and not _between(text, 0, 1):
            yield f"{key} = {text!r} is not between 0 and 1"
        elif key == "quality.unit.alone_factor" and not _between(text, 1, 10**6):
            yield f"{key} = {text!r} is not a factor of at least 1"
        elif key == DISMISSED and text.strip() not in ("", "-") and not _pairs_fit(text):
            yield f"{key} = {text!r} is not a list 'source property; source property'"


def _between(text: str, low: int, high: int) -> bool:
    try:
        return low <= Decimal(text) <= high
    except ArithmeticError:
        return False


def _is_limit(text: str, seconds: bool) -> bool:
    return text.isdecimal() and int(text) > 0 if seconds else _between(text, 0, 10**9)


def _pairs_fit(text: str) -> bool:
    return all(len(part.split()) == 2 for part in text.split(";") if part.strip())


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    if text.strip() in ("", "-"):
        return
    for part in text.split(";"):
        if part.strip():
            source, prop = part.split()
            yield source, prop


def _checks(prop: Property, values: Mapping[str, str]) -> Checks:
    changed: dict[str, Decimal | int | None] = {}
    for name in (*_DECIMAL_CHECKS, *_SECOND_CHECKS):
        text = values.get(_key(prop, name))
        if text is not None:
            as_number = int if name in _SECOND_CHECKS else Decimal
            changed[name] = None if text == OFF else as_number(text)
    return replace(prop.checks, **changed) if changed else prop.checks  # type: ignore[arg-type]


def _key(prop: Property, name: str) -> str:
    return f"quality.{prop.name}.{name}"


def _text(values: Mapping[str, str], key: str) -> str:
    return values.get(key, _DEFAULTS[key])
