"""Points with their latest values, tier, quality and age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import table
from api.alert_items import AlertItem, open_alerts
from api.colour import Colour, colour
from api.geojson import collection, point_geometry
from api.latest import LatestValue, latest_table
from api.moment import Moment, age_s
from api.offer import RESPONSE, Wanted, next_link, table_response, wanted
from api.paging import Paging, paging
from api.problem import RESPONSES, not_found
from api.queries.rows import ExternalIdRow, LatestRow, PointRow, ResultRow, SensorRow
from api.strict import StrictRoute
from api.view import Freshness, Page, View, view
from streams.catalog import OUTSIDE_AREA
from streams.contracts.domain import Domain

router = APIRouter(route_class=StrictRoute, prefix="/points", tags=["points"], responses=RESPONSES)


class PointItem(BaseModel):
    """A watched thing (监测点位) and what is known of it now."""

    model_config = ConfigDict(extra="forbid")

    id: str
    type: str
    domain: str | None
    area: str
    area_name: str | None
    name: str
    lon: float | None
    lat: float | None
    outside_area: bool = Field(
        description="Its position lies outside its area's boundary; its attribute `outside_area` "
        "says where."
    )
    external_ids: dict[str, str] = Field(
        description="What other systems call the point: scheme → id."
    )
    tier: Colour = Field(description="Worst of its open alerts; green when none is open.")
    open_alerts: int
    stale: bool = Field(description="An open alert of it has lost its sensor.")
    unverified: bool
    latest: list[LatestValue]


class SensorItem(BaseModel):
    """A device at the point."""

    name: str
    gateway: str
    external_ids: dict[str, str] = Field(description="Scheme → id in other systems.")
    properties: list[str]
    report_s: int = Field(description="Reporting interval, seconds; 0 = the property's usual one.")


class ResultItem(BaseModel):
    """The newest derived value of one kind, e.g. the station's hourly AQI."""

    kind: str
    start: Moment
    period_s: int
    age_s: float | None
    payload: dict[str, Any]


class PointDetail(BaseModel):
    """One point in full."""

    point: PointItem
    attributes: dict[str, Any]
    sensors: list[SensorItem]
    results: list[ResultItem]
    alerts: list[AlertItem] = Field(description="Open alerts of the point, worst first.")
    freshness: Freshness


@router.get(
    "",
    response_model=Page[PointItem],
    responses=RESPONSE,
    summary="Points",
    description="Points by id, with the newest value of every sensor and property, its quality "
    "flag and its age behind the processing time. As a table: one row for each value, and one for "
    "a point that has none.",
)
async def points(
    request: Request,
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    want: Annotated[Wanted, Depends(wanted)],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    type: Annotated[str | None, Query(description="Point type, e.g. flood_point.")] = None,
    domain: Annotated[str | None, Query(description="Only point types of this domain.")] = None,
    external: Annotated[
        str | None,
        Query(
            pattern=r"^[^:]+:.+$",
            description="`scheme:id`: points that another system knows by this id, or whose "
            "sensors it does.",
        ),
    ] = None,
) -> Page[PointItem] | Response:
    (after,) = page.key(str)
    rows = await seen.reader.rows(
        PointRow,
        "points",
        areas=await seen.codes_below(area),
        types=wanted_types(seen.domain_named(domain), type),
        id=None,
        **wanted_external(external),
        after=after or "",
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(rows, lambda row: (row.id,))
    items = await point_items(seen, kept)
    if want.form == "csv":
        return point_table(items, seen, want, next_link(request, cursor))
    if want.form == "geojson":
        features = [(item.id, point_geometry(item.lon, item.lat), item) for item in items]
        return collection(features, cursor, seen.freshness())
    return Page[PointItem](items=items, next=cursor, freshness=seen.freshness())


@router.get(
    "/{id}",
    summary="One point",
    description="Attributes, sensors, newest values and derived results, and open alerts.",
)
async def point(id: str, seen: Annotated[View, Depends(view)]) -> PointDetail:
    return await point_detail(seen, await known_point(seen, id))


@router.get(
    "/{id}/latest",
    response_model=PointDetail,
    responses=RESPONSE,
    summary="Latest state of a point",
    description="As one point of the list and its details, in every form.",
)
async def point_latest(
    id: str,
    seen: Annotated[View, Depends(view)],
    want: Annotated[Wanted, Depends(wanted)],
) -> PointDetail | Response:
    row = await known_point(seen, id)
    if want.form == "json":
        return await point_detail(seen, row)
    (item,) = await point_items(seen, [row])
    if want.form == "csv":
        return point_table([item], seen, want, None)
    feature = (item.id, point_geometry(item.lon, item.lat), item)
    return collection([feature], None, seen.freshness())


async def known_point(seen: View, id: str) -> PointRow:
    """The point; `Problem` 404 when there is none."""
    row = await seen.reader.row(
        PointRow,
        "points",
        areas=None,
        types=None,
        id=id,
        **wanted_external(None),
        after="",
        limit=1,
    )
    if row is None:
        raise not_found("point", id)
    return row


async def point_detail(seen: View, row: PointRow) -> PointDetail:
    """The point in full."""
    id = row.id
    (item,) = await point_items(seen, [row])
    sensors = await seen.reader.rows(SensorRow, "sensors_of_points", points=[id])
    known = await external_names(seen, [id])
    results = await seen.reader.rows(ResultRow, "results_of_point", point=id)
    return PointDetail(
        point=item,
        attributes=dict(row.attributes),
        sensors=[
            SensorItem(
                name=s.name,
                gateway=s.gateway,
                external_ids=known.get((id, s.id), {}),
                properties=s.properties,
                report_s=s.report_s,
            )
            for s in sensors
        ],
        results=[
            ResultItem(
                kind=r.kind,
                start=r.start,
                period_s=r.period_s,
                age_s=age_s(r.start, seen.as_of),
                payload=dict(r.payload),
            )
            for r in results
        ],
        alerts=await open_alerts(seen, point=id),
        freshness=seen.freshness(),
    )


def wanted_external(given: str | None) -> dict[str, str | None]:
    """The parameters of a search by `scheme:id`; None = any point."""
    scheme, _, other = (given or "").partition(":")
    return {"external_scheme": scheme or None, "external_id": other or None}


async def external_names(
    seen: View, points: Sequence[str]
) -> dict[tuple[str, int | None], dict[str, str]]:
    """Scheme → id by (point, sensor number); sensor None = the point's own."""
    found: dict[tuple[str, int | None], dict[str, str]] = {}
    for row in await seen.reader.rows(ExternalIdRow, "external_ids_of_points", points=points):
        found.setdefault((row.point, row.sensor), {})[row.scheme] = row.id
    return found


def point_table(items: Sequence[PointItem], seen: View, want: Wanted, link: str | None) -> Response:
    """A row for each latest value; a point without one has a row with empty cells."""
    own = table.columns_of(PointItem, but=frozenset({"latest"}))
    rows = (
        {name: table.cell(getattr(item, name)) for name in own} | values
        for item in items
        for values in ([table.cells_of(value) for value in item.latest] or [{}])
    )
    columns = own + table.columns_of(LatestValue)
    return table_response(columns, rows, seen.freshness(), want, link)


def wanted_types(domain: Domain | None, given: str | None) -> list[str] | None:
    """Point types to keep; None = all."""
    if domain is None:
        return None if given is None else [given]
    names = [each.name for each in domain.points]
    return names if given is None else [name for name in names if name == given]


async def point_items(seen: View, rows: Sequence[PointRow]) -> list[PointItem]:
    """The rows with their latest values: four statements, however many points."""
    if not rows:
        return []
    sensors = await seen.reader.rows(
        SensorRow, "sensors_of_points", points=[row.id for row in rows]
    )
    latest = latest_table(
        await seen.reader.rows(
            LatestRow, "latest_of_areas", areas=sorted({row.area for row in rows})
        ),
        await seen.properties(),
        seen.as_of,
    )
    by_point: dict[str, list[SensorRow]] = {}
    for sensor in sensors:
        by_point.setdefault(sensor.point, []).append(sensor)
    owners = type_owners(seen.domains)
    known = await external_names(seen, [row.id for row in rows])
    return [
        point_item(
            row,
            owners.get(row.type),
            known.get((row.id, None), {}),
            latest.of(by_point.get(row.id, ())),
        )
        for row in rows
    ]


def type_owners(domains: Mapping[str, Domain]) -> dict[str, str]:
    """Domain by point type."""
    return {each.name: domain.name for domain in domains.values() for each in domain.points}


def point_item(
    row: PointRow,
    domain: str | None,
    external_ids: Mapping[str, str],
    latest: list[LatestValue],
) -> PointItem:
    """The row for people."""
    return PointItem(
        id=row.id,
        type=row.type,
        domain=domain,
        area=row.area,
        area_name=row.area_name,
        name=row.name,
        lon=row.lon,
        lat=row.lat,
        outside_area=OUTSIDE_AREA in row.attributes,
        external_ids=dict(external_ids),
        tier=colour(row.severity),
        open_alerts=row.open_alerts,
        stale=row.stale,
        unverified=row.unverified,
        latest=latest,
    )
