"""NGSI-LD entities of FIWARE Smart Data Models, read-only: a list by type, one by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from api.fiware.entity import Term, Where, key_values, normalized
from api.fiware.gather import alert_entities, observed_entities
from api.fiware.models import ALERT, ALERT_CONTEXT, CORE_CONTEXT, MODELS
from api.offer import next_link, table_headers
from api.paging import Paging, paging
from api.problem import RESPONSES, bad_parameter, not_found
from api.queries.fiware_rows import FiringRow
from api.queries.rows import PointRow
from api.routers.points import wanted_external
from api.strict import StrictRoute
from api.view import View, view

JSON_LD = "application/ld+json"
CONTEXT_REL = "http://www.w3.org/ns/json-ld#context"
CONTEXTS: Mapping[str, str] = {name: m.context for name, m in MODELS.items()} | {
    ALERT: ALERT_CONTEXT
}
RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Entities; with `@context` inside as JSON-LD, beside it as JSON.",
        "content": {JSON_LD: {"schema": {"type": "object"}}},
    }
}

router = APIRouter(
    route_class=StrictRoute, prefix="/fiware", tags=["fiware"], responses=RESPONSES | RESPONSE
)
Options = Literal["normalized", "keyValues", "simplified"]
OptionsParameter = Annotated[
    Options, Query(description="keyValues (also called simplified): only names and values.")
]


@router.get(
    "/types",
    summary="Entity types",
    description="The Smart Data Models that this namespace may hold entities of.",
)
async def types(seen: Annotated[View, Depends(view)]) -> dict[str, Any]:
    known = {t.name for domain in seen.domains.values() for t in domain.points}
    names = [name for name, m in MODELS.items() if known & set(m.point_types)] + [ALERT]
    return {"id": "urn:ngsi-ld:EntityTypeList:citybrain", "type": "EntityTypeList"} | {
        "typeList": sorted(names)
    }


@router.get(
    "/entities",
    response_class=Response,
    summary="Entities of one type",
    description="Newest state of every point, or every firing alert, as NGSI-LD. Accept "
    "application/json (context in a Link header) or application/ld+json (context inside). A point "
    "that was never heard has no entity. Freshness and the next page stand in the headers. What is "
    "not live says so in id, name and `origin`.",
)
async def entities(
    request: Request,
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    type: Annotated[str, Query(description="Smart Data Model.", examples=["FloodMonitoring"])],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    options: OptionsParameter = "normalized",
) -> Response:
    if type not in CONTEXTS:
        raise bad_parameter("type", f"unknown; known: {', '.join(sorted(CONTEXTS))}")
    (after,) = page.key(str)
    areas = await seen.codes_below(area)
    found, cursor = await _page(seen, page, type, areas, after or "")
    content = [spelt(request, type, options, terms) for terms in found]
    return written(request, seen, type, content, next_link(request, cursor))


@router.get(
    "/entities/{id:path}",
    response_class=Response,
    summary="One entity",
    description="By its id as in the list: urn:ngsi-ld:<type>:[<namespace>:]<point or alert>.",
)
async def entity(
    request: Request,
    id: str,
    seen: Annotated[View, Depends(view)],
    options: OptionsParameter = "normalized",
) -> Response:
    name = next((n for n in CONTEXTS if id.startswith(f"urn:ngsi-ld:{n}:")), None)
    key = None if name is None else where(seen).key(name, id)
    if name is None or key is None or not (found := await _one(seen, name, key)):
        raise not_found("entity", id)
    return written(request, seen, name, spelt(request, name, options, found[0]), None)


def where(seen: View) -> Where:
    """The namespace as entities name it."""
    return Where(seen.reader.namespace, seen.clock.kind)


async def _page(
    seen: View, page: Paging, name: str, areas: list[str] | None, after: str
) -> tuple[list[Sequence[Term]], str | None]:
    limit = page.limit + 1
    if name == ALERT:
        firing = await seen.reader.rows(
            FiringRow, "firing_alerts", areas=areas, id=None, after=after, limit=limit
        )
        alerts, cursor = page.cut(firing, lambda row: (row.id,))
        return await alert_entities(seen, alerts, where(seen)), cursor
    rows = await seen.reader.rows(
        PointRow,
        "points",
        areas=areas,
        types=list(MODELS[name].point_types),
        id=None,
        **wanted_external(None),
        after=after,
        limit=limit,
    )
    points, cursor = page.cut(rows, lambda row: (row.id,))
    return await observed_entities(seen, MODELS[name], points, where(seen)), cursor


async def _one(seen: View, name: str, key: str) -> list[Sequence[Term]]:
    if name == ALERT:
        row = await seen.reader.row(
            FiringRow, "firing_alerts", areas=None, id=key, after="", limit=1
        )
        return [] if row is None else await alert_entities(seen, [row], where(seen))
    types = list(MODELS[name].point_types)
    point = await seen.reader.row(
        PointRow,
        "points",
        areas=None,
        types=types,
        id=key,
        **wanted_external(None),
        after="",
        limit=1,
    )
    return (
        [] if point is None else await observed_entities(seen, MODELS[name], [point], where(seen))
    )


def written(request: Request, seen: View, name: str, content: Any, link: str | None) -> Response:
    """The answer with its context: inside as JSON-LD, in a Link header as JSON."""
    headers = table_headers(seen.freshness(), link)
    if wants_linked_data(request):
        return Response(orjson.dumps(content), media_type=JSON_LD, headers=headers)
    beside = f'<{CONTEXTS[name]}>; rel="{CONTEXT_REL}"; type="{JSON_LD}"'
    headers["link"] = ", ".join(filter(None, (headers.get("link"), beside)))
    return Response(orjson.dumps(content), media_type="application/json", headers=headers)


def wants_linked_data(request: Request) -> bool:
    """The client asked for JSON-LD."""
    return JSON_LD in request.headers.get("accept", "")


def spelt(request: Request, name: str, options: Options, terms: Sequence[Term]) -> dict[str, Any]:
    """One entity as asked for."""
    entity = normalized(terms) if options == "normalized" else key_values(terms)
    context = {"@context": [CONTEXTS[name], CORE_CONTEXT]} if wants_linked_data(request) else {}
    return entity | context
