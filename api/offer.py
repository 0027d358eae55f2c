"""In which form an answer goes out: `format`, else the Accept header, else JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response

from api import geojson, table
from api.view import Freshness

Form = Literal["json", "geojson", "csv"]
MEDIA: Mapping[str, Form] = {
    "application/json": "json",
    geojson.MEDIA_TYPE: "geojson",
    "text/csv": "csv",
}
RESPONSE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "JSON, a FeatureCollection (RFC 7946) or a table (RFC 4180).",
        "content": {
            geojson.MEDIA_TYPE: {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form, and whether a table begins with a byte order mark."""

    form: Form
    bom: bool


def wanted(
    request: Request,
    format: Annotated[
        Form | None,
        Query(description="json, geojson or csv; without it the Accept header decides, else json."),
    ] = None,
    bom: Annotated[
        bool, Query(description="csv: begin with a byte order mark, so that Excel reads UTF-8.")
    ] = False,
) -> Wanted:
    """Dependency of every route that has several forms."""
    return Wanted(format or accepted(request.headers.get("accept", "")), bom)


def accepted(header: str) -> Form:
    """The best of our media types by the header's weights (RFC 9110 §12.5.1); JSON when none."""
    best: tuple[float, Form] = (0.0, "json")
    for part in header.split(",")[:20]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        form = MEDIA.get(name) or ("json" if name in ("*/*", "application/*") else None)
        if form is not None and (weight := _weight(parameters)) > best[0]:
            best = weight, form
    return best[1]


def table_response(
    columns: list[str],
    rows: Iterable[Mapping[str, str]],
    seen: Freshness,
    want: Wanted,
    next_link: str | None = None,
) -> Response:
    """A whole table; what JSON says beside the list stands in the headers."""
    writer = table_writer(columns, seen, want)
    return Response(
        writer.head() + writer.lines(rows),
        media_type=table.MEDIA_TYPE,
        headers=table_headers(seen, next_link),
    )


def table_writer(columns: list[str], seen: Freshness, want: Wanted) -> table.TableWriter:
    """Every row says whether it is live: a file travels without its headers."""
    return table.TableWriter(columns, {"namespace_kind": seen.kind}, bom=want.bom)


def table_headers(seen: Freshness, next_link: str | None = None) -> dict[str, str]:
    """Freshness and completeness, and the link to the next page (RFC 8288)."""
    headers = {
        "vary": "accept",
        "citybrain-namespace": seen.namespace,
        "citybrain-namespace-kind": seen.kind,
        "citybrain-as-of": table.cell(seen.as_of),
        "citybrain-complete": table.cell(seen.complete),
        "citybrain-lag-records": str(seen.lag_records),
        "citybrain-areas-unknown": str(seen.areas_unknown),
    }
    if next_link is not None:
        headers["link"] = f'<{next_link}>; rel="next"'
    return headers


def next_link(request: Request, cursor: str | None) -> str | None:
    """The address of the next page, relative to the server; None on the last."""
    if cursor is None:
        return None
    given = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
    return f"{quote(request.scope['path'])}?{urlencode([*given, ('cursor', cursor)])}"


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
