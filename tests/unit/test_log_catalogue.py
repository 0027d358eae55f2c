"""What the topics of a namespace should be."""

from __future__ import annotations

import pytest

from streams.contracts.frame import MAX_BODY_BYTES
from streams.log.catalogue import DAY_MS, catalogue, topic_name
from streams.settings import Settings


def test_only_the_live_namespace_has_plain_names() -> None:
    assert topic_name("citybrain") == "city.observation.v1"
    assert topic_name("play") == "play.city.observation.v1"
    names = [topic.name for topic in catalogue(Settings(), "play", 4)]
    assert names == [
        f"play.city.{what}.v1" for what in ("observation", "alert", "indicator", "deadletter")
    ]


def test_the_log_takes_the_largest_record_and_stamps_it_itself() -> None:
    log = catalogue(Settings(kafka_retention_days=3), "citybrain", 6)[0]
    assert log.partitions == 6
    assert int(log.config["max.message.bytes"]) > MAX_BODY_BYTES
    assert log.config["message.timestamp.type"] == "LogAppendTime"
    assert log.config["retention.ms"] == str(3 * DAY_MS)


def test_alerts_are_compacted_and_never_thrown_away() -> None:
    alerts = catalogue(Settings(), "citybrain", 4)[1]
    assert alerts.config["cleanup.policy"] == "compact"
    assert "retention.ms" not in alerts.config


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_broker_may_be_away(replication: int, in_sync: str) -> None:
    for topic in catalogue(Settings(kafka_replication=replication), "citybrain", 4):
        assert topic.replication == replication
        assert topic.config["min.insync.replicas"] == in_sync
