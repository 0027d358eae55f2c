"""Areas with their risk colour, as a list or as GeoJSON for the map."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import table
from api.colour import Colour, colour
from api.geojson import collection
from api.moment import Moment, age_s, from_ms
from api.newest import newest_facts
from api.offer import RESPONSE, Wanted, next_link, table_response, wanted
from api.paging import Paging, paging
from api.problem import RESPONSES, bad_parameter, not_found
from api.queries.rows import AreaDomainRow, AreaRow, BoundsRow, Json
from api.routers.facts import FactItem
from api.strict import StrictRoute
from api.view import Freshness, Page, View, view

router = APIRouter(route_class=StrictRoute, prefix="/areas", tags=["areas"], responses=RESPONSES)

Level = Literal["province", "city", "county", "town"]
GeometryDetail = Literal["sketch", "full"]


class DomainRisk(BaseModel):
    """One domain's share in the colour of an area."""

    model_config = ConfigDict(extra="forbid")

    domain: str
    risk: Colour
    open_alerts: int
    stale_alerts: int
    as_of: Moment | None = Field(description="Event time of the domain's newest reading.")
    age_s: float | None


class Below(BaseModel):
    """The areas that a roll-up folds: a city's counties, the province's cities."""

    model_config = ConfigDict(extra="forbid")

    led_by_area: str | None = Field(description="Where the colour comes from.")
    colours: dict[str, int] = Field(description="Areas by rank of their colour, `0` to `4`.")
    unknown_areas: int
    judged: int = Field(description="Areas that have told a colour.")
    of: int = Field(description="Areas that could: they have points.")
    oldest_as_of: Moment | None = Field(description="The stalest county's newest reading.")


class AreaItem(BaseModel):
    """An administrative area (GB/T 2260) and its risk colour now."""

    model_config = ConfigDict(extra="forbid")

    code: str
    level: str
    parent: str | None
    name: str
    name_en: str
    lon: float | None
    lat: float | None
    points: int
    risk: Colour | None = Field(description="Last colour; null when the area was never judged.")
    led_by: str | None = Field(description="Domain that led to the colour.")
    unknown: bool = Field(
        description="The area is silent or unjudged: the colour is only its last."
    )
    open_alerts: int
    stale_alerts: int
    as_of: Moment | None = Field(description="Event time of the area's newest reading.")
    age_s: float | None = Field(description="`as_of` behind the namespace's processing time.")
    compound: bool = Field(
        description="Raised above its worst alert because several domains are severe at once."
    )
    by_domain: list[DomainRisk] = Field(description="What each domain says; empty for roll-ups.")
    below: Below | None = Field(description="For a city or province: what was rolled up.")


class DomainState(BaseModel):
    """How far one domain of an area has come."""

    domain: str
    as_of: Moment
    watermark: Moment | None
    silent_sensors: int
    age_s: float | None


class AreaDetail(BaseModel):
    """One area in full."""

    area: AreaItem
    domains: list[DomainState]
    children: list[AreaItem]
    geometry: dict[str, Any] | None = Field(description="GeoJSON, when asked for. Sketch map only.")
    freshness: Freshness


class AreaLatest(BaseModel):
    """The newest of everything that is said of the area itself."""

    area: AreaItem
    facts: list[FactItem] = Field(description="In force, by indicator and period.")
    freshness: Freshness


@router.get(
    "",
    response_model=Page[AreaItem],
    responses=RESPONSE,
    summary="Areas",
    description="Areas by code with risk colour, what led to it, whether it is unknown, and its "
    "age. `format=geojson` adds simplified boundaries (a sketch map without a review number, for "
    "orientation only). `bbox` keeps areas whose boundary box, or whose centre when there is no "
    "boundary, touches it.",
)
async def areas(
    request: Request,
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    want: Annotated[Wanted, Depends(wanted)],
    level: Annotated[Level | None, Query(description="Only this level.")] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    bbox: Annotated[
        str | None,
        Query(description="west,south,east,north in degrees.", examples=["119.5,29.5,121,31"]),
    ] = None,
) -> Page[AreaItem] | Response:
    (after,) = page.key(str)
    codes = await seen.codes_below(area, shared=True)
    if bbox is not None:
        inside = await touching(seen, parse_bbox(bbox))
        codes = [code for code in (inside if codes is None else codes) if code in inside]
    rows = await seen.reader.rows(
        AreaRow,
        "areas",
        codes=codes,
        level=level,
        after=after or "",
        limit=page.limit + 1,
        geometry="sketch" if want.form == "geojson" else None,
    )
    kept, cursor = page.cut(rows, lambda row: (row.code,))
    items = [area_item(row, seen.as_of) for row in kept]
    if want.form == "csv":
        return table_response(
            table.columns_of(AreaItem),
            map(table.cells_of, items),
            seen.freshness(),
            want,
            next_link(request, cursor),
        )
    if want.form == "geojson":
        features = [(i.code, row.geometry, i) for i, row in zip(items, kept, strict=True)]
        return collection(features, cursor, seen.freshness())
    return Page[AreaItem](
        items=items,
        next=cursor,
        freshness=seen.freshness(),
    )


@router.get(
    "/{code}",
    summary="One area",
    description="Colour, freshness by domain, and the areas directly under it.",
)
async def area(
    code: str,
    seen: Annotated[View, Depends(view)],
    geometry: Annotated[GeometryDetail | None, Query(description="Adds the boundary.")] = None,
) -> AreaDetail:
    codes = await seen.reader.column("below", area=code)
    if not codes:
        raise not_found("area", code)
    rows = await seen.reader.rows(
        AreaRow, "areas", codes=codes, level=None, after="", limit=len(codes), geometry=None
    )
    own = next(row for row in rows if row.code == code)
    domains = await seen.reader.rows(AreaDomainRow, "area_domains", area=code)
    return AreaDetail(
        area=area_item(own, seen.as_of),
        domains=[domain_state(row, seen.as_of) for row in domains],
        children=[area_item(row, seen.as_of) for row in rows if row.parent == code],
        geometry=await boundary(seen, code, geometry),
        freshness=seen.freshness(),
    )


@router.get(
    "/{code}/latest",
    response_model=AreaLatest,
    responses=RESPONSE,
    summary="Latest state of an area",
    description="Its colour and the newest fact of every indicator. As GeoJSON with the sketched "
    "boundary; as a table: one row for each fact, beside the area's state.",
)
async def area_latest(
    code: str,
    seen: Annotated[View, Depends(view)],
    want: Annotated[Wanted, Depends(wanted)],
) -> AreaLatest | Response:
    row = await seen.reader.row(
        AreaRow, "areas", codes=[code], level=None, after="", limit=1, geometry="sketch"
    )
    if row is None:
        raise not_found("area", code)
    seen.must_meet(code, figures=True)
    latest = AreaLatest(
        area=area_item(row, seen.as_of),
        facts=await newest_facts(seen, [code]),
        freshness=seen.freshness(),
    )
    match want.form:
        case "json":
            return latest
        case "geojson":
            return collection([(code, row.geometry, latest)], None, seen.freshness())
        case "csv":
            return area_table(latest, want)


def area_table(latest: AreaLatest, want: Wanted) -> Response:
    """A row for each fact; an area without one has a row with empty cells."""
    own = {f"area_{name}": text for name, text in table.cells_of(latest.area).items()}
    facts = table.columns_of(FactItem, but=frozenset({"area", "area_name", "area_name_en"}))
    rows = [own | table.cells_of(fact) for fact in latest.facts] or [own]
    return table_response([*own, *facts], rows, latest.freshness, want)


async def boundary(seen: View, code: str, geometry: GeometryDetail | None) -> dict[str, Any] | None:
    """The area's GeoJSON geometry; None when not asked for or not known."""
    if geometry is None:
        return None
    row = await seen.reader.row(
        AreaRow, "areas", codes=[code], level=None, after="", limit=1, geometry=geometry
    )
    return None if row is None or row.geometry is None else dict(row.geometry)


def area_item(row: AreaRow, now: datetime | None) -> AreaItem:
    """The row for people; `now` is the namespace's processing time."""
    return AreaItem(
        code=row.code,
        level=row.level,
        parent=row.parent,
        name=row.name,
        name_en=row.name_en,
        lon=row.lon,
        lat=row.lat,
        points=row.points,
        risk=None if row.severity is None else colour(row.severity),
        led_by=row.led_by,
        unknown=row.unknown is not False,
        open_alerts=row.open_alerts or 0,
        stale_alerts=row.stale_alerts or 0,
        as_of=row.as_of,
        age_s=age_s(row.as_of, now),
        compound=bool(row.detail.get("compound", False)),
        by_domain=[domain_risk(one, now) for one in row.detail.get("domains", ())],
        below=below_of(row),
    )


def domain_risk(one: Json, now: datetime | None) -> DomainRisk:
    """A domain's share for people."""
    as_of = None if one["as_of_ms"] is None else from_ms(one["as_of_ms"])
    return DomainRisk(
        domain=one["domain"],
        risk=colour(one["severity"]),
        open_alerts=one["open"],
        stale_alerts=one["stale"],
        as_of=as_of,
        age_s=age_s(as_of, now),
    )


def below_of(row: AreaRow) -> Below | None:
    """What a roll-up folded; None for an area that is judged itself."""
    detail = row.detail
    if "colours" not in detail:
        return None
    return Below(
        led_by_area=detail["led_by_area"],
        colours=detail["colours"],
        unknown_areas=detail["unknown_areas"],
        judged=detail["judged"],
        of=detail["of"],
        oldest_as_of=row.oldest_as_of,
    )


def domain_state(row: AreaDomainRow, now: datetime | None) -> DomainState:
    """The row for people."""
    return DomainState(
        domain=row.domain,
        as_of=row.as_of,
        watermark=None if row.watermark_ms is None else from_ms(row.watermark_ms),
        silent_sensors=row.silent,
        age_s=age_s(row.as_of, now),
    )


def parse_bbox(text: str) -> tuple[float, float, float, float]:
    """`west,south,east,north`; `Problem` 422 when it is not four finite numbers in order."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise bad_parameter("bbox", "must be west,south,east,north") from error
    if not all(math.isfinite(edge) for edge in (west, south, east, north)):
        raise bad_parameter("bbox", "must be finite numbers")
    if west > east or south > north:
        raise bad_parameter("bbox", "west must not exceed east, nor south north")
    return west, south, east, north


async def touching(seen: View, box: tuple[float, float, float, float]) -> list[str]:
    """Codes of the areas whose boundary box touches this one, by code."""
    west, south, east, north = box
    bounds = await seen.reader.rows(BoundsRow, "area_bounds")
    return sorted(
        b.code
        for b in bounds
        if b.west <= east and b.east >= west and b.south <= north and b.north >= south
    )
