"""Month and year facts: from the daily facts of an area, at the province from its cities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.contracts.domain import DAY_MS, FactValue, RollUp
from streams.indicators.periods import period_end, period_start
from streams.region.members import Members
from streams.region.pages import FactKey
from streams.region.revise import Reviser, strongest, unwritten


@dataclass(slots=True)
class RollUps:
    """The roll-ups of one domain; `touched` collects what one moment made stale."""

    specs: tuple[RollUp, ...]
    members: Members
    parameters: Mapping[str, str]
    offset_ms: int
    touched: dict[tuple[int, str, int, str], set[str]] = field(default_factory=dict)

    def touch(self, indicator: str, area: str, day_ms: int, cause: str) -> None:
        """The daily fact of that day changed, or that day has ended."""
        if self.members.levels.get(area) == "province":
            return
        for number, spec in enumerate(self.specs):
            if spec.source == indicator:
                self._mark(number, area, day_ms, cause)

    def touch_all(self, area: str, day_ms: int, cause: str) -> None:
        """Days around that one have ended: every roll-up of the area over it may want more."""
        for number in range(len(self.specs)):
            self._mark(number, area, day_ms, cause)

    def _mark(self, number: int, area: str, day_ms: int, cause: str) -> None:
        for period in self.specs[number].periods:
            start = period_start(period, day_ms, self.offset_ms)
            self.touched.setdefault((number, period, start, area), set()).add(cause)

    def settle(self, reviser: Reviser, folded: Mapping[str, int]) -> None:
        """Recomputes what was touched; `folded` = up to where each area's days are folded."""
        provinces: dict[tuple[int, str, int, str], set[str]] = {}
        for (number, period, start, area), causes in sorted(self.touched.items()):
            if self._over_days(reviser, (number, period, start, area), folded, causes):
                province = self.members.province_of(area)
                if province is not None and area in self.members.by_city:
                    provinces.setdefault((number, period, start, province), set()).update(causes)
        for place, causes in sorted(provinces.items()):
            self._over_cities(reviser, place, causes)
        self.touched.clear()

    def _over_days(
        self,
        reviser: Reviser,
        place: tuple[int, str, int, str],
        folded: Mapping[str, int],
        causes: set[str],
    ) -> bool:
        number, period, start, area = place
        spec = self.specs[number]
        end = period_end(period, start, self.offset_ms)
        days: dict[int, FactValue] = {}
        for day in range(start, end, DAY_MS):
            fact = reviser.pages.facts(spec.source, "day", day).get(area)
            if fact is not None:
                days[day] = fact.value
        if not days:
            return False
        wanted = (min(folded.get(area, start), end) - start) // DAY_MS
        value = spec.over_days(days, wanted, self.parameters)
        return self._write(reviser, place, value, causes)

    def _over_cities(
        self, reviser: Reviser, place: tuple[int, str, int, str], causes: set[str]
    ) -> None:
        number, period, start, province = place
        spec = self.specs[number]
        stated = reviser.pages.facts(spec.indicator, period, start)
        cities = {c: stated[c].value for c in self.members.provinces[province] if c in stated}
        self._write(reviser, place, spec.over_cities(cities, self.parameters), causes)

    def _write(
        self,
        reviser: Reviser,
        place: tuple[int, str, int, str],
        value: FactValue | None,
        causes: set[str],
    ) -> bool:
        number, period, start, area = place
        spec = self.specs[number]
        key = FactKey(spec.indicator, period, start, area)
        end = period_end(period, start, self.offset_ms)
        new = unwritten(key, end, value, spec.unit, spec.method, strongest(causes))
        return reviser.revise(new) is not None
