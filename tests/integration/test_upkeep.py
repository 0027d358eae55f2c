"""Days are rolled up when they are settled, old rows go, and what was told of them stays."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from streams.contracts.domain import DAY_MS, HOUR_MS
from streams.storage.chunks import list_chunks
from streams.storage.connect import connect
from streams.storage.fit import StoreKind, detect
from streams.storage.keeping import Keeping
from streams.storage.upkeep import TRY_LOCK, Kept, Upkeep
from tests.integration.test_recompute import (
    DOMAINS,
    THREE_DAYS_AGO,
    TODAY,
    YEAR_AGO,
    City,
    play_on_time,
)
from tests.support.toy_level import COUNTIES

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

NOW = TODAY + DAY_MS + HOUR_MS
ROLLUP = """
select period_s, sensor, property, ms_of(start), n, bad, total, low, high from sensor_rollup
order by 1, 2, 3, 4
"""
BY_HAND = """
select p.period_s, o.sensor, o.property, ms_of(date_trunc(p.unit, o.t, 'Asia/Shanghai')) as begins,
    count(*) filter (where o.flag <= 2), count(*) filter (where o.flag > 2),
    coalesce(sum(o.value) filter (where o.flag <= 2), 0)::bigint,
    min(o.value) filter (where o.flag <= 2), max(o.value) filter (where o.flag <= 2)
from observation o, (values (3600, 'hour'), (86400, 'day')) as p (period_s, unit)
where o.t < at_ms(%s) group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
FACTS = """
select indicator, area, period, start, revision, value, numerator, denominator from fact
where known_to is null order by 1, 2, 3, 4
"""
OLD = "select count(*) from {} where {} < at_ms(%s)"


@pytest.fixture
def city(database_url: str, namespace: str) -> Iterator[City]:
    """Days of a year, worked off, in a namespace that upkeep takes for a live one."""
    made = City(database_url, namespace)
    with closing(made.log):
        play_on_time(made, random.Random(3))
        made.run()
        with connect(database_url, namespace) as connection:
            connection.execute("update namespace set kind = 'live'")
        yield made


def upkeep(city: City, keeping: Keeping | None = None, **changes: float) -> Upkeep:
    return Upkeep(
        city.conninfo,
        city.namespace,
        DOMAINS,
        keeping or Keeping(),
        now_ms=lambda: NOW,
        **changes,
    )


def once(city: City, keeping: Keeping | None = None) -> Kept:
    with closing(upkeep(city, keeping)) as worker:
        return worker.run()


def send_late(city: City) -> None:
    """A reading of a year ago in each county, beyond every horizon."""
    for area in COUNTIES:
        city.send(area, NOW, [(f"s{area}-0", YEAR_AGO + 90_000, 79.9)])
    city.tick(NOW + HOUR_MS)
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("update namespace set kind = 'simulated'")
    city.run()
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("update namespace set kind = 'live'")


def rows_before(city: City, table: str, column: str, before_ms: int) -> int:
    (row,) = city.query(OLD.format(table, column), (before_ms,))
    return int(row[0])


def test_settled_days_are_rolled_up_and_again_after_late_rows(city: City) -> None:
    assert city.query(ROLLUP) == city.query(BY_HAND, (NOW,)), "from the windows alone"
    assert once(city).days_rolled > 0
    rolled = city.query("select count(*), max(ms_of(start)) from observation_rollup")
    assert rolled[0][0] > 0
    assert YEAR_AGO <= rolled[0][1] < TODAY
    assert city.query(ROLLUP) == city.query(BY_HAND, (NOW,))
    send_late(city)
    assert city.query(ROLLUP) == city.query(BY_HAND, (NOW,)), "late rows are in the days"
    assert once(city).days_rolled == 0, "nothing is left to do"


def test_readings_go_and_late_ones_of_gone_days_change_nothing(city: City) -> None:
    facts, rollup = city.query(FACTS), city.query(ROLLUP)
    kept = rows_before(city, "observation", "t", NOW)
    old = rows_before(city, "observation", "t", YEAR_AGO + 2 * DAY_MS)
    assert 0 < old < kept
    assert once(city, Keeping(readings_days=30)).gone > 0
    assert rows_before(city, "observation", "t", NOW) == kept - old
    assert city.query(FACTS) == facts
    assert city.query(ROLLUP) == rollup
    send_late(city)
    assert city.query("select count(*) from late_mark") == [(0,)]
    assert rows_before(city, "observation", "t", YEAR_AGO + 2 * DAY_MS) == len(COUNTIES)
    assert city.query(FACTS) == facts, "a day of which one reading is left is not told anew"
    assert city.query(ROLLUP) == rollup
    assert once(city, Keeping(readings_days=30)).gone > 0
    assert rows_before(city, "observation", "t", NOW) == kept - old


def test_windows_go_when_hours_and_days_of_them_are_kept(city: City) -> None:
    rollup = city.query(ROLLUP)
    assert once(city, Keeping(windows_days=30)).gone > 0
    assert rows_before(city, "observation_window", "start", YEAR_AGO + 2 * DAY_MS) == 0
    assert rows_before(city, "observation_window", "start", NOW) > 0
    assert city.query(ROLLUP) == rollup


def test_health_of_sensors_goes_by_day(city: City) -> None:
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("delete from sensor_health")
        connection.execute(
            "insert into sensor_health select 1, 1, at_ms(day), 24, 24, 24, 0, 24, 24, 0, 100"
            " from unnest(%s::bigint[]) as day",
            ([YEAR_AGO, THREE_DAYS_AGO, TODAY],),
        )
    assert once(city, Keeping(health_days=30)).gone == 1
    days = city.query("select ms_of(day_start) from sensor_health order by 1")
    assert days == [(THREE_DAYS_AGO,), (TODAY,)]


def test_closed_chunks_are_indexed(city: City) -> None:
    done = once(city, Keeping(compress_after_days=0))
    with connect(city.conninfo, city.namespace) as connection:
        chunks = list_chunks(connection, "observation")
        chunked = detect(connection).kind is not StoreKind.PLAIN
        assert bool(chunks) is chunked
        closed = [chunk for chunk in chunks if chunk.end_ms <= NOW - DAY_MS]
        indexed = connection.execute(
            "select count(*) from pg_indexes where tablename = any(%s) and indexdef like %s",
            ([chunk.name for chunk in chunks], "%(sensor, property, t)%"),
        ).fetchone()
    assert done.indexed == len(closed)
    assert indexed == (len(closed),)
    assert len(chunks) > len(closed) or not chunked


def test_nothing_is_kept_up_where_it_must_not_be(city: City) -> None:
    everything = Keeping(30, 30, 30)
    with connect(city.conninfo, city.namespace, autocommit=True) as connection:
        connection.execute(TRY_LOCK, (city.namespace,))
        assert once(city, everything) == Kept(), "another worker is at it"
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("update namespace set kind = 'replay'")
    assert once(city, everything) == Kept(), "a replay has no age"


def test_it_works_in_its_own_thread_until_it_is_closed(city: City) -> None:
    worker = upkeep(city, every_s=0.0)
    deadline = time.monotonic() + 60
    while not city.query("select 1 from rolled where until is not null"):
        assert worker.step() == 0
        assert time.monotonic() < deadline
    worker.close()
    assert city.query("select count(*) > 0 from observation_rollup") == [(True,)]
