"""Fixtures for tests of the API: one seeded namespace for the whole run, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.support.admission import api_served
from tests.support.seed import Seeded, seed
from tests.support.seed_domains import DOMAINS

NAMESPACE = "test_api_seeded"


@pytest.fixture(scope="session")
def seeded(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A simulated namespace of a typhoon morning; nobody changes it."""
    folder: Path = tmp_path_factory.mktemp("boundaries")
    yield seed(database_url, NAMESPACE, folder)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(NAMESPACE)))


@pytest.fixture(scope="module")
def client(database_url: str, seeded: Seeded) -> Iterator[httpx.Client]:
    """A client of an app that reads the seeded namespace by default."""
    with api_served(database_url, seeded.namespace, DOMAINS) as client:
        yield client
