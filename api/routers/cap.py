"""Our alerts as CAP 1.2: one message, and the feed of the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from api.cap.atom import MEDIA_TYPE as ATOM
from api.cap.atom import Feed, write_feed
from api.cap.chain import Told, build_chain, split_identifier
from api.cap.render import render
from api.colour import RANKS, ColourName
from api.problem import RESPONSES, Problem, not_found
from api.queries.cap_rows import CapRow, FeedRow, ProfileRow, ShapeRow
from api.queries.rows import Json
from api.strict import StrictRoute
from api.view import View, view
from streams.alerting.title import RuleTitles
from streams.contracts.cap.house import House, read_house
from streams.contracts.cap.model import Message
from streams.contracts.cap.write import MEDIA_TYPE as CAP
from streams.contracts.cap.write import write
from streams.contracts.message_status import message_status
from streams.contracts.reason import NamespaceKind, Origin

router = APIRouter(route_class=StrictRoute, prefix="/cap", tags=["cap"], responses=RESPONSES)

Status = Literal["Actual", "Exercise", "Test"]
MOST = 200
RENEWED = frozenset({NamespaceKind.LIVE, NamespaceKind.SIMULATED, NamespaceKind.DRILL})


@router.get(
    "/feed",
    response_class=Response,
    responses={200: {"description": "Atom (RFC 4287).", "content": {ATOM: {}}}},
    summary="The feed of CAP messages",
    description="The newest messages, newest first, as Atom; each entry links to its CAP document. "
    "A message is told when an alert fires, changes and ends, and again before it expires; pending "
    "alerts are not told. "
    "`severity` keeps alerts that reached this colour.",
)
async def newest(
    request: Request,
    seen: Annotated[View, Depends(view)],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    domain: Annotated[str | None, Query()] = None,
    severity: Annotated[ColourName | None, Query(description="This colour or worse.")] = None,
    status: Annotated[Status | None, Query(description="Only messages of this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    seen.domain_named(domain)
    house = await read_profile(seen)
    wanted = await seen.reader.rows(
        FeedRow,
        "cap_feed",
        areas=await seen.codes_below(area),
        domain=domain,
        origins=_origins(seen, status),
        severity=RANKS[severity] if severity else 0,
        renews=_renew_s(seen, house) is not None,
        renew_s=house.renew_before_s,
        limit=limit,
    )
    chains = await _chains(seen, house, sorted({row.alert for row in wanted}))
    found = [told for row in wanted if (told := _of(chains.get(row.alert, ()), row)) is not None]
    titles = await _titles(seen, chains)
    messages = [_message(told, seen, house, titles, None) for told in found]
    query = f"?{request.url.query}" if request.url.query else ""
    name = house.name_zh if seen.clock.kind == NamespaceKind.LIVE else f"{house.name_zh} 演练"
    asked = request.query_params.get("namespace")
    own = f"?{urlencode({'namespace': asked})}" if asked else ""
    feed = Feed(f"{name} CAP", f"/v1/cap/feed{query}", seen.clock.name, house.name_zh, own)
    document = write_feed(feed, messages)
    return Response(document, media_type=ATOM)


@router.get(
    "/{identifier}",
    response_class=Response,
    responses={200: {"description": "CAP 1.2.", "content": {CAP: {}}}},
    summary="One CAP message",
    description="The message of one change of an alert, made from its transitions: the same "
    "identifier always gives the same message, as long as the profile's `cap.*` stay.",
)
async def message(identifier: str, seen: Annotated[View, Depends(view)]) -> Response:
    named = split_identifier(identifier)
    if named is None or named[0] != seen.clock.name:
        raise not_found("CAP message", identifier)
    house = await read_profile(seen)
    chains = await _chains(seen, house, [named[1]], named[2:])
    told = next((one for one in chains.get(named[1], ()) if one.identifier == identifier), None)
    if told is None:
        raise not_found("CAP message", identifier)
    shape = None
    if told.row.lon is None:
        shape = await seen.reader.row(ShapeRow, "area_geometry", area=told.row.area)
    geometry = None if shape is None else shape.geometry
    titles = await _titles(seen, chains)
    return Response(write(_message(told, seen, house, titles, geometry)), media_type=CAP)


async def read_profile(seen: View) -> House:
    """The house numbers `cap.*` in force; 503 when they cannot be used."""
    found = await seen.reader.row(ProfileRow, "profile_values")
    try:
        return read_house(found.values if found else {})
    except ValueError as error:
        raise Problem(503, f"The profile's cap.* cannot be used: {error}") from error


def _message(
    told: Told, seen: View, house: House, titles: RuleTitles, geometry: Json | None
) -> Message:
    return render(told, NamespaceKind(seen.clock.kind), house, titles, geometry)


async def _titles(seen: View, chains: Mapping[str, Sequence[Told]]) -> RuleTitles:
    return await seen.rule_titles(told.row.rule_version for c in chains.values() for told in c)


async def _chains(
    seen: View, house: House, alerts: Sequence[str], wanted: tuple[int, int] | None = None
) -> Mapping[str, Sequence[Told]]:
    """The messages of these alerts, by alert, in order."""
    rows = await seen.reader.rows(CapRow, "cap_chain", alerts=list(alerts))
    names, renew_s = (seen.clock.name, house.sender), _renew_s(seen, house)
    return {
        alert: build_chain(list(group), *names, renew_s, wanted)
        for alert, group in groupby(rows, key=lambda row: row.alert)
    }


def _of(chain: Sequence[Told], row: FeedRow) -> Told | None:
    """The message of the transition, or the last that told it again."""
    found = [one for one in chain if one.row.sequence == row.sequence]
    return next((one for one in reversed(found) if bool(one.renewal) == row.renewed), None)


def _renew_s(seen: View, house: House) -> int | None:
    """How long before it expires an open alert is told again; never in replays."""
    return house.renew_before_s if NamespaceKind(seen.clock.kind) in RENEWED else None


def _origins(seen: View, status: Status | None) -> list[str] | None:
    """The origins whose messages have this status here."""
    if status is None:
        return None
    kind = NamespaceKind(seen.clock.kind)
    return [origin.value for origin in Origin if message_status(kind, origin) == status]
