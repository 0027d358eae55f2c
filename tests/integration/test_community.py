"""What only the community edition does: compression, its policies, the continuous aggregate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from streams.contracts.domain import DAY_MS, HOUR_MS
from streams.contracts.outcome import LEDGER_COLUMNS, FlagChanges, LateRows, Windows
from streams.contracts.reason import NamespaceKind
from streams.storage.chunks import list_chunks
from streams.storage.connect import connect
from streams.storage.fit import StoreKind
from streams.storage.keeping import SPARE_DAYS, Keeping
from streams.storage.late import merge_late
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.readings import write_flags, write_windows
from streams.storage.upkeep import Upkeep
from tests.support.community import connected

pytestmark = pytest.mark.integration

NAMESPACE = "city"
START = 1_785_600_000_000 - 90 * DAY_MS  # a midnight in Asia/Shanghai
DAYS, SENSORS = 5, 20
NOW = START + 30 * DAY_MS
POLICIES = """
select hypertable_name, config ->> 'compress_after' from timescaledb_information.jobs
where proc_name in ('policy_compression', 'policy_columnstore') order by 1
"""
FILL = """
insert into observation (t, position, value, sensor, property, flag)
select at_ms(%s) + minute * interval '10 minutes', minute, 100 * sensor + minute %% 7, sensor, 1, 1
from generate_series(0, %s - 1) as minute, generate_series(1, %s) as sensor
"""
FILL_WINDOWS = """
insert into observation_window (size_s, sensor, property, start, n, bad, total, low, high)
select 3600, sensor, 1, date_trunc('hour', t), count(*), 0, sum(value), min(value), max(value)
from observation group by sensor, date_trunc('hour', t)
"""
COMPRESS = """
select public.compress_chunk(chunk) from public.show_chunks('{}') as chunk
"""
ALL = "select ms_of(t), sensor, value, flag from observation order by 1, 2"
ROLLUP = """
select period_s, sensor, ms_of(start), n, bad, total, low, high from sensor_rollup order by 1, 2, 3
"""
BY_HAND = """
select p.period_s, w.sensor, ms_of(date_trunc(p.unit, w.start, 'Asia/Shanghai')) as begins,
    sum(w.n), sum(w.bad), sum(w.total)::bigint, min(w.low), max(w.high)
from observation_window w, (values (3600, 'hour'), (86400, 'day')) as p (period_s, unit)
where w.size_s = 3600 group by 1, 2, 3 order by 1, 2, 3
"""


@pytest.fixture
def city(community_url: str) -> Iterator[str]:
    """A live namespace with five days of twenty sensors."""
    done = migrate(community_url, NAMESPACE, NamespaceKind.LIVE, domains={}, keeping=Keeping())
    assert done.store.kind is StoreKind.COMMUNITY
    with connect(community_url, NAMESPACE) as connection:
        connection.execute(FILL, (START, DAYS * 144, SENSORS))
        connection.execute(FILL_WINDOWS)
    yield community_url
    with connect(community_url, NAMESPACE) as connection:
        connection.execute("update namespace set kind = 'drill'")  # so that it may go
    drop_namespace(community_url, NAMESPACE)


def ask(conninfo: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(conninfo, NAMESPACE) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def compress(conninfo: str, table: str) -> None:
    assert ask(conninfo, COMPRESS.format(table))
    with connect(conninfo, NAMESPACE) as connection:
        assert all(chunk.compressed for chunk in list_chunks(connection, table))


def opened(conninfo: str, at_ms: int) -> int:
    """Rows of the chunk of this time that are not compressed any more."""
    with connect(conninfo, NAMESPACE) as connection:
        (chunk,) = (
            c for c in list_chunks(connection, "observation") if c.start_ms <= at_ms < c.end_ms
        )
    (row,) = ask(conninfo, f"select count(*) from only {chunk.schema}.{chunk.name}")
    return int(row[0])


def refresh(conninfo: str) -> None:
    with connect(conninfo, NAMESPACE, autocommit=True) as connection:
        connection.execute(
            "call public.refresh_continuous_aggregate('sensor_day_recent', null, null)"
        )


def test_policies_follow_the_settings(city: str) -> None:
    def set_days(days: int) -> list[tuple[Any, ...]]:
        keeping = Keeping(compress_after_days=days)
        migrate(city, NAMESPACE, NamespaceKind.LIVE, domains={}, keeping=keeping)
        return ask(city, POLICIES)

    assert ask(city, POLICIES) == [("observation", "7 days"), ("observation_window", "7 days")]
    assert [days for _, days in set_days(30)] == ["30 days", "30 days"]
    migrate(city, NAMESPACE, NamespaceKind.LIVE, domains={})
    assert len(ask(city, POLICIES)) == 2, "who does not say anything changes nothing"
    assert set_days(0) == []
    refreshing = ask(
        city,
        "select count(*) from timescaledb_information.jobs"
        " where proc_name = 'policy_refresh_continuous_aggregate'",
    )
    assert refreshing == [(1,)]


def test_late_rows_meet_what_is_compressed(city: str) -> None:
    before = {(t, sensor): (value, flag) for t, sensor, value, flag in ask(city, ALL)}
    compress(city, "observation")
    assert len(ask(city, ALL)) == len(before)
    same, other, new, old = (START, 3), (START + DAY_MS, 4), (START + 1, 3), (START - DAY_MS, 5)
    rows = [(*same, before[same][0]), (*other, 777), (*new, 5), (*old, 6)]
    with connected(city, NAMESPACE) as connection, connection.cursor() as cursor:
        ledger, marks = merge_late(cursor, late(rows))
        changes = FlagChanges(
            np.array([3], np.int32),
            np.array([1], np.int16),
            np.array([START + 600_000], np.int64),
            np.array([4], np.int8),
        )
        write_flags(cursor, [changes])
    counts = dict(zip(LEDGER_COLUMNS, ledger["330102", "d", "s"].tolist(), strict=True))
    assert (counts["duplicate"], counts["stored"], counts["revised"]) == (1, 3, 1)
    assert len(marks) == 3
    wanted = before | {other: (777, 1), new: (5, 1), old: (6, 1)}
    wanted[START + 600_000, 3] = (before[START + 600_000, 3][0], 4)
    found = {(t, sensor): (value, flag) for t, sensor, value, flag in ask(city, ALL)}
    assert found == wanted
    assert ask(city, "select sensor, old_value, value from observation_revision") == [
        (4, before[other][0], 777)
    ]
    assert 1 <= opened(city, other[0]) <= 144, "of the sensor's rows in that chunk, no others"


def test_days_of_sensors_come_from_the_aggregate_and_follow_revisions(city: str) -> None:
    assert ask(city, ROLLUP) == ask(city, BY_HAND), "before it is refreshed"
    refresh(city)
    assert len(ask(city, "select 1 from sensor_day_recent")) == DAYS * SENSORS
    assert ask(city, ROLLUP) == ask(city, BY_HAND)
    compress(city, "observation_window")
    with connected(city, NAMESPACE) as connection, connection.cursor() as cursor:
        write_windows(cursor, [windows([(2, START + HOUR_MS, 6, 0), (7, START, 0, 0)])])
    refresh(city)
    found = ask(city, ROLLUP)
    assert found == ask(city, BY_HAND)
    assert (3600, 2, START + HOUR_MS, 6, 0, 6000, 900, 1100) in found
    assert not [row for row in found if row[:3] == (3600, 7, START)]


def test_what_is_rolled_up_outlives_windows_and_refreshes(city: str) -> None:
    refresh(city)
    compress(city, "observation")
    rollup = ask(city, ROLLUP)
    keeping = Keeping(readings_days=27, windows_days=15)
    with closing(Upkeep(city, NAMESPACE, {}, keeping, now_ms=lambda: NOW)) as upkeep:
        done = upkeep.run()
    assert done.days_rolled == 2 * (30 - SPARE_DAYS), "hours and days, as long as nothing revises"
    assert ask(city, "select count(*) from observation_window") == [(0,)]
    assert done.indexed == 0, "chunks that are compressed need no index"
    oldest = ask(city, "select ms_of(min(t)) from observation")
    assert START < oldest[0][0] <= NOW - (27 + SPARE_DAYS) * DAY_MS
    refresh(city)
    assert ask(city, ROLLUP) == rollup


def test_a_namespace_leaves_nothing_behind(community_url: str) -> None:
    migrate(community_url, "gone", NamespaceKind.LIVE, domains={}, keeping=Keeping())
    with connect(community_url, "gone") as connection:
        connection.execute(FILL, (START, 288, 2))
        connection.execute("update namespace set kind = 'drill'")
    drop_namespace(community_url, "gone")
    with connect(community_url, "pg_catalog") as connection:
        for table in ("hypertable", "chunk", "continuous_agg"):
            left = connection.execute(f"select count(*) from _timescaledb_catalog.{table}".encode())
            assert left.fetchone() == (0,), table


def late(rows: list[tuple[int, int, int]]) -> LateRows:
    count = len(rows)
    time_ms, sensor, value = zip(*rows, strict=True)
    return LateRows(
        time_ms=np.array(time_ms, np.int64),
        sensor=np.array(sensor, np.int32),
        property=np.ones(count, np.int16),
        value=np.array(value, np.int64),
        flag=np.ones(count, np.int8),
        position=np.full(count, 9, np.int64),
        name=np.zeros(count, np.int32),
        names=(("330102", "d", "s"),),
    )


def windows(rows: list[tuple[int, int, int, int]]) -> Windows:
    """(sensor, start, n, bad) of an hour; every reading is 1,000, give or take 100."""
    sensor, start, n, bad = (np.array(column) for column in zip(*rows, strict=True))
    return Windows(
        size_s=np.full(len(rows), 3600, np.int32),
        sensor=sensor.astype(np.int32),
        property=np.ones(len(rows), np.int16),
        start_ms=start.astype(np.int64),
        n=n.astype(np.int32),
        bad=bad.astype(np.int32),
        total=(1000 * n).astype(np.int64),
        low=np.full(len(rows), 900, np.int64),
        high=np.full(len(rows), 1100, np.int64),
    )
