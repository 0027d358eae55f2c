"""`POST /v1/warnings`: a warning system hands over official warnings, CAP or rows.

The answer comes after every partition of the log has them. What is refused is answered with its
rule and goes to the dead letters as well: an official warning that was not understood concerns the
operator, not only its sender.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from sensors.gateway import problem
from sensors.gateway.collector import Busy
from sensors.gateway.intake import Intake, OtherGateway, Sender, UnknownGateway
from sensors.gateway.keys import Key
from sensors.gateway.reading import BadRequest, UnknownFormat
from sensors.gateway.turning_away import as_problems
from sensors.gateway.watch import RegistryWatch
from sensors.warnings.entry import append
from sensors.warnings.places import Places
from sensors.warnings.reading import JSON, XML, Refused, read_warnings
from streams.catalog import Area
from streams.contracts.area_code import covers
from streams.contracts.cloudevents import media_type
from streams.contracts.reason import Origin, Reason
from streams.contracts.warning import OfficialWarning
from streams.log import Log

if TYPE_CHECKING:
    from sensors.gateway.app import Gateway

DESCRIPTION = (
    "One CAP 1.2 or 1.1 message, or JSON rows of the national list of warnings. The gateway must "
    "be registered; its key must cover every area that a warning names. 200: at least one was "
    "taken; `refused` lists the others with the rule that each breaks (they are in the dead "
    "letters too). 422: none was. Sending the same again does no harm."
)
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            XML[0]: {"schema": {"type": "string", "description": "CAP 1.2, or 1.1."}},
            JSON: {"schema": {"description": "Objects with an alertid and a title, at any depth."}},
        },
    }
}
_log = logging.getLogger(__name__)


class PlaceSource(Protocol):
    """Where boundaries and house numbers come from. May raise `Unavailable`."""

    def places(self, areas: Mapping[str, Area]) -> Places:
        """What warnings are placed by."""


class WarningDoor:
    """Reads, checks and appends; without a source of places only codes say where a warning is."""

    def __init__(
        self,
        log: Log,
        watch: RegistryWatch,
        places: PlaceSource | None,
        intake: Intake,
        clock_ms: Callable[[], int],
    ) -> None:
        self._log = log
        self._watch = watch
        self._places = places
        self._intake = intake
        self._clock_ms = clock_ms

    async def take(self, content: bytes, content_type: str, sender: Sender) -> dict[str, object]:
        """The answer, once the log has all of it.

        Raises `UnknownGateway`, `OtherGateway`, `OverQuota`, `BadRequest`, `UnknownFormat` when
        nothing was looked at, `Busy` and `Unavailable` when the same may be sent again, and a
        problem when every warning was refused.
        """
        if media_type(content_type)[0] not in (*XML, JSON):
            raise UnknownFormat(f"content-type {content_type[:60]!r} carries no warnings")
        gateway = self._gateway(sender, len(content))
        found = await asyncio.to_thread(self._read, content, content_type, sender.key)
        await asyncio.to_thread(append, self._log, found, gateway, Origin.LIVE, self._clock_ms())
        refused = [one for one in found if isinstance(one, Refused)]
        for one in refused:
            _log.warning("a warning of gateway %s is refused: %s", gateway, one.detail)
        answer = _answer(found)
        if len(refused) == len(found):
            raise problem.no_warning(answer["refused"])
        return answer

    def _gateway(self, sender: Sender, size: int) -> str:
        directory = self._watch.directory
        if directory is None:
            raise Busy("no registry is active yet", own=False)
        key, named = sender.key, sender.gateway
        if key is not None and named not in (None, key.gateway):
            raise OtherGateway(key.gateway)
        gateway = named if key is None else key.gateway
        if gateway is None:
            raise BadRequest("say which gateway sends: `?gateway=`")
        if gateway not in directory.gateways:
            raise UnknownGateway(gateway)
        self._intake.charge(gateway, 1, size, key)
        return gateway

    def _read(
        self, content: bytes, content_type: str, key: Key | None
    ) -> list[OfficialWarning | Refused]:
        directory = self._watch.directory
        areas = {} if directory is None else directory.areas
        places = Places(areas) if self._places is None else self._places.places(areas)
        found = read_warnings(content, content_type, places)
        return [_allowed(one, key) for one in found]


def add_warnings(app: FastAPI, gateway: Gateway) -> None:
    """The route."""

    @app.post(
        "/v1/warnings",
        summary="Hand over official warnings",
        description=DESCRIPTION,
        openapi_extra=BODY,
    )
    async def warnings(request: Request) -> JSONResponse:
        with as_problems(gateway.settings.retry_after_s), gateway.admission.enter():
            sender = gateway.sender(request)
            async with gateway.admission.body(request) as body:
                kind = request.headers.get("content-type", "")
                return JSONResponse(await gateway.warnings.take(body, kind, sender))


def _allowed(one: OfficialWarning | Refused, key: Key | None) -> OfficialWarning | Refused:
    """A key speaks for its areas only."""
    if key is None or isinstance(one, Refused):
        return one
    outside = [code for code in one.areas if not any(covers(area, code) for area in key.areas)]
    if not outside:
        return one
    detail = f"rule area: the key does not cover {', '.join(outside[:5])}"
    return Refused(Reason.FOREIGN_AREA, detail, one.original, one.media_type)


def _answer(found: Sequence[OfficialWarning | Refused]) -> dict[str, object]:
    return {
        "accepted": [
            {"id": one.id, "identifier": one.identifier, "areas": list(one.areas)}
            for one in found
            if isinstance(one, OfficialWarning)
        ],
        "refused": [
            {"index": n, "reason": one.reason.value, "detail": one.detail}
            for n, one in enumerate(found)
            if isinstance(one, Refused)
        ],
    }
