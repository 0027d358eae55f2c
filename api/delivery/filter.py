"""Which alerts a subscription wants, as its owner writes it; `matching` applies it."""

from __future__ import annotations

from typing import Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field, field_validator
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from streams.contracts.area_code import is_area_code
from streams.contracts.reason import Change, Severity

MOST_CODES = 200
MOST_VERTICES = 10_000
MOST_AWAY_M = 200_000.0
MOST_JSON_DEPTH = 4  # of a MultiPolygon's coordinates

Status = Literal["Actual", "Exercise", "Test"]


class Near(BaseModel):
    """Alerts on either side of an area's border: neighbouring cities work together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    area: str = Field(description="Code of the area whose border is meant.", examples=["330400"])
    within_m: float = Field(gt=0, le=MOST_AWAY_M, description="Distance to the border in metres.")

    @field_validator("area")
    @classmethod
    def _is_code(cls, code: str) -> str:
        return _code(code)


class Filter(BaseModel):
    """What is wanted. Where: in any of the areas, in the polygon, or near the border (nothing
    given: everywhere). What: all other conditions hold."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"areas": ["330100"], "domains": ["waterlogging"], "min_severity": 2}]
        },
    )

    areas: tuple[str, ...] = Field(
        (), max_length=MOST_CODES, description="Codes; what lies in these areas is wanted, too."
    )
    polygon: dict[str, Any] | None = Field(
        None, description="GeoJSON Polygon or MultiPolygon, WGS-84: the alert's point lies in it."
    )
    near: Near | None = Field(None, description="The alert's point lies near this border.")
    domains: tuple[str, ...] = Field((), max_length=100, description="None: every domain.")
    min_severity: int = Field(
        0,
        ge=0,
        le=4,
        description="Least severity, 0 to 4. What was told once is told to its end, however low.",
    )
    changes: tuple[Change, ...] = Field(
        (), description="Kinds of transition that are wanted; none: every kind."
    )
    statuses: tuple[Status, ...] = Field(
        ("Actual",),
        min_length=1,
        description="Exercise and Test messages come only to who asks for them.",
    )

    @field_validator("areas")
    @classmethod
    def _are_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_code(code) for code in codes))

    @field_validator("polygon")
    @classmethod
    def _is_polygon(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        if given is not None:
            polygon_of(given)
        return given

    @property
    def severity(self) -> Severity:
        """The least severity."""
        return Severity(self.min_severity)


def polygon_of(geojson: dict[str, Any]) -> BaseGeometry:
    """The polygon's geometry. Raises `ValueError` in words for people."""
    if geojson.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError("must be a GeoJSON Polygon or MultiPolygon")
    if _numbers(geojson.get("coordinates"), MOST_JSON_DEPTH) > 2 * MOST_VERTICES:
        raise ValueError(f"has more than {MOST_VERTICES} vertices")
    try:
        found = shape(geojson)
    except (ShapelyError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise ValueError("its coordinates are not rings of [longitude, latitude]") from error
    if found.is_empty or not found.is_valid:
        raise ValueError(f"is no valid area: {shapely.is_valid_reason(found)}")
    west, south, east, north = found.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("must be in degrees: longitude −180 to 180, latitude −90 to 90")
    return found


def _numbers(part: object, depth: int) -> int:
    if not isinstance(part, list | tuple):
        return 1
    if depth == 0:
        raise ValueError("its coordinates are nested too deeply")
    return sum(_numbers(each, depth - 1) for each in part)


def _code(code: str) -> str:
    if not is_area_code(code):
        raise ValueError(f"{code!r} is no area code: six digits, nine for a town")
    return code
