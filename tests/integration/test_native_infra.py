"""Kafka and TimescaleDB started natively: what was committed survives kill -9, nothing is left."""

from __future__ import annotations

import shutil
import signal
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from deploy.health import port_is_taken
from deploy.native_kafka import NativeKafka
from deploy.native_timescale import NativeTimescale
from deploy.process import ProcessIdentity, wait_until
from streams.errors import Misconfigured
from streams.log.kafka_ready import ask_cluster
from streams.settings import Settings
from tests.support.native import free_settings, make_var_dir, start_or_skip

pytestmark = pytest.mark.integration
SECOND_START_S = 5.0


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    folder = make_var_dir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def kafka(var_dir: Path) -> Iterator[NativeKafka]:
    server = NativeKafka(var_dir, free_settings())
    start_or_skip(server)
    yield server
    server.purge()


@pytest.fixture(scope="module")
def timescale(var_dir: Path) -> Iterator[NativeTimescale]:
    server = NativeTimescale(var_dir, free_settings())
    start_or_skip(server)
    yield server
    server.purge()


def _kill(server: NativeKafka | NativeTimescale) -> ProcessIdentity:
    running = server.process()
    assert running is not None
    running.signal(signal.SIGKILL)
    assert wait_until(lambda: not running.alive(), 10.0)
    return running


def _send(address: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    for value in values:
        producer.send(topic, value, partition=0).get(timeout=30)
    producer.close()


def _read(address: str, topic: str) -> list[tuple[bytes, int]]:
    """(value, timestamp type) of all records."""
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    where = TopicPartition(topic, 0)
    consumer.assign([where])
    consumer.seek_to_beginning(where)
    found: list[tuple[bytes, int]] = []
    end = consumer.end_offsets([where])[where]
    while len(found) < end:
        for records in consumer.poll(timeout_ms=1000).values():
            found += [(record.value, record.timestamp_type) for record in records]
    consumer.close()
    return found


def test_kafka_keeps_what_it_acknowledged(kafka: NativeKafka) -> None:
    topic = f"kept-{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    _send(kafka.address, topic, b"one", b"two")
    first = kafka.process()
    assert _kill(kafka) == first
    assert kafka.start() == kafka.address
    assert kafka.process() != first
    kafka.stop()
    kafka.start()
    assert _read(kafka.address, topic) == [(b"one", 1), (b"two", 1)]  # 1: LogAppendTime


def test_kafka_makes_no_topic_by_itself(kafka: NativeKafka) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka.address)
    assert consumer.partitions_for_topic(f"never-made-{uuid.uuid4().hex}") in (None, set())
    consumer.close()


def test_kafka_says_who_it_is(kafka: NativeKafka) -> None:
    said = ask_cluster(Settings(kafka=kafka.address))
    assert said.brokers == (kafka.address,)
    assert len(said.identity) == 22
    assert int(said.version.split(".")[0]) >= 4


def test_kafka_without_its_pid_file_is_found(kafka: NativeKafka) -> None:
    running = kafka.process()
    (kafka.home / "kafka.pid").unlink()
    assert kafka.process() == running
    assert kafka.start() == kafka.address
    assert kafka.process() == running


def test_a_second_start_takes_moments(kafka: NativeKafka, timescale: NativeTimescale) -> None:
    begun = time.monotonic()
    kafka.start()
    timescale.start()
    assert time.monotonic() - begun < SECOND_START_S


def test_a_taken_port_is_told(kafka: NativeKafka, tmp_path: Path) -> None:
    other = NativeKafka(tmp_path, kafka._settings)
    with pytest.raises(Misconfigured, match="CITYBRAIN_NATIVE_KAFKA_PORT"):
        other.start()
    assert other.process() is None


def test_timescale_keeps_what_it_committed(timescale: NativeTimescale) -> None:
    with psycopg.connect(timescale.conninfo, autocommit=True) as connection:
        connection.execute("create table kept (t timestamptz not null, i int)")
        connection.execute("select create_hypertable('kept', 't', create_default_indexes => false)")
    for number in range(2):
        with psycopg.connect(timescale.conninfo, autocommit=True) as connection:
            connection.execute("insert into kept values (now(), %s)", (number,))
        _kill(timescale)
        timescale.start()
    timescale.stop()
    timescale.start()
    with psycopg.connect(timescale.conninfo) as connection:
        assert connection.execute("select i from kept order by i").fetchall() == [(0,), (1,)]


def test_timescale_is_durable_and_tells_nobody(timescale: NativeTimescale) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "timescaledb.telemetry_level": "off",
    }
    with psycopg.connect(timescale.conninfo) as connection:
        for name, value in expected.items():
            row = connection.execute("select current_setting(%s)", (name,)).fetchone()
            assert row == (value,), name


def test_timescale_lets_nobody_in_without_its_password(timescale: NativeTimescale) -> None:
    port = timescale._native.postgres_port
    for password in ("", "password=postgres"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"host=127.0.0.1 port={port} user=citybrain {password}")
    for file in (timescale.password_file, timescale.home.var_dir / "database.conninfo"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_lost_password_is_replaced(timescale: NativeTimescale) -> None:
    before = timescale.conninfo
    timescale.stop()
    timescale.password_file.unlink()
    timescale.start()
    assert timescale.conninfo != before
    with psycopg.connect(timescale.conninfo) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_stopped_servers_leave_no_process_and_purged_ones_no_file() -> None:
    folder = make_var_dir()
    settings = free_settings()
    servers = (NativeKafka(folder, settings), NativeTimescale(folder, settings))
    for server in servers:
        start_or_skip(server)
    seen = [server.process() for server in servers]
    for server in servers:
        server.stop()
        server.stop()
    assert not any(identity is None or identity.alive() for identity in seen)
    assert not port_is_taken("127.0.0.1", settings.kafka_port)
    assert not port_is_taken("127.0.0.1", settings.postgres_port)
    for server in servers:
        server.purge()
    assert sorted(path.name for path in folder.iterdir()) == ["log", "owner.json"]
    shutil.rmtree(folder)
