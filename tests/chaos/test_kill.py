"""kill -9 of the worker and of PostgreSQL, again and again, under load: nothing lost or double.

Afterwards the canonical views equal those of one undisturbed pass over the same log.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.postgres import EmbeddedPostgres
from deploy.process import wait_until
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log import Entry
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.canonical import differences
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.chaos.verdict import assert_ledger_closes, dump
from tests.support.namespace import copy_log
from tests.support.storm import START_MS, storm, storm_registry

pytestmark = pytest.mark.chaos

SEED = 20_261_123
WORKER_KILLS = 22
DATABASE_KILLS = 3
STEPS_PER_ROUND = 20
PARTITIONS = 2


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this test's own: it is going to be killed."""
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-chaos-"))
    made = EmbeddedPostgres(var_dir)
    try:
        made.start()
        yield made
    finally:
        made.purge()
        shutil.rmtree(var_dir)


def test_kills_leave_no_trace(server: EmbeddedPostgres) -> None:
    chance = random.Random(SEED)
    conninfo = server.conninfo
    make(conninfo, "shaken", PARTITIONS)
    rounds = iter(storm_in_rounds(WORKER_KILLS + DATABASE_KILLS))
    kills = 0
    for _ in range(WORKER_KILLS):
        feed(conninfo, "shaken", next(rounds))
        kills += kill_worker(conninfo, "shaken", chance)
    for _ in range(DATABASE_KILLS):
        feed(conninfo, "shaken", next(rounds))
        kill_database(server, "shaken", chance)
    work_off(conninfo, "shaken")

    make(conninfo, "straight", PARTITIONS, fill=False)
    copy_log(conninfo, "shaken", "straight")
    work_off(conninfo, "straight")
    shaken, straight = dump(conninfo, "shaken"), dump(conninfo, "straight")
    assert kills >= 20
    assert differences(shaken, straight) == []
    for name in ("observation", "observation_revision", "observation_window", "alert", "episode"):
        assert shaken[name], f"the storm is too tame: no {name}"
    assert_ledger_closes(shaken)


def storm_in_rounds(rounds: int) -> list[list[tuple[int, Entry]]]:
    """The records of the storm, cut into equal stretches."""
    steps = list(storm(storm_registry(partitions=PARTITIONS), rounds * STEPS_PER_ROUND, SEED))
    cut = [steps[i : i + STEPS_PER_ROUND] for i in range(0, len(steps), STEPS_PER_ROUND)]
    return [[record for step in stretch for record in step] for stretch in cut]


def make(conninfo: str, namespace: str, partitions: int, fill: bool = True) -> None:
    """Migrates, and activates the registry when the log is not going to be a copy."""
    migrate(conninfo, namespace, NamespaceKind.SIMULATED, partitions=partitions)
    if not fill:
        return
    with connect(conninfo, namespace) as connection:
        version = save_registry(connection, storm_registry(partitions=partitions)).version
    control = encode_control("registry", version, START_MS - 1000)
    feed(conninfo, namespace, [(partition, control) for partition in range(partitions)])


def feed(conninfo: str, namespace: str, records: list[tuple[int, Entry]]) -> None:
    """Appends records of a round."""
    with closing(PostgresLog(conninfo, namespace)) as log:
        for partition in range(PARTITIONS):
            own = [entry for number, entry in records if number == partition]
            if own:
                log.append(partition, own)


def kill_worker(conninfo: str, namespace: str, chance: random.Random) -> int:
    """Starts a worker and kills it: while it starts, or a moment after it began to work."""
    worker = start_worker(conninfo, namespace)
    try:
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0.0, 1.5))
        else:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.0, 0.8))
        assert worker.poll() is None
    finally:
        end(worker)
    return 1


def kill_database(server: EmbeddedPostgres, namespace: str, chance: random.Random) -> None:
    """Kills the postmaster under a working worker, which has to go on with the next one."""
    worker = start_worker(server.conninfo, namespace)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.5))
        process = server.process()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        assert wait_until(lambda: server.process() is None, 10.0)
        server.start()
        before = position(server.conninfo, namespace)
        feed(server.conninfo, namespace, [(0, encode_control("registry", "nothing", START_MS))])
        wait_beyond(server.conninfo, namespace, before)
        assert worker.poll() is None
    finally:
        end(worker)


def start_worker(conninfo: str, namespace: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.worker", conninfo, namespace],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait(30)
    assert worker.stdout is not None
    worker.stdout.close()


def position(conninfo: str, namespace: str) -> int:
    """How many records are committed, over all partitions."""
    with connect(conninfo, namespace) as connection:
        row = connection.execute(
            "select coalesce(sum(next_offset), 0) from position where topic <> 'region'"
        ).fetchone()
    return int(row[0]) if row else 0


def wait_beyond(conninfo: str, namespace: str, before: int, timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while position(conninfo, namespace) <= before:
        assert time.monotonic() < deadline, "the worker does not go on"
        time.sleep(0.05)


def work_off(conninfo: str, namespace: str) -> None:
    """Commits what is left of the log."""
    with worker_host(conninfo, namespace, find_domains()) as host:
        host.run_until_idle()
