"""`python -m benchmarks.engine.recovery`: kill -9 of a worker under load, until its work goes on.

Two workers share the partitions. Each round kills the one that was started first, and measures
from the kill on: when the group has noticed (the member is gone from it: the session timeout and
what the broker adds), when another worker has committed something new on one of its partitions,
and on all of them. Then a new worker joins, and from its start its first commit is measured, which
includes the start of Python and the group's next distribution. `--warm SECONDS` fills the state
first with so much of the storm of 10,000 sensors at 1 Hz: 5,400 are more than the exact state ever
holds. Exit code 1 when a recovery takes
longer than `--limit` seconds beyond the group's notice.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from benchmarks import city
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.stack import Stack, stack, watch
from benchmarks.quick import say
from streams.errors import Unavailable
from streams.log.kafka_admin import administration
from streams.log.kafka_group import Member, group_members
from streams.settings import Settings

WORKERS = 2
LOOK_S = 0.02
DEADLINE_S = 120.0
HOUR_S = 3600
WARM_UP_S = 1800.0
COLD, WARM = city.Size(areas=8, sensors=200), city.Size(areas=20)
STATE = """
select sum(bytes)::bigint, count(*) from (
    select octet_length(content) as bytes from checkpoint
    union all select octet_length(content) from checkpoint_segment
) c
"""
HELD = "select owner_epoch, next_offset, partition from position where topic <> 'region'"


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds after the kill; the last one after the start of the next worker."""

    noticed_s: float
    first_s: float
    all_s: float
    started_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=5.0)
    parser.add_argument("--warm", type=int, default=0, help="seconds of the storm before the load")
    given = parser.parse_args(arguments)
    with servers(given) as settings:
        rounds = measure(settings, given.rounds, given.warm)
    report(rounds, settings.kafka_session_s)
    return int(max(one.first_s - one.noticed_s for one in rounds) > given.limit)


def measure(settings: Settings, rounds: int, warm_s: int = 0) -> list[Round]:
    """Kills so many times, under load."""
    if settings.kafka is None:
        raise SystemExit("recovery is about workers that share a log in Kafka: give --kafka")
    size = WARM if warm_s else COLD
    with stack(settings, "bench_recovery", size) as found:
        found.fill(city.seconds(warm_s, size=size))
        end = found.ends()
        found.start(WORKERS)
        if warm_s:
            watch(found, lambda sample: sample.position >= end, WARM_UP_S)
            report_state(found)
        with under_load(found, city.START_MS + warm_s * 1000):
            return [one_round(found) for _ in range(rounds)]


def report_state(found: Stack) -> None:
    """What a successor has to load."""
    with found.connect() as connection:
        row = connection.execute(STATE).fetchone() or (0, 0)
    say("recovery_state", float(row[0]) / 1e6, f"MB in {row[1]} segments and parts")


def report(rounds: Sequence[Round], session_s: float) -> None:
    """Median and range of each."""
    say("recovery_session_timeout", session_s, "s without a heartbeat")
    for name, values, unit in (
        ("noticed", [r.noticed_s for r in rounds], "s from kill -9 until the group noticed"),
        ("first", [r.first_s for r in rounds], "s from kill -9 to the first new commit"),
        ("beyond", [r.first_s - r.noticed_s for r in rounds], "s from notice to first commit"),
        ("all", [r.all_s for r in rounds], "s from kill -9 until all its partitions went on"),
        ("start", [r.started_s for r in rounds], "s from process start to its first commit"),
    ):
        spread = f"{min(values):.2f}–{max(values):.2f} over {len(values)} rounds"
        say(f"recovery_{name}", statistics.median(values), unit, spread)


def one_round(found: Stack) -> Round:
    """Kills the oldest worker, waits for the others, and starts another."""
    with administration(found.settings) as admin, found.connect() as connection:

        def members() -> dict[str, Member]:
            return {m.client: m for m in patiently(lambda: group_members(admin, found.namespace))}

        def standing() -> dict[int, tuple[int, int]]:
            return {n: (epoch, offset) for epoch, offset, n in connection.execute(HELD)}

        def shared() -> bool:
            held = [m.partitions for m in members().values()]
            return len(held) == WORKERS and all(held)

        until(shared, "the workers do not share the partitions", found)
        settled(standing, found)
        victim = found.workers.pop(0)
        name = next(client for client in members() if client.endswith(f"-{victim.pid}"))
        lost = members()[name].partitions
        victim.kill()
        killed = time.monotonic()
        victim.wait(DEADLINE_S)
        before = standing()

        def went_on() -> list[int]:
            now = standing()
            return [n for n in lost if now[n][0] > before[n][0] and now[n][1] > before[n][1]]

        noticed = until(lambda: name not in members(), "the group does not notice", found)
        first = until(lambda: bool(went_on()), "nobody goes on", found)
        everywhere = until(lambda: len(went_on()) == len(lost), "a partition stands", found)
        epochs = {n: epoch for n, (epoch, _) in standing().items()}
        found.start()
        began = time.monotonic()
        fresh = f"-{found.workers[-1].pid}"
        taken: dict[int, int] = {}

        def commits() -> bool:
            its = [m.partitions for c, m in members().items() if c.endswith(fresh)]
            now = standing()
            mine = [n for held in its for n in held if now[n][0] > epochs[n]]
            return any(now[n][1] > taken.setdefault(n, now[n][1]) for n in mine)

        started = until(commits, "the new worker takes nothing", found)
    return Round(noticed - killed, first - killed, everywhere - killed, started - began)


def settled(standing: Callable[[], dict[int, tuple[int, int]]], found: Stack) -> None:
    """Until every partition has an owner that commits."""
    before = standing()

    def moved() -> bool:
        now = standing()
        return len(now) == found.size.partitions and all(
            now[n][1] > before.get(n, (0, 0))[1] for n in now
        )

    until(moved, "the workers do not begin", found)


def patiently(ask: Callable[[], Sequence[Member]]) -> Sequence[Member]:
    """Asks again while the broker still loads its groups."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return ask()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_S)


def until(condition: Callable[[], bool], complaint: str, found: Stack) -> float:
    """When it became true, by the monotonic clock."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        found.check_alive()
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(LOOK_S)
    return time.monotonic()


@contextmanager
def under_load(found: Stack, start_ms: int) -> Iterator[None]:
    """A record of every area each second, while the block runs."""
    ended = threading.Event()

    def feed() -> None:
        with closing(found.log()) as log:
            for second in city.seconds(HOUR_S, size=found.size, start_ms=start_ms):
                for partition, entry in second:
                    log.append(partition, [entry])
                if ended.wait(1.0):
                    return

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        ended.set()
        feeder.join()


if __name__ == "__main__":
    sys.exit(main())
