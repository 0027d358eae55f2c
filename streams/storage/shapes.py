"""Boundaries of areas as GeoJSON: the full polygon and a sketch of it for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from streams.storage.connect import Connection

KEEP = """
insert into area_shape (code, geometry, sketch)
select * from unnest(%s::text[], %s::jsonb[], %s::jsonb[])
on conflict (code) do update set geometry = excluded.geometry, sketch = excluded.sketch
where (area_shape.geometry, area_shape.sketch) is distinct from (excluded.geometry, excluded.sketch)
"""

Geometries = Mapping[str, Mapping[str, Any]]


def load_shapes(connection: Connection) -> dict[str, dict[str, Any]]:
    """The full boundaries by area code, as GeoJSON geometries."""
    return dict(connection.execute("select code, geometry from area_shape").fetchall())


def load_sketches(connection: Connection) -> dict[str, dict[str, Any]]:
    """The simplified boundaries by area code, as GeoJSON geometries."""
    return dict(connection.execute("select code, sketch from area_shape").fetchall())


def save_shapes(connection: Connection, full: Geometries, sketch: Geometries) -> None:
    """Stores the boundaries by area code, replacing what is there; runs in the caller's
    transaction. Raises `ValueError` when a code has only one of the two."""
    if full.keys() != sketch.keys():
        raise ValueError("every area needs a full boundary and a sketch")
    codes = sorted(full)
    connection.execute(
        KEEP,
        (
            codes,
            [orjson.dumps(full[c]).decode() for c in codes],
            [orjson.dumps(sketch[c]).decode() for c in codes],
        ),
    )
