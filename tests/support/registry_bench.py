"""Fixtures: a live namespace as `citybrain up` leaves it, for `citybrain registry`."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.live_city import ensure_areas
from streams.contracts.reason import NamespaceKind
from streams.settings import Settings
from streams.storage.migrate import migrate
from tests.support.registry_city import City


@pytest.fixture(scope="module")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One extract of the boundaries for the module."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def city(
    database_url: str,
    namespace: str,
    var_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> City:
    """A live namespace as `citybrain up` leaves it."""
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(var_dir))
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=3)
    ensure_areas(database_url, namespace, Settings(var_dir=var_dir), lambda: 1_800_000_000_000)
    return City(database_url, namespace, tmp_path, capsys)
