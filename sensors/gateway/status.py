"""What a gateway says of itself: online, degraded or offline, and of its devices.

The same JSON is the body of `POST /v1/status` and the retained message of the MQTT topic
`cb/v1/{adcode6}/{domain}/{deviceId}/status`, where a will says `offline` for who cannot. Nothing
here moves an alert: what the city measured is judged from readings alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from sensors.gateway.directory import Directory
from sensors.gateway.formats.native import UNREADABLE
from sensors.gateway.reading import BadRequest, name_problem, writable
from streams.contracts.cloudevents import MAX_TEXT
from streams.contracts.reason import Reason
from streams.contracts.timestamp import from_rfc3339

MOST_DEVICES = 5_000
_MOST_QUEUE = 2**62


class State(StrEnum):
    """How a gateway or device does, by its own word."""

    ONLINE = "online"
    DEGRADED = "degraded"  # it works, not as it should; `detail` says why
    OFFLINE = "offline"


class DeviceStatus(msgspec.Struct, forbid_unknown_fields=True):
    """One sensor, as its gateway sees it; `seen` is when it was heard last."""

    device: str
    state: State
    seen: str | int | None = None


class Status(msgspec.Struct, forbid_unknown_fields=True):
    """A gateway's word. `queue` = readings that wait in it; `time` is its own clock."""

    state: State
    gateway: str | None = None
    version: str | None = None
    queue: int | None = None
    time: str | int | None = None
    detail: str | None = None
    devices: list[DeviceStatus] = []


def parse_status(body: bytes) -> Status:
    """The status in a body; `BadRequest` for anything else."""
    try:
        status = _decode.decode(body)
    except UNREADABLE as error:
        raise BadRequest(f"the body is no status: {error}") from error
    problems = [name_problem("gateway", status.gateway)]
    for name, text in (("version", status.version), ("detail", status.detail)):
        if text is not None and (len(text) > MAX_TEXT or not text.isprintable()):
            problems.append(f"{name} must be at most {MAX_TEXT} printable characters")
    if status.queue is not None and not 0 <= status.queue < _MOST_QUEUE:
        problems.append("queue must be a number of readings")
    if len(status.devices) > MOST_DEVICES:
        problems.append(f"{len(status.devices)} devices; at most {MOST_DEVICES} are taken at once")
    for problem in (*problems, _time_problem("time", status.time)):
        if problem:
            raise BadRequest(problem)
    return status


def check_devices(
    status: Status, gateway: str, directory: Directory
) -> tuple[list[tuple[str, State, int | None]], list[Mapping[str, object]]]:
    """(device, state, seen ms) of the gateway's own devices, and a refusal for each other."""
    known: dict[str, tuple[str, State, int | None]] = {}
    refused: list[Mapping[str, object]] = []
    for index, one in enumerate(status.devices):
        device = directory.devices.get(one.device)
        if device is None or device.gateway != gateway:
            reason, detail = Reason.UNKNOWN_SENSOR, "not a registered sensor of this gateway"
        elif (problem := _time_problem("seen", one.seen)) is not None:
            reason, detail = Reason.BAD_TIME, problem
        else:
            known[one.device] = (one.device, one.state, time_ms(one.seen))
            continue
        refused.append(
            {
                "index": index,
                "device": writable(one.device[:MAX_TEXT]),
                "reason": reason.value,
                "detail": detail,
            }
        )
    return list(known.values()), refused


def time_ms(time: str | int | None) -> int | None:
    """Epoch ms; `ValueError` for a text that is no RFC 3339 date-time."""
    return from_rfc3339(time) if isinstance(time, str) else time


def _time_problem(name: str, time: str | int | None) -> str | None:
    try:
        given = time_ms(time)
    except ValueError as error:
        return f"{name}: {error}"
    if given is not None and not 0 <= given < 4_102_444_800_000:
        return f"{name} is not in the years 1970 to 2099"
    return None


_decode = msgspec.json.Decoder(Status)
