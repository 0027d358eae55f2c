"""citybrain as one of the engines: `citybrain worker` on a namespace of its own, its log filled
before, watched from outside through its positions in the database.

Its clock begins, to its disadvantage, when it has taken its partitions: before the first fetch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO

import psutil

from benchmarks.rivals.task import Flip
from benchmarks.side_by_side.broker import Broker, Headed
from benchmarks.side_by_side.data import (
    AREAS,
    DOMAIN,
    PARTITIONS,
    PER_AREA,
    PROPERTY,
    START_MS,
    Readings,
    Sums,
    area_code,
    event_bodies,
    frames,
    partition_of,
    sensor_name,
)
from benchmarks.side_by_side.engine import Engine
from benchmarks.side_by_side.run import (
    LIMIT_S,
    LOOK_S,
    ROOT,
    Failed,
    Measured,
    Results,
    Watched,
    end,
    tail,
)
from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts import cloudevents
from streams.contracts.codec import encode, encode_control
from streams.contracts.domain import Point
from streams.contracts.frame import JSON, MSGPACK, observation_type
from streams.contracts.reason import LogKind, NamespaceKind, Origin
from streams.contracts.timestamp import to_rfc3339
from streams.domains import find_domains
from streams.log import OBSERVATION_TOPIC
from streams.log.catalogue import topic_name
from streams.log.opening import drop_with_log, open_log
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry

DOMAIN_PATH = ROOT / "benchmarks/rivals/domain"
POSITIONS = """
select min(owner_epoch), sum(next_offset)::bigint from position where topic = %s
"""
WINDOWS = """
select s.name, (extract(epoch from w.start) * 1000)::bigint, w.n, w.total
from observation_window w join sensor s on s.id = w.sensor
where w.size_s = 300 and w.n > 0
"""
FLIPS = """
select a.point, (extract(epoch from t.event_time) * 1000)::bigint, t.state = 'firing'
from alert_transition t join alert a on a.id = t.alert
where t.change in ('confirmed', 'cleared')
"""
APPENDED = 500
REPORT_S = 60  # a sensor is silent after two minutes
ANY_VERSION = "any"  # what the activation says where no database holds versions


def registry() -> Registry:
    """The areas with their gauges, spread over the partitions like everybody's topics."""
    areas = [
        Area("330000", "province", None, "浙江省", "Zhejiang"),
        Area("330100", "city", "330000", "杭州市", "Hangzhou"),
    ]
    codes = [area_code(area) for area in range(AREAS)]
    areas += [Area(code, "county", "330100", code, code) for code in codes]
    names = [sensor_name(sensor) for sensor in range(AREAS * PER_AREA)]
    return Registry(
        areas={area.code: area for area in areas},
        points={n: Point(n, "level_gauge", n[:6], n, 120.0, 30.0, {}) for n in names},
        sensors={
            name: Sensor(number, name, name, f"gw-{name[:6]}", (PROPERTY,), REPORT_S)
            for number, name in enumerate(names, 1)
        },
        gateways={f"gw-{code}": Gateway(f"gw-{code}", code) for code in codes},
        partitions={code: partition_of(area) for area, code in enumerate(codes)},
        partition_count=PARTITIONS,
    )


def records(engine: Engine, readings: Readings, version: str) -> Iterator[Headed]:
    """The same readings as everybody's, with the headers of CloudEvents; first the registry's
    activation in every partition."""
    headers, body = encode_control("registry", version, START_MS - 1000)
    for partition in range(PARTITIONS):
        yield partition, b"", body, START_MS, _wire(headers)
    if engine.shape == "event":
        for number, (partition, key, body, time_ms) in enumerate(event_bodies(readings)):
            headers = _event_headers(number, key[:6].decode(), time_ms)
            yield partition, key, body, time_ms, _wire(headers)
        return
    for partition, frame in frames(readings):
        headers, body = encode(frame, JSON if engine.encoding == "json" else MSGPACK)
        yield partition, frame.area.encode(), body, int(frame.time_ms[0]), _wire(headers)


def _event_headers(number: int, area: str, time_ms: int) -> dict[str, str]:
    ingest = to_rfc3339(time_ms + 1000)
    headers = cloudevents.write_headers(
        str(number),
        f"gw-{area}",
        observation_type(DOMAIN),
        ingest,
        subject=area,
        content_type=JSON,
    )
    return {**headers, "origin": Origin.SIMULATED.value}


def _wire(headers: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in headers.items()]


class Namespace:
    """A namespace for one run, with its log filled; dropped at the end."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `drop`

    def fill(self, broker: Broker, python: str, engine: Engine, readings: Readings) -> int:
        """Makes it, and gives the number of records in its log."""
        drop_with_log(self.settings, self.name)
        log = self.settings.log_kind()
        migrate(
            self.settings.conninfo(),
            self.name,
            NamespaceKind.SIMULATED,
            domains=find_domains([DOMAIN_PATH]),
            partitions=PARTITIONS,
            log=log,
        )
        with connect(self.settings.conninfo(), self.name) as connection:
            version = save_registry(connection, registry()).version
        found = records(engine, readings, version)
        if log is LogKind.KAFKA:
            broker.fill(python, topic_name(self.name), found)
        else:
            self._append(list(found))
        with closing(open_log(self.settings, self.name)) as opened:
            return sum(opened.end(partition) for partition in range(PARTITIONS))

    def _append(self, found: list[Headed]) -> None:
        with closing(open_log(self.settings, self.name)) as log:
            for partition in range(PARTITIONS):
                own = [
                    ({name: value.decode() for name, value in headers}, body)
                    for place, _, body, _, headers in found
                    if place == partition
                ]
                for start in range(0, len(own), APPENDED):
                    log.append(partition, own[start : start + APPENDED])

    def position(self) -> tuple[int, int]:
        """How often the least taken partition was taken, and how many records are committed."""
        with connect(self.settings.conninfo(), self.name, autocommit=True) as connection:
            row = connection.execute(POSITIONS, (OBSERVATION_TOPIC,)).fetchone()
        return (int(row[0] or 0), int(row[1] or 0)) if row else (0, 0)

    def results(self) -> Results:
        """Windows and flips as they are committed."""
        sums: Sums = {}
        flips: Counter[Flip] = Counter()
        with connect(self.settings.conninfo(), self.name) as connection:
            for sensor, start, count, total in connection.execute(WINDOWS):
                sums[sensor, start] = (count, total)
            for sensor, time_ms, on in connection.execute(FLIPS):
                flips[sensor, time_ms, on] += 1
        return Results(sums, flips)

    def drop(self) -> None:
        """Removes it, its topics too."""
        self.errors.close()
        drop_with_log(self.settings, self.name)

    def worker(self) -> subprocess.Popen[bytes]:
        """Starts `citybrain worker`; what it says goes to `errors`."""
        environment = {
            **os.environ,
            "CITYBRAIN_DATABASE": self.settings.conninfo(),
            "CITYBRAIN_KAFKA": self.settings.kafka or "",
            "CITYBRAIN_DOMAIN_PATH": f'["{DOMAIN_PATH}"]',
            "CITYBRAIN_LOG_LEVEL": "WARNING",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "worker", "--namespace", self.name],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
            start_new_session=True,
        )


def measure(
    space: Namespace, goal: int, readings: Readings, watched: Callable[[], Watched]
) -> tuple[Measured, Results]:
    """Runs a worker until the whole log is committed. Raises `Failed`."""
    process = space.worker()
    try:
        measured = _watch(space, goal, readings, watched(), psutil.Process(process.pid))
        return measured, space.results()
    except (Failed, psutil.NoSuchProcess) as error:
        raise Failed(f"{error}: {tail(space.errors)}") from error
    finally:
        end(process)


def _watch(
    space: Namespace, goal: int, readings: Readings, watched: Watched, process: psutil.Process
) -> Measured:
    begun = half = 0.0
    looked = time.time()
    deadline = time.monotonic() + LIMIT_S
    while True:
        before, looked = looked, time.time()
        epoch, position = space.position()
        if epoch > 0 and not begun:
            begun = before
            watched.begin(process)
        watched.look(process)
        if position >= goal // 2 and not half:
            half = looked
        if position >= goal:
            break
        if time.monotonic() > deadline:
            raise Failed(f"not done after {LIMIT_S:.0f} s: {position} of {goal} records")
        if process.status() == psutil.STATUS_ZOMBIE:
            raise Failed(f"ended too early: {position} of {goal} records")
        time.sleep(LOOK_S)
    spent = watched.spent(process)
    late = looked - half if looked > half else (looked - begun) / 2  # one transaction held all
    return Measured(readings.total, looked - begun, late, *spent, watched.peak_mb)


def database_process(settings: Settings) -> psutil.Process | None:
    """The server's first process, when it runs on this machine."""
    with connect(settings.conninfo(), "public", autocommit=True) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        try:
            parent = psutil.Process(row[0]).parent() if row else None
        except psutil.NoSuchProcess:
            return None
    return parent if parent is not None and "postgres" in parent.name() else None


def broker_process(address: str) -> psutil.Process | None:
    """Who listens on the broker's port, when it is a process of this machine."""
    port = int(address.split(",")[0].rpartition(":")[2])
    for found in psutil.net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr[1] == port:
            return psutil.Process(found.pid) if found.pid else None
    return None
