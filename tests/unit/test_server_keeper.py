"""A server that died is started again; trouble is told once, when it starts and when it ends."""

from __future__ import annotations

import logging

import pytest

from deploy.process import ProcessIdentity
from deploy.server import Say, quiet
from deploy.server_keeper import ServerKeeper
from streams.errors import Unavailable


class Patient:
    """A server that fails to start as often as it is told to."""

    name = "Patient"

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.running = False

    def start(self, timeout_s: float = 1.0, say: Say = quiet) -> str:
        if self.failures:
            self.failures -= 1
            raise Unavailable("not yet")
        self.running = True
        return "here"

    def stop(self) -> None:
        self.running = False

    def purge(self) -> None:
        self.running = False

    def process(self) -> ProcessIdentity | None:
        return ProcessIdentity(1, 1.0) if self.running else None


def test_trouble_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    keeper = ServerKeeper(Patient(failures=3))
    with caplog.at_level(logging.INFO, "citybrain.supervisor"):
        assert [keeper.look() for _ in range(5)] == [False, False, False, True, False]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_every_death_is_told(caplog: pytest.LogCaptureFixture) -> None:
    server = Patient(failures=0)
    keeper = ServerKeeper(server)
    with caplog.at_level(logging.INFO, "citybrain.supervisor"):
        for _ in range(2):
            assert keeper.look()
            server.stop()
    assert len(caplog.records) == 2
