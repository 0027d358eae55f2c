"""A namespace is fitted to its server, again and again, and TimescaleDB that comes later is met."""

from __future__ import annotations

import psycopg
import pytest

from streams.contracts.domain import DAY_MS
from streams.contracts.reason import NamespaceKind
from streams.storage.chunks import PIECE, drop_before, index_chunk, list_chunks
from streams.storage.connect import Connection, connect
from streams.storage.fit import StoreKind, detect
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.survey import edition
from tests.support.timescale import add_extension

pytestmark = pytest.mark.integration

FILL = """
insert into observation (t, position, value, sensor, property, flag)
select timestamptz '2026-01-01' + day * interval '1 day' + hour * interval '1 hour',
    1, day * 24 + hour, 7, 1, 1
from generate_series(0, %s - 1) as day, generate_series(0, 23) as hour
"""
SUMS = "select count(*), sum(value) from observation"


def fill(connection: Connection, days: int) -> None:
    connection.execute(FILL, (days,))


@pytest.mark.every_store
def test_the_server_is_recorded_and_a_second_fit_changes_nothing(
    database_url: str, namespace: str
) -> None:
    first = migrate(database_url, namespace, NamespaceKind.LIVE, domains={})
    with connect(database_url, namespace) as connection:
        stored = connection.execute("select kind, version, fitted from store").fetchone()
    assert migrate(database_url, namespace, NamespaceKind.LIVE, domains={}).store == first.store
    with connect(database_url, namespace) as connection:
        assert connection.execute("select kind, version, fitted from store").fetchone() == stored
        assert stored is not None
        assert stored[:2] == (first.store.kind.value, first.store.version)
        fill(connection, 3)
        chunked = detect(connection).kind is not StoreKind.PLAIN
        assert len(list_chunks(connection, "observation")) == (3 if chunked else 0)
        assert connection.execute(SUMS).fetchone() == (72, sum(range(72)))


def test_timescaledb_that_comes_later_is_taken_up(bare_database: str) -> None:
    before = migrate(bare_database, "citybrain", NamespaceKind.LIVE, domains={})
    assert before.store.kind is StoreKind.PLAIN
    with connect(bare_database, "citybrain") as connection:
        fill(connection, 5)
    assert edition(bare_database).unfitted == ()
    add_extension(bare_database)
    found = edition(bare_database)
    assert (found.store.kind, found.unfitted) == (StoreKind.APACHE, ("citybrain",))
    after = migrate(bare_database, "citybrain", NamespaceKind.LIVE, domains={})
    assert after.applied == ()
    assert after.store == found.store
    assert edition(bare_database).unfitted == ()
    with connect(bare_database, "citybrain") as connection:
        chunks = list_chunks(connection, "observation")
        assert [chunk.end_ms - chunk.start_ms for chunk in chunks] == [DAY_MS] * 5
        assert connection.execute(SUMS).fetchone() == (120, sum(range(120)))
        index = connection.execute(
            "select indexdef from pg_indexes where schemaname = %s and tablename = %s",
            (chunks[0].schema, chunks[0].name),
        ).fetchall()
        assert len(index) == 1
        assert "USING brin" in index[0][0]


def test_years_of_a_replay_make_few_chunks_and_go_in_pieces(native_timescale: str) -> None:
    migrate(native_timescale, "replay_years", NamespaceKind.REPLAY, domains={})
    with connect(native_timescale, "replay_years") as connection:
        fill(connection, 60)
        chunks = list_chunks(connection, "observation")
        assert {chunk.end_ms - chunk.start_ms for chunk in chunks} == {30 * DAY_MS}
        connection.execute(
            "insert into observation select t + year * interval '300 days', 1, 1, 1, 1, 1"
            " from observation, generate_series(1, %s) as year where value < 24",
            (PIECE + 5,),
        )
        assert len(list_chunks(connection, "observation")) > PIECE
    drop_namespace(native_timescale, "replay_years")
    with psycopg.connect(native_timescale) as connection:
        left = connection.execute(
            "select count(*) from _timescaledb_catalog.hypertable where schema_name = %s",
            ("replay_years",),
        ).fetchone()
        assert left == (0,)
        assert connection.execute("select to_regclass('replay_years.namespace')").fetchone() == (
            None,
        )


def test_old_chunks_are_dropped_and_closed_ones_indexed(native_timescale: str) -> None:
    migrate(native_timescale, "chunked", NamespaceKind.DRILL, domains={})
    with connect(native_timescale, "chunked", autocommit=True) as connection:
        fill(connection, 4)
        oldest, second, *_ = list_chunks(connection, "observation")
        assert drop_before(connection, detect(connection), "observation", second.end_ms - 1) == 1
        assert list_chunks(connection, "observation")[0] == second != oldest
        assert index_chunk(connection, second)
        assert not index_chunk(connection, second)
        # What a stopped attempt leaves behind is made again.
        connection.execute(
            "update pg_index set indisvalid = false where indexrelid = %s::regclass",
            (f"{second.schema}.{second.name}_key",),
        )
        assert index_chunk(connection, second)
        assert not index_chunk(connection, second)
        assert connection.execute(SUMS).fetchone() == (72, sum(range(24, 96)))
    drop_namespace(native_timescale, "chunked")
