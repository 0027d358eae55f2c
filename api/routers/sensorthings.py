"""OGC SensorThings 1.1, sensing, read-only. What is not supported is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api.fiware.entity import ORIGINS
from api.offer import table_headers
from api.problem import MEDIA_TYPE as PROBLEM
from api.problem import RESPONSES, ProblemDocument
from api.sensorthings.address import Address, Links, read_address
from api.sensorthings.model import TYPES
from api.sensorthings.options import OURS, Options, read_query
from api.sensorthings.refusal import wrong
from api.sensorthings.render import Content, Renderer
from api.sensorthings.service import Row, Service, Subset
from api.series import series_properties
from api.view import View, view

PREFIX = "/sensorthings/v1.1"
_CONFORMANCE = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
# Only what is done in full; see docs/exchange.md for what is done in part.
CONFORMANCE = (
    "datamodel",
    "resource-path/resource-path-to-entities",
    "request-data/order",
    "request-data/expand",
    "request-data/select",
    "request-data/status-code",
    "request-data/query-status-code",
    "request-data/orderby",
    "request-data/top",
    "request-data/skip",
    "request-data/count",
    "request-data/pagination",
)
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": text, "content": {PROBLEM: {}}}
    for status, text in (
        (400, "This is no SensorThings request; the reason is in `detail`."),
        (501, "SensorThings has it, this service does not."),
    )
}

router = APIRouter(prefix=PREFIX, tags=["sensorthings"], responses=RESPONSES | _REFUSALS)


@router.get(
    "",
    summary="SensorThings root",
    description="The entity sets and the conformance classes that are fulfilled.",
)
async def root(request: Request, seen: Annotated[View, Depends(view)]) -> Response:
    return await resource(request, "", seen)


@router.get(
    "/{path:path}",
    summary="SensorThings resource",
    description="Entities along a resource path, such as Things('x')/Datastreams, with $filter, "
    "$orderby, $top, $skip, $count, $select and $expand.",
)
async def resource(request: Request, path: str, seen: Annotated[View, Depends(view)]) -> Response:
    if not path.strip("/"):
        return written(root_document(request), seen)
    address = read_address(path)
    service = Service(seen, await renderer(request, seen))
    subset, row = await service.follow(address.steps)
    if row is None:
        return written(await listed(request, service, subset, address), seen)
    if address.property is not None:
        return await property_of(request, service, subset, row, address)
    options = single(request, subset)
    if address.references:
        return written({"@iot.selfLink": reference(service, subset, row)}, seen)
    return written(await service.told(subset, row, options), seen)


async def listed(request: Request, service: Service, subset: Subset, address: Address) -> Content:
    """A page of a set."""
    options = read_query(request.query_params.multi_items(), subset.entity)
    rows, beside = await service.page(subset, options)
    count = {name: beside[name] for name in ("@iot.count",) if name in beside}
    link = {name: beside[name] for name in ("@iot.nextLink",) if name in beside}
    if address.references:
        value = [{"@iot.selfLink": reference(service, subset, row)} for row in rows]
    else:
        value = [await service.told(subset, row, options) for row in rows]
    return count | {"value": value} | link


async def property_of(
    request: Request, service: Service, subset: Subset, row: Row, address: Address
) -> Response:
    """One property, as an object or, with `$value`, bare."""
    single(request, subset, ())
    assert address.property is not None
    value = service.by.properties_of(subset.entity, row)[address.property]
    if not address.raw:
        return written({address.property: value}, service.seen)
    if value is None:
        return Response(status_code=204)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Response(text, media_type="text/plain; charset=utf-8")


def single(
    request: Request, subset: Subset, allowed: tuple[str, ...] = ("$select", "$expand")
) -> Options:
    """The options of one entity. `Problem` 400 for one that only a set has."""
    options = read_query(request.query_params.multi_items(), subset.entity)
    for name in options.texts:
        if name not in allowed:
            raise wrong(f"{name} has no meaning for one entity or property")
    return options


def reference(service: Service, subset: Subset, row: Row) -> str:
    """The address of one entity."""
    link: str = service.by.entity(subset.entity, row, None)["@iot.selfLink"]
    return link


async def renderer(request: Request, seen: View) -> Renderer:
    """How rows of this namespace are told."""
    return Renderer(
        links=links(request),
        properties=series_properties(await seen.properties(), seen.domains),
        titles={t.name: t.title for domain in seen.domains.values() for t in domain.points},
        origin=ORIGINS[seen.clock.kind],
        namespace_kind=seen.clock.kind,
    )


def links(request: Request) -> Links:
    """Addresses as this client reaches the service."""
    base = str(request.base_url).rstrip("/") + "/v1" + PREFIX
    return Links(base, request.query_params.get("namespace"))


def root_document(request: Request) -> Content:
    """18-088 §9.2.1. `Problem` 400 for any option."""
    for name in request.query_params:
        if name not in OURS:
            raise wrong(f"{name} has no meaning for the root document")
    to = links(request).to
    return {
        "value": [{"name": name, "url": to(name)} for name in TYPES],
        "serverSettings": {"conformance": [_CONFORMANCE + name for name in CONFORMANCE]},
    }


def written(content: Mapping[str, Any], seen: View) -> Response:
    """The answer, with freshness in the headers."""
    return Response(
        orjson.dumps(content),
        media_type="application/json",
        headers=table_headers(seen.freshness()),
    )
