"""Unit tests reach no network: a connection out of this process fails the test."""

from __future__ import annotations

import socket
from typing import Any

import pytest


class NetworkInUnitTest(AssertionError):
    """A unit test wanted to leave the process."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections; socket pairs, which event loops need, still work."""

    def refuse(_: socket.socket, address: Any) -> None:
        raise NetworkInUnitTest(f"no network in unit tests: {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
