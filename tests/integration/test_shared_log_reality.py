"""What a Kafka log really is like: transactions leave gaps, topics are made anew."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from kafka import KafkaProducer

from streams.contracts.codec import encode_control
from streams.log import Entry
from streams.log.kafka_admin import ensure_topics, remove_topics
from streams.log.kafka_client import client_options
from streams.storage.canonical import differences
from tests.support.shared_city import PARTITIONS, WAIT_S, SharedCity, shared_city
from tests.support.storm import START_MS

__all__ = ["shared_city"]
pytestmark = pytest.mark.integration


def test_gaps_of_transactions_are_passed_over(shared_city: SharedCity, namespace: str) -> None:
    shared_city.storm(12, seed=5)
    shared_city.feed(4)
    producer = KafkaProducer(
        **client_options(shared_city.settings), transactional_id=shared_city.namespace
    )
    producer.init_transactions()
    aborted = encode_control("registry", "never activated", START_MS)
    for _ in range(2):
        producer.begin_transaction()
        send(producer, shared_city.topic, aborted)
        producer.abort_transaction()
        shared_city.feed(4)
    committed = encode_control("registry", "unknown", START_MS + 1000)
    producer.begin_transaction()
    send(producer, shared_city.topic, committed)
    producer.commit_transaction()  # its markers are the last that the log holds
    producer.close()
    shared_city.wrote([(partition, committed) for partition in range(PARTITIONS)])

    done = work_off(shared_city)
    assert done.returncode == 0, done.stderr
    assert shared_city.behind() == PARTITIONS  # the markers, nobody's work
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def test_a_topic_that_was_made_anew_stops_the_worker(shared_city: SharedCity) -> None:
    shared_city.storm(3, seed=6)
    shared_city.feed(3)
    assert work_off(shared_city).returncode == 0
    before = shared_city.dump()
    remove_topics(shared_city.settings, shared_city.namespace)
    ensure_topics(shared_city.settings, shared_city.namespace, PARTITIONS)
    done = work_off(shared_city)
    assert done.returncode == 2
    assert "is another log" in done.stderr
    assert differences(before, shared_city.dump()) == []


def work_off(city: SharedCity) -> subprocess.CompletedProcess[str]:
    """`citybrain worker --until-idle`, as users run it."""
    return subprocess.run(
        [*(sys.executable, "-m", "deploy.cli", "worker", "--until-idle")],
        env=os.environ
        | {
            "CITYBRAIN_KAFKA": city.settings.kafka or "",
            "CITYBRAIN_DATABASE": city.conninfo,
            "CITYBRAIN_NAMESPACE": city.namespace,
        },
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def send(producer: KafkaProducer, topic: str, entry: Entry) -> None:
    headers, body = entry
    for partition in range(PARTITIONS):
        producer.send(
            topic,
            value=body,
            headers=[(name, value.encode()) for name, value in headers.items()],
            partition=partition,
        )
    producer.flush()
