"""The catalogue of topics: what flows where, by which key, and how long it is kept.

An embedded log keeps the same topics in a table; retention and compaction are then its host's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000
OBSERVATION = "city.observation.v1"
ALERT = "city.alert.v1"
INDICATOR = "city.indicator.v1"
DEAD_LETTER = "city.deadletter.v1"


class Direction(StrEnum):
    """From where the platform stands."""

    IN = "receive"
    OUT = "send"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `messages` name the schemas of what it carries (`streams.contracts.schemas`)."""

    name: str
    title: str
    direction: Direction
    key: str
    partitioning: str
    retention_ms: int | None  # None = for ever
    compacted: bool
    timestamp: str  # Kafka's message.timestamp.type
    messages: tuple[str, ...]

    def configuration(self) -> dict[str, object]:
        """Kafka's topic configuration."""
        return {
            "cleanup.policy": ["compact"] if self.compacted else ["delete"],
            "retention.ms": -1 if self.retention_ms is None else self.retention_ms,
            "message.timestamp.type": self.timestamp,
        }


_BY_AREA = "explicit, versioned table area → partition (registry), never a client library's hash"

TOPICS: tuple[Topic, ...] = (
    Topic(
        OBSERVATION,
        "Readings: frames of one area, single readings, ticks, control records, refusals, "
        "warnings, closes",
        Direction.IN,
        "area",
        _BY_AREA,
        14 * DAY_MS,
        False,
        "LogAppendTime",
        ("frame", "reading", "tick", "control", "refusal", "warning", "close"),
    ),
    Topic(
        ALERT,
        "Alerts: the full state after every transition",
        Direction.OUT,
        "alert id",
        _BY_AREA,
        None,
        True,
        "CreateTime",
        ("alert",),
    ),
    Topic(
        INDICATOR,
        "Facts: an indicator's value for an area and period, a message per revision",
        Direction.OUT,
        "indicator, area, period and start",
        _BY_AREA,
        None,
        True,
        "CreateTime",
        ("fact",),
    ),
    Topic(
        DEAD_LETTER,
        "What was refused, with its reason and position",
        Direction.OUT,
        "source",
        "hash of the key; order does not matter",
        30 * DAY_MS,
        False,
        "CreateTime",
        ("deadletter",),
    ),
)


def find_topic(name: str) -> Topic:
    """The topic of this name; `KeyError` when there is none."""
    found = {topic.name: topic for topic in TOPICS}
    return found[name]
