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
from starlette.requests import ClientDisconnect

from sensors.gateway import document, problem
from sensors.gateway.admission import Admission, TooLarge, TooSlow
from sensors.gateway.checking import check
from sensors.gateway.collector import Busy, Collector
from sensors.gateway.decoding import decode
from sensors.gateway.directory import RegistrySource
from sensors.gateway.metrics import GatewayMetrics
from sensors.gateway.reading import BadRequest, UnknownFormat
from sensors.gateway.reading import Request as Decoded
from sensors.gateway.settings import GatewaySettings
from sensors.gateway.watch import RegistryWatch
from streams.contracts.domain import Domain
from streams.contracts.frame import JSON
from streams.errors import Unavailable
from streams.log import Log

GATEWAY_HEADER = "x-citybrain-gateway"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatewayParts:
    """What the application is made of; the clock gives the ingest time, epoch ms.

    `on_bug` is called when the collector crashed: the process should end and be started again.
    """

    log: Log
    registry: RegistrySource
    domains: Mapping[str, Domain]
    settings: GatewaySettings
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    on_bug: Callable[[], None] = lambda: None


class Gateway:
    """The running parts of one application; lives in `app.state.gateway`."""

    def __init__(self, parts: GatewayParts) -> None:
        settings = parts.settings
        self.settings = settings
        self.on_bug = parts.on_bug
        self._clock_ms = parts.clock_ms
        self.metrics = GatewayMetrics()
        self.admission = Admission(settings, self.metrics)
        self.watch = RegistryWatch(parts.registry, parts.domains, settings.registry_s)
        self.collector = Collector(
            parts.log, settings, self.metrics, parts.clock_ms, parts.instance
        )

    async def take(self, request: Request) -> dict[str, object]:
        """The answer to a batch; raises `Problem` when nothing of it was taken."""
        try:
            with self.admission.enter():
                async with self.admission.body(request) as body:
                    batch = self._decode(request, body)
                directory = self.watch.directory
                if directory is None:
                    raise problem.busy("no registry is active yet", self.settings.retry_after_s)
                if batch.gateway not in directory.gateways:
                    raise problem.unknown_gateway(batch.gateway)
                pieces, refused = check(batch, directory)
                for one in refused:
                    self.metrics.refused.labels(one.reason).inc()
                if refused and not pieces:
                    raise problem.all_refused([batch.describe(one) for one in refused])
                await self.collector.put(pieces)
        except UnknownFormat as error:
            raise problem.wrong_media_type(str(error)) from error
        except BadRequest as error:
            raise problem.not_a_batch(str(error)) from error
        except ClientDisconnect as error:
            raise problem.not_a_batch("the connection ended before the body did") from error
        except TooLarge as error:
            raise problem.too_large(str(error)) from error
        except TooSlow as error:
            raise problem.too_slow(str(error)) from error
        except Busy as error:
            turned_away = problem.too_many if error.own else problem.busy
            raise turned_away(str(error), self.settings.retry_after_s) from error
        except Unavailable as error:
            raise problem.busy(f"the log: {error}", self.settings.retry_after_s) from error
        accepted = sum(len(piece.rows) for piece in pieces)
        self.metrics.accepted.inc(accepted)
        return {"accepted": accepted, "refused": [batch.describe(one) for one in refused]}

    def _decode(self, request: Request, body: bytes) -> Decoded:
        """The body by its content type; headers and query may name the gateway and the id."""
        headers = dict(request.headers)
        asked = request.query_params
        return decode(
            headers.get("content-type", JSON),
            headers,
            body,
            most=self.settings.request_readings,
            now_ms=self._clock_ms(),
            gateway=asked.get("gateway", headers.get(GATEWAY_HEADER)),
            id=asked.get("id"),
        )


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
    _add_operations(app, gateway)
    return app


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[None]:
    """Runs the collector and the registry watch; on the way out what waits is still appended."""
    await gateway.watch.refresh()
    watching = asyncio.create_task(gateway.watch.run())
    collecting = asyncio.create_task(gateway.collector.run())
    collecting.add_done_callback(lambda task: _report_bug(task, gateway.on_bug))
    try:
        yield
    finally:
        watching.cancel()
        gateway.collector.stop()
        await asyncio.wait((watching, collecting), timeout=2 * gateway.settings.append_timeout_s)


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
        trouble = gateway.collector.failing or (None if directory else "no registry is active")
        content = {
            "status": "ok" if trouble is None else "failing",
            "detail": trouble,
            "registry": None if directory is None else directory.version,
            "waiting_rows": gateway.collector.rows,
        }
        return JSONResponse(content, 200 if trouble is None else 503)

    @app.get("/metrics", summary="Metrics for Prometheus", description=document.METRICS)
    async def metrics() -> Response:
        return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)
