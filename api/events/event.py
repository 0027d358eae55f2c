"""One event in every form in which programs get it, and what a reader wants of them. Pure.

An event is one transition of an alert, with the alert's full state after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from api.events.cursor import Cursor
from api.moment import from_ms, iso
from api.queries.event_rows import EventRow

CLOUD_EVENTS = "application/cloudevents-batch+json"
TYPE = "citybrain.alert.v1"


class Mark(NamedTuple):
    """What an event is chosen by."""

    sequence: int
    area: str
    domain: str
    change: str
    peak: int

    @staticmethod
    def of(row: EventRow) -> Mark:
        """The mark of an event."""
        content = row.content
        return Mark(row.sequence, row.area, content["domain"], content["change"], row.peak)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants; None and 0 = everything."""

    areas: Collection[str] | None = None
    domain: str | None = None
    severity: int = 0  # this or worse, at any time of the alert until then
    change: str | None = None

    def matches(self, mark: Mark) -> bool:
        """Whether the event is among them."""
        return (
            (self.areas is None or mark.area in self.areas)
            and self.domain in (None, mark.domain)
            and self.change in (None, mark.change)
            and mark.peak >= self.severity
        )


def event(row: EventRow, log: Cursor) -> dict[str, Any]:
    """The event as plain JSON. `log`: a cursor of the same log."""
    content = row.content
    return {
        "cursor": after(row, log),
        "sequence": row.sequence,
        "decided_at": iso(from_ms(content["decided_ms"])),
        "valid_until": iso(from_ms(content["valid_until_ms"])),
        "status": row.status,
        "origin": content["origin"],
        "notify": row.notify,
        "peak_severity": row.peak,
        "completeness": content.get("completeness"),
        "suppressed_by": content.get("suppressed_by"),
        "held": content.get("held"),
        "alert": content,
    }


def cloud_event(row: EventRow, log: Cursor, source: str) -> dict[str, Any]:
    """The event as a CloudEvent 1.0; what people would call its envelope are extensions."""
    content = row.content
    return {
        "specversion": "1.0",
        "id": f"{log.log}-{row.sequence}",
        "source": source,
        "type": TYPE,
        "subject": row.key,
        "time": iso(from_ms(content["decided_ms"])),
        "datacontenttype": "application/json",
        "sequence": f"{row.sequence:019d}",
        "cursor": after(row, log),
        "validuntil": iso(from_ms(content["valid_until_ms"])),
        "status": row.status,
        "origin": content["origin"],
        "notify": row.notify,
        "peakseverity": row.peak,
        "data": content,
    }


def after(row: EventRow, log: Cursor) -> str:
    """The cursor of somebody who has seen this event."""
    return Cursor(log.log, row.sequence + 1).text()


def frame(id: str, kind: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (id.encode(), kind.encode(), orjson.dumps(data))
