"""Whether a Kafka cluster answers, and what it says of itself. Reads only, waits for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient

from streams.log.kafka_client import client_options, translated
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the cluster says."""

    identity: str
    brokers: tuple[str, ...]  # host:port of each
    version: str  # at least this: the newest release that the client can tell


def ask_cluster(settings: Settings) -> Cluster:
    """Asks once, within the client's short bootstrap time. `Unavailable` when nothing answers."""
    with translated():
        client = KafkaAdminClient(**client_options(settings))
        try:
            said: dict[str, Any] = client.describe_cluster()
            first = said["brokers"][0]["broker_id"] if said["brokers"] else None
            spoken = () if first is None else client.get_broker_version_data(first).broker_version
        finally:
            client.close()
    brokers = tuple(f"{broker['host']}:{broker['port']}" for broker in said["brokers"])
    return Cluster(str(said["cluster_id"]), brokers, ".".join(str(part) for part in spoken))
