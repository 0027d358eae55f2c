"""Old recordings in a live namespace: they make and revise figures, and notify nobody."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from streams.catalog import Registry
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import Frame
from streams.contracts.reason import NamespaceKind, Origin
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.small_city import COUNTIES, DOMAINS, START_MS, frame_of, registry

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

HOUR_MS = 3_600_000
NOW_MS = START_MS + 90 * 24 * HOUR_MS


class Live:
    """A live namespace of the small city."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace, self.number = conninfo, namespace, 0
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
        with connect(conninfo, namespace) as connection:
            self.registry: Registry = save_registry(connection, registry(2))
        control = encode_control("registry", self.registry.version, NOW_MS)
        with closing(PostgresLog(conninfo, namespace)) as log:
            for partition in range(2):
                log.append(partition, [control])

    def send(self, frames: Sequence[Frame], tick_ms: int) -> None:
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            for frame in frames:
                log.append(self.registry.partitions[frame.area], [encode(frame)])
            for partition in range(2):
                log.append(partition, [encode_tick(tick_ms)])
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def frame(self, county: str, ingest_ms: int, start_ms: int, depth: float) -> Frame:
        self.number += 1
        rows = [
            (f"{county}-p{n}", "depth", start_ms + minute * 60_000, depth)
            for n in range(3)
            for minute in range(30)
        ]
        return frame_of(county, "waterlogging", self.number, ingest_ms, rows)

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()

    def flooded(self) -> dict[str, tuple[str, int]]:
        found = self.query(
            "select area, value, revision from fact where known_to is null"
            f" and indicator = 'waterlogging.flooded_points' and ms_of(start) = {START_MS}"
        )
        return {area: (value, revision) for area, value, revision in found}


def old(frame: Frame) -> Frame:
    return replace(frame, origin=Origin.REPLAYED, backfill=True)


def test_a_backfill_alone_makes_figures_and_no_message(database_url: str, namespace: str) -> None:
    live = Live(database_url, namespace)
    frames = [old(live.frame(c, NOW_MS, START_MS + HOUR_MS, 0.6)) for c in COUNTIES[:2]]
    live.send(frames, NOW_MS + HOUR_MS)
    assert live.query("select sum(stored), sum(late) from ledger") == [(180, 180)]
    assert {area: value for area, (value, _) in live.flooded().items()} == {
        COUNTIES[0]: "3", COUNTIES[1]: "3", "330100": "6", "330000": "6",
    }  # fmt: skip
    assert live.query("select count(*) from alert") == [(0,)]
    assert live.query("select count(*) from outbox") == [(0,)]


def test_a_backfill_beside_live_input_revises_and_notifies_nobody(
    database_url: str, namespace: str
) -> None:
    live = Live(database_url, namespace)
    on_time = [
        live.frame(county, start + 31 * 60_000, start, 0.2 if start == START_MS else 0.0)
        for start in (START_MS, START_MS + 26 * HOUR_MS)
        for county in COUNTIES[:1]
    ]
    live.send(on_time, START_MS + 28 * HOUR_MS)
    assert live.flooded()[COUNTIES[0]] == ("3", 1)
    before = live.query("select id from alert order by id")
    assert before, "the live water raised its own alerts"
    sent = live.query("select count(*) from outbox")
    later = START_MS + 28 * HOUR_MS
    live.send([old(live.frame(COUNTIES[1], later, START_MS + HOUR_MS, 0.9))], later + HOUR_MS)
    assert live.flooded()["330100"] == ("6", 2)
    assert live.query("select id from alert order by id") == before
    assert live.query("select count(*) from outbox") == sent


def test_a_recording_that_is_no_declared_backfill_is_refused(
    database_url: str, namespace: str
) -> None:
    live = Live(database_url, namespace)
    frame = replace(live.frame(COUNTIES[0], NOW_MS, START_MS, 0.6), origin=Origin.REPLAYED)
    live.send([frame], NOW_MS + HOUR_MS)
    assert live.query("select reason, count(*) from dead_letter group by 1") == [
        ("origin_refused", 1)
    ]
    assert live.query("select sum(received), sum(rejected), sum(stored) from ledger") == [
        (90, 90, 0)
    ]
