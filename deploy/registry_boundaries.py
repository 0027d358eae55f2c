"""The operator's own boundary file put in the place of packaged polygons, or refused as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from deploy.registry_store import APPLICATION, Standing, geography, standing
from sensors.registry.boundary_file import (
    TOLERANCE,
    Fitted,
    fit,
    neighbours_agree,
    overlaps,
    read_boundaries,
)
from sensors.registry.crs import Ellipsoid, numbers
from sensors.registry.line import Refused
from sensors.registry.sketch import by_area_above, sketches
from sensors.registry.source import Reading
from streams.catalog import Area
from streams.errors import Misconfigured
from streams.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What a file would change. `mistakes` not empty = nothing may be changed."""

    namespace: str
    given: tuple[str, ...]
    refused: tuple[Refused, ...]
    mistakes: tuple[str, ...]
    fitted: Fitted
    full: Mapping[str, Any]
    sketch: Mapping[str, Any]
    strays_before: int
    strays_after: int
    tolerance_m2: float


def plan(
    file: Path, reading: Reading, code_field: str | None, settings: Settings, namespace: str
) -> Plan:
    """Reads, checks and fits. Raises `Misconfigured` when the whole file cannot be used."""
    before = standing(settings.conninfo(), namespace)
    found = read_boundaries(
        file, reading, before.geography, Ellipsoid.of(before.profile), code_field
    )
    own, refused = found
    (tolerance,) = numbers((TOLERANCE,), before.profile)
    mistakes = [
        f"{one} and {other} overlap by {shared / 1e6:.3f} km²: correct their common border"
        for one, other, shared in overlaps(own, before.geography, tolerance)
    ]
    if not own and not refused:
        mistakes.append(f"{file.name}: there is no feature")
    fitted = fit(_counties(before, own), _counties(before, before.geography.shapes))
    if not neighbours_agree(fitted.counties):
        mistakes.append("the counties make no coverage: borders cross; simplify the file's borders")
    full = {**_unions(before, own, fitted), **own, **_changed(before, fitted)}
    after = {**before.geography.shapes, **full}
    points = tuple(before.registry.points.values())
    then = geography(before.registry.areas, before.profile, after)
    return Plan(
        namespace,
        tuple(sorted(own)),
        tuple(refused),
        tuple(mistakes),
        fitted,
        after,
        {} if mistakes or refused else _sketches(before, fitted, after),
        len(before.geography.strays(points)),
        len(then.strays(points)),
        tolerance,
    )


def carry_out(made: Plan, settings: Settings) -> None:
    """Stores full boundaries and sketches, all or nothing."""
    from streams.storage.connect import connect, translated
    from streams.storage.shapes import save_shapes

    full = {code: orjson.loads(_json(shape)) for code, shape in made.full.items()}
    sketch = {code: orjson.loads(_json(shape)) for code, shape in made.sketch.items()}
    with translated(), connect(settings.conninfo(), made.namespace, APPLICATION) as connection:
        save_shapes(connection, full, sketch)


def _counties(before: Standing, shapes: Mapping[str, Any]) -> dict[str, Any]:
    areas = before.registry.areas
    return {c: s for c, s in shapes.items() if c in areas and areas[c].level == "county"}


def _changed(before: Standing, fitted: Fitted) -> dict[str, Any]:
    """Counties whose shape is another object now: all of them when borders had to be cut."""
    held = before.geography.shapes
    return {c: s for c, s in fitted.counties.items() if held.get(c) is not s}


def _unions(before: Standing, own: Mapping[str, Any], fitted: Fitted) -> dict[str, Any]:
    """Cities and the province above changed counties, made of their counties."""
    import shapely

    if not _counties(before, own):
        return {}
    changed = {*_counties(before, own), *fitted.trimmed}
    members = by_area_above(sorted(fitted.counties), lambda c: _above(before.registry.areas, c))
    return {
        area: shapely.coverage_union_all([fitted.counties[c] for c in counties])
        for area, counties in members.items()
        if changed & set(counties) and neighbours_agree(fitted.counties)
    }


def _sketches(before: Standing, fitted: Fitted, full: Mapping[str, Any]) -> dict[str, Any]:
    """Of all areas with a boundary; one without counties under it is shown as it is."""
    made = sketches(fitted.counties, lambda c: _above(before.registry.areas, c))
    return {code: made.get(code, shape) for code, shape in full.items()}


def _above(areas: Mapping[str, Area], county: str) -> tuple[str, ...]:
    found = []
    above = areas[county].parent
    while above is not None and above in areas:
        found.append(above)
        above = areas[above].parent
    return tuple(found)


def _json(shape: Any) -> str:
    import shapely

    return str(shapely.to_geojson(shape))


def refuse(made: Plan) -> None:
    """Raises `Misconfigured` with every reason why the file is not taken."""
    told = [
        f"{r.file}: feature {r.row}: {r.fault.value}: {r.detail} — {r.advice}" for r in made.refused
    ]
    if told or made.mistakes:
        raise Misconfigured([*told, *made.mistakes])
