"""What heartbeats say of areas: who speaks there, and up to when somebody looked."""

from __future__ import annotations

import json

import pytest

from api.delivery.completeness import AreaState
from api.delivery.known import read_area_states
from streams.contracts.reason import NamespaceKind
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.namespace import small_registry

pytestmark = pytest.mark.integration


def test_an_areas_clock_moves_though_nobody_speaks(database_url: str, namespace: str) -> None:
    """Two counties on two partitions: each has its own clock, their city that of the slower one."""
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    with connect(database_url, namespace) as connection:
        save_registry(connection, small_registry())
        assert read_area_states(connection)["330102"] == AreaState("330102", 2, 0, 0, True, None)
        told = json.dumps({"completeness": {"points": 2, "reporting": 1}})
        for area in ("330102", "330103"):
            connection.execute(
                "insert into area_latest (area, domain, as_of, decided_at, payload)"
                """ values (%s, 'waterlogging', at_ms(0), at_ms(1000), '{"silent": [1]}')""",
                (area,),
            )
            connection.execute(
                "insert into area_risk (area, severity, unknown, stale_alerts, open_alerts, as_of,"
                " decided_at, detail) values (%s, 0, false, 0, 0, at_ms(0), at_ms(1000), %s)",
                (area, told),
            )
        for number, (proc_ms, area) in enumerate(((61_000, "330102"), (62_000, "330103"))):
            connection.execute(
                "insert into region_log values (%s, '*', '*', 0, %s, 'clock', '', '', 0, %s, '',"
                " 't', 0, 0)",
                (number, proc_ms, json.dumps({"areas": [area]})),
            )
        found = read_area_states(connection)
    assert found["330102"] == AreaState("330102", 2, 1, 1, False, 61_000)
    assert found["330103"] == AreaState("330103", 2, 1, 1, False, 62_000)
    assert found["330100"].as_of_ms == found["330000"].as_of_ms == 61_000
