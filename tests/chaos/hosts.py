"""The hosts that the chaos suite runs over: one process on the log in a table, Faust on Kafka."""

from __future__ import annotations

import os
import sys
from typing import Protocol

from streams.contracts.reason import LogKind, NamespaceKind
from streams.log import Log
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.opening import make_topics
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.migrate import migrate
from tests.chaos.broker import Broker, copy_kafka_log
from tests.support.namespace import copy_log


class Host(Protocol):
    """What a chaos run needs to know of a kind of worker and of its log."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def workers(self) -> int:
        """How many share the partitions; the single-process host has one owner at a time."""

    @property
    def detection_s(self) -> float:
        """How long it takes, at most, until a worker that says nothing more counts as gone."""

    @property
    def broker(self) -> Broker | None:
        """What may be killed beside the database."""

    def prepare(self, conninfo: str, namespace: str, partitions: int) -> None:
        """Makes the namespace and its log."""

    def command(self, conninfo: str, namespace: str) -> list[str]:
        """Starts a worker that says `ready`."""

    def environment(self) -> dict[str, str]:
        """The environment of a worker."""

    def open_log(self, conninfo: str, namespace: str) -> Log:
        """The log, to append to and to read."""

    def copy(self, conninfo: str, source: str, target: str) -> None:
        """Gives a fresh namespace with a log in a table the same records and catalogue."""


class TableHost:
    """`streams.runtime.single`: a second one takes everything from the first, at once."""

    name = "table"
    workers = 1
    detection_s = 0.0
    broker = None

    def prepare(self, conninfo: str, namespace: str, partitions: int) -> None:
        migrate(
            conninfo, namespace, NamespaceKind.SIMULATED, partitions=partitions, log=LogKind.TABLE
        )

    def command(self, conninfo: str, namespace: str) -> list[str]:
        return [sys.executable, "-m", "tests.chaos.worker", conninfo, namespace]

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def open_log(self, conninfo: str, namespace: str) -> Log:
        return PostgresLog(conninfo, namespace)

    def copy(self, conninfo: str, source: str, target: str) -> None:
        copy_log(conninfo, source, target)


class FaustHost:
    """`citybrain worker` on Kafka: three members of a group share the partitions."""

    name = "faust"
    workers = 3
    detection_s = 10.0

    def __init__(self, broker: Broker) -> None:
        self.broker: Broker | None = broker
        self._settings = Settings(kafka=broker.address)

    def prepare(self, conninfo: str, namespace: str, partitions: int) -> None:
        kind = LogKind.KAFKA
        migrate(conninfo, namespace, NamespaceKind.SIMULATED, partitions=partitions, log=kind)
        make_topics(self._settings, namespace, partitions, kind)

    def command(self, conninfo: str, namespace: str) -> list[str]:
        return [sys.executable, "-m", "tests.chaos.kafka_worker", conninfo, namespace]

    def environment(self) -> dict[str, str]:
        return dict(os.environ) | {"CITYBRAIN_KAFKA": str(self._settings.kafka)}

    def open_log(self, conninfo: str, namespace: str) -> Log:
        return KafkaLog(self._settings, topic_name(namespace))

    def copy(self, conninfo: str, source: str, target: str) -> None:
        log = self.open_log(conninfo, source)
        try:
            copy_kafka_log(conninfo, log, source, target)
        finally:
            log.close()
