"""`python -m benchmarks.deliver`: from the commit of an alert to its arrival at healthy webhooks.

A thousand subscribers, each at a port of its own: some dead, some slow, one hostile (endless
bodies and redirects in turn), the others healthy. Alerts are committed as the pipeline does, at a
steady rate; each is wanted by ten. Latency = when the receiver has read the request − when the
committing call came back; both on this machine's clock. Everything shares the machine: PostgreSQL,
the deliverer (the real command), the receivers (one process) and the writer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from api.actions.subscription import Wish, create
from deploy.postgres import EmbeddedPostgres
from deploy.process import wait_until
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import Connection, connect
from streams.storage.migrate import migrate

NAMESPACE = "bench_deliver"
PER_ALERT = 10
COMMITS_S = 50
SLOW_S = 30.0
DRAIN_S = 60.0
ALERT = re.compile(rb'"alert":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Size:
    """How many subscribers of which kind, and the load."""

    subscribers: int
    dead: int
    slow: int
    rate: int
    seconds: int

    def kind(self, number: int) -> str:
        """The kinds are spread over all areas."""
        step = self.subscribers // max(1, self.dead + self.slow + 1)
        place, offset = divmod(number, step)
        if offset or place > self.dead + self.slow:
            return "healthy"
        if place == self.dead + self.slow:
            return "hostile"
        return "dead" if place % 2 else "slow"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--dead", type=int, default=50)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--receive", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    size = Size(given.subscribers, given.dead, given.slow, given.rate, given.seconds)
    if given.receive:
        asyncio.run(receive(size, given.receive))
        return
    folder = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        measure(server.conninfo, size, folder)
    finally:
        server.purge()
        shutil.rmtree(folder)


def measure(conninfo: str, size: Size, folder: Path) -> None:
    """One run, told."""
    migrate(conninfo, NAMESPACE, NamespaceKind.LIVE)
    receivers = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.deliver", "--receive", str(folder / "arrived"),
         "--subscribers", str(size.subscribers), "--dead", str(size.dead),
         "--slow", str(size.slow)],
    )  # fmt: skip
    ports_file = folder / "arrived.ports"
    wait_until(ports_file.exists, 30.0)
    ports = json.loads(ports_file.read_text())
    subscribe(conninfo, size, ports)
    deliverer = start_deliverer(conninfo, folder)
    try:
        wait_until(lambda: position(conninfo) is not None, 30.0)
        time.sleep(3.0)
        committed = commit_alerts(conninfo, size)
        healthy = sum(size.kind(n) == "healthy" for n in range(size.subscribers))
        expected = expected_arrivals(size, len(committed))
        begun = time.monotonic()
        wait_until(lambda: sent(conninfo) >= expected, DRAIN_S, 0.5)
        drained = time.monotonic() - begun
        cost = psutil.Process(deliverer.pid).cpu_times()
        memory = psutil.Process(deliverer.pid).memory_info().rss
    finally:
        deliverer.send_signal(signal.SIGTERM)
        deliverer.wait(30)
        receivers.send_signal(signal.SIGTERM)
        receivers.wait(30)
    arrived = json.loads((folder / "arrived").read_text())
    tell(size, committed, arrived, expected, healthy)
    print(f"deliverer: {cost.user + cost.system:.1f} s CPU, {memory >> 20} MiB; "
          f"drained {drained:.1f} s after the last commit")  # fmt: skip


def area_of(number: int, size: Size) -> str:
    """Groups of ten subscribers share an area."""
    return f"33{number // PER_ALERT % 9000 + 1001:04d}"


def subscribe(conninfo: str, size: Size, ports: Sequence[int]) -> None:
    """One for each port."""
    with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
        for number, port in enumerate(ports):
            wish = {
                "name": f"{size.kind(number)} {number}",
                "target": f"http://127.0.0.1:{port}/hook",
                "inner_network": True,
                "filter": {"areas": [area_of(number, size)]},
            }
            create(connection, Wish.model_validate(wish), "bench")


def start_deliverer(conninfo: str, folder: Path) -> subprocess.Popen[bytes]:
    """The real command."""
    settings = {
        "CITYBRAIN_DATABASE": conninfo,
        "CITYBRAIN_NAMESPACE": NAMESPACE,
        "CITYBRAIN_DELIVER_ALLOW_NETWORKS": "127.0.0.0/8",
        "CITYBRAIN_LOG_LEVEL": "ERROR",
    }
    with (folder / "deliver.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "deliver"],
            env={**os.environ, **settings}, stdout=output, stderr=output,
        )  # fmt: skip


def commit_alerts(conninfo: str, size: Size) -> dict[str, float]:
    """Commits at a steady rate; when each was committed (epoch s)."""
    committed: dict[str, float] = {}
    per_commit = max(1, size.rate // COMMITS_S)
    with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
        begun = time.monotonic()
        for number in range(0, size.rate * size.seconds, per_commit):
            wait = begun + number / size.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            names = [f"b{n}" for n in range(number, number + per_commit)]
            commit(connection, names, size)
            at = time.time()
            committed |= dict.fromkeys(names, at)
    return committed


def commit(connection: Connection, names: Sequence[str], size: Size) -> None:
    """One transaction."""
    groups = size.subscribers // PER_ALERT
    found = [transition(name, area_of(int(name[1:]) % groups * PER_ALERT, size)) for name in names]
    with connection.transaction(), connection.cursor() as cursor:
        write_transitions(cursor, NamespaceKind.LIVE, "city.observation.v1", 0, found)
    connection.commit()


def transition(alert: str, area: str) -> Transition:
    """A first step of a firing alert."""
    now_ms = time.time_ns() // 1_000_000
    return Transition(
        alert=alert, sequence=1, rule="waterlogging.depth", rule_version="1",
        domain="waterlogging", area=area, point=f"wl-{area}-1", subject=f"wl-{area}-1",
        onset_ms=now_ms, event_ms=now_ms, decided_ms=now_ms, state=AlertState.FIRING,
        severity=Severity.ORANGE, stale=False, unverified=False, change=Change.CONFIRMED,
        value="0.312", threshold="0.27", unit="m", origin=Origin.LIVE, position=0,
        valid_until_ms=now_ms + 3_600_000, evidence={"window": [now_ms - 60_000, now_ms]},
    )  # fmt: skip


def expected_arrivals(size: Size, alerts: int) -> int:
    """Deliveries that healthy subscribers are owed."""
    groups = size.subscribers // PER_ALERT
    healthy = [
        sum(size.kind(n) == "healthy" for n in range(g * PER_ALERT, (g + 1) * PER_ALERT))
        for g in range(groups)
    ]
    return sum(healthy[n % groups] for n in range(alerts))


def position(conninfo: str) -> int | None:
    """How far the fan-out is."""
    with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
        row = connection.execute("select sequence from delivery_position").fetchone()
    return None if row is None else int(row[0])


def sent(conninfo: str) -> int:
    """How many deliveries got through."""
    with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
        row = connection.execute("select count(*) from delivery where state = 'sent'").fetchone()
    return 0 if row is None else int(row[0])


def tell(
    size: Size, committed: dict[str, float], arrived: list[Any], expected: int, healthy: int
) -> None:
    """The figures."""
    first: dict[tuple[str, int], float] = {}
    for alert, port, at in arrived:
        first.setdefault((alert, port), at)
    waits = sorted(at - committed[alert] for (alert, _), at in first.items())
    load = os.getloadavg()[0]
    print(f"machine: {os.cpu_count()} cores, {platform.machine()}, Python "
          f"{platform.python_version()}, load {load:.1f}")  # fmt: skip
    print(f"{size.subscribers} subscribers: {healthy} healthy, {size.dead} dead, {size.slow} slow "
          f"({SLOW_S:.0f} s), 1 hostile; {size.rate} alerts/s for {size.seconds} s")  # fmt: skip
    print(f"healthy: {len(waits)} of {expected} arrived, {len(arrived) - len(first)} repeats")
    if waits:
        at = {q: waits[min(len(waits) - 1, int(len(waits) * q))] for q in (0.5, 0.9, 0.99, 0.999)}
        told = ", ".join(f"p{q * 100:g} {1000 * wait:.0f} ms" for q, wait in at.items())
        print(f"commit to arrival: {told}, max {1000 * waits[-1]:.0f} ms")


async def receive(size: Size, file: Path) -> None:
    """All receivers in one loop, as cheap as can be; writes what came when it is ended."""
    arrived: list[tuple[str, int, float]] = []
    ports, held = [], []
    for number in range(size.subscribers):
        kind = size.kind(number)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))  # a dead one has a port at which nobody listens
        if kind != "dead":
            await asyncio.start_server(_handler(kind, arrived), sock=listener, backlog=16)
        held.append(listener)
        ports.append(listener.getsockname()[1])
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(ports))
    partial.rename(file.with_suffix(".ports"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    file.write_text(json.dumps(arrived))
    os._exit(0)  # slow ones would hold us up


def _handler(kind: str, arrived: list[tuple[str, int, float]]) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
                body = await reader.readexactly(length)
                if kind == "slow":
                    await asyncio.sleep(SLOW_S)
                if kind == "hostile":
                    await _hurt(writer)
                    return
                found = ALERT.search(body) if kind == "healthy" else None
                if found:
                    arrived.append((found[1].decode(), port, time.time()))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    return handle


async def _hurt(writer: asyncio.StreamWriter) -> None:
    if time.time_ns() // 1000 % 2:
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:22/\r\n\r\n")
        return
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


if __name__ == "__main__":
    main()
