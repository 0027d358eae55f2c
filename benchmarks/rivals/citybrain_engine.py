"""citybrain's pipeline with nothing around it: frames from the log, outcomes thrown away.

Durable: nothing. It shows what the arithmetic costs without store and host. After the clock has
stopped it sends what it found to the topics of the results, so that it is checked like the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiokafka
import numpy as np

from benchmarks.rivals.task import MILLI, Job, Marks, closed_content, flip_content, tell
from benchmarks.side_by_side.citybrain import ANY_VERSION, DOMAIN_PATH, registry
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome
from streams.contracts.reason import Change, NamespaceKind
from streams.domains import find_domains
from streams.log import OBSERVATION_TOPIC
from streams.pipeline import Pipeline, PipelineSetup

FETCH_BYTES = 2 << 20
BATCH = 400  # records of one fetch, over all partitions
PARTITIONS = 4


def main() -> None:
    asyncio.run(work(Job.given()))


async def work(job: Job) -> None:
    """Reads the topic to its end; see the module's docstring."""
    known = registry()
    content = known.to_dict()
    pipelines = [make(number) for number in range(PARTITIONS)]
    outcomes: list[Outcome] = []
    marks, done = Marks(job.total), 0
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=job.broker,
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    places = [aiokafka.TopicPartition(job.topic, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    while done < job.total:
        found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
        for place, messages in found.items():
            records = [record(message) for message in messages]
            if not done:
                marks.count(0)
            outcome = pipelines[place.partition].process(records, {ANY_VERSION: content})
            outcomes.append(outcome)
            stored = sum(len(readings) for readings in outcome.readings)
            done += stored
            marks.count(stored)
    tell("durable")
    await consumer.stop()
    await report(job, outcomes, {sensor.id: name for name, sensor in known.sensors.items()})


def make(partition: int) -> Pipeline:
    """A pipeline without state; property numbers are given in any order."""
    domains = find_domains([DOMAIN_PATH])
    names = sorted(p.name for domain in domains.values() for p in domain.properties)
    ids = {name: number for number, name in enumerate(names, 1)}
    setup = PipelineSetup(OBSERVATION_TOPIC, partition, NamespaceKind.SIMULATED, domains, ids)
    return Pipeline(setup)


def record(message: Any) -> Record:
    headers = {name: value.decode() for name, value in message.headers}
    return Record(message.offset, message.timestamp, headers, message.value or b"")


async def report(job: Job, outcomes: list[Outcome], names: Mapping[int, str]) -> None:
    """Sends windows and changes of alerts to the topics of the results."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=job.broker, linger_ms=50)
    await producer.start()
    for outcome in outcomes:
        for windows in outcome.windows:
            columns = (windows.sensor, windows.start_ms, windows.n, windows.total)
            for sensor, start, n, total in np.stack(columns, axis=1).tolist():
                found = closed_content((names[sensor], start, n, total / MILLI))
                await producer.send(job.windows, json.dumps(found).encode())
        for change in outcome.transitions:
            if change.change in (Change.CONFIRMED, Change.CLEARED):
                on = change.change is Change.CONFIRMED
                told = flip_content((str(change.point), change.event_ms, on))
                await producer.send(job.alerts, json.dumps(told).encode())
    await producer.stop()


if __name__ == "__main__":
    main()
