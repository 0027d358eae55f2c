"""Where positions lie: the areas of a registry, their boundaries, retired codes and lagging names.

Codes and names that are no longer in force are data (`area.retired`, `area.former_names` of the
profile), never branches. Boundaries are optional: a recording from elsewhere has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from sensors.registry.crs import Degrees
from streams.catalog import NOWHERE, Area
from streams.contracts.domain import Point

COUNTRY_PREFIX = "156"  # of `gb` codes: 156 + GB/T 2260
Hits = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A longitude–latitude box, degrees, WGS-84 = CGCS2000 here."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the position lies in the box; in Zhejiang a swapped pair never does."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


WORLD = Box(-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, slots=True)
class Named:
    """What a text in the column area means: `code` in force, mapped from `given` when it was
    retired, renamed or longer; `undecided` when a split code was not decided by position."""

    code: str
    given: str | None = None
    undecided: bool = False


@dataclass(frozen=True)
class Geography:
    """`retired`: code → successors (more than one = by position; the code itself may be one).
    `former`: a name that lags → its code at that time."""

    areas: Mapping[str, Area]
    shapes: Mapping[str, Any] = field(default_factory=dict)  # shapely geometries by code
    box: Box = WORLD
    retired: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)

    def hits(self, lon: Degrees, lat: Degrees) -> list[Hits]:
        """The counties that hold each position, ascending; two on a shared border."""
        found: list[list[str]] = [[] for _ in lon]
        if self._codes and len(lon):
            import shapely

            points = shapely.points(lon, lat)
            pairs = self._tree.query(points, predicate="intersects")
            for point, shape in pairs.T:
                found[point].append(self._codes[shape])
        return [tuple(sorted(codes)) for codes in found]

    def named(self, text: str, hits: Hits) -> Named | None:
        """What a code or name means now; None when it is unknown or stands for several areas."""
        code = self.code_of(text)
        if code is None:
            return None
        successors = self.retired.get(code, ())
        here = [each for each in hits if each in successors]
        if here or len(successors) == 1:
            new = here[0] if here else successors[0]
        elif successors and code not in self.areas:
            city = code[:4] + "00"
            return Named(city, text, undecided=True) if city in self.areas else None
        else:
            new = code
        if new not in self.areas:
            return None
        return Named(new, None if text in (new, self.areas[new].name) else text)

    def outside(self, code: str, hits: Hits) -> str | None:
        """Where a position lies that is not in the area: a county or `NOWHERE`; None when it is
        in it, or when the area has no boundary here."""
        inside = {code} if code in self.shapes else set()
        if self.areas[code].level == "city":
            inside = {c for c in self._codes if self.areas[c].parent == code}
        if not inside or inside & set(hits):
            return None
        return hits[0] if hits else NOWHERE

    def strays(self, points: Sequence[Point]) -> dict[str, str]:
        """Point id → where it lies, for located points outside their areas."""
        located = [p for p in points if p.lon is not None and p.lat is not None]
        lon = np.array([p.lon for p in located], np.float64)
        lat = np.array([p.lat for p in located], np.float64)
        pairs = zip(located, self.hits(lon, lat), strict=True)
        found = {p.id: self.outside(p.area, hits) for p, hits in pairs if p.area in self.areas}
        return {key: where for key, where in found.items() if where is not None}

    def code_of(self, text: str) -> str | None:
        """The six-digit code that a text stands for, in force or not."""
        if text in self.areas or text in self.retired:
            return text
        if text in self._names:
            return self._names[text]
        if text in self.former:
            return self.former[text]
        if not (text.isascii() and text.isdecimal()):
            return None
        if len(text) == 9 and text.startswith(COUNTRY_PREFIX):
            return self._known(text[3:])
        if len(text) in (9, 12):  # of a town or a village: its county
            return self._known(text[:6])
        return self._known(text.ljust(6, "0")) if len(text) in (2, 4) else None

    def _known(self, code: str) -> str | None:
        return code if code in self.areas or code in self.retired else None

    @cached_property
    def _names(self) -> dict[str, str | None]:
        """Full names, alone and led by the city's; None where several areas share one."""
        found: dict[str, str | None] = {}
        for area in self.areas.values():
            above = self.areas.get(area.parent or "")
            for name in {area.name, f"{above.name if above else ''}{area.name}"}:
                found[name] = None if name in found else area.code
        return found

    @cached_property
    def _codes(self) -> list[str]:
        return sorted(c for c in self.shapes if c in self.areas and self.areas[c].level == "county")

    @cached_property
    def _tree(self) -> Any:
        import shapely

        return shapely.STRtree([self.shapes[code] for code in self._codes])


def geometries(shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """GeoJSON geometries by code as shapely ones, prepared for many questions."""
    import shapely

    found = {code: shapely.from_geojson(orjson.dumps(shape)) for code, shape in shapes.items()}
    for shape in found.values():
        shapely.prepare(shape)
    return found
