"""`POST /v1/status` and `GET /v1/status`: gateways say how they do, and people see who is quiet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse

from sensors.gateway import status_document as document
from sensors.gateway.collector import Busy
from sensors.gateway.intake import OtherGateway, UnknownGateway
from sensors.gateway.keys import Key
from sensors.gateway.reading import LONGEST_NAME, BadRequest
from sensors.gateway.seen import is_quiet, moment
from sensors.gateway.status import Status, check_devices, parse_status
from sensors.gateway.turning_away import as_problems
from streams.contracts.timestamp import to_rfc3339
from streams.storage.gateway_seen import DeviceRow, SeenRow

if TYPE_CHECKING:
    from sensors.gateway.app import Gateway


def add_status(app: FastAPI, gateway: Gateway, clock_ms: Callable[[], int]) -> None:
    """Both routes."""
    retry_s = gateway.settings.retry_after_s

    @app.post(
        "/v1/status",
        status_code=202,
        summary="Say how a gateway does",
        description=document.STATUS,
        openapi_extra=document.STATUS_BODY,
        responses=document.STATUS_ANSWERS,
    )
    async def say(request: Request) -> JSONResponse:
        with as_problems(retry_s), gateway.admission.enter():
            sender = gateway.sender(request)
            async with gateway.admission.body(request) as body:
                return JSONResponse(
                    take_status(gateway, body, sender.key, sender.gateway, clock_ms()), 202
                )

    @app.get(
        "/v1/status",
        summary="Which gateways were heard when",
        description=document.STATUSES,
        responses=document.STATUSES_ANSWERS,
    )
    async def seen(
        request: Request,
        name: Annotated[
            str | None,
            Query(
                alias="gateway",
                max_length=LONGEST_NAME,
                description="Only this one, with its devices.",
            ),
        ] = None,
    ) -> JSONResponse:
        with as_problems(retry_s):
            key = gateway.key_of(request)
            if key is not None and name not in (None, key.gateway):
                raise OtherGateway(key.gateway)
            wanted = name if key is None else key.gateway
            rows = await gateway.seen.read(wanted)
            devices = [] if wanted is None else await gateway.seen.read_devices(wanted)
        now_ms = clock_ms()
        quiet_before = moment(now_ms - int(gateway.settings.quiet_s * 1000))
        content: dict[str, object] = {
            "as_of": to_rfc3339(now_ms),
            "gateways": [_row(row, quiet_before) for row in rows],
        }
        if wanted is not None:
            content["devices"] = [_device(row) for row in devices]
        return JSONResponse(content)


def take_status(
    gateway: Gateway, body: bytes, key: Key | None, named: str | None, now_ms: int
) -> dict[str, object]:
    """Notes a status; the answer names the devices that are not the gateway's."""
    directory = gateway.watch.directory
    if directory is None:
        raise Busy("no registry is active yet", own=False)
    status = parse_status(body)
    name = _sender_of(status, key, named)
    if name not in directory.gateways:
        raise UnknownGateway(name)
    gateway.intake.charge(name, 0, len(body), key)
    devices, refused = check_devices(status, name, directory)
    gateway.seen.say(name, status, devices, now_ms)
    return {"gateway": name, "devices": len(devices), "refused": refused}


def _sender_of(status: Status, key: Key | None, named: str | None) -> str:
    names = {one for one in (status.gateway, named) if one is not None}
    if key is not None:
        if names - {key.gateway}:
            raise OtherGateway(key.gateway)
        return key.gateway
    if len(names) != 1:
        problem = "two gateways are named" if names else "nothing says which gateway sends this"
        raise BadRequest(problem)
    return names.pop()


def _row(row: SeenRow, quiet_before: datetime) -> dict[str, object]:
    return {
        "gateway": row.gateway,
        "seen": _text(row.seen_at),
        "quiet": is_quiet(row, quiet_before),
        "state": row.state,
        "said": _text(row.said_at),
        "version": row.version,
        "queue": row.queue,
        "detail": row.detail,
    }


def _device(row: DeviceRow) -> dict[str, object]:
    return {
        "device": row.device,
        "state": row.state,
        "said": _text(row.said_at),
        "seen": _text(row.seen_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else to_rfc3339(round(at.timestamp() * 1000))
