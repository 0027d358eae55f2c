"""The fold of one domain: partials of areas → facts of counties, cities, the province.

A period [s, e) of a city is folded once every active member's watermark has passed e; later
partials of it make revisions (design.md §5, Across areas). What one processing time says is folded
together, so a fact has at most one revision per processing time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.contracts.domain import DAY_MS, HOUR_MS, Domain, FactSpec, Payload
from streams.contracts.outcome import RegionMessage
from streams.indicators.periods import period_start
from streams.region.lines import Lines
from streams.region.members import Members
from streams.region.pages import Fact, FactKey, Pages, Partial, PartialKey
from streams.region.revise import CLOSED, LATE, Reviser, strongest, unwritten
from streams.region.rollup import RollUps

STATE = "state"
LENGTH_MS = {"hour": HOUR_MS, "day": DAY_MS, STATE: 0}


@dataclass(frozen=True, slots=True)
class CityValue:
    """A city's fact that a rule judges, at its first fold, in event order (scaled value)."""

    domain: str
    rule: str
    city: str
    time_ms: int  # the end of the period: since then the value is true
    decided_ms: int
    value: int
    fact: Fact


@dataclass(slots=True)
class Moment:
    """What one processing time changed, before it is folded: (period, start, code) → causes."""

    reviser: Reviser
    again: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)  # cities and provinces with a new watermark
    reached: dict[str, int] = field(
        default_factory=dict
    )  # code → its line before late rows moved it
    values: list[CityValue] = field(default_factory=list)

    def mark(self, period: str, start_ms: int, code: str, cause: str) -> None:
        self.again.setdefault((period, start_ms, code), set()).add(cause)


@dataclass(slots=True)
class DomainFold:
    """One domain's facts over its members. `fold` is called with one processing time at a time."""

    domain: Domain
    members: Members
    parameters: Mapping[str, str]
    offset_ms: int
    judge_within_ms: int
    pages: Pages
    rollups: RollUps = field(init=False)
    groups: Mapping[str, tuple[str, ...]] = field(init=False)  # members by city and by province

    def __post_init__(self) -> None:
        self.rollups = RollUps(self.domain.rollups, self.members, self.parameters, self.offset_ms)
        provinces = {p: self.members.of_province(p) for p in self.members.provinces}
        self.groups = {**self.members.by_city, **provinces}

    def fold(
        self, proc_ms: int, city_of: Mapping[str, str], messages: Sequence[RegionMessage]
    ) -> tuple[list[Fact], list[CityValue]]:
        """Facts written and city values to judge. Messages: all of this domain at `proc_ms`."""
        lines = Lines.from_dict(self.pages.state(self._state_key))
        moment = Moment(Reviser(self.pages, proc_ms))
        for message in messages:
            self._take(lines, moment, city_of, message)
        self._advance(lines, moment)
        self._revise(lines, moment)
        self.rollups.settle(moment.reviser, self._folded_days(lines))
        self.pages.put_state(self._state_key, lines.to_dict())
        return moment.reviser.written, moment.values

    @property
    def _state_key(self) -> str:
        return f"lines/{self.domain.name}"

    def _take(
        self, lines: Lines, moment: Moment, city_of: Mapping[str, str], message: RegionMessage
    ) -> None:
        city = city_of.get(message.area)
        if city is None or city not in self.members.by_city:
            return
        if message.kind == "watermark":
            watermark, active = message.payload["watermark"], message.payload["active"]
            lines.observe(message.area, int(watermark), bool(active))
            province = self.members.province_of(city)
            moment.heard |= {city} if province is None else {city, province}
        elif message.kind == "partial":
            self._keep(lines, moment, city, message)

    def _keep(self, lines: Lines, moment: Moment, city: str, message: RegionMessage) -> None:
        period, start = message.period, message.start_ms
        before = self.pages.partials(self.domain.name, period, start).get(message.area)
        if period == STATE:
            lines.inventory[message.area] = max(start, lines.inventory.get(message.area, start))
            moment.mark(STATE, start, city, message.cause)
        if before is not None and before.payload == message.payload:
            return
        self.pages.put_partial(
            PartialKey(self.domain.name, period, start, message.area),
            Partial(message.payload, message.proc_ms, message.cause),
        )
        end = start + LENGTH_MS[period]
        if message.cause == LATE and period != STATE:
            self._reach(lines, moment, city, end)
        if period != STATE and end <= lines.folded.get(city, 0):
            moment.mark(period, start, city, message.cause)

    def _reach(self, lines: Lines, moment: Moment, city: str, end_ms: int) -> None:
        """Where no watermark ever came (a backfill alone), late rows say how far time has come."""
        for code in (city, self.members.province_of(city)):
            if code is not None and lines.passed_ms(self.groups[code]) is None:
                before = lines.folded.get(code, 0)
                if end_ms > before:
                    moment.reached.setdefault(code, before)
                    lines.folded[code] = end_ms

    # -- periods that the watermarks have just passed ------------------------------------------

    def _advance(self, lines: Lines, moment: Moment) -> None:
        """Only where a watermark came: a city's line cannot move without one."""
        moved: dict[str, tuple[int, int]] = {}
        for code in sorted(moment.heard):
            passed = lines.passed_ms(self.groups[code])
            line = 0 if passed is None else period_start("hour", passed, self.offset_ms)
            before = lines.folded.get(code, 0)
            if line > before:
                moved[code] = (before, line)
                lines.folded[code] = line
        for code, before in sorted(moment.reached.items()):
            moved[code] = (before, moved.get(code, (before, lines.folded[code]))[1])
        for code, (before, line) in moved.items():
            self._close(moment, code, self.groups[code], before, line)

    def _close(
        self, moment: Moment, code: str, areas: tuple[str, ...], before: int, line: int
    ) -> None:
        for period in sorted({spec.period for spec in self.domain.facts} - {STATE}):
            length = LENGTH_MS[period]
            first, end = before - length + 1, line - length + 1
            for start in self.pages.starts(self.domain.name, period, areas, first, end):
                self._fold_group(moment, period, start, code, CLOSED)
        if code in self.members.by_city and before > 0 and self._day(line) > self._day(before):
            for area in (*areas, code):
                self.rollups.touch_all(area, before - 1, CLOSED)

    def _day(self, time_ms: int) -> int:
        return period_start("day", time_ms, self.offset_ms)

    # -- periods that were folded before --------------------------------------------------------

    def _revise(self, lines: Lines, moment: Moment) -> None:
        for (period, start, city), causes in sorted(moment.again.items()):
            cause = strongest(causes)
            if period == STATE:
                self._fold_inventory(lines, moment, city, cause)
                continue
            self._fold_group(moment, period, start, city, cause)
            province = self.members.province_of(city)
            passed = lines.folded.get(province, 0) if province is not None else 0
            if province is not None and start + LENGTH_MS[period] <= passed:
                self._fold_group(moment, period, start, province, cause)

    def _fold_inventory(self, lines: Lines, moment: Moment, city: str, cause: str) -> None:
        province = self.members.province_of(city)
        groups = [(city, self.members.by_city[city])]
        if province is not None:
            groups.append((province, self.members.of_province(province)))
        for code, areas in groups:
            starts = {a: lines.inventory[a] for a in areas if a in lines.inventory}
            found = {
                area: self.pages.partials(self.domain.name, STATE, start)[area].payload
                for area, start in starts.items()
            }
            self._state_facts(moment, STATE, max(starts.values()), code, found, cause)

    # -- computing -------------------------------------------------------------------------------

    def _fold_group(self, moment: Moment, period: str, start: int, code: str, cause: str) -> None:
        """Facts of a city and its counties, or of a province, for one period."""
        partials = self.pages.partials(self.domain.name, period, start)
        found = {a: partials[a].payload for a in self.groups[code] if a in partials}
        if any(partials[area].cause == LATE for area in found):
            cause = LATE  # late rows are in it, a backfill's too: a figure, but no alert
        self._state_facts(moment, period, start, code, found, cause)

    def _state_facts(
        self,
        moment: Moment,
        period: str,
        start: int,
        code: str,
        found: Mapping[str, Payload],
        cause: str,
    ) -> None:
        level = self.members.levels[code]
        for spec in self.domain.facts:
            if spec.period != period:
                continue
            if level != "province" and "county" in spec.levels:
                for area, payload in found.items():
                    if self.members.levels[area] == "county":
                        self._write(moment, spec, start, area, {area: payload}, cause)
            if level in spec.levels and level != "county":
                self._write(moment, spec, start, code, found, cause)

    def _write(
        self,
        moment: Moment,
        spec: FactSpec,
        start: int,
        code: str,
        found: Mapping[str, Payload],
        cause: str,
    ) -> None:
        level = self.members.levels[code]
        key = FactKey(spec.indicator, spec.period, start, code)
        before = self.pages.facts(*key[:3]).get(code)
        if cause == CLOSED and before is not None and spec.period != STATE:
            cause = LATE  # it was folded without this partial
        end = start + LENGTH_MS[spec.period]
        value = spec.compute(level, found, self.parameters)
        fact = moment.reviser.revise(unwritten(key, end, value, spec.unit, spec.method, cause))
        if fact is None:
            return
        if spec.period == "day":
            self.rollups.touch(spec.indicator, code, start, cause)
        if level == "city" and cause == CLOSED and fact.revision == 1:
            self._judge(moment, spec, fact)

    def _judge(self, moment: Moment, spec: FactSpec, fact: Fact) -> None:
        if spec.rule is None or spec.alert_value is None:
            return
        decided = moment.reviser.known_ms
        value = spec.alert_value(fact.value)
        if value is None or decided - fact.end_ms > self.judge_within_ms:
            return
        moment.values.append(
            CityValue(self.domain.name, spec.rule, fact.key.area, fact.end_ms, decided, value, fact)
        )

    def _folded_days(self, lines: Lines) -> Mapping[str, int]:
        """Up to where each area's days are folded: an area goes with its city."""
        return {
            area: lines.folded.get(city, 0)
            for city, areas in self.members.by_city.items()
            for area in (*areas, city)
        }
