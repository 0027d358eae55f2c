"""Which namespaces exist, and whether each is healthy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgpack
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from api.moment import Moment, age_s, from_ms
from api.problem import RESPONSES
from api.queries.pool import UnknownNamespace
from api.queries.rows import PartitionRow, WorkerRow
from api.strict import StrictRoute
from api.view import Freshness, Parts, View, freshness, parts, read_clock, view

router = APIRouter(route_class=StrictRoute, tags=["health"], responses=RESPONSES)


class NamespaceItem(BaseModel):
    """One namespace."""

    name: str
    default: bool = Field(description="Read when a request names none.")
    freshness: Freshness


class Namespaces(BaseModel):
    """All namespaces."""

    items: list[NamespaceItem]


class PartitionHealth(BaseModel):
    """One partition of the log and how far it is processed."""

    model_config = ConfigDict(extra="forbid")

    topic: str
    partition: int
    position: int = Field(description="Next offset to process; everything before is committed.")
    log_end: int
    lag: int
    checkpoint: int
    processing_time: Moment | None = Field(
        description="Ingest time of the newest processed record (null: not in this log)."
    )
    age_s: float | None = Field(description="Wall-clock seconds since the log took that record.")
    waiting_s: float | None = Field(
        description="For how long the next record has been waiting (at most, when the log is in "
        "Kafka)."
    )
    complete_to: Moment | None = Field(
        description="Everything that the log took before this moment is processed: now, when "
        "nothing waits (null: nothing was ever processed)."
    )
    stalled: bool


class WorkerHealth(BaseModel):
    """A host that runs pipelines."""

    name: str
    pid: int
    started: Moment
    beat_age_s: float | None


class Health(BaseModel):
    """Whether the namespace is served and processed."""

    status: str = Field(
        description="ok, behind (records wait) or stalled (too long, or no worker)."
    )
    database: str
    freshness: Freshness
    partitions: list[PartitionHealth]
    workers: list[WorkerHealth]


@router.get(
    "/namespaces",
    summary="Namespaces",
    description="All namespaces (live, simulated, replay …) with their kind and clock.",
)
async def namespaces(given: Annotated[Parts, Depends(parts)]) -> Namespaces:
    items = []
    for name in await given.database.namespaces():
        try:
            async with given.database.reading(name) as reader:
                clock = await read_clock(reader)
        except UnknownNamespace:  # dropped meanwhile, or of another version: not readable here
            continue
        items.append(
            NamespaceItem(name=name, default=name == given.namespace, freshness=freshness(clock))
        )
    return Namespaces(items=items)


@router.get(
    "/health",
    summary="Health",
    description="Database, position of every partition against the log's end, processing time and "
    "age. 200 when served (also when behind), 503 when the database does not answer, records "
    "wait too long, or no worker turns a live namespace.",
)
async def health(
    response: Response,
    seen: Annotated[View, Depends(view)],
    given: Annotated[Parts, Depends(parts)],
) -> Health:
    now = datetime.now(UTC)
    rows = await seen.reader.rows(PartitionRow, "partitions")
    workers = await seen.reader.rows(WorkerRow, "workers")
    partitions = [partition_health(row, now, given.stalled_s) for row in rows]
    beats = [age_s(worker.beat, now) for worker in workers]
    alone = is_unattended(seen.freshness().kind, beats, given.stalled_s)
    if alone or any(each.stalled for each in partitions):
        status = "stalled"
        response.status_code = 503
    else:
        status = "behind" if any(each.lag for each in partitions) else "ok"
    return Health(
        status=status,
        database="ok",
        freshness=seen.freshness(),
        partitions=partitions,
        workers=[
            WorkerHealth(name=w.name, pid=w.pid, started=w.started, beat_age_s=age_s(w.beat, now))
            for w in workers
        ],
    )


def is_unattended(kind: str, beats_s: Sequence[float | None], stalled_s: float) -> bool:
    """A live namespace that no worker turns: none has ever begun, or the last beat is too old.

    Without this a dead worker would look like quiet sensors: it writes the ticks itself.
    """
    known = [beat for beat in beats_s if beat is not None]
    return kind == "live" and (not known or min(known) > stalled_s)


def partition_health(row: PartitionRow, now: datetime, stalled_s: float) -> PartitionHealth:
    """Judges one partition: stalled when its next record has waited longer than `stalled_s`."""
    lag = max(0, row.log_end - row.position)
    waiting = age_s(from_ms(row.waiting_ms), now) if lag and row.waiting_ms is not None else None
    return PartitionHealth(
        topic=row.topic,
        partition=row.partition,
        position=row.position,
        log_end=row.log_end,
        lag=lag,
        checkpoint=row.checkpoint,
        processing_time=ingest_time(row.headers),
        age_s=None if row.append_ms is None else age_s(from_ms(row.append_ms), now),
        waiting_s=waiting,
        complete_to=complete_to(row, now),
        stalled=waiting is not None and waiting > stalled_s,
    )


def complete_to(row: PartitionRow, now: datetime) -> datetime | None:
    """Up to when everything that the log took is processed."""
    if row.log_end <= row.position:
        return now
    return None if row.append_ms is None else from_ms(row.append_ms)


def ingest_time(headers: bytes | None) -> datetime | None:
    """`ce_time` of a record's headers; None when there is no record or no readable time."""
    if headers is None:
        return None
    text = msgpack.unpackb(headers).get("ce_time")
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):  # the record was rejected for it; it moved no clock
        return None
    return moment if moment.tzinfo else None
