"""A play in a real namespace: boundaries, registry, activation, records; again adds nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from deploy.city.simulation import Options, simulate_city
from deploy.postgres import EmbeddedPostgres
from streams.contracts.codec import decode
from streams.contracts.frame import Control, Frame
from streams.log.postgres import PostgresLog
from streams.storage.connect import connect
from streams.storage.progress import records_behind
from streams.storage.registry import newest

pytestmark = pytest.mark.integration


def options(namespace: str, hours: float) -> Options:
    return Options.parse(
        "typhoon",
        namespace=namespace,
        seed=7,
        points=40,
        speed="max",
        hours=hours,
        faults=("duplicates:0.2",),
        start=None,
        ahead=0,
        fresh=False,
        dry_run=False,
    )


@pytest.fixture
def at_the_test_server(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(postgres.home.var_dir))
    monkeypatch.setenv("CITYBRAIN_DATABASE", postgres.conninfo)


@pytest.mark.usefixtures("at_the_test_server")
def test_a_play_fills_the_namespace_and_goes_on_where_it_ended(
    database_url: str, make_namespace: Callable[[], str]
) -> None:
    stopped, whole = make_namespace(), make_namespace()
    simulate_city(options(stopped, 0.1))
    simulate_city(options(stopped, 0.2))
    simulate_city(options(whole, 0.2))
    frames = 0
    with (
        closing(PostgresLog(database_url, stopped)) as one,
        closing(PostgresLog(database_url, whole)) as other,
    ):
        for partition in range(one.partitions()):
            records = one.read(partition, 0, 10_000)
            assert [(r.headers, r.body) for r in records] == [
                (r.headers, r.body) for r in other.read(partition, 0, 10_000)
            ]
            events = [decode(r) for r in records]
            kinds = [e.kind for e in events if isinstance(e, Control)]
            assert kinds == ["registry", "profile", "rules"]
            frames += sum(isinstance(e, Frame) for e in events)
    assert frames > 48  # two counties, two frames a minute, and the duplicates


@pytest.mark.usefixtures("at_the_test_server")
def test_boundaries_registry_and_profile_are_stored(database_url: str, namespace: str) -> None:
    simulate_city(options(namespace, 0.05))
    with (
        connect(database_url, namespace) as connection,
        closing(PostgresLog(database_url, namespace)) as log,
    ):
        shapes = connection.execute(
            "select count(*), count(*) filter (where sketch ->> 'type' like '%Polygon') "
            "from area_shape"
        ).fetchone()
        assert shapes == (102, 102)
        active = newest(connection, "registry")
        assert active is not None
        assert all(sensor[0] > 0 for sensor in active[1]["sensors"])
        profile = newest(connection, "profile")
        assert profile is not None
        assert profile[1]["name"] == "zhejiang"
        assert records_behind(connection, log) == sum(log.end(p) for p in range(log.partitions()))
