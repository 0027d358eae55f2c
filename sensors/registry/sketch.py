"""Boundaries made small for the screen, with shared borders kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

TOLERANCE_DEG = 0.01  # coverage_simplify works on areas: drops triangles below its square
DIGITS = 5  # 1 m


def sketches(
    counties: Mapping[str, Any], above: Callable[[str], tuple[str, ...]]
) -> dict[str, Any]:
    """Counties simplified together, so that a shared border stays shared; what lies above them
    (`above` names it by county code) is the union of the simplified counties.

    The counties must be a coverage: no overlaps, shared borders equal point by point.
    """
    import shapely

    codes = sorted(counties)
    simple = shapely.transform(
        shapely.coverage_simplify([counties[c] for c in codes], TOLERANCE_DEG),
        lambda xy: xy.round(DIGITS),
    )
    found = dict(zip(codes, simple, strict=True))
    for area, members in by_area_above(codes, above).items():
        found[area] = shapely.coverage_union_all([found[c] for c in members])
    return found


def by_area_above(
    counties: list[str], above: Callable[[str], tuple[str, ...]]
) -> dict[str, list[str]]:
    """City or province → its counties."""
    found: dict[str, list[str]] = {}
    for county in counties:
        for area in above(county):
            found.setdefault(area, []).append(county)
    return found
