"""An operator's own boundaries (GeoJSON polygons): read, checked, and fitted among those that stay.

A polygon is taken or refused with a reason, and one refusal refuses the file: half a map is worse
than the old one. Counties of the file win over their neighbours that stay; afterwards all counties
are one coverage again, with borders that are equal point by point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from sensors.registry.crs import Crs, Ellipsoid, to_wgs84
from sensors.registry.geography import Geography
from sensors.registry.geojson_file import crs_name, load
from sensors.registry.line import Fault, Refused
from sensors.registry.source import Reading, declared_crs, read_text
from streams.contracts.domain import Parameter

TOLERANCE = Parameter(
    "area.boundary.tolerance_m2",
    "10000",
    "m²",
    "H",
    "house convention: polygons of one file may overlap by less, and a gap below it is not told",
)
PARAMETERS = (TOLERANCE,)
CODE_FIELDS = ("code", "adcode", "gb")
GRID_DEG = 1e-7  # borders are noded on this grid: 1 cm
M_PER_DEG = 111_320.0


@dataclass(frozen=True)
class Fitted:
    """All county boundaries after the change, and what came of it."""

    counties: Mapping[str, Any]
    trimmed: tuple[str, ...]  # counties not in the file whose border moved
    gap_m2: float  # covered before, by no county now


def read_boundaries(
    path: Path, reading: Reading, geography: Geography, ellipsoid: Ellipsoid, code_field: str | None
) -> tuple[dict[str, Any], list[Refused]]:
    """Shapes (WGS-84) by area code, and the features that cannot be taken.

    Raises `Misconfigured` when the file is no FeatureCollection or declares no crs.
    """
    content = load(path.name, read_text(path, reading.encoding))
    crs = declared_crs(path.name, crs_name(content), reading.crs, needed=True) or Crs.WGS84
    fields = (code_field,) if code_field else CODE_FIELDS
    found: dict[str, Any] = {}
    refused: list[Refused] = []
    for number, feature in enumerate(content["features"], start=1):
        try:
            code = _code(feature, fields, geography)
            if code in found:
                raise _Fault(Fault.REPEATED, f"area {code} is there already")
            found[code] = _shape(feature, crs, ellipsoid, geography)
        except _Fault as fault:
            refused.append(Refused(path.name, number, "", fault.fault, fault.detail))
    return found, refused


def overlaps(
    shapes: Mapping[str, Any], geography: Geography, tolerance_m2: float
) -> Iterator[tuple[str, str, float]]:
    """Pairs of areas of one level that overlap by more than the tolerance, with m²."""
    import shapely

    codes = sorted(shapes)
    tree = shapely.STRtree([shapes[c] for c in codes])
    pairs = tree.query([shapes[c] for c in codes], predicate="intersects").T
    for one, other in sorted({(codes[min(p)], codes[max(p)]) for p in pairs if p[0] != p[1]}):
        if geography.areas[one].level == geography.areas[other].level:
            shared = area_m2(shapely.intersection(shapes[one], shapes[other]))
            if shared > tolerance_m2:
                yield one, other, shared


def fit(own: Mapping[str, Any], kept: Mapping[str, Any]) -> Fitted:
    """The counties of the file among those that stay: where they overlap the file is right, and
    borders are cut at the same points on both sides."""
    import shapely

    old = {code: shape for code, shape in kept.items() if code not in own}
    together = {**old, **own}
    if not shapely.coverage_is_valid(list(together.values())):
        together = _cut(own, old)
    before = shapely.union_all(list(kept.values()))
    after = shapely.union_all(list(together.values()))
    gap = area_m2(shapely.difference(before, after)) if kept else 0.0
    trimmed = sorted(c for c in old if not _same(old[c], together.get(c)))
    return Fitted(together, tuple(trimmed), gap)


def area_m2(shape: Any) -> float:
    """The area of a small shape in degrees, on a plane at its middle latitude."""
    import shapely

    if shapely.is_empty(shape):
        return 0.0
    _, south, _, north = shapely.bounds(shape)
    return float(shapely.area(shape) * M_PER_DEG**2 * np.cos(np.radians((south + north) / 2)))


class _Fault(Exception):
    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault, self.detail = fault, detail


def _code(feature: Any, fields: Iterable[str], geography: Geography) -> str:
    given = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(given, dict):
        raise _Fault(Fault.DAMAGED, "not a GeoJSON Feature with properties")
    text = next((str(given[f]).strip() for f in fields if given.get(f) is not None), "")
    if not text:
        raise _Fault(Fault.NO_AREA, f"no code in {', '.join(fields)}; say --code-field")
    code = geography.code_of(text)
    if code is None or code not in geography.areas:
        why = "retired" if code else "no area here"
        raise _Fault(Fault.UNKNOWN_AREA, f"{text[:40]!r} is {why}")
    return code


def _shape(feature: Any, crs: Crs, ellipsoid: Ellipsoid, geography: Geography) -> Any:
    import shapely

    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _Fault(Fault.GEOMETRY, f"{str(kind)[:40]} is no Polygon or MultiPolygon")
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(geometry)))
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise _Fault(Fault.GEOMETRY, str(error)[:120]) from error
    if shapely.is_empty(shape) or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise _Fault(Fault.GEOMETRY, "empty, or a coordinate is no number")
    shape = _converted(shape, crs, ellipsoid)
    if not shapely.is_valid(shape):
        raise _Fault(Fault.GEOMETRY, f"invalid: {shapely.is_valid_reason(shape)}")
    west, south, east, north = shapely.bounds(shape)
    box = geography.box
    if not (box.holds(west, south) and box.holds(east, north)):
        swapped = box.holds(south, west) and box.holds(north, east)
        fault = Fault.SWAPPED if swapped else Fault.OUTSIDE_BOX
        raise _Fault(fault, f"reaches from ({west}, {south}) to ({east}, {north})")
    return shape


def _converted(shape: Any, crs: Crs, ellipsoid: Ellipsoid) -> Any:
    import shapely

    def convert(xy: Any) -> Any:
        (lon, lat), exact = to_wgs84(crs, xy[:, 0], xy[:, 1], ellipsoid)
        if not exact.all():
            raise _Fault(Fault.NOT_CONVERTIBLE, f"{int((~exact).sum())} corners in {crs}")
        return np.column_stack((lon, lat))

    return shapely.transform(shape, convert)


def _cut(own: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Every face between all borders given to one county: one of the file, else one that stays."""
    import shapely

    lines = [shapely.boundary(shape) for shape in (*own.values(), *old.values())]
    noded = shapely.union_all(lines, grid_size=GRID_DEG)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    middles = shapely.point_on_surface(faces)
    owner: dict[int, str] = {}
    for shapes in (own, old):
        codes = sorted(shapes)
        tree = shapely.STRtree([shapes[c] for c in codes])
        for face, shape in sorted(tree.query(middles, predicate="intersects").T.tolist()):
            owner.setdefault(face, codes[shape])
    members: dict[str, list[Any]] = {}
    for face, code in owner.items():
        members.setdefault(code, []).append(faces[face])
    return {code: shapely.coverage_union_all(parts) for code, parts in members.items()}


def _same(one: Any, other: Any) -> bool:
    """Equal but for corners that were only added on a straight border."""
    import shapely

    if other is None:
        return False
    return area_m2(shapely.symmetric_difference(one, other)) < 1.0


def neighbours_agree(shapes: Mapping[str, Any]) -> bool:
    """Whether the shapes are a coverage."""
    import shapely

    return bool(shapely.coverage_is_valid(list(shapes.values())))
