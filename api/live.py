"""What changed, about once a second, for every open page: the database is asked once for all.

A follower is told the difference between what it last saw and what is now, so a slow one skips
states instead of queueing them, and a resumed one starts with everything. When there is nothing to
tell, or the database does not answer, heartbeats say that the server lives, and what time it is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from api.access.role import EVERYTHING, Reach
from api.alert_items import open_alerts
from api.freshness import FreshnessSettings
from api.incident_items import screen_of
from api.moment import from_ms, iso
from api.queries.database import Reader
from api.queries.pool import UnknownNamespace
from api.queries.rows import AlertCountRow, FactRow, IntakeRow, LedgerCounts, RiskRow
from api.routers.accounts import counts
from api.routers.facts import catalogue, fact_item
from api.view import Parts, View, read_clock
from streams.errors import Unavailable

OPEN_SHOWN = 100
FIGURES_EVERY = 5  # looks
RATE_SAMPLES = 8
STATE_PERIOD = "state"

Sections = Mapping[str, Any]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sample:
    """What rates are made from."""

    at_s: float  # monotonic
    as_of: datetime | None
    received: int


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One message to a follower."""

    id: str
    kind: str  # snapshot | change | beat
    data: Sections


@dataclass(slots=True)
class _Channel:
    """The newest state of one namespace for one reach, and who waits for the next."""

    number: int = 0
    state: Sections = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    followers: int = 0
    task: asyncio.Task[None] | None = None


class Broadcaster:
    """Looks at a namespace, once for each reach, as long as somebody follows it.

    `wall` is the server's clock: pages count from what it says, never from their own.
    """

    def __init__(
        self,
        parts: Parts,
        patience: FreshnessSettings | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._parts = parts
        self._patience = patience or FreshnessSettings.model_construct()
        self._wall = wall
        self._channels: dict[tuple[str, Reach], _Channel] = {}

    async def follow(
        self, namespace: str, reach: Reach = EVERYTHING
    ) -> AsyncGenerator[LiveEvent, None]:
        """A snapshot of what lies in these areas, then changes and heartbeats, for ever."""
        key = namespace, reach
        channel = self._channels.setdefault(key, self._make_channel())
        channel.followers += 1
        if channel.task is None:
            channel.task = asyncio.create_task(self._watch(namespace, reach, channel))
        seen: Sections = {}
        number = 0
        try:
            while True:
                newer = await self._newer(channel, number)
                if newer is None:
                    if channel.task.done():
                        channel.task.result()  # a bug ended it: so ends the stream, loudly
                    yield LiveEvent(f"{namespace}-{number}", "beat", {"now": self._now()})
                    continue
                kind = "change" if number else "snapshot"
                number, state = newer
                if data := difference(seen, state):
                    yield LiveEvent(f"{namespace}-{number}", kind, {**data, "now": self._now()})
                seen = state
        finally:
            channel.followers -= 1
            if not channel.followers and channel.task is not None:
                channel.task.cancel()
                self._channels.pop(key, None)

    def watched(self) -> Mapping[str, int]:
        """Followers by namespace."""
        found: dict[str, int] = {}
        for (name, _), channel in self._channels.items():
            found[name] = found.get(name, 0) + channel.followers
        return found

    async def close(self) -> None:
        """Stops looking."""
        for channel in self._channels.values():
            if channel.task is not None:
                channel.task.cancel()

    def _make_channel(self) -> _Channel:
        """What does not move is there from the start, also while the database is away."""
        return _Channel(state={"patience": self._patience.model_dump()})

    def _now(self) -> str:
        return iso(self._wall())

    async def _newer(self, channel: _Channel, number: int) -> tuple[int, Sections] | None:
        """The state after this one with its number; None when none comes before a heartbeat."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.beat_s), channel.changed:
                await channel.changed.wait_for(lambda: channel.number > number)
                return channel.number, channel.state
        return None

    async def _watch(self, namespace: str, reach: Reach, channel: _Channel) -> None:
        samples: deque[Sample] = deque(maxlen=RATE_SAMPLES)
        troubled = False
        look = 0
        while True:
            try:
                state = await self._look(namespace, reach, samples, channel.state, look)
                look += 1
                if troubled:
                    log.info("live.recovered", namespace=namespace)
                troubled = False
            except (Unavailable, UnknownNamespace) as error:
                if not troubled:
                    log.warning("live.no_database", namespace=namespace, error=str(error))
                troubled = True
                state = {**channel.state, "trouble": "database"}
            async with channel.changed:
                channel.state = state
                channel.number += 1
                channel.changed.notify_all()
            await asyncio.sleep(self._parts.poll_s)

    async def _look(
        self,
        namespace: str,
        reach: Reach,
        samples: deque[Sample],
        before: Sections,
        look: int,
    ) -> Sections:
        async with self._parts.database.reading(namespace, reach.stems()) as reader:
            parts = self._parts
            view = View(reader, await read_clock(reader), parts.domains, reach, parts.titles)
            state = await moving_parts(view)
            intake = await reader.row(IntakeRow, "intake")
            figures = before.get("figures")
            if figures is None or look % FIGURES_EVERY == 0:
                figures = await newest_figures(view)
        received = state["ledger"]["received"]
        samples.append(Sample(time.monotonic(), view.as_of, received))
        taken_ms = None if intake is None else intake.append_ms
        return {
            **state,
            "rates": rates(samples),
            "figures": figures,
            "trouble": None,
            "looked": self._now(),
            "taken": None if taken_ms is None else iso(from_ms(taken_ms)),
            "patience": before["patience"],
        }


async def moving_parts(view: View) -> dict[str, Any]:
    """Everything on the page that moves, as plain JSON by section."""
    risks = await view.reader.rows(RiskRow, "risks")
    open_counts = await view.reader.rows(AlertCountRow, "alert_counts")
    (ledger,) = await view.reader.rows(
        LedgerCounts, "ledger_totals", areas=None, domain=None, source=None
    )
    return {
        "freshness": view.freshness().model_dump(mode="json"),
        "areas": {row.area: risk(row) for row in risks},
        "alerts": [
            item.model_dump(mode="json") for item in await open_alerts(view, limit=OPEN_SHOWN)
        ],
        "open": [
            {
                "rank": c.severity,
                "state": c.state,
                "alerts": c.alerts,
                "stale": c.stale,
                "unverified": c.unverified,
            }
            for c in open_counts
        ],
        "incidents": (await screen_of(view)).model_dump(mode="json", exclude={"freshness"}),
        "ledger": counts(ledger).model_dump(),
    }


def risk(row: RiskRow) -> dict[str, Any]:
    """The moving part of an area; `domains`: rank, open and stale alerts of each."""
    return {
        "rank": row.severity,
        "led_by": row.led_by,
        "unknown": row.unknown,
        "open": row.open_alerts,
        "stale": row.stale_alerts,
        "compound": bool(row.detail.get("compound", False)),
        "domains": {
            one["domain"]: {"rank": one["severity"], "open": one["open"], "stale": one["stale"]}
            for one in row.detail.get("domains", ())
        },
    }


async def newest_figures(view: View) -> list[dict[str, Any]]:
    """The newest fact of every indicator, period and area above the counties."""
    wanted = [
        (item.indicator, period)
        for domain in view.domains.values()
        for item in catalogue(domain)
        for period in item.periods
    ]
    rows = await read_newest(view.reader, wanted, ["province", "city"])
    return [fact_item(row).model_dump(mode="json") for row in rows]


async def read_newest(
    reader: Reader,
    wanted: list[tuple[str, str]],
    levels: list[str] | None = None,
    areas: list[str] | None = None,
) -> list[FactRow]:
    """The newest fact in force of every wanted (indicator, period) and area."""
    return await reader.rows(
        FactRow,
        "newest_facts",
        indicators=[indicator for indicator, _ in wanted],
        periods=[period for _, period in wanted],
        levels=levels,
        areas=areas,
    )


def rates(samples: deque[Sample]) -> dict[str, float | None]:
    """Readings a second, and how many seconds of processing time pass in one (the speed)."""
    first, last = samples[0], samples[-1]
    wall = last.at_s - first.at_s
    if wall <= 0:
        return {"readings_per_s": None, "speed": None}
    speed = None
    if first.as_of is not None and last.as_of is not None:
        speed = round((last.as_of - first.as_of).total_seconds() / wall, 1)
    return {"readings_per_s": round((last.received - first.received) / wall, 1), "speed": speed}


def difference(old: Sections, new: Sections) -> dict[str, Any]:
    """The sections that changed; of `areas` only the areas that did. Empty when nothing did."""
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    if "areas" in old and "areas" in changed:
        before = old["areas"]
        changed["areas"] = {c: r for c, r in new["areas"].items() if before.get(c) != r}
    return changed
