"""Makes, describes, compares and removes the topics of a namespace. It never touches records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from streams.errors import Misconfigured, Unavailable
from streams.log.catalogue import Topic, catalogue
from streams.log.kafka_client import client_options, translated
from streams.log.kafka_group import drop_group
from streams.settings import Settings

UNKNOWN_TOPIC = 3  # error codes of the protocol
TOPIC_EXISTS = 36
VISIBLE_S = 15.0
POLL_S = 0.05
MIN_IN_SYNC = "min.insync.replicas"
UNCONFIGURABLE = ("topic", "partitions", "replication")


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the brokers have it."""

    name: str
    id: str
    partitions: int
    replication: int  # of the partition that has fewest replicas
    in_sync: int  # of the partition that has fewest replicas in sync
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a topic has and should have."""

    topic: str
    what: str
    found: str
    wanted: str
    mend: str  # what to do about it


def ensure_topics(settings: Settings, namespace: str, partitions: int) -> tuple[str, ...]:
    """Makes the topics that are missing; the names of those that it made. Ready when it returns.

    May be repeated at any time. What exists keeps its settings (`differences` tells).
    `Misconfigured` for a topic with another number of partitions, or that the brokers refuse;
    `Unavailable`.
    """
    wanted = catalogue(settings, namespace, partitions)
    with administration(settings) as admin, translated():
        found = describe(admin, [topic.name for topic in wanted])
        missing = [topic for topic in wanted if topic.name not in found]
        made = _create(admin, missing) if missing else ()
        if len(made) < len(missing):  # another was faster
            found = describe(admin, [topic.name for topic in wanted])
    _check_partitions(wanted, found)
    return made


def remove_topics(settings: Settings, namespace: str) -> tuple[str, ...]:
    """Removes every topic of a throwaway namespace, records and group too; gone when it returns.

    Names what it removed. Whoever calls makes sure that the namespace is not live.
    """
    names = [topic.name for topic in catalogue(settings, namespace, 1)]
    with administration(settings) as admin, translated():
        drop_group(admin, namespace)
        there = tuple(describe(admin, names))
        if not there:
            return ()
        answers = admin.delete_topics(list(there), raise_errors=False)["topics"]
        _refuse("delete", [a for a in answers if a["error_code"] not in (0, UNKNOWN_TOPIC)])
        _wait_for(lambda: not describe(admin, names), f"Kafka still has {', '.join(there)}")
    return there


def find_topics(settings: Settings, wanted: Sequence[Topic]) -> dict[str, Found]:
    """Those of the topics that the brokers have, by name, with the settings that matter."""
    with administration(settings) as admin, translated():
        return describe(admin, [topic.name for topic in wanted])


def differences(wanted: Sequence[Topic], found: Mapping[str, Found]) -> list[Difference]:
    """Everything that is not as it should be, and what mends it."""
    return [difference for topic in wanted for difference in _compare(topic, found)]


def configure(settings: Settings, told: Sequence[Difference]) -> None:
    """Gives topics the settings that the differences name (never partitions or replicas).

    In force when it returns.
    """
    changes: dict[str, dict[str, str]] = {}
    for difference in told:
        if difference.what not in UNCONFIGURABLE:
            changes.setdefault(difference.topic, {})[difference.what] = difference.wanted
    if not changes:
        return
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, c) for name, c in changes.items()]
    with administration(settings) as admin, translated():
        admin.alter_configs(asked)

        def in_force() -> bool:
            found = describe(admin, list(changes))
            return all(changes[n].items() <= found[n].config.items() for n in changes)

        _wait_for(in_force, f"Kafka does not show the settings of {', '.join(changes)}")


@contextmanager
def administration(settings: Settings) -> Iterator[Any]:
    """An administration client of kafka-python, closed at the end."""
    with translated():
        admin = KafkaAdminClient(**client_options(settings))
    try:
        yield admin
    finally:
        admin.close()


def describe(admin: Any, names: Sequence[str]) -> dict[str, Found]:
    """Those of the topics that exist."""
    told = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
    _refuse("describe", [t for t in told.values() if t["error_code"] not in (0, UNKNOWN_TOPIC)])
    there = [name for name in names if told[name]["error_code"] == 0]
    if not there:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    configs = admin.describe_configs(asked, config_filter="all")["topic"]
    return {name: _found(told[name], configs[name]) for name in there}


def _wait_for(reached: Callable[[], bool], complaint: str) -> None:
    """A change is told to one broker and shown by all of them a moment later."""
    deadline = time.monotonic() + VISIBLE_S
    while not reached():
        if time.monotonic() > deadline:
            raise Unavailable(f"{complaint} after {VISIBLE_S:.0f} s")
        time.sleep(POLL_S)


def _found(told: Any, config: Any) -> Found:
    partitions = told["partitions"]
    return Found(
        told["name"],
        str(told["topic_id"]),
        len(partitions),
        min(len(p["replica_nodes"]) for p in partitions),
        min(len(p["isr_nodes"]) for p in partitions),
        {name: str(entry["value"]) for name, entry in config.items()},
    )


def _create(admin: Any, missing: Sequence[Topic]) -> tuple[str, ...]:
    asked = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication,
            "configs": dict(topic.config),
        }
        for topic in missing
    }
    answers = admin.create_topics(asked, raise_errors=False)["topics"]
    _refuse("make", [a for a in answers if a["error_code"] not in (0, TOPIC_EXISTS)])
    admin.wait_for_topics(list(asked), timeout_ms=int(VISIBLE_S * 1000))
    return tuple(answer["name"] for answer in answers if answer["error_code"] == 0)


def _refuse(verb: str, answers: Sequence[Any]) -> None:
    """All refusals at once; those that time may heal are `Unavailable`."""
    if not answers:
        return
    from kafka.errors import for_code

    kinds = [for_code(answer["error_code"]) for answer in answers]
    told = [
        f"Kafka does not {verb} topic {answer['name']}: "
        f"{answer.get('error_message') or kind.description or kind.__name__}"
        for answer, kind in zip(answers, kinds, strict=True)
    ]
    if all(kind.retriable for kind in kinds):
        raise Unavailable("; ".join(told))
    raise Misconfigured(told)


def _check_partitions(wanted: Sequence[Topic], found: Mapping[str, Found]) -> None:
    mistakes = [
        f"topic {d.topic} has {d.found} partitions, asked for {d.wanted}: {d.mend}"
        for d in differences(wanted, found)
        if d.what == "partitions"
    ]
    if mistakes:
        raise Misconfigured(mistakes)


def _compare(topic: Topic, found: Mapping[str, Found]) -> Iterator[Difference]:
    has = found.get(topic.name)
    if has is None:
        yield Difference(topic.name, "topic", "none", "one", "citybrain topics create")
        return
    if has.partitions != topic.partitions:
        mend = "the number is fixed: use the namespace with as many, or another one"
        yield Difference(topic.name, "partitions", str(has.partitions), str(topic.partitions), mend)
    if has.replication < topic.replication:
        mend = "kafka-reassign-partitions.sh (and CITYBRAIN_KAFKA_REPLICATION says what is wanted)"
        yield Difference(
            topic.name, "replication", str(has.replication), str(topic.replication), mend
        )
    for name, value in topic.config.items():
        if name == MIN_IN_SYNC and has.replication < topic.replication:
            continue  # more than there are replicas: nobody could write any more
        if has.config.get(name) != value:
            mend = "citybrain topics create --configure"
            yield Difference(topic.name, name, has.config.get(name, "none"), value, mend)
