"""A shelter's evening through the real log, host, store, recomputer and region stage."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.reason import NamespaceKind
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.shelters import ALL, DOMAINS, Row, frame_of, shelter, town
from tests.support.small_city import START_MS
from tests.support.timeline import moment

pytestmark = [pytest.mark.integration, pytest.mark.every_store]
SHELTERS = {
    "hall": {"capacity": "100", "hazards": "flood", "standardised": "2022-05-01"},
    "school": {"capacity": "500", "hazards": "earthquake"},
}


def evening() -> list[Row]:
    """The hall is counted and overfull at 20:30; the school's door loses two people."""
    rows: list[Row] = []
    for minute in range(0, 300, 5):
        at = moment("19:00") + minute * 60_000
        persons = 101 if minute == 90 else 60
        rows += [("hall", "open", at, 1), ("hall", "occupants", at, persons)]
        rows += [("school", "open", at, 1), ("school", "check_in", at, 1)]
    return [*rows, ("school", "check_out", moment("19:02"), 3)]


class Stored:
    """A namespace through which the evening went, and next day a count that had been forgotten."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=1)
        points = [shelter(name, **attributes) for name, attributes in SHELTERS.items()]
        with connect(conninfo, namespace) as connection:
            held = save_registry(connection, town(points, {n: (n, ALL) for n in SHELTERS}))
        self._append(encode_control("registry", held.version, START_MS))
        rows = evening()
        for at in sorted({row[2] for row in rows}):
            self._frame([r for r in rows if r[2] == at], at + 1_000)
        self._frame([("hall", "open", moment("34:00"), 0)], moment("34:00") + 1_000)
        self._append(encode_tick(moment("34:30")))
        self.run()

    def forgotten_count(self) -> None:
        """A count of 21:10 that comes next morning, later than the horizon."""
        self._frame([("hall", "occupants", moment("21:12"), 107)], moment("34:31"))
        for at in ("35:00", "35:01"):
            self._append(encode_tick(moment(at)))
        self.run()

    def run(self) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS, max_records=17) as host:
            host.run_until_idle()

    def query(self, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement, values).fetchall()

    def fact(self, indicator: str, period: str, area: str = "330000") -> tuple[Any, ...]:
        """(value, have, want, cause, detail) of the newest period as it is known now."""
        return self.query(
            "select value, have, want, cause, detail from fact where indicator = %s"
            " and period = %s and area = %s and known_to is null order by start limit 1",
            indicator,
            period,
            area,
        )[0]

    def _frame(self, rows: list[Row], ingest_ms: int) -> None:
        self._append(encode(frame_of(rows, ingest_ms, ingest_ms)))

    def _append(self, message: Any) -> None:
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            log.append(0, [message])


@pytest.fixture(scope="module")
def stored(database_url: str) -> Iterator[Stored]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    yield Stored(database_url, name)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


def test_the_evening_is_in_the_store_and_a_late_count_changes_figures_but_no_alert(
    stored: Stored,
) -> None:
    alerts = (
        "select point, rule, state, peak_severity from alert where domain = 'shelter' order by 1, 2"
    )
    before = stored.query(alerts)
    assert before == [
        ("hall", "shelter.occupancy", "resolved", 4),
        ("hall", "shelter.unreported", "resolved", 2),  # from two o'clock until it spoke at ten
        ("school", "shelter.unreported", "firing", 2),
    ]
    tickets = stored.query(
        "select property, kind, closed is null from ticket where kind <> 'silent'"
    )
    assert tickets == [("check_out", "balance", True)]
    results = "select payload from point_result where kind = %s and point = %s order by start"
    told = [r[0]["percent"] for r in stored.query(results, "shelter.occupancy", "hall")]
    assert (max(told, key=float), told[-1]) == ("101.0", "60.0")
    (offer,) = stored.query(results, "shelter.offered", "school")
    assert offer[0]["offered"] is True
    assert stored.fact("plan.19", "state")[0] == "1"
    value, have, want, _, detail = stored.fact("shelter.occupants.day", "day")
    assert (value, have, want, detail["fullest_hour"]) == ("101", 1, 2, 20)
    assert detail["day_checked_out"] == 3
    now = stored.fact("shelter.occupants", "state")
    assert (now[0], now[1], now[2]) == (str(60 + 59), 2, 2), "the door of the school too"

    stored.forgotten_count()
    value, _, _, cause, detail = stored.fact("shelter.occupants.day", "day")
    assert (value, cause, detail["fullest_hour"]) == ("107", "late", 21)
    assert stored.query(alerts) == before
