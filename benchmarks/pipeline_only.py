"""`python -m benchmarks.pipeline_only`: what the pure pipeline costs, without log and database.

Records in memory → `Pipeline.process` → outcome, one pipeline per partition, all domains and all
checks on, 10,000 depth sensors. Counts processor time of this process, so that a busy machine
changes little. Prints one JSON object a line: µs per reading and per record for each size of
frame, the fit a + b · rows; with `--profile`, shares of rooms instead.
"""

from __future__ import annotations

import argparse
import cProfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from benchmarks import city
from benchmarks.quick import say, say_profile
from streams.catalog import Registry
from streams.contracts.codec import encode_control
from streams.contracts.frame import Record
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.pipeline import Pipeline, PipelineSetup

SIZES = {  # rows of a frame → a city of 10,000 depth sensors that sends such frames
    1: city.Size(areas=20, single=True),
    100: city.Size(areas=100, sensors=100),
    500: city.Size(areas=20),
    2000: city.Size(areas=20, bundle=4),
}
BATCH = 1000  # records of one call, as a worker hands them over
BATCH_BYTES = 2 << 20
READINGS, RECORDS = 1_200_000, 60_000
Logs = dict[int, list[Record]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--frames", type=int, nargs="+", default=list(SIZES), choices=SIZES, help="rows"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=BATCH, help="records of one call")
    parser.add_argument("--profile", type=int, choices=SIZES, help="profile frames of so many")
    given = parser.parse_args(arguments)
    if given.profile is not None:
        size, profiler = SIZES[given.profile], cProfile.Profile()
        run(logs_of(size, given.profile), size, given.batch, profiler)
        say_profile(profiler)
        return
    per_frame = {rows: measure(rows, given.rounds, given.batch) for rows in given.frames}
    if len(per_frame) > 1:
        slope, offset = np.polyfit(list(per_frame), list(per_frame.values()), 1)
        say("fit_a", float(offset), "µs per frame")
        say("fit_b", float(slope), "µs per reading in it")


def measure(rows: int, rounds: int, batch: int) -> float:
    """Prints what frames of so many rows cost; gives the µs of one."""
    size = SIZES[rows]
    logs = logs_of(size, rows)
    spent = sorted(run(logs, size, batch)[0] for _ in range(rounds))
    readings = run(logs, size, batch)[1]
    middle, records = spent[len(spent) // 2], sum(len(log) for log in logs.values())
    spread = f"{spent[0]:.2f}..{spent[-1]:.2f} s in {rounds} rounds"
    say(f"reading_of_{rows}", 1e6 * middle / readings, "µs processor time per reading", spread)
    say(f"record_of_{rows}", 1e6 * middle / records, "µs processor time per record", spread)
    return 1e6 * middle / readings * rows


def logs_of(size: city.Size, rows: int) -> Logs:
    """The storm as records by partition, the registry's activation first."""
    per_second = size.areas * size.sensors
    seconds = max(2, min(READINGS, RECORDS * rows) // per_second)
    logs: Logs = {}
    entry = encode_control("registry", registry_of(size).version, city.START_MS - 1000)
    for partition in range(size.partitions):
        logs[partition] = [Record(0, city.START_MS, *entry)]
    for second, sent in enumerate(city.seconds(seconds, size=size)):
        for partition, (headers, body) in sent:
            log = logs[partition]
            log.append(Record(len(log), city.START_MS + 1000 * second, headers, body))
    return logs


def run(
    logs: Logs, size: city.Size, batch: int, profiler: cProfile.Profile | None = None
) -> tuple[float, int]:
    """Processor seconds, and readings accepted."""
    registry = registry_of(size)
    versions = {registry.version: registry.to_dict()}
    readings, spent = 0, 0.0
    for partition, log in logs.items():
        pipeline = pipeline_of(partition)
        pipeline.process(log[:1], versions)
        for records in batches(log[1:], batch):
            began = time.process_time()
            with profiler or nullcontext():
                outcome = pipeline.process(records, {})
            spent += time.process_time() - began
            readings += sum(len(rows) for rows in outcome.readings)
    return spent, readings


def registry_of(size: city.Size) -> Registry:
    """The city's registry with numbers for its sensors, as the catalogue would give them."""
    held = city.registry(size)
    numbered = enumerate(held.sensors.items(), 1)
    return replace(held, sensors={name: replace(s, id=i) for i, (name, s) in numbered})


def pipeline_of(partition: int) -> Pipeline:
    """A fresh pipeline with every domain that is installed."""
    domains = find_domains()
    names = [prop.name for domain in domains.values() for prop in domain.properties]
    numbers = {name: number for number, name in enumerate(sorted(names), 1)}
    setup = PipelineSetup("bench", partition, NamespaceKind.SIMULATED, domains, numbers)
    return Pipeline(setup)


def batches(log: Sequence[Record], size: int) -> Iterator[Sequence[Record]]:
    """Stretches of the log as a host hands them over, bounded by bytes as well."""
    begin = held = 0
    for number, record in enumerate(log):
        if number - begin == size or held > BATCH_BYTES:
            yield log[begin:number]
            begin, held = number, 0
        held += len(record.body)
    yield log[begin:]


if __name__ == "__main__":
    main()
