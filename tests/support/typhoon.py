"""A namespace that the first hours of the typhoon have filled, worked off and acted on; one for the
run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from dashboards.grafana.macros import TimeRange
from deploy.city.simulation import Options, simulate_city
from streams.domains import find_domains
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from tests.support.typhoon_acts import act

NAMESPACE = "test_boards_typhoon"
HOURS = 5.0


@dataclass(frozen=True, slots=True)
class Typhoon:
    """Where it is, and the hours that were played."""

    conninfo: str
    namespace: str
    seen: TimeRange


@pytest.fixture(scope="session")
def typhoon(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typhoon]:
    """Two counties with 40 flood points; late readings, and sensors that jump or fall silent."""
    options = Options.parse(
        "typhoon",
        namespace=NAMESPACE,
        seed=7,
        points=40,
        speed="max",
        hours=HOURS,
        faults=("late:0.02+45", "duplicates:0.02", "spiking:0.1", "dead:0.1@120"),
        start=None,
        ahead=0,
        fresh=True,
        dry_run=False,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path_factory.mktemp("typhoon")))
        patch.setenv("CITYBRAIN_DATABASE", database_url)
        simulate_city(options)
    with worker_host(database_url, NAMESPACE, find_domains()) as host:
        host.run_until_idle()
    with connect(database_url, NAMESPACE) as connection:
        row = connection.execute("select max(as_of) from board_freshness").fetchone()
        assert row is not None
        until: datetime = row[0]
        act(connection, until)
    yield Typhoon(database_url, NAMESPACE, TimeRange(until - timedelta(hours=HOURS), until))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(NAMESPACE)))
