"""Late is not lost: readings 1 h, 3 days and 1 year late end in the same facts as brute force."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import DAY_MS, HOUR_MS, day_start
from streams.contracts.frame import Frame
from streams.contracts.reason import NamespaceKind, Origin
from streams.log import OBSERVATION_TOPIC
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.recompute import Recomputer
from streams.storage.registry import save_registry
from tests.support.namespace import make_namespace
from tests.support.toy_level import COUNTIES, DOMAIN, small_registry

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

DOMAINS = {"toy": DOMAIN}
NOW = day_start(1_781_000_000_000) + 10 * HOUR_MS  # 10:00 in Asia/Shanghai
YEAR_AGO, THREE_DAYS_AGO, TODAY = (day_start(NOW - n * DAY_MS) for n in (365, 3, 0))
CLOSED = TODAY + DAY_MS + HOUR_MS

# What the facts should say, straight from the stored readings.
BRUTE_FORCE = """
select a.code,
       (floor(ms_of(o.t + interval '8 hours')::numeric / %(size)s)::bigint * %(size)s)
           - 28800000 as start,
       sum(o.value), count(*), max(o.value)
from observation o
join point_sensor s on s.sensor = o.sensor
join point p on p.id = s.point
join area c on c.code = p.area
join area i on i.code = c.parent
join area a on a.code in (c.code, i.code, i.parent)
where o.flag <= 2
group by 1, 2
having (floor(ms_of(min(o.t) + interval '8 hours')::numeric / %(size)s)::bigint + 1) * %(size)s
           - 28800000 <= %(closed)s
order by 1, 2
"""
FACTS = """
select area, ms_of(start), numerator, denominator, (detail->>'high')::bigint, value
from fact where indicator = %s and known_to is null order by 1, 2
"""
BRUTE_WINDOWS = """
select sensor, ms_of(t) / 3600000 * 3600000 as start, count(*) filter (where flag <= 2),
       count(*) filter (where flag > 2), coalesce(sum(value) filter (where flag <= 2), 0),
       min(value) filter (where flag <= 2), max(value) filter (where flag <= 2)
from observation group by 1, 2
having ms_of(min(t)) / 3600000 * 3600000 + 3600000 <= %s order by 1, 2
"""
WINDOWS = """
select sensor, ms_of(start), n, bad, total, low, high from observation_window
where size_s = 3600 order by 1, 2
"""


class City:
    """A namespace of the toy domain with its log."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        make_namespace(conninfo, namespace, NamespaceKind.SIMULATED, DOMAINS, partitions=2)
        with connect(conninfo, namespace) as connection:
            self.registry = save_registry(connection, small_registry())
        self.log = PostgresLog(conninfo, namespace)
        self.frames = 0
        control = encode_control("registry", self.registry.version, YEAR_AGO - DAY_MS)
        for partition in range(2):
            self.log.append(partition, [control])

    def send(self, area: str, ingest_ms: int, rows: list[tuple[str, int, float]]) -> None:
        """One frame of (sensor, event time, value)."""
        sensors = tuple(sorted({name for name, _, _ in rows}))
        self.frames += 1
        frame = Frame(
            source="gw",
            id=f"f{self.frames}",
            domain="toy",
            area=area,
            origin=Origin.SIMULATED,
            ingest_ms=ingest_ms,
            sensors=sensors,
            properties=("toy_level",),
            units=None,
            sensor=np.array([sensors.index(name) for name, _, _ in rows], np.int32),
            property=np.zeros(len(rows), np.int32),
            time_ms=np.array([at for _, at, _ in rows], np.int64),
            value=np.array([value for _, _, value in rows], np.float64),
        )
        self.log.append(self.registry.partitions[area], [encode(frame)])

    def tick(self, at_ms: int) -> None:
        for partition in range(2):
            self.log.append(partition, [encode_tick(at_ms)])

    def run(self) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def query(self, statement: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture
def city(database_url: str, namespace: str) -> Iterator[City]:
    made = City(database_url, namespace)
    with closing(made.log):
        yield made


def play_on_time(city: City, rng: random.Random) -> None:
    """Three days of a year, hour by hour, two of three gauges in time; then midnight passes."""
    for day, hours in ((YEAR_AGO, 24), (THREE_DAYS_AGO, 24), (TODAY, 24)):
        for hour in range(hours):
            for area in COUNTIES:
                at = day + hour * HOUR_MS
                rows = [
                    (f"s{area}-{gauge}", at + minute * 60_000, rng.randrange(0, 800) / 10)
                    for gauge in range(2)
                    for minute in (5, 25)
                ]
                city.send(area, at + 26 * 60_000, rows)
    for area in COUNTIES:
        at = CLOSED + 5 * 60_000
        city.send(area, at, [(f"s{area}-0", at, 1.0)])
    city.tick(CLOSED + 10 * 60_000)


def late_rows(area: str, rng: random.Random) -> list[tuple[str, int, float]]:
    """New, repeated and changed readings 1 h, 3 days and 1 year late."""
    found = []
    for at in (CLOSED - 90 * 60_000, THREE_DAYS_AGO + 7 * HOUR_MS, YEAR_AGO + 23 * HOUR_MS):
        for gauge in range(3):
            found.append((f"s{area}-{gauge}", at + 5 * 60_000, rng.randrange(0, 9000) / 10))
        found.append((f"s{area}-2", at + 20 * 60_000, 999.9))
    return found


def check_facts(city: City) -> None:
    for indicator, size in (("toy.hour", HOUR_MS), ("toy.day", DAY_MS)):
        brute = city.query(BRUTE_FORCE, {"size": size, "closed": CLOSED})
        wanted = [
            (area, start, str(total), str(count), high, f"{mean.numerator}/{mean.denominator}")
            for area, start, total, count, high in brute
            for mean in (Fraction(int(total), int(count)),)
        ]
        assert len(wanted) >= 18
        assert city.query(FACTS, (indicator,)) == wanted


def test_late_readings_end_in_the_facts_of_brute_force(city: City) -> None:
    rng = random.Random(4)
    play_on_time(city, rng)
    city.run()
    check_facts(city)
    before = city.query(FACTS, ("toy.day",))
    for number, area in enumerate(COUNTIES):
        if COUNTIES[area] == "330100":
            city.send(area, CLOSED + (20 + number) * 60_000, late_rows(area, rng))
    city.tick(CLOSED + 30 * 60_000)
    city.run()
    assert city.query("select count(*) from late_mark") == [(0,)]
    assert city.query("select sum(late), sum(revised) from ledger")[0][0] == 24
    check_facts(city)
    changed = set(city.query(FACTS, ("toy.day",))) - set(before)
    assert {(area, start) for area, start, *_ in changed} == {
        (area, day)
        for area in ("330102", "330105", "330100", "330000")
        for day in (YEAR_AGO, THREE_DAYS_AGO, TODAY)
    }
    assert city.query(WINDOWS) == city.query(BRUTE_WINDOWS, (CLOSED,))
    causes = city.query("select distinct cause from fact where revision > 1 and period = 'day'")
    assert causes == [("late",)]


def test_month_and_year_follow_the_late_day(city: City) -> None:
    rng = random.Random(5)
    play_on_time(city, rng)
    for area in COUNTIES:
        city.send(area, CLOSED + 20 * 60_000, late_rows(area, rng))
    city.tick(CLOSED + 30 * 60_000)
    city.run()
    months = city.query(
        "select sum(numerator::bigint), sum(denominator::bigint) from fact"
        " where indicator = 'toy.mean' and period = 'month' and area = '330000'"
        " and known_to is null"
    )
    days = city.query(
        "select sum(value), count(*) from observation where flag <= 2 and t < at_ms(%s)",
        (TODAY + DAY_MS,),
    )
    assert months == days


def test_recomputing_again_changes_nothing(city: City) -> None:
    play_on_time(city, random.Random(6))
    city.run()
    facts = city.query("select count(*) from fact")
    with connect(city.conninfo, city.namespace) as connection:
        for area in COUNTIES:
            connection.execute(
                "insert into late_mark values (%s, 'toy', at_ms(%s), %s, %s, 1)",
                (area, THREE_DAYS_AGO, OBSERVATION_TOPIC, city.registry.partitions[area]),
            )
    city.tick(CLOSED + 3 * HOUR_MS)
    city.run()
    assert city.query("select count(*) from late_mark") == [(0,)]
    assert city.query("select count(*) from fact") == facts


def test_recomputer_waits_for_the_partition(city: City) -> None:
    """It takes the lock that a commit holds: the two cannot interleave."""
    play_on_time(city, random.Random(6))
    city.run()
    mark = ("330102", "toy", THREE_DAYS_AGO, OBSERVATION_TOPIC, city.registry.partitions["330102"])
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("insert into late_mark values (%s, %s, at_ms(%s), %s, %s, 1)", mark)
    recomputer = Recomputer(city.conninfo, city.namespace, DOMAINS)
    with closing(recomputer), connect(city.conninfo, city.namespace) as commit:
        commit.execute(
            "select 1 from position where topic = %s and partition = %s for update", mark[3:]
        )
        recomputer._open().execute("set lock_timeout = '50ms'")
        recomputer._open().commit()
        with pytest.raises(Exception, match="lock timeout"):
            recomputer.step()
        commit.rollback()
        assert city.query("select count(*) from late_mark") == [(1,)]
        assert recomputer.step() == 1
        assert recomputer.step() == 0


REWRITABLE = {
    "observation": "sensor, ms_of(t)",
    "observation_window": "sensor, ms_of(start), size_s",
    "point_result": "kind, point, ms_of(start), period_s",
    "sensor_health": "sensor, ms_of(day_start)",
    "partial": "area, period, ms_of(start)",
    "fact": "indicator, area, period, ms_of(start), revision",
}


def row_versions(city: City) -> dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]:
    """By table and key: which version of the row is stored (it changes whenever it is written)."""
    return {
        table: {
            row[2:]: row[:2]
            for row in city.query(f"select xmin::text, ctid::text, {key} from {table}".encode())
        }
        for table, key in REWRITABLE.items()
    }


def written(
    before: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]],
    after: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]],
) -> dict[str, set[tuple[Any, ...]]]:
    return {
        table: {key for key, version in rows.items() if before[table].get(key) != version}
        for table, rows in after.items()
    }


def test_a_late_row_rewrites_only_what_it_changes(city: City) -> None:
    play_on_time(city, random.Random(7))
    city.run()
    before = row_versions(city)
    at = THREE_DAYS_AGO + 7 * HOUR_MS
    city.send("330102", CLOSED + 20 * 60_000, [("s330102-0", at + 40 * 60_000, 55.5)])
    city.tick(CLOSED + 30 * 60_000)
    city.run()
    assert city.query("select sum(late)::int from ledger") == [(1,)]
    found = written(before, row_versions(city))
    (sensor,) = city.query("select id from sensor where name = 's330102-0'")[0]
    assert found["observation"] == {(sensor, at + 40 * 60_000)}
    assert {key[:2] for key in found["observation_window"]} == {(sensor, at)}
    assert {key[:2] for key in found["sensor_health"]} <= {(sensor, THREE_DAYS_AGO)}
    assert found["partial"] == {("330102", "hour", at), ("330102", "day", THREE_DAYS_AGO)}
    assert {key[2] for key in found["point_result"]} <= {at, THREE_DAYS_AGO}
    facts = {(area, period, start) for _, area, period, start, _ in found["fact"]}
    above = {"330102", "330100", "330000"}
    assert {area for area, _, _ in facts} <= above
    assert {(period, start) for _, period, start in facts} >= {
        ("hour", at),
        ("day", THREE_DAYS_AGO),
    }
    assert {start for _, period, start in facts if period in ("hour", "day")} == {
        at,
        THREE_DAYS_AGO,
    }


def test_a_late_duplicate_rewrites_nothing(city: City) -> None:
    play_on_time(city, random.Random(8))
    city.run()
    rows = city.query(
        "select s.name, ms_of(o.t), o.value from observation o join sensor s on s.id = o.sensor"
        f" where s.name = 's330102-1' and ms_of(o.t) < {THREE_DAYS_AGO + DAY_MS} order by 2 limit 9"
    )
    before = row_versions(city)
    city.send("330102", CLOSED + 20 * 60_000, [(name, at, value / 10) for name, at, value in rows])
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute(
            "insert into late_mark values ('330102', 'toy', at_ms(%s), %s, %s, 1)",
            (THREE_DAYS_AGO, OBSERVATION_TOPIC, city.registry.partitions["330102"]),
        )
    city.tick(CLOSED + 30 * 60_000)
    city.run()
    assert city.query("select sum(duplicate)::int from ledger") == [(9,)]
    assert written(before, row_versions(city)) == {table: set() for table in REWRITABLE}
