"""Last-seen times in the store: the newest word wins, whoever writes it and in which order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deploy.gateways import GatewayReport, look
from deploy.process import wait_until
from sensors.gateway.seen import is_quiet
from streams.contracts.reason import NamespaceKind
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.gateway_seen import (
    DeviceRow,
    SeenRow,
    has_seen,
    read_devices,
    read_seen,
    save_seen,
)
from tests.integration.test_gateway import DOMAINS, batch, process, registry, save
from tests.support.namespace import make_namespace as migrated

pytestmark = pytest.mark.integration
T0 = datetime(2026, 7, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def namespace(database_url: str, make_namespace: Callable[[], str]) -> str:
    return migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)


def test_the_newest_word_wins_and_readings_only_move_the_time(
    database_url: str, namespace: str
) -> None:
    said = SeenRow("gw", T0 + 2 * SECOND, "degraded", T0 + 2 * SECOND, "1.4", 7, "4G")
    with connect(database_url, namespace, "citybrain test", autocommit=True) as connection:
        assert has_seen(connection)
        save_seen(connection, [SeenRow("b", T0), SeenRow("a", T0)], [])
        assert [row.gateway for row in read_seen(connection)] == ["a", "b"]
        save_seen(connection, [said], [])
        save_seen(connection, [SeenRow("gw", T0 + 5 * SECOND)], [])
        save_seen(connection, [SeenRow("gw", T0 + SECOND, "online", T0 + SECOND)], [])
        (row,) = read_seen(connection, "gw")
        assert row == SeenRow("gw", T0 + 5 * SECOND, "degraded", T0 + 2 * SECOND, "1.4", 7, "4G")
        save_seen(connection, [SeenRow("gw", None, "offline", T0 + 9 * SECOND)], [])
        (row,) = read_seen(connection, "gw")
        assert (row.state, row.seen_at, row.version) == ("offline", T0 + 5 * SECOND, None)


def test_devices_keep_the_newest_word(database_url: str, namespace: str) -> None:
    old, new = (
        DeviceRow("gw", "d", s, T0 + i * SECOND, T0) for i, s in enumerate(("offline", "online"))
    )
    with connect(database_url, namespace, "citybrain test", autocommit=True) as connection:
        save_seen(connection, [], [new])
        save_seen(connection, [], [old])
        assert read_devices(connection, "gw") == [new]
        assert read_devices(connection, "other") == []


def test_the_process_writes_who_was_heard(database_url: str, namespace: str) -> None:
    save(database_url, namespace, registry(4), activate=False)
    with process(database_url, namespace, seen_s=0.1) as (_, client):
        assert client.post("/v1/readings", json=batch(4)).status_code == 200
        status = {"gateway": "gw", "state": "degraded", "queue": 3}
        assert client.post("/v1/status", json=status).status_code == 202
        with connect(database_url, namespace, "citybrain test", autocommit=True) as connection:
            assert wait_until(lambda: any(row.state for row in read_seen(connection)), 20, 0.05)
            (row,) = read_seen(connection)
        assert (row.gateway, row.state, row.queue) == ("gw", "degraded", 3)
        shown = client.get("/v1/status").json()["gateways"]
        assert [(one["gateway"], one["quiet"]) for one in shown] == [("gw", False)]


def test_people_are_told_who_is_quiet() -> None:
    before = T0
    rows = [SeenRow(f"gw-{i}", T0 - i * SECOND) for i in range(1, 8)]
    assert all(is_quiet(row, before) for row in rows)
    assert not is_quiet(SeenRow("gw", T0), before)
    assert is_quiet(SeenRow("gw", T0, "offline", T0), before)
    assert is_quiet(SeenRow("gw", None, "online", T0), before)
    told = GatewayReport(9, tuple(rows), 300).in_words()
    assert told.startswith(
        "9 heard, 7 quiet for more than 5 min or offline: gw-1 (last 2026-07-01 07:59:59+08:00)"
    )
    assert told.endswith("and 2 more")
    assert GatewayReport(0, (), 300).in_words() == "none was heard yet"
    assert GatewayReport(2, (), 90).in_words() == "2 heard, none quiet for more than 1.5 min"


def test_a_city_without_the_table_is_told_as_nothing(
    database_url: str, make_namespace: Callable[[], str]
) -> None:
    settings, name = Settings(database=database_url), make_namespace()
    assert look(settings, T0, name) is None
    migrated(database_url, name, NamespaceKind.LIVE, DOMAINS, 2)
    found = look(settings, T0, name)
    assert found is not None
    assert found.heard == 0
    with connect(database_url, name, "citybrain test") as connection:
        save_seen(connection, [SeenRow("gw", T0), SeenRow("old", T0 - 301 * SECOND)], [])
    found = look(settings, T0, name)
    assert found is not None
    assert (found.heard, [row.gateway for row in found.quiet]) == (2, ["old"])
