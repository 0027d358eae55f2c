"""Late readings beside alerts, through the real worker and store, of both kinds of lateness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from api.app import create_app
from deploy.rules.explain import story_lines, tell_story
from streams.catalog import Profile
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.reason import NamespaceKind, Origin
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_profile, save_registry
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.namespace import copy_log
from tests.support.served import served
from tests.support.small_city import COUNTIES, DOMAINS, frame_of, registry
from tests.support.timeline import moment

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

COUNTY = COUNTIES[0]
POINT = f"{COUNTY}-p0"
ROWS = """
select kind, alert is null, readings, to_char(first_time at time zone 'Asia/Shanghai', 'HH24:MI'),
    first_value, to_char(worst_time at time zone 'Asia/Shanghai', 'HH24:MI'), worst_value, unit,
    threshold, severity
from alert_late where subject = %s and rule = 'waterlogging.depth' order by first_time, kind
"""

CHANGES = """
select string_agg(t.change, ' ' order by t.sequence)
from alert_transition t join alert a on a.id = t.alert where a.rule = 'waterlogging.depth'
"""


class City:
    """A namespace with the real domains over a log that the test writes."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace, self.number = conninfo, namespace, 0
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=1)
        profile = Profile("test", {})
        with connect(conninfo, namespace) as connection:
            held = save_registry(connection, registry(1))
            version = save_profile(connection, profile)
        self.log = PostgresLog(conninfo, namespace)
        self.log.append(0, [encode_control("profile", version, moment("00:00"))])
        self.log.append(0, [encode_control("registry", held.version, moment("00:00"))])

    def depth(
        self, came: str, rows: Sequence[tuple[str, float]], *, backfill: bool = False
    ) -> None:
        """Depths of one point by time of measurement, in one frame that comes then."""
        self.number += 1
        told = [(POINT, "depth", moment(at), metres) for at, metres in rows]
        origin = Origin.REPLAYED if backfill else Origin.LIVE
        frame = frame_of(COUNTY, "waterlogging", self.number, moment(came), told, origin)
        headers, body = encode(frame)
        self.log.append(0, [(headers | ({"backfill": "true"} if backfill else {}), body)])

    def dry(self, first: str, last: str, step_min: int = 1) -> None:
        for ms in range(moment(first), moment(last) + 1, step_min * 60_000):
            self.number += 1
            rows = [(POINT, "depth", ms, 0.0)]
            frame = frame_of(COUNTY, "waterlogging", self.number, ms + 1000, rows)
            self.log.append(0, [encode(frame)])

    def tick(self, at: str) -> None:
        self.log.append(0, [encode_tick(moment(at))])

    def work(self, max_records: int = 100) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS, max_records=max_records) as host:
            host.run_until_idle()

    def late(self) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(ROWS, (POINT,)).fetchall()

    def one(self, statement: Any) -> Any:
        with connect(self.conninfo, self.namespace) as connection:
            row = connection.execute(statement).fetchone()
            assert row is not None
            return row[0]


@pytest.fixture
def city(database_url: str, namespace: str) -> Iterator[City]:
    made = City(database_url, namespace)
    yield made
    made.log.close()


def flood(city: City) -> None:
    """Blue from 10:10 on, over at 10:31."""
    city.dry("09:50", "10:09")
    for minute in range(10, 21):
        city.depth(f"10:{minute}:01", [(f"10:{minute}", 0.16)])
    city.dry("10:21", "10:40")


def test_readings_within_the_horizon_that_come_after_newer_ones(city: City) -> None:
    flood(city)
    city.depth("10:41", [("10:05:30", 0.2)])
    city.depth("10:42", [("10:14:30", 0.31), ("10:15:30", 0.35)])
    city.depth("10:43", [("10:25:30", 0.17)])
    city.depth("10:44", [("10:35:30", 0.5), ("10:36:30", 0.4)])
    city.depth("10:45", [("10:16:30", 0.155)])
    city.work()
    assert city.late() == [
        ("earlier", False, 1, "10:05", "20", "10:05", "20", "cm", "15", 1),
        ("higher", False, 2, "10:14", "31", "10:15", "35", "cm", "30", 3),
        ("longer", False, 1, "10:25", "17", "10:25", "17", "cm", "15", 1),
        ("raised", True, 2, "10:35", "50", "10:35", "50", "cm", "50", 4),
    ]
    assert city.one("select count(*) from alert where rule = 'waterlogging.depth'") == 1
    assert city.one(CHANGES) == "onset confirmed cleared", "its history is never rewritten"


def test_readings_behind_the_horizon_that_only_the_store_knows(city: City) -> None:
    flood(city)
    city.dry("11:00", "23:00", step_min=30)
    city.work()
    rows = [("10:05:30", 0.2), ("10:14:30", 0.31), ("10:25:30", 0.17), ("10:35:30", 0.5)]
    city.depth("23:10", rows)
    city.depth("23:11", rows)  # sent again in another frame: no news
    city.depth("23:12", [("10:14:30", 0.33), ("10:35:30", 0.45)])  # one revised up, one down
    city.tick("23:20")
    city.work()
    assert city.one("select sum(late) from ledger") > 0, "or the test is of something else"
    assert city.late() == [
        ("earlier", False, 1, "10:05", "20", "10:05", "20", "cm", "15", 1),
        ("higher", False, 2, "10:14", "31", "10:14", "33", "cm", "30", 3),
        ("longer", False, 1, "10:25", "17", "10:25", "17", "cm", "15", 1),
        ("raised", True, 1, "10:35", "50", "10:35", "50", "cm", "50", 4),
    ]


def test_a_backfill_of_many_rows_leaves_a_row_an_hour(city: City) -> None:
    city.dry("23:00", "23:10")
    for part in range(6):
        rows = [
            (f"{1 + (part * 1000 + n) // 3600:02d}:{(part * 1000 + n) // 60 % 60:02d}"
             f":{(part * 1000 + n) % 60:02d}", 0.2 + n / 10_000)
            for n in range(1000)
        ]  # fmt: skip
        city.depth(f"23:1{part}", rows, backfill=True)
    city.work()
    found = city.late()
    assert [(row[0], row[2], row[3]) for row in found] == [
        ("raised", 3600, "01:00"),
        ("raised", 2400, "02:00"),
    ]
    assert city.one("select count(*) from alert where rule = 'waterlogging.depth'") == 0


def test_however_the_log_is_cut_the_same_is_recorded_once(
    city: City, make_namespace: Callable[[], str]
) -> None:
    flood(city)
    city.depth("10:41", [("10:05:30", 0.2)])
    city.depth("10:41", [("10:14:30", 0.31), ("10:15:30", 0.35)])
    city.dry("11:00", "23:00", step_min=30)
    for minute, at, metres in ((10, "10:13:30", 0.32), (11, "10:25:30", 0.17), (12, "10:01", 0.6)):
        city.depth(f"23:{minute}", [(at, metres)])
        city.depth(f"23:{minute}:30", [(at, metres), ("10:02", 0.2 + minute / 100)])
    city.tick("23:30")
    city.work(max_records=3)
    assert len(city.late()) == 3
    again = make_namespace()
    migrate(city.conninfo, again, NamespaceKind.LIVE, domains=DOMAINS, partitions=1)
    copy_log(city.conninfo, city.namespace, again)
    with worker_host(city.conninfo, again, DOMAINS, max_records=1000) as host:
        host.run_until_idle()
    with connect(city.conninfo, city.namespace) as one, connect(city.conninfo, again) as other:
        assert not differences(canonical_dump(one), canonical_dump(other))


def test_the_alert_shows_what_came_too_late(city: City) -> None:
    flood(city)
    city.depth("10:42", [("10:14:30", 0.31), ("10:15:30", 0.35)])
    city.depth("10:44", [("10:35:30", 0.5)])
    city.work()
    alert = city.one("select id from alert where rule = 'waterlogging.depth'")
    with served(create_app(city.conninfo, city.namespace, DOMAINS, settings=OPEN)) as client:
        late = get(client, f"/v1/alerts/{alert}")["late"]
    assert [(one["kind"], one["readings"], one["severity"]["name"]) for one in late] == [
        ("higher", 2, "orange"),
        ("raised", 1, "red"),
    ]
    assert late[0]["worst_time"] == "2026-08-17T10:15:30+08:00"
    assert late[0]["sensor"] == POINT
    told = "\n".join(story_lines(tell_story(city.conninfo, city.namespace, alert, DOMAINS)))
    assert "too late to be judged: 2 readings" in told
    assert "it would have been orange then" in told
    assert "there would have been another alert, red" in told
