"""A Kafka for tests, and namespaces of their own in it whose topics go when the test ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from streams.settings import Settings


@pytest.fixture(scope="session")
def kafka_address(native_kafka: str) -> str:
    """`host:port` of a broker without security, of one node."""
    return native_kafka


@pytest.fixture
def kafka_settings(kafka_address: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that name it."""
    monkeypatch.setenv("CITYBRAIN_KAFKA", kafka_address)
    return Settings()


@pytest.fixture
def make_kafka_namespace(kafka_settings: Settings) -> Iterator[Callable[..., str]]:
    """Gives namespaces whose topics exist; `partitions` (2) of each, 0 makes none."""
    from streams.log.kafka_admin import ensure_topics, remove_topics

    given: list[str] = []

    def make(partitions: int = 2) -> str:
        given.append(f"test_{uuid.uuid4().hex[:16]}")
        if partitions:
            ensure_topics(kafka_settings, given[-1], partitions)
        return given[-1]

    yield make
    for name in given:
        remove_topics(kafka_settings, name)


@pytest.fixture
def kafka_namespace(make_kafka_namespace: Callable[..., str]) -> str:
    """One namespace with topics of two partitions."""
    return make_kafka_namespace()
