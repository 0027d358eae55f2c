"""The HTTP API and the start page, made by a function so that every test makes its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from api import problem
from api.access import description, guard
from api.access.login import Login
from api.access.need import NEEDS, Need, differences
from api.access.oidc import Issuer
from api.access.refusals import Refusals
from api.access.settings import AccessSettings
from api.actions.database import ActionDatabase
from api.actions.following import Follower
from api.actions.log_door import LogDoor
from api.actions.opening import WritingPool
from api.actions.settings import ActingSettings
from api.delivery.settings import DeliverSettings
from api.events.stream import Streams
from api.events.tail import Tails
from api.freshness import FreshnessSettings
from api.lane import Lanes
from api.live import Broadcaster
from api.queries.database import Database
from api.routers import (
    access,
    accounts,
    actions,
    alerts,
    answers,
    areas,
    callouts,
    cap,
    closures,
    deliveries,
    domains,
    events,
    facts,
    fiware,
    history,
    incidents,
    live,
    messages,
    namespaces,
    oidc,
    points,
    readings,
    sensors,
    sensorthings,
    session,
    subscriptions,
    warnings,
)
from api.strict import StrictRoute
from api.transport import EntityTags, SecurityHeaders
from api.view import Parts
from streams.contracts.domain import Domain
from streams.domains import find_domains
from streams.log import Log

MOST_BODY_BYTES = 1 << 20
DESCRIPTION = """
What the city's sensors say and what follows from it. Every list carries `freshness`: what has been
taken into account, by the namespace's own processing clock. Times are ISO 8601 in +08:00; values
are exact decimals as text. Errors are problem details (RFC 9457).
"""
RESOURCES = (
    session,
    access,
    namespaces,
    domains,
    areas,
    points,
    alerts,
    incidents,
    events,
    facts,
    readings,
    history,
    accounts,
    sensors,
    fiware,
    warnings,
    cap,
    actions,
    answers,
    closures,
    messages,
    callouts,
    subscriptions,
    deliveries,
)


def create_app(
    conninfo: str,
    namespace: str,
    domains: Mapping[str, Domain] | None = None,
    *,
    stalled_s: float = 30.0,
    poll_s: float = 1.0,
    wait_s: float = 3.0,
    heartbeat_s: float = 10.0,
    keep_events_days: int = 30,
    acting: ActingSettings | None = None,
    advance_s: float | None = None,
    deliver: DeliverSettings | None = None,
    settings: AccessSettings | None = None,
    patience: FreshnessSettings | None = None,
    needs: Mapping[str, Need] = NEEDS,
    open_log: Callable[[str], Log] | None = None,
) -> FastAPI:
    """The app over this database, reading `namespace` unless a request names another.

    Accounts and keys are those of `namespace`; `settings` are those of access, by default as they
    are without any environment. `LookupError` when a route says nowhere what it needs.
    `advance_s`: how often what follows from alerts by itself is looked after, in `namespace` and
    the others that people watch; None leaves that to another process. `open_log` opens the log of a
    namespace, for what people hand to the stream; without it that is answered with 503.
    """
    parts = Parts(
        database=Database(conninfo, wait_s=wait_s),
        namespace=namespace,
        domains=find_domains() if domains is None else domains,
        stalled_s=stalled_s,
        poll_s=poll_s,
        heartbeat_s=heartbeat_s,
        keep_events_days=keep_events_days,
        conninfo=conninfo,
    )
    app = FastAPI(
        title="citybrain",
        version=version("citybrain"),
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.parts = parts
    app.state.deliver_settings = deliver or DeliverSettings.model_construct()
    app.state.lanes = Lanes()
    app.state.broadcaster = Broadcaster(parts, patience)
    app.state.tails = Tails(parts, lambda: datetime.now(UTC))
    app.state.streams = Streams(parts, app.state.tails)
    app.state.acting = acting or ActingSettings()
    app.state.writing = WritingPool(conninfo, wait_s=wait_s)
    app.state.log_door = LogDoor(open_log)
    app.state.advance_s = advance_s
    _install_access(app, conninfo, settings or AccessSettings.model_construct(), needs, wait_s)
    problem.install(app, guard.note_refusal)
    app.include_router(
        _first_version(needs), dependencies=[Depends(guard.admitted)], max_body_size=MOST_BODY_BYTES
    )
    description.install(app, needs)
    app.mount("/", StaticFiles(directory=_static(), html=True), name="static")
    app.add_middleware(EntityTags)
    app.add_middleware(SecurityHeaders)
    return app


def _install_access(
    app: FastAPI,
    conninfo: str,
    settings: AccessSettings,
    needs: Mapping[str, Need],
    wait_s: float,
) -> None:
    parts: Parts = app.state.parts
    actions = ActionDatabase(conninfo, wait_s=wait_s)
    app.state.guard = guard.Guard(
        database=parts.database,
        actions=actions,
        namespace=parts.namespace,
        settings=settings,
        refusals=Refusals(actions, parts.namespace),
        needs=needs,
    )
    app.state.login = Login(app.state.guard)
    app.state.issuer = Issuer(settings) if settings.has_oidc else None


def _first_version(needs: Mapping[str, Need]) -> APIRouter:
    api = APIRouter(prefix=guard.PREFIX)
    routers = [module.router for module in RESOURCES]
    for router in routers:
        for route in router.routes:
            assert isinstance(route, StrictRoute), f"{route} is lenient"
    # Live takes a header, an issuer may add parameters, SensorThings is strict by rules of its own.
    routers += [live.router, oidc.router, sensorthings.router]
    found = differences((name for router in routers for name in _names(router)), needs)
    if found:
        raise LookupError("; ".join(found))
    for router in routers:
        api.include_router(router)
    return api


def _names(router: APIRouter) -> Iterator[str]:
    for route in router.routes:
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            yield f"{method} {guard.PREFIX}{route.path_format}"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    held: guard.Guard = app.state.guard
    await held.database.open()
    await held.actions.open()
    app.state.writing.open()
    counting = asyncio.create_task(held.refusals.run())
    async with _advancing(app):
        yield
    await app.state.broadcaster.close()
    await app.state.tails.close()
    counting.cancel()
    with suppress(asyncio.CancelledError):
        await counting
    await held.refusals.flush()
    await asyncio.to_thread(app.state.writing.close)
    await asyncio.to_thread(app.state.log_door.close)
    await held.actions.close()
    await held.database.close()


@asynccontextmanager
async def _advancing(app: FastAPI) -> AsyncIterator[None]:
    if app.state.advance_s is None:
        yield
        return
    follower = Follower(
        app.state.writing,
        app.state.parts.namespace,
        app.state.acting.plan(),
        app.state.advance_s,
        others=True,
        gap_ms=app.state.acting.incident_gap_ms(),
    )
    task = asyncio.create_task(follower.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _static() -> Path:
    return Path(str(resources.files(__package__) / "static"))
