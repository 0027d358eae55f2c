"""Where a warning is: codes of the registry's areas, by code and by geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
import shapely.geometry

from sensors.warnings.types import event_codes
from streams.catalog import Area
from streams.contracts.area_code import is_area_code

LEAST_SHARE = 0.001  # of an area: a shared border is no overlap


@dataclass(frozen=True)
class Places:
    """The areas of one registry version, their outlines (GeoJSON) and what a profile says."""

    areas: Mapping[str, Area] = field(default_factory=dict)
    shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=lambda: event_codes({}))

    def overlapped(self, geometry: Mapping[str, Any]) -> tuple[str, ...]:
        """Counties whose outline the geometry overlaps, in the order of codes.

        Part by part: areas of one message may lie over each other, which is no valid shape.
        """
        shape = shapely.geometry.shape(geometry)
        parts = [shapely.make_valid(part) for part in getattr(shape, "geoms", [shape])]
        counties = [c for c in sorted(self.shapes) if c in self.areas]
        return tuple(
            code
            for code in counties
            if self.areas[code].level == "county" and _overlap(parts, self.shapes[code])
        )


def _overlap(parts: Sequence[Any], outline: Mapping[str, Any]) -> bool:
    county = shapely.make_valid(shapely.geometry.shape(outline))
    for part in parts:
        if not county.intersects(part):
            continue
        if part.area == 0:
            return True
        shared = county.intersection(part).area
        if shared > LEAST_SHARE * min(county.area, part.area):
            return True
    return False


def plain_code(text: str) -> str | None:
    """A GB/T 2260 code as it is used here: six digits, nine for a town; twelve digits are cut."""
    code = text.strip()
    if len(code) == 12 and code.isdecimal():
        code = code[:9]
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    return code if is_area_code(code) else None
