"""One run of one engine: started on a filled topic, watched until all is durable, ended, checked.

Its clock runs from the first reading taken up to the moment that everything is durable, processor
time over the same span: the engine's processes, the broker's, the database's.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from benchmarks.rivals.task import MILLI, WINDOW_MS, Flip, Job
from benchmarks.side_by_side.broker import Broker
from benchmarks.side_by_side.data import Readings, Sums
from benchmarks.side_by_side.engine import Engine

LIMIT_S = 180.0
LOOK_S = 0.05
END_S = 15.0
ROOT = Path(__file__).parents[2]


class Failed(Exception):
    """An engine did not do its work; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Results:
    """What an engine told; of a window told several times the last word counts."""

    sums: Sums
    flips: Counter[Flip]


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, processor seconds and memory of one run."""

    readings: int
    seconds: float  # first reading taken up to all durable
    late_seconds: float  # of its second half
    engine_cpu_s: float
    broker_cpu_s: float
    database_cpu_s: float
    rss_mb: float  # peak of the engine's processes

    @property
    def rate(self) -> float:
        return self.readings / self.seconds

    @property
    def late_rate(self) -> float:
        """Of the second half: without what an engine needs to warm up."""
        return self.readings / 2 / self.late_seconds


@dataclass(slots=True)
class Watched:
    """Processor time and memory of somebody else's processes, since `begin`."""

    broker: psutil.Process | None
    database: psutil.Process | None
    _before: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _peak: float = 0.0

    def begin(self, engine: psutil.Process) -> None:
        self._before = self._now(engine)

    def look(self, engine: psutil.Process) -> None:
        self._peak = max(self._peak, sum(_rss(p) for p in _tree(engine)))

    def spent(self, engine: psutil.Process) -> tuple[float, float, float]:
        """Processor seconds of engine, broker and database."""
        now = self._now(engine)
        return (now[0] - self._before[0], now[1] - self._before[1], now[2] - self._before[2])

    @property
    def peak_mb(self) -> float:
        return self._peak / 1e6

    def _now(self, engine: psutil.Process) -> tuple[float, float, float]:
        return _cpu(engine), _cpu(self.broker), _cpu(self.database)


@dataclass(slots=True)
class Run:
    """How runs are made: by whom, on which broker, with what command for a program."""

    broker: Broker
    command: Callable[[Engine], Sequence[str]]
    watched: Callable[[], Watched]
    prefix: str
    environment: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    def measure(self, engine: Engine, topic: str, readings: Readings) -> tuple[Measured, Results]:
        """Runs the engine once. Raises `Failed`."""
        self.number += 1
        group = f"{self.prefix}-run{self.number}"
        folder = tempfile.mkdtemp(prefix="citybrain-rival-")
        job = Job(
            broker=self.broker.address,
            topic=topic,
            shape=engine.shape,
            encoding=engine.encoding,
            total=readings.total,
            windows=engine.windows.format(group=group),
            alerts=f"{group}-a",
            group=group,
            state_dir=folder,
        )
        try:
            made = {job.windows, job.alerts, *(name.format(group=group) for name in engine.makes)}
            self.broker.make(*sorted(made))
            measured = self._run(engine, job)
            return measured, collect(self.broker, job)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self.broker.delete(group)

    def _run(self, engine: Engine, job: Job) -> Measured:
        command = [*self.command(engine), json.dumps(asdict(job))]
        told: queue.Queue[tuple[str, float]] = queue.Queue()
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, **self.environment, **engine.environment},
                start_new_session=True,
            ) as process,
        ):
            threading.Thread(target=_listen, args=(process.stdout, told), daemon=True).start()
            try:
                return self._watch(engine, job, psutil.Process(process.pid), told)
            except (Failed, psutil.NoSuchProcess) as error:
                raise Failed(f"{error}: {tail(errors)}") from error
            finally:
                end(process)

    def _watch(
        self,
        engine: Engine,
        job: Job,
        process: psutil.Process,
        told: queue.Queue[tuple[str, float]],
    ) -> Measured:
        watched, marks = self.watched(), dict[str, float]()
        deadline = time.monotonic() + LIMIT_S
        while True:
            while not told.empty():
                mark, at = told.get()
                marks[mark] = at
                if mark == "first":
                    watched.begin(process)
            watched.look(process)
            if "last" in marks and self._is_durable(engine, job, marks):
                break
            if time.monotonic() > deadline:
                raise Failed(f"not done after {LIMIT_S:.0f} s; {marks or 'nothing processed'}")
            if process.status() == psutil.STATUS_ZOMBIE and told.empty():
                raise Failed(f"ended too early; {marks or 'nothing processed'}")
            time.sleep(LOOK_S)
        spent = watched.spent(process)
        if engine.done == "told":
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(END_S)  # it may have more to say, and ends by itself
        done = marks["durable"]
        return Measured(
            job.total,
            done - marks["first"],
            max(done - marks["half"], 1e-3),
            *spent,
            watched.peak_mb,
        )

    def _is_durable(self, engine: Engine, job: Job, marks: dict[str, float]) -> bool:
        if engine.done == "group" and "durable" not in marks:
            now = time.time()
            if self.broker.is_caught_up(job.group, job.topic):
                marks["durable"] = now
        return "durable" in marks


def collect(broker: Broker, job: Job) -> Results:
    """What stands in the topics of the results."""
    sums: Sums = {}
    for key, body in broker.read(job.windows):
        sensor, start, count, total = _window(key, body)
        sums[sensor, start] = (count, round(total * MILLI))
    flips: Counter[Flip] = Counter()
    for _, body in broker.read(job.alerts):
        found = json.loads(body)
        flips[found["sensor"], found["time"], found["on"]] += 1
    return Results(sums, flips)


def _window(key: bytes, body: bytes) -> tuple[str, int, int, float]:
    """A window as the engines send it, or an entry of a changelog of Faust's windowed Table."""
    found = json.loads(body)
    if isinstance(found, dict):
        return found["sensor"], found["start"], found["n"], found["sum"]
    sensor, (start, _end) = json.loads(key)
    return sensor, round(start * 1000) // WINDOW_MS * WINDOW_MS, found[0], found[1]


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process group to end, then insists; both only while it is ours."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                continue


def _listen(stream: IO[bytes] | None, told: queue.Queue[tuple[str, float]]) -> None:
    assert stream is not None
    for line in stream:
        if line.startswith(b'{"mark"'):
            found = json.loads(line)
            told.put((found["mark"], found["at"]))


def tail(stream: IO[bytes]) -> str:
    """The end of what a process said."""
    stream.seek(0)
    return stream.read().decode(errors="replace")[-800:].strip() or "it said nothing"


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _cpu(process: psutil.Process | None) -> float:
    """Processor seconds of a process, its living children and those that it has waited for."""
    total = 0.0
    for member in _tree(process) if process is not None else ():
        try:
            times: Any = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if member.pid == (process.pid if process else None):
            total += times.children_user + times.children_system
    return total
