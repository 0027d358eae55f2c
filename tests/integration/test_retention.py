"""The embedded log keeps what a restart may still need, and nothing older than its retention."""

from __future__ import annotations

import pytest

from streams.contracts.reason import NamespaceKind
from streams.log import OBSERVATION_TOPIC
from streams.log.postgres import PostgresLog
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.retention import Retention

pytestmark = pytest.mark.integration


def test_only_old_records_before_the_checkpoint_go(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
    log = PostgresLog(database_url, namespace)
    log.append(0, [({"ce_id": str(n)}, b"x") for n in range(10)])
    with connect(database_url, namespace, "citybrain test", autocommit=True) as connection:
        connection.execute("delete from position")
        connection.execute(
            "insert into position (topic, partition, next_offset, checkpoint_offset)"
            " values (%s, 0, 9, 6), ('region', 0, 1003, 1003)",
            (OBSERVATION_TOPIC,),
        )
        connection.execute(
            "insert into region_log select n, 'c', '*', 0, n, case when n = 1 then 'partial' else"
            " 'clock' end, '', '', 0, '{}', 'closed', 't', 0, 0 from generate_series(0, 4) n"
        )
        young = Retention(database_url, namespace, keep_ms=3_600_000)
        young.prune()
        assert log.first(0) == 0, "younger than the retention"
        old = Retention(database_url, namespace, keep_ms=-1000)
        old.prune()
        assert log.first(0) == 5, "the record before the checkpoint stays"
        assert [r.offset for r in log.read(0, log.first(0))] == [5, 6, 7, 8, 9]
        left = connection.execute("select id, kind from region_log order by id").fetchall()
        assert left == [(1, "partial"), (3, "clock"), (4, "clock")]
    for part in (young, old, log):
        part.close()


def test_it_is_quiet_until_its_time_has_come(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
    retention = Retention(database_url, namespace, every_s=3600)
    assert retention.step() == 0
    assert retention._connection is None
