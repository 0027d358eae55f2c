"""A declared backfill into a live namespace: it adds and revises figures, and alerts nobody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from sensors.feeds import feed_named
from sensors.feeds.backfill import Backfill, Hold, append_backfill, open_backfill
from sensors.feeds.feed import Gazetteer
from sensors.feeds.replay import Request
from streams.catalog import Area, Gateway, Profile, Registry
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.errors import Misconfigured
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_profile, save_registry
from streams.storage.stored import LedgerSums, StoredRun

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

NOW_MS = 1_760_000_000_000
HEADER = "city,Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2"
AREAS = {
    "330000": Area("330000", "province", None, "浙江省", ""),
    "330100": Area("330100", "city", "330000", "杭州市", ""),
}


def rows(pm25: int) -> str:
    """A day of heavy pollution: alone it would raise the highest alerts."""
    return "\n".join(
        f"杭州,20200402,{hour:02d},甲,450,严重污染,NaN,{pm25 + hour},600,0.8,50,44,44,6"
        for hour in range(1, 24)
    )


def prepared(folder: Path, pm25: int = 440) -> Backfill:
    path = folder / "rows.csv"
    path.write_text(f"{HEADER}\n{rows(pm25)}\n", encoding="utf-8")
    return open_backfill(Request(feed_named("cnemc_2020"), (path,), gazetteer=Gazetteer(AREAS)))


def open_live(conninfo: str, namespace: str, areas: dict[str, Area]) -> None:
    """A live namespace whose registry knows these areas and no air station."""
    migrate(conninfo, namespace, NamespaceKind.LIVE, partitions=1)
    registry = Registry(
        areas, {}, {}, {"g": Gateway("g", "330100")}, dict.fromkeys(areas, 0), partition_count=1
    )
    with connect(conninfo, namespace) as connection:
        version = save_registry(connection, registry).version
        profile = save_profile(connection, Profile("live"))
    with closing(PostgresLog(conninfo, namespace)) as log:
        log.append(0, [encode_control("profile", profile, NOW_MS - 2)])
        log.append(0, [encode_control("registry", version, NOW_MS - 1)])


def append(conninfo: str, namespace: str, found: Backfill) -> None:
    hold = Hold(lambda: 0, lambda: 0.0, lambda _: None)
    with closing(PostgresLog(conninfo, namespace)) as log:
        append_backfill(found, conninfo, namespace, log, lambda: NOW_MS, hold)


def backfill(conninfo: str, namespace: str, found: Backfill) -> LedgerSums:
    append(conninfo, namespace, found)
    with worker_host(conninfo, namespace, find_domains()) as host:
        host.run_until_idle()
    return StoredRun(conninfo, namespace).ledger("feed.cnemc_2020")


def test_a_backfill_stores_and_revises_and_alerts_nobody(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    open_live(database_url, namespace, AREAS)
    first = backfill(database_url, namespace, prepared(tmp_path))
    assert first.closes()
    assert (first.received, first.stored, first.late, first.revised) == (138, 138, 138, 0)
    run = StoredRun(database_url, namespace)
    assert [r.payload["aqi"] for r in run.results("air.station.hour")] == [500] * 23

    corrected = backfill(database_url, namespace, prepared(tmp_path, pm25=20)).since(first)
    assert corrected.closes()
    assert (corrected.received, corrected.revised, corrected.duplicate) == (138, 23, 115)

    assert run.alerts() == []
    assert run.message_statuses() == {}


def test_the_same_backfill_again_changes_nothing(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    open_live(database_url, namespace, AREAS)
    first = backfill(database_url, namespace, prepared(tmp_path))
    again = backfill(database_url, namespace, prepared(tmp_path)).since(first)
    assert (again.received, again.duplicate, again.stored) == (138, 138, 0)


def test_an_area_that_the_live_registry_lacks_is_refused(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    open_live(database_url, namespace, {"330000": AREAS["330000"]})
    with pytest.raises(Misconfigured, match="330100"):
        append(database_url, namespace, prepared(tmp_path))


def test_a_namespace_that_is_not_live_takes_no_backfill(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    migrate(database_url, namespace, NamespaceKind.SIMULATED, partitions=1)
    with connect(database_url, namespace) as connection:
        save_registry(connection, Registry(AREAS, {}, {}, {}, dict.fromkeys(AREAS, 0), 1))
    with pytest.raises(Misconfigured, match="not a live one"):
        append(database_url, namespace, prepared(tmp_path))
