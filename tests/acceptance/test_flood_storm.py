"""A storm of 20,000 alerts in a minute: people's lists on a screen, programs get everything.

The real pipeline, host and PostgreSQL; a program that follows the events, the console's screen and
somebody's mailbox.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from api.actions.incidents import group
from api.events.cursor import Cursor, parse
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import Connection, connect
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.registry import save_registry
from streams.storage.sequencer import number_outbox
from tests.support.admission import api_served
from tests.support.api_client import get
from tests.support.deliveries import delivering, subscribe
from tests.support.flood_storm import (
    PARTITIONS,
    START_MS,
    flood,
    storm_registry,
    time_passes,
)
from tests.support.postbox import Postbox, posting, smtp

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

NAMESPACE = "test_flood_storm"
POINTS = 10_000  # each of them alerts twice: it rose fast, and it is deep, which hides the rise
ALERTS = 20_000
LINES = 25
ANSWER_S = 5.0  # only a broken list takes so long, also on a machine that is busy
DOMAINS = find_domains()


class Storm:
    """The namespace after the storm, and what took how long."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self.took: dict[str, float] = {}
        migrate(
            conninfo, NAMESPACE, NamespaceKind.SIMULATED, domains=DOMAINS, partitions=PARTITIONS
        )
        with connect(conninfo, NAMESPACE) as connection:
            held = save_registry(connection, storm_registry(POINTS))
        with closing(PostgresLog(conninfo, NAMESPACE)) as log:
            for partition in range(PARTITIONS):
                log.append(partition, [encode_control("registry", held.version, START_MS - 1000)])
            for partition, records in flood(held):
                log.append(partition, records)
            for partition in range(PARTITIONS):
                log.append(partition, [time_passes(5)])
        with (
            self.timed("pipeline"),
            worker_host(conninfo, NAMESPACE, DOMAINS, max_records=20) as host,
        ):
            host.run_until_idle()
        with self.connected() as connection:
            number_outbox(connection)

    def connected(self) -> Connection:
        return connect(self.conninfo, NAMESPACE, "citybrain test", autocommit=True)

    def one(self, statement: Any) -> Any:
        with self.connected() as connection:
            row = connection.execute(statement).fetchone()
        return None if row is None else row[0]

    def group(self) -> None:
        with self.timed("grouping"), self.connected() as connection:
            while group(connection).more:
                pass

    def timed(self, what: str) -> _Timed:
        return _Timed(self.took, what)


class _Timed:
    """How long a part took."""

    def __init__(self, took: dict[str, float], what: str) -> None:
        self._took, self._what = took, what

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._took[self._what] = time.perf_counter() - self._start


@pytest.fixture(scope="module")
def storm(database_url: str) -> Iterator[Storm]:
    yield Storm(database_url)
    drop_namespace(database_url, NAMESPACE)


@pytest.fixture(scope="module")
def client(storm: Storm) -> Iterator[httpx.Client]:
    with api_served(storm.conninfo, NAMESPACE, DOMAINS) as client:
        yield client


def test_programs_get_every_transition_of_every_alert(storm: Storm, client: httpx.Client) -> None:
    """Numbered without gap, read by cursor from the very first."""
    written = storm.one("select count(*) from alert_transition")
    assert storm.one("select count(distinct alert) from alert_transition") == ALERTS
    bounds = "select max(sequence) - min(sequence) + 1 = count(*) and min(sequence) = 0 from outbox"
    assert storm.one(bounds)
    seen: dict[str, list[int]] = {}
    numbers: list[int] = []
    with storm.timed("reading events"):
        for event in followed(client):
            numbers.append(event["sequence"])
            seen.setdefault(event["alert"]["alert"], []).append(event["alert"]["sequence"])
    assert len(numbers) == written
    assert numbers == sorted(set(numbers))
    assert len(seen) == ALERTS
    assert all(found == list(range(1, len(found) + 1)) for found in seen.values())


def test_people_see_a_screen_that_counts_them_all(storm: Storm, client: httpx.Client) -> None:
    with storm.connected() as connection:
        number_outbox(connection)
    storm.group()
    firing = storm.one("select count(*) from alert where state = 'firing'")
    assert firing == ALERTS
    assert storm.one("select sum(open + hidden)::int from incident") == ALERTS
    seen = storm.one("select sum(open)::int from incident")
    assert seen == storm.one("select count(*) from alert where suppressed_by is null") == POINTS
    assert storm.one("select count(*) from incident_alert") == ALERTS
    took = []
    for _ in range(5):
        start = time.perf_counter()
        screen = get(client, "/v1/incidents/screen", lines=LINES)
        took.append(time.perf_counter() - start)
    storm.took["screen"] = sorted(took)[2]
    assert storm.took["screen"] < ANSWER_S
    lines = screen["lines"]
    assert len(lines) <= LINES
    assert sum(line["open"] for line in lines) == screen["alerts"] == seen
    assert sum(line["hidden"] for line in lines) == ALERTS - seen
    assert sum(line["counties"] for line in lines) == 80
    assert sum(line["incidents"] for line in lines) == screen["incidents"] == 80
    assert screen["not_grouped"] == 0
    ranks = [line["severity"]["rank"] for line in lines]
    assert ranks == sorted(ranks, reverse=True)
    assert [line["counties"] for line in lines if line["severity"]["name"] == "red"][:1] == [1]
    first = get(client, "/v1/incidents", limit=1)["items"][0]
    with storm.timed("members"):
        members = get(client, f"/v1/incidents/{first['id']}/alerts")
    assert len(members["items"]) == 100
    print({name: round(took, 2) for name, took in storm.took.items()})


def test_people_get_few_mails_that_count_them_all(storm: Storm, postbox: Postbox) -> None:
    subscribe(
        storm.conninfo,
        NAMESPACE,
        "duty@city.example",
        channel="mail",
        filter={"statuses": ["Exercise"]},
    )
    with storm.connected() as connection:
        connection.execute("update subscription set after = -1")
    with (
        storm.timed("mail"),
        delivering(storm.conninfo, NAMESPACE, people_every_s=2.0, **smtp(postbox)),
    ):
        postbox.until(lambda: storm.one(TOLD) == 80 and storm.one(QUEUED) >= POINTS)
    incidents, steps = 80, storm.one("select max(steps) from incident")
    assert 1 <= len(postbox.letters) <= incidents * steps
    assert len(postbox.letters) < 20
    assert all(len(letter.get_content().splitlines()) <= 32 for letter in postbox.letters)
    print({"mails": len(postbox.letters), "took": round(storm.took["mail"], 1)})


TOLD = "select count(*) from incident_told"
QUEUED = "select count(distinct alert)::int from delivery"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    yield from posting()


def followed(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """All events from the first on, as a program reads them."""
    log = parse(get(client, "/v1/events")["next"]).log
    after = Cursor(log, 0).text()
    while True:
        page = get(client, "/v1/events", after=after, limit=1000)
        yield from page["events"]
        if not page["events"]:
            return
        after = page["next"]
