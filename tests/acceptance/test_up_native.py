"""`citybrain up --infra native` as a user runs it: Kafka and TimescaleDB, killed and healed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.native_kafka import NativeKafka
from deploy.native_timescale import NativeTimescale
from deploy.process import ProcessIdentity, wait_until
from tests.support.mosquitto import free_port
from tests.support.native import free_settings, make_var_dir, not_here

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]
Citybrain = Callable[..., subprocess.CompletedProcess[str]]
PATIENCE_S = 120.0
NOT_HERE = 2  # exit code: something is not installed, and it says what


@pytest.fixture
def var_dir() -> Iterator[Path]:
    folder = make_var_dir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def citybrain(var_dir: Path) -> Iterator[Citybrain]:
    """Runs one verb; everything is stopped and removed at the end."""
    ports = free_settings()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")},
        "CITYBRAIN_VAR_DIR": str(var_dir),
        "CITYBRAIN_API_PORT": str(free_port()),
        "CITYBRAIN_GATEWAY_PORT": str(free_port()),
        "CITYBRAIN_NATIVE_KAFKA_PORT": str(ports.kafka_port),
        "CITYBRAIN_NATIVE_KAFKA_CONTROLLER_PORT": str(ports.kafka_controller_port),
        "CITYBRAIN_NATIVE_POSTGRES_PORT": str(ports.postgres_port),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            cwd=Path(__file__).parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    run("down", "--purge")


def _status(citybrain: Citybrain) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(citybrain("status", "--json").stdout)
    return found


def _play(citybrain: Citybrain) -> dict[str, Any]:
    rows = _status(citybrain)["namespaces"]
    found: dict[str, Any] = next(row for row in rows if row["namespace"] == "play")
    return found


def test_servers_that_are_killed_come_back_and_the_city_goes_on(
    citybrain: Citybrain, var_dir: Path
) -> None:
    first = citybrain("up", "--infra", "native", "--play", "typhoon")
    if first.returncode == NOT_HERE:
        not_here(first.stderr)
    assert first.returncode == 0, first.stdout + first.stderr
    for milestone in ("infrastructure: native", "Kafka ready", "PostgreSQL ready", "alert open"):
        assert milestone in first.stdout
    assert _status(citybrain)["complete"]
    before = _play(citybrain)

    _kill_servers(var_dir)
    assert wait_until(lambda: bool(_status(citybrain)["complete"]), PATIENCE_S, 1.0)

    refused = citybrain("up", "--infra", "embedded")
    assert refused.returncode == 2
    assert "`citybrain down` first" in refused.stderr
    again = citybrain("up")  # it remembers
    assert again.returncode == 0, again.stdout + again.stderr
    assert "infrastructure: native" in again.stdout
    after = _play(citybrain)
    assert after["stored"] >= before["stored"] > 0
    assert after["position"] >= before["position"]
    doctor = citybrain("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "TimescaleDB" in doctor.stdout

    assert citybrain("down").returncode == 0
    kept = var_dir / "kafka" / "data" / "meta.properties"
    assert kept.exists()
    assert citybrain("down", "--purge").returncode == 0
    assert [path.name for path in var_dir.iterdir()] == ["owner.json"]


def _kill_servers(var_dir: Path) -> None:
    """kill -9 of both; the supervisor starts them again."""
    settings = free_settings()  # the folder tells which processes are meant, not the ports
    for server in (NativeKafka(var_dir, settings), NativeTimescale(var_dir, settings)):
        victim = server.process()
        assert victim is not None
        victim.signal(signal.SIGKILL)
        assert _gone(victim)


def _gone(victim: ProcessIdentity) -> bool:
    return wait_until(lambda: not victim.alive(), 10.0)
