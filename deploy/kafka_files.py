"""The configuration of the one Kafka node that citybrain starts by itself: text, written nowhere.

One node, no replica: what it acknowledged survives kill -9, because the operating system holds it;
a power cut may take the last moments. A city that must not lose those runs a cluster of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native_settings import NativeSettings

RETENTION_HOURS = 14 * 24  # of topics that say nothing: as long as the embedded log keeps its own
LONGEST_MESSAGE_BYTES = 4 * 1024 * 1024

LOGGING = """\
status = error
rootLogger.level = INFO
rootLogger.appenderRef.stdout.ref = STDOUT
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
"""


def server_properties(
    data: Path, settings: NativeSettings, more: Mapping[str, str] | None = None
) -> str:
    """The text of `server.properties`; `more` adds to it and overrides it."""
    address, controller = settings.kafka_address, f"127.0.0.1:{settings.kafka_controller_port}"
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": controller,
        "listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        "num.partitions": "4",
        "auto.create.topics.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        "log.retention.hours": str(RETENTION_HOURS),
        "message.max.bytes": str(LONGEST_MESSAGE_BYTES),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After kill -9 the node waits this long for its own earlier self; heartbeats are its own.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
    }
    properties |= more or {}
    lines = [f"{name}={_escaped(value)}" for name, value in properties.items()]
    return (
        "# Written by citybrain at every start; changes here are lost.\n" + "\n".join(lines) + "\n"
    )


def _escaped(value: str) -> str:
    """Java's property files take a backslash for themselves, and are not UTF-8 everywhere."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return "".join(c if c.isascii() else _unicode(c) for c in escaped)


def _unicode(character: str) -> str:
    pairs = character.encode("utf-16-be")
    return "".join(f"\\u{pairs[i]:02x}{pairs[i + 1]:02x}" for i in range(0, len(pairs), 2))
