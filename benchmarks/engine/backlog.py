"""`python -m benchmarks.engine.backlog`: an hour of outage at 10,000 readings/s, worked off.

The log holds the hour before the worker starts. Prints rate and time, whether every alert's
transitions are numbered without a gap and in the order of event time, and the workers' memory over
time (`--plot FILE` draws it).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import city
from benchmarks.engine.costs import Meter
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.stack import Sample, Stack, rate, stack, watch
from benchmarks.quick import say

START_S = 120.0
TIMEOUT_S = 3600.0
DISORDER = """
select count(*) filter (where sequence <> place),
       count(*) filter (where event_time < before), count(*), count(distinct alert)
from (
    select alert, sequence, event_time,
           row_number() over (partition by alert order by sequence) as place,
           lag(event_time) over (partition by alert order by sequence) as before
    from alert_transition
) t
"""
OUT_OF_ORDER = """
select count(*) from (
    select (content ->> 'sequence')::int as number,
           lag((content ->> 'sequence')::int) over (partition by key order by sequence) as before
    from outbox where sequence is not null
) o where number <= before
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--plot", help="PNG of memory and readings over time")
    given = parser.parse_args(arguments)
    size = city.Size(areas=given.areas)
    with servers(given) as settings, stack(settings, "bench_backlog", size) as found:
        found.fill(city.seconds(given.seconds, size=size))
        end = found.ends()
        found.start()
        begun = watch(found, lambda s: s.stored > 0, START_S)
        meter = Meter(found)
        meter.start()
        samples = begun[-1:] + watch(found, lambda s: s.position >= end, TIMEOUT_S)
        meter.stop()
        found.stop()
        say("backlog_readings", samples[-1].stored, "readings waited")
        say("backlog_rate", rate(samples), "readings/s")
        say("backlog_time", samples[-1].at - samples[0].at, "s from the first commit to the last")
        report_memory([mb for _, mb in meter.rss_mb])
        report_order(found)
        report_standstill(samples)
        print(found.complaints(), file=sys.stderr)
    if given.plot:
        start = samples[0].at
        readings = [(s.at - start, s.stored / 1e6) for s in samples]
        draw(given.plot, meter.rss_mb, readings)


def report_memory(sizes_mb: Sequence[float]) -> None:
    """Largest in each fifth of the time: bounded means that the last is not above the others."""
    fifth = max(1, len(sizes_mb) // 5)
    for number in range(5):
        part = sizes_mb[number * fifth : (number + 1) * fifth] or sizes_mb[-1:]
        say(f"backlog_rss_{number + 1}_of_5", max(part, default=0.0), "MB at most")


def report_order(found: Stack) -> None:
    """Nothing may be out of order: not by number, not by event time, not in the outbox."""
    with found.connect() as connection:
        row = connection.execute(DISORDER).fetchone() or (0, 0, 0, 0)
        sent = connection.execute(OUT_OF_ORDER).fetchone() or (0,)
    gaps, back, transitions, alerts = row
    say("backlog_transitions", transitions, f"of {alerts} alerts")
    say("backlog_out_of_order", gaps + back + sent[0], "numbers, event times or messages; wanted 0")


def report_standstill(samples: Sequence[Sample]) -> None:
    """The longest time without a new reading, and when it began."""
    last, longest, began = samples[0], 0.0, 0.0
    for sample in samples:
        if sample.stored > last.stored:
            if sample.at - last.at > longest:
                longest, began = sample.at - last.at, last.at - samples[0].at
            last = sample
    say("backlog_standstill", longest, f"s without a new reading, at most; from second {began:.0f}")


def draw(
    file: str, rss_mb: Sequence[tuple[float, float]], stored: Sequence[tuple[float, float]]
) -> None:
    """Memory of the workers and readings stored over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, left = pyplot.subplots(figsize=(8, 4), layout="constrained")
    left.plot(*zip(*rss_mb, strict=True), color="tab:red")
    left.set(xlabel="s", ylabel="MB of the workers")
    left.set_ylim(bottom=0)
    right = left.twinx()
    right.plot(*zip(*stored, strict=True), color="tab:blue")
    right.set_ylabel("million readings stored")
    right.set_ylim(bottom=0)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
