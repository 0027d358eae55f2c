"""The gateway's web application, made by a function so that each test makes its own.

`POST /v1/readings` answers only after the log has taken every frame of the request. 200 also when
a part was refused (each refusal is in the answer); 422 when all was. A 207 would say no more and
trips clients that treat everything but 200 as failed and send it all again.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_problem.error import Problem
from fastapi_problem.handler import add_exception_handler, new_exception_handler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sensors.gateway import document, problem
from sensors.gateway.admission import Admission
from sensors.gateway.collector import Collector
from sensors.gateway.directory import RegistrySource
from sensors.gateway.intake import Intake, Sender
from sensors.gateway.key_watch import KeyWatch
from sensors.gateway.keys import Key, KeySource, NotAdmitted
from sensors.gateway.metrics import GatewayMetrics
from sensors.gateway.mqtt.door import MqttDoor
from sensors.gateway.mqtt.metrics import MqttMetrics
from sensors.gateway.mqtt.settings import MqttSettings
from sensors.gateway.reading import Request as Decoded
from sensors.gateway.seen import SeenBook, SeenStore
from sensors.gateway.settings import GatewaySettings
from sensors.gateway.status_routes import add_status
from sensors.gateway.turning_away import as_problems
from sensors.gateway.warnings import PlaceSource, WarningDoor, add_warnings
from sensors.gateway.watch import RegistryWatch
from streams.contracts.domain import Domain
from streams.contracts.frame import JSON
from streams.log import Log

GATEWAY_HEADER = "x-citybrain-gateway"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatewayParts:
    """What the application is made of; the clock gives the ingest time, epoch ms.

    Without a source of keys no key is valid. `on_bug` is called when the collector crashed: the
    process should end and be started again.
    """

    log: Log
    registry: RegistrySource
    domains: Mapping[str, Domain]
    settings: GatewaySettings
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    on_bug: Callable[[], None] = lambda: None
    keys: KeySource | None = None
    seen: SeenStore | None = None
    mqtt: MqttSettings | None = None
    monotonic_s: Callable[[], float] = time.monotonic
    places: PlaceSource | None = None


class Gateway:
    """The running parts of one application; lives in `app.state.gateway`."""

    def __init__(self, parts: GatewayParts) -> None:
        settings = parts.settings
        self.settings = settings
        self.on_bug = parts.on_bug
        self.metrics = GatewayMetrics()
        self.admission = Admission(settings, self.metrics)
        self.watch = RegistryWatch(parts.registry, parts.domains, settings.registry_s)
        self.keys = KeyWatch(parts.keys, settings, parts.clock_ms, parts.monotonic_s)
        self.collector = Collector(
            parts.log, settings, self.metrics, parts.clock_ms, parts.instance
        )
        self.seen = SeenBook(parts.seen, settings.seen_s)
        self.intake = Intake(
            settings,
            self.metrics,
            self.watch,
            self.collector,
            parts.clock_ms,
            parts.monotonic_s,
            self.seen.heard,
        )
        self.warnings = WarningDoor(
            parts.log, self.watch, parts.places, self.intake, parts.clock_ms
        )
        self.mqtt: MqttDoor | None = None
        if parts.mqtt is not None:
            self.mqtt = MqttDoor(
                parts.mqtt,
                self.intake,
                self.watch,
                self.seen,
                parts.log,
                parts.clock_ms,
                parts.instance,
                MqttMetrics(self.metrics.registry),
                parts.on_bug,
            )

    async def take(self, request: Request) -> dict[str, object]:
        """The answer to a batch; raises `Problem` when nothing of it was taken."""
        with as_problems(self.settings.retry_after_s), self.admission.enter():
            sender = self.sender(request)
            decoded, size = await self._decode(request, sender)
            answer = await self.intake.accept(decoded, size, sender.key)
        if answer.refused and not answer.accepted:
            raise problem.all_refused(answer.refused)
        return {"accepted": answer.accepted, "refused": list(answer.refused)}

    async def _decode(self, request: Request, sender: Sender) -> tuple[Decoded, int]:
        """The readings, and how many bytes they were: the body is not held while the log works."""
        kind = request.headers.get("content-type", JSON)
        async with self.admission.body(request) as body:
            return self.intake.decode(kind, _headers(request), body, sender), len(body)

    def sender(self, request: Request) -> Sender:
        """Who sends, by the key; headers and query may name the gateway and the batch."""
        asked = request.query_params
        named = asked.get("gateway", request.headers.get(GATEWAY_HEADER))
        return Sender(self.key_of(request), named, asked.get("id"))

    def key_of(self, request: Request) -> Key | None:
        """The key that a request shows; None when it shows none and needs none.

        Raises `NotAdmitted`.
        """
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        shown = text.strip() if scheme.lower() == "bearer" else None
        try:
            return self.keys.admit(shown or None)
        except NotAdmitted as error:
            self.metrics.denied.labels(error.denial.name.lower()).inc()
            if error.key_id:
                _log.info("key %s refused: %s", error.key_id, error)
            raise


def _headers(request: Request) -> dict[str, str]:
    """The headers that a format may read: never the one with the key."""
    return {name: value for name, value in request.headers.items() if name != "authorization"}


def create_app(parts: GatewayParts) -> FastAPI:
    """The application. Its collector and registry watch live as long as its lifespan."""
    gateway = Gateway(parts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(gateway):
            yield

    app = FastAPI(title="citybrain gateway", version="1", lifespan=lifespan)
    app.state.gateway = gateway
    add_exception_handler(app, new_exception_handler())
    _add_readings(app, gateway)
    add_warnings(app, gateway)
    add_status(app, gateway, parts.clock_ms)
    _add_operations(app, gateway)
    return app


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[None]:
    """Runs the collector and the registry watch; on the way out what waits is still appended."""
    await asyncio.gather(gateway.watch.refresh(), gateway.keys.refresh())
    watching = [
        asyncio.create_task(one.run()) for one in (gateway.watch, gateway.keys, gateway.seen)
    ]
    collecting = asyncio.create_task(gateway.collector.run())
    collecting.add_done_callback(lambda task: _report_bug(task, gateway.on_bug))
    if gateway.mqtt is not None:
        gateway.mqtt.start()
    try:
        yield
    finally:
        if gateway.mqtt is not None:
            await gateway.mqtt.stop(gateway.settings.append_timeout_s)
        for task in watching:
            task.cancel()
        gateway.collector.stop()
        await asyncio.wait((*watching, collecting), timeout=2 * gateway.settings.append_timeout_s)
        await gateway.seen.flush()


def _report_bug(task: asyncio.Task[None], on_bug: Callable[[], None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.critical("the collector crashed: this is a bug", exc_info=error)
        on_bug()


def _add_readings(app: FastAPI, gateway: Gateway) -> None:
    @app.post(
        "/v1/readings",
        summary="Send a batch of readings",
        description=document.READINGS,
        openapi_extra=document.READINGS_BODY,
        responses=document.READINGS_ANSWERS,
    )
    async def readings(request: Request) -> JSONResponse:
        started = time.monotonic()
        status = 500
        try:
            answer = await gateway.take(request)
            status = 200
            return JSONResponse(answer)
        except Problem as turned_away:
            status = turned_away.status
            raise
        finally:
            gateway.metrics.requests.labels(str(status)).inc()
            gateway.metrics.answer.observe(time.monotonic() - started)


def _add_operations(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/health", summary="Whether readings are taken", description=document.HEALTH)
    async def health() -> JSONResponse:
        directory = gateway.watch.directory
        trouble = (
            gateway.collector.failing
            or (None if directory else "no registry is active")
            or gateway.keys.failing
        )
        content: dict[str, object] = {
            "status": "ok" if trouble is None else "failing",
            "detail": trouble,
            "registry": None if directory is None else directory.version,
            "waiting_rows": gateway.collector.rows,
        }
        if gateway.mqtt is not None:
            content["mqtt"] = gateway.mqtt.trouble or "connected"
        return JSONResponse(content, 200 if trouble is None else 503)

    @app.get("/metrics", summary="Metrics for Prometheus", description=document.METRICS)
    async def metrics() -> Response:
        return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)
