"""What a domain learnt is in force in days that are made again: as if late rows had come in time.

Traffic, two links, one without a registered free flow: two nights teach it, so it counts from the
third day on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest
from psycopg import sql

from streams.catalog import Profile
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import DAY_MS, HOUR_MS
from streams.contracts.reason import NamespaceKind, Origin
from streams.domains.traffic import DOMAIN
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.registry import save_profile, save_registry
from tests.support.namespace import make_namespace
from tests.support.small_city import START_MS
from tests.support.traffic_area import FIVE_MIN_MS, Reading, frame, link, registry_of

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

DOMAINS = {"traffic": DOMAIN}
LINKS = (link("a"), link("b", free_flow_kmh=""))
SLOW_HOURS = (8, 17)
PER_HOUR = 4
DAYS = 4
ON_WHICH_DAYS = (1, 2, 3)  # late rows: before it was learnt, on the first day of it, on the last
# Five-minute results and episodes are not made again from the store; quality's tickets neither.
HOURS_AND_DAYS = """
select kind, point, ms_of(start), payload from point_result
where kind in ('traffic.link.hour', 'traffic.free_flow') order by 1, 2, 3
"""
FACTS = """
select indicator, area, ms_of(start), value, numerator, denominator, have, want, detail from fact
where known_to is null and period in ('hour', 'day') order by 1, 2, 3
"""


def readings(day: int, hour: int) -> list[Reading]:
    """Some intervals of both links: slow in the rush hours, otherwise 50 to 60 km/h."""
    found = []
    for number in range(PER_HOUR):
        time_ms = START_MS + day * DAY_MS + hour * HOUR_MS + number * 3 * FIVE_MIN_MS
        speed = (18 if hour in SLOW_HOURS else 50) + (7 * hour + 3 * number + day) % 11
        found += [Reading(name, "speed", time_ms, speed) for name in ("a", "b")]
    return found


def late(day: int) -> list[Reading]:
    """Half of the readings of a rush hour, at times where none were before."""
    start = START_MS + day * DAY_MS + SLOW_HOURS[0] * HOUR_MS + FIVE_MIN_MS
    return [
        Reading(name, "speed", start + number * 3 * FIVE_MIN_MS, 5 + number)
        for number in range(PER_HOUR)
        for name in ("a", "b")
    ]


class City:
    """A namespace with one county of two links."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        make_namespace(conninfo, namespace, NamespaceKind.SIMULATED, DOMAINS, partitions=1)
        profile = Profile("learn", {"traffic.free_flow.least_values": "40"})
        with connect(conninfo, namespace) as connection:
            registry = save_registry(connection, registry_of(LINKS))
            save_profile(connection, profile)
        self.log = PostgresLog(conninfo, namespace)
        self.frames = 0
        versions = (("profile", profile.version), ("registry", registry.version))
        self.log.append(0, [encode_control(kind, found, START_MS) for kind, found in versions])

    def send(self, ingest_ms: int, rows: Sequence[Reading]) -> None:
        self.frames += 1
        sent = frame(self.frames, ingest_ms, "traffic", rows)
        assert sent.frame is not None
        self.log.append(0, [encode(replace(sent.frame, origin=Origin.SIMULATED))])

    def play(self, with_late_rows: bool) -> None:
        """Four days hour by hour, and the hour after; the late rows in their hours or not."""
        for day in range(DAYS):
            for hour in range(24):
                rows = readings(day, hour)
                if with_late_rows and day in ON_WHICH_DAYS and hour == SLOW_HOURS[0]:
                    rows += late(day)
                self.send(START_MS + day * DAY_MS + (hour + 1) * HOUR_MS, rows)
        self.send(START_MS + DAYS * DAY_MS + HOUR_MS, readings(DAYS, 0))
        self.log.append(0, [encode_tick(START_MS + DAYS * DAY_MS + 2 * HOUR_MS)])

    def run(self) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def cities(database_url: str, namespace: str) -> Iterator[tuple[City, City]]:
    """Two cities beside each other."""
    with ExitStack() as stack:
        found = [City(database_url, name) for name in (namespace, f"{namespace}_b")]
        for city in found:
            stack.enter_context(closing(city.log))
        yield found[0], found[1]
        with connect(database_url, namespace) as connection:
            name = sql.Identifier(f"{namespace}_b")
            connection.execute(sql.SQL("drop schema {} cascade").format(name))


def known(city: City) -> dict[int, tuple[int, int]]:
    """By day: hours with a learnt link, hours without one, from the facts of the county."""
    rows = city.query(
        "select ms_of(start), (detail->'free_flow'->>'learnt')::int from fact"
        " where indicator = 'traffic.tti.hour' and area = '330106' and known_to is null"
    )
    days: dict[int, tuple[int, int]] = {}
    for start, learnt in rows:
        day = (start - START_MS) // DAY_MS
        with_one, without = days.get(day, (0, 0))
        days[day] = (with_one + learnt, without + 1 - learnt)
    return days


def test_days_made_again_from_the_store_know_what_was_learnt(cities: tuple[City, City]) -> None:
    punctual, tardy = cities
    punctual.play(with_late_rows=True)
    punctual.run()
    tardy.play(with_late_rows=False)
    tardy.run()
    assert known(tardy) == {0: (0, 24), 1: (0, 24), 2: (24, 0), 3: (24, 0)}
    before = tardy.query(FACTS)
    for number, day in enumerate(ON_WHICH_DAYS):
        tardy.send(START_MS + DAYS * DAY_MS + 3 * HOUR_MS + number * 1000, late(day))
    tardy.log.append(0, [encode_tick(START_MS + DAYS * DAY_MS + 4 * HOUR_MS)])
    punctual.log.append(0, [encode_tick(START_MS + DAYS * DAY_MS + 4 * HOUR_MS)])
    for city in cities:
        city.run()
    assert tardy.query("select sum(late) from ledger") == [(24,)]
    assert tardy.query("select count(*) from late_mark") == [(0,)]
    assert tardy.query(FACTS) != before
    assert tardy.query(HOURS_AND_DAYS) == punctual.query(HOURS_AND_DAYS)
    assert tardy.query(FACTS) == punctual.query(FACTS)
    assert known(tardy) == known(punctual)
