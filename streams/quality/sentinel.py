"""The unit sentinel: a source (gateway) that has begun to send a property in another unit.

Judged per source and property of one area, once per closed hour, on the raw values whatever their
flags say. Two kinds of evidence. *History*, for properties whose usual level is steady: most
sensors of the source at once are where their own usual level would be in the other unit; a step
that weather could explain counts only when the other sources of the area do not show it.
*Limits*, for all: half of the sensors that measure anything are beyond a physical limit, and
another unit would bring them inside. In both cases for n hours in a row. It ends when most sensors
are at their usual level again, when (without a usual level) enough hours with readings stay inside
the limits, or when a person says so (profile, registry). House convention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from streams.contracts.domain import HOUR_MS, Property, Ticket
from streams.contracts.exact import to_text
from streams.quality.parameters import UnitNumbers
from streams.quality.units import (
    OTHER_UNITS,
    OtherUnit,
    distance,
    is_near,
    is_usual,
    may_be_near,
    stands_alone,
)

KIND = "unit"
HISTORY, LIMITS = "history", "limits"


@dataclass(slots=True)
class Run:
    """The same verdict in consecutive hours."""

    unit: str
    by: str
    first_ms: int
    last_ms: int
    hours: int


@dataclass(slots=True)
class Held:
    """A source that is believed to send another unit. `usual`: scaled levels by series."""

    unit: str
    candidates: list[str]
    by: str
    since_ms: int
    usual: dict[int, int]
    back: int = 0


@dataclass(slots=True)
class SentinelState:
    """By `<source>|<property>`."""

    runs: dict[str, Run] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """The active series of one source that measure one property."""

    source: str
    prop: Property
    series: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"{self.source}|{self.prop.name}"


@dataclass(frozen=True, slots=True)
class Hour:
    """What one series said in an hour, raw and scaled: sum and number of values, the highest."""

    total: int
    n: int
    high: int

    @property
    def mean(self) -> Fraction:
        """Exact."""
        return Fraction(self.total, self.n)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Another unit, by which evidence, and how many of the judged sensors show it."""

    unit: OtherUnit
    candidates: tuple[str, ...]
    by: str
    agree: int
    judged: int
    ratio: Fraction


def judge(
    state: SentinelState,
    groups: Sequence[Group],
    start_ms: int,
    hours: Mapping[int, Hour],
    usual: Mapping[int, int],
    numbers: UnitNumbers,
) -> list[Ticket]:
    """One closed hour of all groups of an area. `usual`: scaled usual levels by series."""
    tickets: list[Ticket] = []
    for group in groups:
        if (group.source, group.prop.name) in numbers.dismissed:
            continue
        said = {s: hours[s] for s in group.series if s in hours and _tells(group.prop, hours[s])}
        held = state.held.get(group.key)
        if held is not None:
            if _is_back(held, group, said, numbers):
                del state.held[group.key]
                tickets.append(_closed(group, start_ms + HOUR_MS, {"why": "usual level"}))
            continue
        rivals = [g for g in groups if g.prop is group.prop and g is not group]
        others = {s: hours[s] for g in rivals for s in g.series if s in hours}
        verdict = _verdict(group, said, others, usual, numbers)
        run = _extend(state.runs.pop(group.key, None), verdict, start_ms)
        if run is None or verdict is None:
            continue
        if run.hours < numbers.windows:
            state.runs[group.key] = run
            continue
        state.held[group.key] = _hold(run, verdict, said, usual)
        tickets.append(_opened(group, run, verdict))
    return tickets


def let_go(
    state: SentinelState, groups: Sequence[Group], time_ms: int, numbers: UnitNumbers
) -> list[Ticket]:
    """Another registry or profile: what a person dismissed, and what left, ends."""
    known = {group.key: group for group in groups}
    tickets = []
    for key in sorted(state.held):
        source, prop = key.rsplit("|", 1)
        dismissed = (source, prop) in numbers.dismissed
        if key in known and not dismissed:
            continue
        del state.held[key]
        why = "dismissed" if dismissed else "left the registry"
        tickets.append(
            Ticket(0, prop, KIND, time_ms, True, {"why": why}, subject=f"source:{source}")
        )
    state.runs = {key: run for key, run in state.runs.items() if key in known}
    return tickets


def has_shift(prop: Property) -> bool:
    """Whether zero says something about the unit (℃) or is zero in all of them."""
    return any(unit.shift for unit in OTHER_UNITS.get(prop.unit, ()))


def _verdict(
    group: Group,
    said: Mapping[int, Hour],
    others: Mapping[int, Hour],
    usual: Mapping[int, int],
    numbers: UnitNumbers,
) -> Verdict | None:
    units = OTHER_UNITS.get(group.prop.unit, ())
    if not units:
        return None
    unit_one = 10**group.prop.scale
    levels = {s: Fraction(usual[s], unit_one) for s in said if s in usual}
    if group.prop.checks.unit and len(levels) >= numbers.sensors:
        return _by_history(group, said, others, (levels, usual), numbers)
    return _by_limits(group, said, units, numbers)


def _by_history(
    group: Group,
    said: Mapping[int, Hour],
    others: Mapping[int, Hour],
    known: tuple[Mapping[int, Fraction], Mapping[int, int]],
    numbers: UnitNumbers,
) -> Verdict | None:
    levels, usual = known
    one = 10**group.prop.scale
    votes: dict[str, list[int]] = {}
    units = {u.name: u for u in OTHER_UNITS[group.prop.unit]}
    for series, level in levels.items():
        if may_be_near(said[series].total, said[series].n * usual[series], group.prop.unit):
            name = _nearest(said[series].mean / one, level, group.prop.unit)
            if name is not None:
                votes.setdefault(name, []).append(series)
    if not votes:
        return None
    name = max(units, key=lambda n: len(votes.get(n, ())))
    voters, unit = votes[name], units[name]
    if 100 * len(voters) < numbers.share_percent * len(levels):
        return None
    width = Fraction(group.prop.high - group.prop.low)
    factor = Fraction(numbers.alone_factor)
    alone = all(stands_alone(unit, levels[s], width, factor, numbers.alone_percent) for s in voters)
    if not alone and not _others_stay(group, unit, others, usual, numbers):
        return None
    ratios = sorted(said[s].mean / one / levels[s] for s in voters if levels[s])
    ratio = ratios[len(ratios) // 2] if ratios else Fraction(0)
    return Verdict(unit, (name,), HISTORY, len(voters), len(levels), ratio)


def _others_stay(
    group: Group,
    unit: OtherUnit,
    others: Mapping[int, Hour],
    usual: Mapping[int, int],
    numbers: UnitNumbers,
) -> bool:
    """Whether the other sources are there to be asked and do not show the same step."""
    one = 10**group.prop.scale
    asked = [s for s in others if s in usual]
    same = [s for s in asked if is_near(others[s].mean / one, Fraction(usual[s], one), unit)]
    return len(asked) >= numbers.sensors and 2 * len(same) < len(asked)


def _by_limits(
    group: Group, said: Mapping[int, Hour], units: Sequence[OtherUnit], numbers: UnitNumbers
) -> Verdict | None:
    one = 10**group.prop.scale
    low, high = Fraction(group.prop.low), Fraction(group.prop.high)
    beyond = {s: Fraction(h.high, one) for s, h in said.items() if h.high > high * one}
    enough = 100 * len(beyond) >= numbers.beyond_percent * len(said)
    if len(beyond) < numbers.sensors or not enough:
        return None
    fitting = []
    for unit in units:
        inside = [value for value in beyond.values() if low <= unit.back(value) <= high]
        if 100 * len(inside) >= numbers.share_percent * len(beyond):
            fitting.append(unit)
    if not fitting:
        return None
    names = tuple(unit.name for unit in fitting)
    return Verdict(fitting[0], names, LIMITS, len(beyond), len(said), Fraction(0))


def _nearest(number: Fraction, level: Fraction, canonical: str) -> str | None:
    near = [u for u in OTHER_UNITS[canonical] if is_near(number, level, u)]
    return min(near, key=lambda u: distance(number, level, u)).name if near else None


def _tells(prop: Property, hour: Hour) -> bool:
    """A dry street is dry in every unit; only units with a shift tell something by zero."""
    return hour.total != 0 or has_shift(prop)


def _extend(run: Run | None, verdict: Verdict | None, start_ms: int) -> Run | None:
    if verdict is None:
        return None
    name = verdict.unit.name
    if run is None or (run.unit, run.by) != (name, verdict.by) or start_ms != run.last_ms + HOUR_MS:
        return Run(name, verdict.by, start_ms, start_ms, 1)
    return Run(name, verdict.by, run.first_ms, start_ms, run.hours + 1)


def _hold(run: Run, verdict: Verdict, said: Mapping[int, Hour], usual: Mapping[int, int]) -> Held:
    """Found by limits, a usual level is what the hour would be in the canonical unit."""
    if verdict.by == HISTORY:
        levels = {s: usual[s] for s in said if s in usual}
    else:
        levels = {s: round(verdict.unit.back(hour.mean)) for s, hour in said.items()}
    return Held(run.unit, list(verdict.candidates), run.by, run.first_ms, levels)


def _is_back(held: Held, group: Group, said: Mapping[int, Hour], numbers: UnitNumbers) -> bool:
    """Counts this hour for or against; true when enough in a row say that the unit is right."""
    steady = group.prop.checks.unit
    if steady:
        unit = next(u for u in OTHER_UNITS[group.prop.unit] if u.name == held.unit)
        one = 10**group.prop.scale
        asked = [s for s in said if s in held.usual]
        good = sum(is_usual(said[s].mean / one, Fraction(held.usual[s], one), unit) for s in asked)
        speaks = len(asked) >= min(numbers.sensors, len(held.usual))
        agrees = 100 * good >= numbers.share_percent * len(asked)
    else:
        limit = int(group.prop.high.scaleb(group.prop.scale))
        speaks = len(said) >= numbers.sensors
        agrees = all(hour.high <= limit for hour in said.values())
    if speaks and said:
        held.back = held.back + 1 if agrees else 0
    return held.back >= (numbers.windows if steady else numbers.clear_windows)


def _opened(group: Group, run: Run, verdict: Verdict) -> Ticket:
    evidence: dict[str, Any] = {
        "unit": verdict.unit.name,
        "candidates": list(verdict.candidates),
        "canonical": group.prop.unit,
        "by": verdict.by,
        "sensors": verdict.agree,
        "of": verdict.judged,
    }
    if verdict.ratio:
        evidence["ratio"] = to_text(round(verdict.ratio * 1000), 3)
    return Ticket(
        0,
        group.prop.name,
        KIND,
        run.first_ms,
        False,
        evidence,
        subject=f"source:{group.source}",
    )


def _closed(group: Group, time_ms: int, evidence: Mapping[str, Any]) -> Ticket:
    subject = f"source:{group.source}"
    return Ticket(0, group.prop.name, KIND, time_ms, True, evidence, subject=subject)
