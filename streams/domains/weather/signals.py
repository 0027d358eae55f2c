"""Warning signals: which colour of the table each point has reached, and what the county has.

Once per closed minute, in event order. A colour is given by measurement and taken back by
measurement: what is missing may neither raise nor lower it (see `bounds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.contracts.domain import AreaView, Closing, Judgement, Outputs
from streams.contracts.surroundings import AREA
from streams.domains.weather import parameters as key
from streams.domains.weather.bounds import Bounds, Verdict, at_least, at_most, coldest, worst
from streams.domains.weather.evidence import evidence_of
from streams.domains.weather.memory import (
    NAMES,
    RING_OF,
    Limits,
    Rings,
    fit_rings,
    measure,
    note,
    reach,
    read_limits,
)
from streams.domains.weather.ring import Ring
from streams.domains.weather.table import Amount, Cell, Condition, Table, read_table

MOST_POINTS = 3  # of which an alert's evidence tells the amounts


def rule_name(signal: str) -> str:
    return f"weather.{signal}"


@dataclass(slots=True)
class WeatherState:
    """`told`: colour (1 … 4) of every point that has one, by signal and point id. `judged`: the
    county's colour by signal, and how often in a row it was judged so; forgotten when it has been
    none for long. `waiting`: series that changed behind the watermark and are not judged yet."""

    rings: Rings = field(default_factory=dict)
    told: dict[str, dict[str, int]] = field(default_factory=dict)
    judged: dict[str, list[int]] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)


def initial(view: AreaView, previous: WeatherState | None) -> WeatherState:
    """An empty state, or the previous one under another registry version."""
    state = previous or WeatherState()
    state.rings = fit_rings(state.rings, view)
    here = {view.points[p].id for p in view.series_point[view.series_active].tolist()}
    for colours in state.told.values():
        for gone in [point for point in colours if point not in here]:
            del colours[gone]
    return state


def close(state: WeatherState, view: AreaView, closing: Closing) -> tuple[WeatherState, Outputs]:
    """One closed minute: its readings are remembered, and the points that spoke are judged."""
    out = Outputs()
    changed = sorted({*state.waiting, *note(state.rings, view, closing)})
    if closing.revised:
        state.waiting = changed
        return state, out
    state.waiting = []
    county = _County(state, view, read_table(view.parameters), read_limits(view, closing.end_ms))
    spoke: dict[str, set[int]] = {}  # points by ring
    for series in changed:
        for name in NAMES[int(view.series_property[series])]:
            spoke.setdefault(name, set()).add(int(view.series_point[series]))
    for signal in county.table.signals:
        judged = county.judge(signal, spoke)
        if judged is not None:
            out.judgements.append(judged)
    return state, out


def level_of(cells: Sequence[Cell], amounts: Mapping[Amount, Bounds], told: int) -> int:
    """The highest colour (1 … 4) that the amounts prove, 0 = none. A colour that was told stays
    while the amounts do not disprove it."""
    for number in range(len(cells), 0, -1):
        found = verdict(cells[number - 1], amounts)
        if found is Verdict.YES or (found is Verdict.UNKNOWN and number <= told):
            return number
    return 0


def verdict(cell: Cell, amounts: Mapping[Amount, Bounds]) -> Verdict:
    """Whether a cell is met: one of its alternatives, in all of its conditions."""
    return max(
        (min(_met(one, amounts[one.amount]) for one in all_of) for all_of in cell.alternatives),
        default=Verdict.NO,
    )


def _met(condition: Condition, found: Bounds) -> Verdict:
    compare = at_most if condition.amount.quantity == "min" else at_least
    return compare(found, condition.threshold)


@dataclass(frozen=True, slots=True)
class _County:
    """One area in one closing."""

    state: WeatherState
    view: AreaView
    table: Table
    limits: Limits

    def judge(self, signal: str, spoke: Mapping[str, set[int]]) -> Judgement | None:
        """The county's colour of one signal, when one of its points has spoken."""
        amounts = self.table.signals[signal].amounts
        rings = {RING_OF[amount.quantity] for amount in amounts}
        points = sorted(set[int]().union(*(spoke.get(name, ()) for name in rings)))
        if not points:
            return None
        told = self.state.told.setdefault(signal, {})
        for number in points:
            point = self.view.points[number].id
            before = told.pop(point, 0)
            level = self._level(signal, number, before)
            if level:
                told[point] = level
        return self._tell(signal)

    def _level(self, signal: str, point: int, before: int) -> int:
        cells = self.table.signals[signal].cells
        if not before and not self._is_near(cells, point):
            return 0
        return level_of(cells, self._amounts(signal, point), before)

    def _is_near(self, cells: Sequence[Cell], point: int) -> bool:
        """Whether the memory could meet any cell at all; most of the time it could not."""
        known: dict[str, Bounds] = {}

        def met(condition: Condition) -> bool:
            name = condition.amount.quantity
            if name not in known:
                ring = self.state.rings[RING_OF[name]]
                found = (reach(ring, row, name) for row in self._rows(ring, point))
                each = [Bounds(value, value) for value in found if value is not None]
                known[name] = coldest(each) if name == "min" else worst(each)
            return _met(condition, known[name]) is not Verdict.NO

        return any(all(map(met, all_of)) for cell in cells for all_of in cell.alternatives)

    def _amounts(self, signal: str, point: int) -> dict[Amount, Bounds]:
        """The amounts at one point. Of two sensors the worse one counts; what no sensor has ever
        measured is never met."""
        found: dict[Amount, Bounds] = {}
        for amount in self.table.signals[signal].amounts:
            ring = self.state.rings[RING_OF[amount.quantity]]
            each = [measure(ring, row, amount, self.limits) for row in self._rows(ring, point)]
            spoken = [one for one in each if one is not None]
            found[amount] = coldest(spoken) if amount.quantity == "min" else worst(spoken)
        return found

    def _rows(self, ring: Ring, point: int) -> list[int]:
        at = self.view.series_point
        return [row for row, series in enumerate(ring.series) if at[series] == point]

    def _tell(self, signal: str) -> Judgement | None:
        """A judgement of the area while it has a colour, and until the alert can have ended."""
        needed = max(1, int(self.view.parameters[key.NEEDED_POINTS]))
        colours = sorted(self.state.told[signal].values(), reverse=True)
        level = colours[needed - 1] if len(colours) >= needed else 0
        before, times = self.state.judged.get(signal, (0, 0))
        times = times + 1 if level == before else 1
        clear = int(self.view.parameters[key.CLEAR])
        if not level and (signal not in self.state.judged or times > clear):
            self.state.judged.pop(signal, None)
            return None
        self.state.judged[signal] = [level, times]
        # later than that no transition can rest on it: the amounts need not be told
        told = self._evidence(signal, level) if times <= clear else self._version()
        return Judgement(rule_name(signal), AREA, self.limits.now_ms, level, evidence=told)

    def _version(self) -> dict[str, Any]:
        return {"table_version": self.table.version}

    def _evidence(self, signal: str, level: int) -> dict[str, Any]:
        """The points that lead, with their amounts."""
        told = self.state.told[signal]
        number = {point.id: i for i, point in enumerate(self.view.points)}
        leading = sorted(told, key=lambda point: (-told[point], point))[:MOST_POINTS]
        shown = [
            (self.view.points[number[p]], told[p], self._amounts(signal, number[p]))
            for p in leading
        ]
        cell = self.table.signals[signal].cells[level - 1]
        proven = bool(level and shown) and verdict(cell, shown[0][2]) is Verdict.YES
        return evidence_of(self.view.parameters, self.table, signal, level, told, shown, proven)
