"""The comparison against a real broker: engines that run in our own environment, on few readings;
all of them (packages and jars are fetched) only in the long tests."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterable, Iterator

import pytest
from kafka import KafkaProducer

from benchmarks.side_by_side.__main__ import Comparison, main
from benchmarks.side_by_side.broker import Broker, Headed
from benchmarks.side_by_side.data import Content, Readings
from benchmarks.side_by_side.engine import Engine, engines
from benchmarks.side_by_side.run import Failed, Run, Watched
from streams.settings import Settings

pytestmark = pytest.mark.integration

READINGS = Readings(6_000)
OURS = (
    pytest.param("faust-table/event", marks=pytest.mark.long),
    "faust-raw/msgpack",
    "citybrain/msgpack",
    "citybrain-engine/msgpack",
)
BY_KEY = {engine.key: engine for engine in engines()}


class PlainBroker(Broker):
    """Fills topics with kafka-python: the rivals' environment is not there."""

    def fill(self, python: str, topic: str, records: Iterable[Content | Headed]) -> None:
        self.make(topic)
        producer = KafkaProducer(bootstrap_servers=self.address, linger_ms=20)
        for partition, key, body, time_ms, *headers in records:
            producer.send(
                topic,
                body,
                key,
                headers[0] if headers else [],
                partition=partition,
                timestamp_ms=time_ms,
            )
        producer.flush()
        producer.close()


@pytest.fixture
def comparison(
    kafka_address: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Comparison]:
    settings = Settings(database=database_url, kafka=kafka_address)
    monkeypatch.setattr("benchmarks.side_by_side.environment.python", lambda: sys.executable)
    prefix = f"side-{uuid.uuid4().hex[:12]}"

    def watched() -> Watched:
        return Watched(None, None)

    def command(engine: Engine) -> list[str]:
        return [sys.executable, "-m", f"benchmarks.rivals.{engine.program}"]

    with PlainBroker(kafka_address) as broker:
        yield Comparison(settings, broker, prefix, watched, Run(broker, command, watched, prefix))
        broker.delete(prefix)


@pytest.mark.parametrize("key", OURS)
def test_an_engine_gives_the_results_of_the_reference(comparison: Comparison, key: str) -> None:
    measured = comparison.solve(BY_KEY[key], READINGS)
    assert measured.readings == READINGS.total
    assert measured.seconds > 0
    assert measured.engine_cpu_s >= 0
    assert measured.rss_mb > 10


def test_an_engine_that_ends_early_fails_with_its_last_words(comparison: Comparison) -> None:
    broken: Callable[[Engine], list[str]] = lambda _: [  # noqa: E731
        *(sys.executable, "-c", "import sys; sys.exit('no such thing')")
    ]
    comparison.run.command = broken
    with pytest.raises(Failed, match=r"ended too early.*no such thing"):
        comparison.solve(BY_KEY["faust-raw/msgpack"], READINGS)


@pytest.mark.long
def test_all_engines_agree_in_one_quick_run(kafka_address: str, database_url: str) -> None:
    arguments = ["--quick", "--kafka", kafka_address, "--database", database_url]
    assert main(arguments) == 0
