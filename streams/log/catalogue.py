"""The topics of a namespace in Kafka: names, partitions and how each is kept. One list, no I/O.

`streams.log.kafka_admin` makes them and compares them with what the brokers have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.contracts.frame import MAX_BODY_BYTES
from streams.log import ALERT_TOPIC, DEADLETTER_TOPIC, INDICATOR_TOPIC, OBSERVATION_TOPIC
from streams.settings import Settings

LIVE_NAMESPACE = "citybrain"
DAY_MS = 86_400_000
MAX_RECORD_BYTES = MAX_BODY_BYTES + (64 << 10)  # with its headers
MAX_LETTER_BYTES = 2 * MAX_BODY_BYTES  # a dead letter holds the whole record, in base64


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be. `config` has only what matters here; the rest is the brokers'."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def topic_name(namespace: str, topic: str = OBSERVATION_TOPIC) -> str:
    """What a topic of a namespace is called in Kafka: only the live one has the plain name."""
    return topic if namespace == LIVE_NAMESPACE else f"{namespace}.{topic}"


def group_name(namespace: str) -> str:
    """The consumer group of the namespace's workers."""
    return f"citybrain.{namespace}"


def catalogue(settings: Settings, namespace: str, partitions: int) -> tuple[Topic, ...]:
    """Every topic of the namespace; the log first.

    What comes out is partitioned by area as what goes in. Append time is the broker's
    (`LogAppendTime`): by event time, retention would delete a history that is played again. Alerts
    are compacted by their id, so a late subscriber gets the state of each.
    """
    kept = str(settings.kafka_retention_days * DAY_MS)
    deleted = {"cleanup.policy": "delete", "retention.ms": kept, "retention.bytes": "-1"}
    compacted = {"cleanup.policy": "compact"}
    return tuple(
        Topic(
            topic_name(namespace, topic),
            partitions,
            settings.kafka_replication,
            {**cleanup, "max.message.bytes": str(size), **_safe(settings.kafka_replication)},
        )
        for topic, cleanup, size in (
            (OBSERVATION_TOPIC, deleted, MAX_RECORD_BYTES),
            (ALERT_TOPIC, compacted, MAX_RECORD_BYTES),
            (INDICATOR_TOPIC, deleted, MAX_RECORD_BYTES),
            (DEADLETTER_TOPIC, deleted, MAX_LETTER_BYTES),
        )
    )


def _safe(replication: int) -> dict[str, str]:
    """An acknowledged record survives a broker's death, and one broker may be away."""
    return {
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication - 1)),
        "unclean.leader.election.enable": "false",
    }
