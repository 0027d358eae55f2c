"""GeoJSON (RFC 7946) answers: WGS-84, longitude first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson
from fastapi import Response
from pydantic import BaseModel

from api.view import Freshness

MEDIA_TYPE = "application/geo+json"
Geometry: TypeAlias = Mapping[str, Any] | None


def point_geometry(lon: float | None, lat: float | None) -> Geometry:
    """A point, or None (RFC 7946 allows an unlocated feature) when a coordinate is missing."""
    if lon is None or lat is None:
        return None
    return {"type": "Point", "coordinates": [lon, lat]}


def collection(
    features: Iterable[tuple[str, Geometry, BaseModel]], next_cursor: str | None, seen: Freshness
) -> Response:
    """A FeatureCollection of (id, geometry, properties), with paging and freshness beside it."""
    content = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": key,
                "geometry": geometry,
                "properties": properties.model_dump(mode="json"),
            }
            for key, geometry, properties in features
        ],
        "next": next_cursor,
        "freshness": seen.model_dump(mode="json"),
    }
    return Response(orjson.dumps(content), media_type=MEDIA_TYPE)
