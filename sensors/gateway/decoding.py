"""The one way in for bytes: a body and what was said about it become a `Request`, by content type.

Every door uses it (HTTP headers, MQTT properties), so that a format means the same at each. Pure:
the clock and what the door knows of the sender are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from sensors.gateway.formats import events, lines, native, senml
from sensors.gateway.reading import (
    BadRequest,
    Claim,
    Claimed,
    Places,
    Reading,
    Refused,
    Request,
    UnknownFormat,
    name_problem,
)
from streams.contracts.cloudevents import STRUCTURED, media_type
from streams.contracts.frame import JSON

NDJSON = "application/x-ndjson"
SENML = "application/senml+json"
CONTENT_TYPES = (JSON, NDJSON, SENML, STRUCTURED, events.BATCH)

# gateway and id that the body itself names, its readings, and where each stood
_Found: TypeAlias = tuple[str | None, str | None, tuple[Reading | Refused, ...], Places | None]


def decode(
    content_type: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    most: int,
    now_ms: int,
    gateway: str | None = None,
    id: str | None = None,
) -> Request:
    """The request in a body: every reading of it, or its refusal, in the body's order.

    `headers` have names in lower case; those that begin with `ce-` make it an event in binary
    mode. `now_ms` is the ingest clock, for times that are relative to it. `gateway` and `id` are
    what the door knows; what the body itself names goes before. Raises `UnknownFormat` for a
    content type that nobody reads, and `BadRequest` for a body that is no batch at all, holds more
    than `most` readings, or leaves open which gateway sends it.
    """
    read = _reader(content_type, headers, most, now_ms)
    named, own_id, readings, places = read(body)
    if len(readings) > most:
        raise BadRequest(f"{len(readings)} readings; at most {most} are taken at once")
    sender = gateway if named is None else named
    if sender is None:
        raise BadRequest("nothing says which gateway sends this")
    request_id = id if own_id is None else own_id
    for problem in (name_problem("gateway", sender), name_problem("id", request_id)):
        if problem:
            raise BadRequest(problem)
    return Request(sender, request_id, readings, places)


def claim_all(request: Request, claim: Claim) -> Request:
    """The request with a claim for readings that have none, such as an MQTT topic makes.

    What a reading's own envelope claims goes before, part by part.
    """
    return replace(request, readings=tuple(_claimed(one, claim) for one in request.readings))


def _reader(
    content_type: str, headers: Mapping[str, str], most: int, now_ms: int
) -> Callable[[bytes], _Found]:
    kind, charset = media_type(content_type)
    binary = any(name.startswith(events.HEADER) for name in headers)
    readers: dict[str, Callable[[bytes], _Found]] = {
        JSON: lambda body: (*native.read(body), None),
        NDJSON: lambda body: (None, None, *lines.read(body, most)),
        SENML: lambda body: (None, None, *senml.read(body, most, now_ms)),
        STRUCTURED: lambda body: (None, *events.read_structured(body)),
        events.BATCH: lambda body: (None, *events.read_batch(body, most)),
    }
    if binary and not kind.startswith("application/cloudevents"):
        named = {**headers, "content-type": content_type}
        return lambda body: (None, *events.read_binary(named, body))
    if charset != "utf-8" or kind not in readers:
        known = ", ".join(CONTENT_TYPES)
        raise UnknownFormat(f"content-type {content_type[:80]!r}; read are, in UTF-8: {known}")
    return readers[kind]


def _claimed(one: Reading | Refused, claim: Claim) -> Reading | Refused:
    if isinstance(one, Refused):
        return one
    own = one.claim if isinstance(one, Claimed) else Claim()
    merged = Claim(
        claim.area if own.area is None else own.area,
        claim.domain if own.domain is None else own.domain,
        claim.subject if own.subject is None else own.subject,
        own.units,
        claim.sensor,
    )
    return Claimed(one.sensor, one.property, one.time, one.value, one.unit, one.flag, merged)
