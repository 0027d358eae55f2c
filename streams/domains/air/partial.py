"""What an area tells the region about an hour or a day: exact sums and counts, full state.

A partial is JSON: {"standard": version, "expected": {pollutant: stations that monitor it},
"sum": {item: [numerator, denominator]}, "count": {item: n}, "stations": [ids with a value],
"frozen": [ids withheld]} and, for an hour, "living": the same sums and counts over the stations
that have shown life. Adding partials is exact, so the order of areas never matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from streams.contracts.domain import Payload
from streams.domains.air.ozone import Exact


@dataclass(slots=True)
class Sums:
    """Sums of concentrations and how many stations stand behind them, by item.

    `total` is in 1/`unit` µg/m³ (CO mg/m³): integers stay integers while they are added.
    """

    unit: int = 1
    total: dict[str, Exact] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, Exact]) -> None:
        """Adds one station, in the same unit."""
        for item, value in values.items():
            self.total[item] = self.total.get(item, 0) + value
            self.count[item] = self.count.get(item, 0) + 1

    def merge(self, payload: Payload) -> None:
        """Adds the sums of a partial."""
        for item, (numerator, denominator) in payload["sum"].items():
            value = Fraction(int(numerator), int(denominator)) * self.unit
            self.total[item] = self.total.get(item, 0) + value
            self.count[item] = self.count.get(item, 0) + int(payload["count"][item])

    def means(self) -> dict[str, Fraction]:
        """The arithmetic mean over the stations, by item, unrounded, in µg/m³ (CO mg/m³)."""
        return {i: Fraction(t) / (self.count[i] * self.unit) for i, t in self.total.items()}

    def payload(self) -> dict[str, Any]:
        """JSON of the sums, keys sorted."""
        items = sorted(self.total)
        return {
            "sum": {item: fraction_pair(Fraction(self.total[item]) / self.unit) for item in items},
            "count": {item: self.count[item] for item in items},
        }


@dataclass(slots=True)
class Members:
    """The partials of all areas of a city, merged."""

    sums: Sums = field(default_factory=Sums)
    living: Sums = field(default_factory=Sums)
    expected: dict[str, int] = field(default_factory=dict)
    stations: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    standard: str = ""
    total: int = 0

    @property
    def planned(self) -> frozenset[str]:
        """The pollutants that at least one station monitors by plan."""
        return frozenset(self.expected)


def merge_members(payloads: Iterable[Payload]) -> Members:
    """Adds up partials of the same period; ids come out sorted."""
    members = Members()
    for payload in payloads:
        members.sums.merge(payload)
        if "living" in payload:
            members.living.merge(payload["living"])
        for pollutant, count in payload["expected"].items():
            members.expected[pollutant] = members.expected.get(pollutant, 0) + int(count)
        members.stations += payload["stations"]
        members.frozen += payload["frozen"]
        members.total += int(payload["total"])
        members.standard = payload["standard"]
    members.stations.sort()
    members.frozen.sort()
    return members


def fraction_pair(value: Fraction) -> list[str]:
    """[numerator, denominator] as decimal texts of any length."""
    return [str(value.numerator), str(value.denominator)]
