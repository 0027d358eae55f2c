"""No danger, no data and a dead citybrain, told apart by a subscriber within half a minute of the
cause: real processes, which are killed one after the other and started again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from streams.catalog import Profile, Registry
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.log.postgres import PostgresLog
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_profile, save_registry
from tests.chaos.subscriber import Subscriber
from tests.support.deliveries import subscribe
from tests.support.mosquitto import free_port
from tests.support.namespace import small_registry
from tests.support.receiver import receiving

pytestmark = pytest.mark.chaos

WITHIN_S = 30.0
START_S = 90.0  # of a process on a busy machine, and until figures move again
XIACHENG, JIANGGAN = AREAS = ("330102", "330103")
WELL = dict.fromkeys(AREAS, "no danger")
UNKNOWN = dict.fromkeys(AREAS, "no data")
DEAD = dict.fromkeys(AREAS, "dead")
QUICK_SILENCE = Profile("test", {"quality.silence.least_s": "6"})  # sensors report every 2 s
Wanted = dict[str, dict[str, str]]


class Processes:
    """Everything that runs, by name; started, killed, started again."""

    def __init__(self, conninfo: str, namespace: str, folder: Path, port: int) -> None:
        cli = [sys.executable, "-m", "deploy.cli"]
        county = [sys.executable, "-m", "tests.chaos.county", conninfo, namespace]
        self._commands = {
            "worker": [*cli, "worker"],
            "deliverer": [*cli, "deliver"],
            "api": [*cli, "api"],
            XIACHENG: [*county, XIACHENG, "0", "s0", "s2"],
            JIANGGAN: [*county, JIANGGAN, "1", "s1", "s3"],
        }
        self._environment = {
            **os.environ,
            "CITYBRAIN_DATABASE": conninfo,
            "CITYBRAIN_NAMESPACE": namespace,
            "CITYBRAIN_DELIVER_ALLOW_NETWORKS": "127.0.0.0/8",
            "CITYBRAIN_API_PORT": str(port),
            "CITYBRAIN_API_OPEN": "viewer",
        }
        self.stream = f"http://127.0.0.1:{port}/v1/events/stream"
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        for name in names or self._commands:
            with (self._folder / name).open("ab") as output:
                self._running[name] = subprocess.Popen(
                    self._commands[name], env=self._environment, stdout=output, stderr=output
                )

    def kill(self, name: str) -> None:
        """kill -9; it must have lived."""
        assert self._running[name].poll() is None, (self._folder / name).read_text()[-3000:]
        self._running[name].send_signal(signal.SIGKILL)
        self._running[name].wait()

    def end(self) -> None:
        for one in self._running.values():
            one.kill()
            one.wait()

    def said(self) -> str:
        """The last words of each."""
        files = sorted(self._folder.iterdir())
        return "\n".join(f"{one.name}: {one.read_text()[-800:]}" for one in files)


@pytest.fixture
def processes(database_url: str, namespace: str, tmp_path: Path) -> Iterator[Processes]:
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    with connect(database_url, namespace) as connection:
        registry = save_registry(connection, watched())
        versions = {"profile": save_profile(connection, QUICK_SILENCE)}
    versions["registry"] = registry.version
    now_ms = time.time_ns() // 1_000_000
    with closing(PostgresLog(database_url, namespace)) as log:
        for partition in range(2):
            log.append(partition, [encode_control(k, v, now_ms) for k, v in versions.items()])
    (tmp_path / "logs").mkdir()
    made = Processes(database_url, namespace, tmp_path / "logs", free_port())
    yield made
    made.end()


def watched() -> Registry:
    """Two counties, two sensors each, which report every two seconds."""
    held = small_registry(sensors=4, areas=2, partitions=2)
    return replace(
        held, sensors={name: replace(one, report_s=2) for name, one in held.sensors.items()}
    )


def test_no_danger_no_data_and_death_are_told_apart(
    processes: Processes, database_url: str, namespace: str
) -> None:
    with receiving() as receiver:
        subscribe(database_url, namespace, receiver.url(), heartbeat=True)
        with Subscriber(receiver, processes.stream) as subscriber:
            told = Told(subscriber, processes)
            processes.start()
            told.wait(START_S, webhook=WELL, stream=WELL)

            processes.kill(XIACHENG)
            one_silent = WELL | {XIACHENG: "no data"}
            told.wait(WITHIN_S, before=(WELL, one_silent), webhook=one_silent, stream=one_silent)
            processes.start(XIACHENG)
            told.wait(START_S, before=(WELL, one_silent), webhook=WELL, stream=WELL)

            processes.kill("worker")
            told.wait(WITHIN_S, never="dead", webhook=UNKNOWN, stream=UNKNOWN)
            processes.start("worker")
            told.wait(START_S, never="dead", webhook=WELL, stream=WELL)

            processes.kill("deliverer")
            told.wait(WITHIN_S, never="no data", webhook=DEAD, stream=WELL)
            processes.kill("api")
            told.wait(WITHIN_S, never="no data", webhook=DEAD, stream=DEAD)
            processes.start("deliverer", "api")
            told.wait(START_S, never="no data", webhook=WELL, stream=WELL)


class Told:
    """Waits for what the subscriber thinks, and says how long that took."""

    def __init__(self, subscriber: Subscriber, processes: Processes) -> None:
        self._subscriber = subscriber
        self._processes = processes

    def wait(
        self,
        within_s: float,
        *,
        never: str = "",
        before: tuple[dict[str, str], ...] = (),
        **wanted: dict[str, str],
    ) -> None:
        """Until both ways say what is wanted; meanwhile nothing but `before`, and no `never`."""
        begun = time.monotonic()
        while (now := self._now(wanted)) != wanted:
            for way, thought in now.items():
                assert not before or thought in before, f"{way}: {thought}"
                assert not never or never not in thought.values(), f"{way}: {thought}"
            assert time.monotonic() - begun < within_s, self._why(wanted, now)
            time.sleep(0.1)
        print(f"told after {time.monotonic() - begun:.1f} s: {now}")

    def _now(self, wanted: Wanted) -> Wanted:
        return {way: self._subscriber.conditions(way, AREAS) for way in wanted}

    def _why(self, wanted: Wanted, now: Wanted) -> str:
        lines = [f"wanted {wanted}", f"thought {now}", str(self._subscriber.newest())]
        return "\n".join([*lines, self._processes.said()])
