"""The HTTP API and the start page, made by a function so that every test makes its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from api import problem
from api.actions.following import Follower
from api.actions.opening import WritingPool
from api.actions.settings import ActingSettings
from api.delivery.settings import DeliverSettings
from api.events.stream import Streams
from api.events.tail import Tails
from api.lane import Lanes
from api.live import Broadcaster
from api.queries.database import Database
from api.routers import (
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
    live,
    messages,
    namespaces,
    points,
    readings,
    sensors,
    sensorthings,
    subscriptions,
    warnings,
)
from api.strict import StrictRoute
from api.transport import EntityTags, SecurityHeaders
from api.view import Parts
from streams.contracts.domain import Domain
from streams.domains import find_domains

DESCRIPTION = """
What the city's sensors say and what follows from it. Every list carries `freshness`: what has been
taken into account, by the namespace's own processing clock. Times are ISO 8601 in +08:00; values
are exact decimals as text. Errors are problem details (RFC 9457).
"""
RESOURCES = (
    namespaces,
    domains,
    areas,
    points,
    alerts,
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
) -> FastAPI:
    """The app over this database, reading `namespace` unless a request names another.

    `advance_s`: how often what follows from alerts by itself is looked after, in `namespace` and
    the others that people watch; None leaves that to another process.
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
    app.state.broadcaster = Broadcaster(parts)
    app.state.tails = Tails(parts, lambda: datetime.now(UTC))
    app.state.streams = Streams(parts, app.state.tails)
    app.state.acting = acting or ActingSettings()
    app.state.writing = WritingPool(conninfo, wait_s=wait_s)
    app.state.advance_s = advance_s
    problem.install(app)
    app.include_router(_first_version())
    app.mount("/", StaticFiles(directory=_static(), html=True), name="static")
    app.add_middleware(EntityTags)
    app.add_middleware(SecurityHeaders)
    return app


def _first_version() -> APIRouter:
    api = APIRouter(prefix="/v1")
    for module in RESOURCES:
        for route in module.router.routes:
            assert isinstance(route, StrictRoute), f"{module.__name__} has a lenient route"
        api.include_router(module.router)
    api.include_router(live.router)
    api.include_router(sensorthings.router)  # strict by its own rules: 400 and 501
    return api


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.parts.database.open()
    app.state.writing.open()
    async with _advancing(app):
        yield
    await app.state.broadcaster.close()
    await app.state.tails.close()
    await asyncio.to_thread(app.state.writing.close)
    await app.state.parts.database.close()


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
