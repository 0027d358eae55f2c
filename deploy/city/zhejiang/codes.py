"""Six-digit GB/T 2260 codes of Zhejiang: levels, parents, codes retired in 2021-04, the box test.

Sources: domain.md §6 (codes, V; areas K). The codes themselves come with the boundaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PROVINCE = "330000"
COUNTIES_PER_CITY: Mapping[str, int] = MappingProxyType(
    {
        "330100": 13,
        "330200": 10,
        "330300": 12,
        "330400": 7,
        "330500": 5,
        "330600": 6,
        "330700": 9,
        "330800": 6,
        "330900": 4,
        "331000": 9,
        "331100": 9,
    }
)

RETIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "330103": ("330105",),  # 下城区 → 拱墅区
        "330104": ("330102", "330114"),  # 江干区 was split: 上城区 and 钱塘区
    }
)
"""Codes retired in 2021-04 and what took their place; more than one = decide by position."""


@dataclass(frozen=True, slots=True)
class Box:
    """A longitude–latitude box, degrees, WGS-84 = CGCS2000 here (`area.bbox`, H)."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the position lies in the box; a swapped (lat, lon) pair never does."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


BOX = Box(118.0, 27.0, 123.0, 31.5)


def level(code: str) -> str:
    """`province`, `city` or `county`. Raises `ValueError` for what is no code of Zhejiang."""
    if len(code) != 6 or not code.isdigit() or not code.startswith("33"):
        raise ValueError(f"{code!r} is not a six-digit code of Zhejiang")
    if code == PROVINCE:
        return "province"
    return "city" if code.endswith("00") else "county"


def parent(code: str) -> str | None:
    """The area above: the city of a county, the province of a city, None for the province."""
    match level(code):
        case "province":
            return None
        case "city":
            return PROVINCE
        case _:
            return code[:4] + "00"


def kind(code: str) -> str:
    """`district` (01–20), `county` (21–80) or `county_city` (81–99) by the last two digits."""
    number = int(code[4:])
    if number <= 20:
        return "district"
    return "county" if number <= 80 else "county_city"
