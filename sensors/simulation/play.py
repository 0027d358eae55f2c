"""Plays steps into a log: by partition, in order, paced, not far ahead of the worker, resumable.

A play is a function of its options, so resuming means computing it again and skipping what the
log already holds. Clock and sleep come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sensors.simulation.city import Step
from sensors.simulation.player import STEP_MS
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import TICK_TYPE, Record
from streams.contracts.reason import Origin
from streams.contracts.timestamp import from_rfc3339
from streams.contracts.warning import WARNING_TYPE
from streams.errors import Misconfigured
from streams.log import Entry, Log

LOOK_BACK = 200  # records read at once, backwards, in search of our own last one
POLL_S = 0.05
STALL_S = 5.0
ORDER = ("registry", "profile", "rules")  # rules are judged under what stands before them

Entries = dict[int, list[Entry]]  # by partition


@dataclass(frozen=True, slots=True)
class Mark:
    """The last record of this play that a partition holds, and the last one that is a frame."""

    last: tuple[str, str]
    frame: tuple[str, str] | None
    frame_body: bytes
    from_ms: int  # ingest time of the earlier of the two


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` simulated seconds per second (None = as fast as it goes); at most `ahead` records
    that the worker has not committed (`behind` None = do not ask). `stalled` hears when a wait
    for the worker gets long (true) and when it is over (false).
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    speed: float | None
    behind: Callable[[], int] | None = None
    ahead: int = 2_000
    stalled: Callable[[bool], None] = lambda _: None


@dataclass(slots=True)
class Played:
    """What was done so far; `skipped` records were compared, older ones not even encoded."""

    records: int = 0
    readings: int = 0
    skipped: int = 0
    now_ms: int = 0
    waited_s: float = field(default=0.0)


def controls(versions: Mapping[str, str], start_ms: int) -> list[Entry]:
    """Activation of the versions (kind → version) at the start, registry first and rules last."""
    return [encode_control(kind, versions[kind], start_ms) for kind in ORDER if kind in versions]


def entries(step: Step, partitions: Mapping[str, int], count: int) -> Entries:
    """The records of a step by partition, in the order of their ingest times."""
    out: Entries = {number: [] for number in range(count)}
    ticks = list(step.ticks_ms)
    for frame in step.frames:
        while ticks and ticks[0] <= frame.ingest_ms:
            _tick(out, ticks.pop(0))
        out[partitions[frame.area]].append(encode(frame))
    for tick in ticks:
        _tick(out, tick)
    return out


def play(
    steps: Iterable[Step], partitions: Mapping[str, int], log: Log, pace: Pace
) -> Iterator[Played]:
    """Appends what the log lacks, step after step; yields after each step.

    Raises `Misconfigured` when the log holds a play with other options, and what the log raises
    (`Unavailable`: start again, it goes on where the log ends).
    """
    count = log.partitions()
    skip = Skip({number: find_mark(log, number) for number in range(count)})
    done = Played()
    begun: tuple[float, int] | None = None
    for step in steps:
        if skip.is_far_ahead(step):
            done.now_ms = step.end_ms
            yield done
            continue
        batch = entries(step, partitions, count)
        missing = {number: skip.rest(number, batch[number]) for number in batch}
        done.now_ms = step.end_ms
        done.skipped += sum(len(batch[n]) - len(missing[n]) for n in batch)
        if any(missing.values()):
            begun = begun or (pace.clock(), step.end_ms)
            done.waited_s += _hold(pace, begun, step.end_ms)
            for number, records in missing.items():
                if records:
                    log.append(number, records)
            done.records += sum(len(records) for records in missing.values())
            done.readings += sum(len(frame) for frame in step.frames)
        yield done
    skip.check_over()


class Skip:
    """Passes over the records that the log holds already."""

    def __init__(self, marks: Mapping[int, Mark | None]) -> None:
        self._marks = {number: mark for number, mark in marks.items() if mark is not None}
        self._everywhere = len(self._marks) == len(marks)
        self._from_ms = min((mark.from_ms for mark in self._marks.values()), default=0)

    def is_far_ahead(self, step: Step) -> bool:
        """Whether every partition goes on well after this step."""
        return self._everywhere and step.end_ms + 2 * STEP_MS < self._from_ms

    def rest(self, partition: int, records: list[Entry]) -> list[Entry]:
        """What of these records the partition lacks."""
        mark = self._marks.get(partition)
        if mark is None:
            return records
        for i, (headers, body) in enumerate(records):
            identity = headers["ce_source"], headers["ce_id"]
            if identity == mark.frame and body != mark.frame_body:
                raise _other_options(partition)
            if identity == mark.last:
                del self._marks[partition]
                return records[i + 1 :]
        return []

    def check_over(self) -> None:
        """Refuses a log whose end was never reached: it is longer, or of another play."""
        for partition in self._marks:
            raise _other_options(partition)


def find_mark(log: Log, partition: int) -> Mark | None:
    """The end of this play in the partition; None when it has not begun there.

    Records of others (readings and warnings brought in by hand, say) are passed over.
    """
    last: Record | None = None
    end = log.end(partition)
    first = log.first(partition)
    while end > first:
        begin = max(first, end - LOOK_BACK)
        for record in reversed(_read(log, partition, begin, end)):
            kind = record.headers.get("ce_type", "")
            simulated = record.headers.get("origin") == Origin.SIMULATED.value
            if kind == WARNING_TYPE:
                continue  # brought in by hand, whatever its origin
            if kind == TICK_TYPE or simulated:
                last = last or record
            if simulated:
                last = last or record
                from_ms = min(_ingest_ms(last), _ingest_ms(record))
                return Mark(_identity(last), _identity(record), record.body, from_ms)
        end = begin
    return None if last is None else Mark(_identity(last), None, b"", _ingest_ms(last))


def _read(log: Log, partition: int, begin: int, end: int) -> list[Record]:
    found: list[Record] = []
    while begin < end:
        some = log.read(partition, begin, end - begin)
        if not some:
            break
        found += some
        begin = some[-1].offset + 1
    return [record for record in found if record.offset < end]


def _identity(record: Record) -> tuple[str, str]:
    return record.headers["ce_source"], record.headers["ce_id"]


def _ingest_ms(record: Record) -> int:
    return from_rfc3339(record.headers["ce_time"])


def _other_options(partition: int) -> Misconfigured:
    return Misconfigured(
        [
            f"partition {partition} of the log was not played with these options (scenario, seed, "
            "points, start, faults, partitions), or for longer: give the same, or --fresh"
        ]
    )


def _tick(out: Entries, ingest_ms: int) -> None:
    for records in out.values():
        records.append(encode_tick(ingest_ms))


def _hold(pace: Pace, begun: tuple[float, int], now_ms: int) -> float:
    """Waits for the simulated moment and for the worker; returns the seconds waited."""
    entered = pace.clock()
    if pace.speed is not None:
        due = begun[0] + (now_ms - begun[1]) / 1000.0 / pace.speed
        if due > entered:
            pace.sleep(due - entered)
    _wait_for_worker(pace)
    return pace.clock() - entered


def _wait_for_worker(pace: Pace) -> None:
    if pace.behind is None or pace.behind() <= pace.ahead:
        return
    begun, told = pace.clock(), False
    while pace.behind() > pace.ahead:
        pace.sleep(POLL_S)
        if not told and pace.clock() - begun > STALL_S:
            told = True
            pace.stalled(True)
    if told:
        pace.stalled(False)
