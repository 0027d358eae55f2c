"""An operator's own boundaries: what is refused, and how they are fitted among those that stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from sensors.registry.boundary_file import area_m2, fit, overlaps, read_boundaries
from sensors.registry.crs import Crs, Ellipsoid
from sensors.registry.geography import Geography
from sensors.registry.line import Fault, Refused
from sensors.registry.sketch import sketches
from sensors.registry.source import Reading
from streams.catalog import Area
from streams.errors import Misconfigured

AREAS = {
    code: Area(code, level, parent, code, code)
    for code, level, parent in (
        ("330000", "province", None),
        ("330100", "city", "330000"),
        ("330105", "county", "330100"),
        ("330106", "county", "330100"),
        ("330108", "county", "330100"),
    )
}
LEFT, MIDDLE, RIGHT = (shapely.box(120 + i, 30, 121 + i, 31) for i in range(3))
KEPT = {"330105": LEFT, "330106": MIDDLE, "330108": RIGHT}
GEOGRAPHY = Geography(AREAS, KEPT, retired={"330103": ("330105",)})


def feature(shape: Any, **properties: Any) -> dict[str, Any]:
    geometry = shape if isinstance(shape, dict) else json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(
    folder: Path, *features: Any, crs: Crs | None = Crs.WGS84, field: str | None = None
) -> tuple[dict[str, Any], list[Refused]]:
    path = folder / "own.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return read_boundaries(path, Reading(crs), GEOGRAPHY, Ellipsoid(), field)


def test_codes_stand_in_one_of_the_usual_properties(tmp_path: Path) -> None:
    found, refused = read(
        tmp_path,
        feature(LEFT, code="330105"),
        feature(MIDDLE, gb="156330106", name="x"),
        feature(RIGHT, adcode=330108),
    )
    assert refused == []
    assert list(found) == ["330105", "330106", "330108"]
    assert found["330106"].equals(MIDDLE)
    named, _ = read(tmp_path, feature(LEFT, XZQDM="330105", code="nonsense"), field="XZQDM")
    assert list(named) == ["330105"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (feature({"type": "Point", "coordinates": [120, 30]}, code="330105"), Fault.GEOMETRY),
        (feature({"type": "Polygon", "coordinates": []}, code="330105"), Fault.GEOMETRY),
        (feature({"type": "Polygon", "coordinates": [[[1, 2]]]}, code="330105"), Fault.GEOMETRY),
        (feature({"type": "Polygon", "coordinates": "x"}, code="330105"), Fault.GEOMETRY),
        (
            feature(shapely.Polygon([(120, 30), (121, 31), (121, 30), (120, 31)]), code="330105"),
            Fault.GEOMETRY,
        ),
        (feature(LEFT, code="339999"), Fault.UNKNOWN_AREA),
        (feature(LEFT, code="330103"), Fault.UNKNOWN_AREA),
        (feature(LEFT, name="no code"), Fault.NO_AREA),
        (feature(MIDDLE, code="330106"), Fault.REPEATED),
        ({"type": "Feature"}, Fault.DAMAGED),
        (7, Fault.DAMAGED),
    ],
)
def test_a_bad_polygon_is_refused_with_its_reason(tmp_path: Path, given: Any, fault: Fault) -> None:
    _, refused = read(tmp_path, feature(MIDDLE, code="330106"), given)
    assert [(r.row, r.fault) for r in refused] == [(2, fault)]
    assert refused[0].detail


def test_boundaries_in_gcj_are_converted(tmp_path: Path) -> None:
    found, _ = read(tmp_path, feature(LEFT, code="330105"), crs=Crs.GCJ02)
    west = shapely.bounds(found["330105"])[0]
    assert 119.990 < west < 119.997


def test_boundaries_must_declare_their_crs(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="declares no crs"):
        read(tmp_path, feature(LEFT, code="330105"), crs=None)


def test_overlaps_of_one_level_are_found_beyond_the_tolerance() -> None:
    wide = shapely.box(120, 30, 121.01, 31)
    shapes = {"330105": wide, "330106": MIDDLE, "330100": shapely.box(120, 30, 123, 31)}
    ((one, other, shared),) = overlaps(shapes, GEOGRAPHY, 10_000)
    assert (one, other) == ("330105", "330106")
    assert shared == pytest.approx(area_m2(shapely.box(121, 30, 121.01, 31)), rel=0.01)
    assert not list(overlaps(KEPT, GEOGRAPHY, 0))


def test_the_same_boundaries_change_nothing() -> None:
    fitted = fit({"330106": shapely.from_wkb(shapely.to_wkb(MIDDLE))}, KEPT)
    assert (fitted.trimmed, fitted.gap_m2) == ((), 0.0)
    assert fitted.counties["330105"] is LEFT


def test_a_neighbour_that_stays_gives_way(tmp_path: Path) -> None:
    wide = shapely.box(120.9, 30, 122, 31)
    fitted = fit({"330106": wide}, KEPT)
    assert fitted.trimmed == ("330105",)
    assert fitted.gap_m2 == 0.0
    assert fitted.counties["330106"].equals(wide)
    assert fitted.counties["330105"].equals(shapely.box(120, 30, 120.9, 31))
    assert shapely.coverage_is_valid(list(fitted.counties.values()))


def test_what_nobody_covers_any_more_is_told() -> None:
    narrow = shapely.box(121.1, 30, 122, 31)
    fitted = fit({"330106": narrow}, KEPT)
    assert fitted.gap_m2 == pytest.approx(area_m2(shapely.box(121, 30, 121.1, 31)), rel=0.001)
    assert fitted.trimmed == ()
    assert shapely.coverage_is_valid(list(fitted.counties.values()))


def test_a_crooked_border_becomes_a_coverage_again() -> None:
    crooked = shapely.Polygon(
        [(121, 30), (122, 30), (122, 31), (121, 31), (121.03, 30.7), (120.96, 30.4)]
    )
    fitted = fit({"330106": crooked}, KEPT)
    assert shapely.coverage_is_valid(list(fitted.counties.values()))
    assert fitted.counties["330106"].symmetric_difference(crooked).area < 1e-9
    made = sketches(fitted.counties, lambda _: ("330100", "330000"))
    assert made.keys() == {*KEPT, "330100", "330000"}
    assert made["330000"].area == pytest.approx(sum(made[c].area for c in KEPT))
