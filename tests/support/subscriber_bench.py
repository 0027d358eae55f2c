"""What tests of the delivery begin with: a live namespace and a receiver on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.contracts.reason import NamespaceKind
from streams.storage.migrate import migrate
from tests.support.receiver import Receiver, receiving


@pytest.fixture
def space(database_url: str, namespace: str) -> str:
    """An empty live namespace; its name."""
    migrate(database_url, namespace, NamespaceKind.LIVE)
    return namespace


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes webhooks and keeps them."""
    with receiving() as found:
        yield found
