"""A new live namespace knows its areas, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.live_city import ensure_areas
from streams.contracts.codec import decode
from streams.contracts.frame import Control
from streams.contracts.reason import NamespaceKind
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import migrate

pytestmark = pytest.mark.integration


def test_areas_are_there_once_and_in_every_partition(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=3)
    settings = Settings(var_dir=tmp_path)
    assert ensure_areas(database_url, namespace, settings, lambda: 1_800_000_000_000)
    assert not ensure_areas(database_url, namespace, settings, lambda: 1_800_000_000_001)
    log = PostgresLog(database_url, namespace)
    kinds = [[decode(r) for r in log.read(n, 0)] for n in range(3)]
    log.close()
    for events in kinds:
        assert [e.kind for e in events if isinstance(e, Control)] == ["profile", "registry"]
    with connect(database_url, namespace, "citybrain test") as connection:
        levels = connection.execute("select level, count(*) from area group by level").fetchall()
        shapes = connection.execute("select count(*) from area_shape").fetchone()
    assert dict(levels) == {"province": 1, "city": 11, "county": 90}
    assert shapes == (102,)
