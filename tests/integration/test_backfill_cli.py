"""`citybrain replay --backfill` beside a live worker: complete, repeatable, never far ahead."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy import cli
from deploy.live_city import ensure_areas
from sensors.feeds import backfill, feed_named
from sensors.feeds.backfill import Hold, append_backfill, open_backfill
from sensors.feeds.replay import Request
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.errors import Unavailable
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.progress import records_behind

pytestmark = pytest.mark.integration

HEADER = "city,Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2"
DAYS, STATIONS, HOURS = 6, ("甲", "乙"), range(1, 24)
ROWS = DAYS * len(STATIONS) * len(HOURS)
READINGS = 6 * ROWS
NOW_MS = 1_790_000_000_000


@dataclass
class City:
    """A live namespace, a year-like file, and the command."""

    conninfo: str
    namespace: str
    file: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *options: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = cli.run(["replay", "cnemc_2020", str(self.file), "--backfill", *options])
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def count(self, table: str) -> int:
        with connect(self.conninfo, self.namespace) as connection:
            row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def work(self) -> None:
        with worker_host(self.conninfo, self.namespace, find_domains()) as host:
            host.run_until_idle()

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker beside what happens in the block."""
        stop = threading.Event()

        def work() -> None:
            with worker_host(self.conninfo, self.namespace, find_domains()) as host:
                host.run_forever(stop)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def read_json(out: str) -> Any:
    """The account among what the worker says beside it."""
    found, _ = json.JSONDecoder().raw_decode(out[out.index("{\n") :])
    return found


@pytest.fixture
def city(
    database_url: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> City:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path))
    monkeypatch.setattr(backfill, "CHUNK_ROWS", 40)
    monkeypatch.setattr(backfill, "PATIENCE_S", 1.0)
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    ensure_areas(database_url, namespace, Settings(var_dir=tmp_path), lambda: NOW_MS)
    file = tmp_path / "rows.csv"
    lines = (
        f"杭州,202004{day:02d},{hour:02d},{station},50,优,NaN,{20 + hour},40,0.8,50,44,44,6"
        for station in STATIONS
        for day in range(1, DAYS + 1)
        for hour in HOURS
    )
    file.write_text("\n".join((HEADER, *lines, "")), encoding="utf-8")
    return City(database_url, namespace, file, capsys)


def test_a_backfill_is_complete_and_the_same_again_is_duplicates(city: City) -> None:
    with city.working():
        code, out, _ = city.run("--speed", "max", "--json")
        account: dict[str, Any] = read_json(out)
        assert code == 0
        assert account["files"]["rows"] == ROWS
        assert account["ledger"]["received"] == READINGS == account["ledger"]["late"]
        assert city.count("late_mark") == 0, "it waits until the days are rebuilt"
        assert city.count("observation") == READINGS
        facts = city.count("fact")
        code, out, _ = city.run("--json")
    again = read_json(out)["ledger"]
    assert (code, again["received"], again["duplicate"]) == (0, READINGS, READINGS)
    assert (city.count("observation"), city.count("fact")) == (READINGS, facts)
    assert city.count("alert") == 0


def test_a_backfill_that_broke_off_says_how_far_and_goes_on_when_run_again(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.work()
    with monkeypatch.context() as patched:
        patched.setattr(backfill, "AHEAD_RECORDS", 4)
        code, _, err = city.run("--json")
    assert code == 3
    assert "no worker takes them in: start `citybrain worker`" in err
    assert "lines are in the log. Run the same again" in err
    with city.working():
        code, out, _ = city.run("--json")
    assert code == 0
    assert read_json(out)["law_holds"] is True
    assert city.count("observation") == READINGS


def test_a_backfill_does_not_run_far_ahead_of_the_workers(city: City) -> None:
    from deploy.commands.replay import zhejiang

    settings = Settings()
    feed = feed_named("cnemc_2020")
    found = open_backfill(Request(feed, (city.file,), gazetteer=zhejiang(settings, feed)))
    seen: list[int] = []
    with (
        closing(PostgresLog(city.conninfo, city.namespace)) as log,
        closing(connect(city.conninfo, city.namespace, autocommit=True)) as watch,
        worker_host(city.conninfo, city.namespace, find_domains()) as host,
    ):
        host.run_until_idle()

        def behind() -> int:
            seen.append(records_behind(watch, log))
            return seen[-1]

        hold = Hold(behind, lambda: 0.0, lambda _: host.run_until_idle(), ahead=2)
        append_backfill(found, city.conninfo, city.namespace, log, lambda: NOW_MS, hold)
        host.run_until_idle()
    most_of_a_chunk = 2  # one frame, and the control that names the stations
    assert 2 < max(seen) <= 2 + most_of_a_chunk
    assert city.count("observation") == READINGS


def test_a_worker_that_does_nothing_is_told_of(city: City) -> None:
    now = iter(range(100))
    hold = Hold(lambda: 9, lambda: float(next(now)), lambda _: None, ahead=5, patience_s=10)
    told: list[int] = []
    with pytest.raises(Unavailable, match="9 records wait and no worker"):
        hold.wait(told.append)
    assert set(told) == {9}


def test_a_dry_run_reads_everything_and_appends_nothing(city: City) -> None:
    with closing(PostgresLog(city.conninfo, city.namespace)) as log:
        before = [log.end(n) for n in range(2)]
        code, out, _ = city.run("--dry-run", "--json")
        assert [log.end(n) for n in range(2)] == before
    assert code == 0
    assert read_json(out)["files"]["readings_sent"] == READINGS


def test_a_speed_in_numbers_is_refused(city: City) -> None:
    code, _, err = city.run("--speed", "60")
    assert code == 2
    assert "--speed 60 cannot go with --backfill: it goes as fast as the workers take it in" in err
