"""`citybrain up --play typhoon` as a newcomer runs it, on ports and a var folder of its own."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.postgres import EmbeddedPostgres
from deploy.process import ProcessIdentity, wait_until
from deploy.supervisor import PID_FILE
from tests.support.program import Program, program

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]
Citybrain = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def city() -> Iterator[Program]:
    """Nothing runs yet; everything is stopped and removed at the end."""
    with program() as made:
        yield made


@pytest.fixture
def citybrain(city: Program) -> Citybrain:
    """Runs one verb."""
    return city.call


@pytest.fixture
def var_dir(city: Program) -> Path:
    return city.var_dir


def _status(citybrain: Citybrain) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(citybrain("status", "--json").stdout)
    return found


def _play(citybrain: Citybrain) -> dict[str, Any]:
    rows = _status(citybrain)["namespaces"]
    found: dict[str, Any] = next(row for row in rows if row["namespace"] == "play")
    return found


def test_up_shows_alerts_heals_and_leaves_nothing(citybrain: Citybrain, var_dir: Path) -> None:
    first = citybrain("up", "--play", "typhoon")
    assert first.returncode == 0, first.stdout + first.stderr
    for milestone in ("PostgreSQL ready", "API answering", "first reading stored", "alert open"):
        assert milestone in first.stdout
    healthy = _status(citybrain)
    assert healthy["complete"]
    before = _play(citybrain)

    _kill_all_at_once(var_dir)
    assert citybrain("status").returncode == 3
    second = citybrain("up")
    assert second.returncode == 0, second.stdout + second.stderr
    after = _play(citybrain)
    assert after["stored"] >= before["stored"] > 0
    assert after["position"] >= before["position"]
    assert citybrain("doctor").returncode == 0

    assert citybrain("down").returncode == 0
    assert citybrain("down", "--purge").returncode == 0
    assert [path.name for path in var_dir.iterdir()] == ["owner.json"]
    assert not EmbeddedPostgres(var_dir).home.root.exists()


def _kill_all_at_once(var_dir: Path) -> None:
    """kill -9 of this folder's supervisor and database; its children are found by the next `up`."""
    supervisor = ProcessIdentity.load(var_dir / PID_FILE)
    database = EmbeddedPostgres(var_dir).process()
    assert supervisor is not None
    assert database is not None
    for victim in (supervisor, database):
        victim.signal(signal.SIGKILL)
    assert wait_until(lambda: not supervisor.alive() and not database.alive(), 10.0)
