"""`python -m benchmarks.access`: what the check of who may costs a request.

A seeded province (1,800 points, a typhoon morning) behind the API, one server process and one
client on loopback, a request at a time. The same questions, with the same answers, are asked by an
API that is open to everybody, with a key for everything, for the province and for one county; and
every key's own list. Callers take turns within each round. Beside the latency, which other work on
the machine moves, it tells the processor time, which that moves little.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import uvicorn

from api.access.role import ALL
from api.access.settings import AccessSettings, Opening
from api.app import create_app
from deploy.postgres import EmbeddedPostgres
from deploy.process import wait_until
from tests.support.admission import bearer, make_key
from tests.support.mosquitto import free_port
from tests.support.seed import seed
from tests.support.seed_domains import DOMAINS

NAMESPACE = "bench_access"
PROVINCE = "330000"
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks."""

    name: str
    port: int
    server: int  # its process
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """How much is asked, and the database's process."""

    rounds: int
    requests: int
    database: int


@dataclass(slots=True)
class Found:
    """What came of one caller's question."""

    medians_ms: list[float] = field(default_factory=list)  # of each round
    requests: int = 0
    spent_s: list[float] = field(default_factory=lambda: [0.0, 0.0])  # by API and database


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=100, help="of each kind in a round")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve:
        serve(*given.serve)
        return
    folder = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        process = server.process()
        assert process is not None
        measure(server.conninfo, folder, Asked(given.rounds, given.requests, process.pid))
    finally:
        server.purge()
        shutil.rmtree(folder)


def serve(conninfo: str, port: str, opening: str) -> None:
    """The API in a process of its own."""
    settings = AccessSettings(api_open=Opening(opening))
    app = create_app(conninfo, NAMESPACE, DOMAINS, settings=settings)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


def measure(conninfo: str, folder: Path, asked: Asked) -> None:
    """Seeds, starts both servers, asks, and prints medians in ms with the spread of the rounds."""
    county = seed(conninfo, NAMESPACE, folder).county
    ports = {opening: free_port() for opening in (Opening.VIEWER, Opening.NONE)}
    servers = {opening: start(conninfo, port, opening) for opening, port in ports.items()}
    callers = [Caller("open", ports[Opening.VIEWER], servers[Opening.VIEWER].pid, {})]
    for name, area in (("all", ALL), ("province", PROVINCE), ("county", county)):
        key = make_key(conninfo, NAMESPACE, areas=[area])
        callers.append(Caller(name, ports[Opening.NONE], servers[Opening.NONE].pid, bearer(key)))
    questions = {
        "GET /v1/indicators": "/v1/indicators",
        "GET /v1/alerts?area=COUNTY": f"/v1/alerts?area={county}",
        "GET /v1/points?area=COUNTY": f"/v1/points?area={county}",
        "GET /v1/alerts (own)": "/v1/alerts",
        "GET /v1/points (own)": "/v1/points",
    }
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {asked.rounds} rounds of"
          f" {asked.requests}; processor time of the API + the database, a request")  # fmt: skip
    try:
        for question, path in questions.items():
            tell(question, asked, callers, path)
    finally:
        for each in servers.values():
            each.terminate()
            each.wait(20)
    print(f"load {os.getloadavg()[0]:.1f}; the county is {county}")


def start(conninfo: str, port: int, opening: Opening) -> subprocess.Popen[bytes]:
    """A server, once it answers."""
    command = [sys.executable, "-m", "benchmarks.access", "--serve", conninfo, str(port), opening]
    found = subprocess.Popen(command)

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/v1/session").status_code == 200
        except httpx.TransportError:
            return False

    if not wait_until(answers, 60.0, 0.2):
        raise SystemExit("the API does not answer")
    return found


def tell(question: str, asked: Asked, callers: Sequence[Caller], path: str) -> None:
    """Asks in turns, and prints a line for each caller."""
    found = {caller.name: Found() for caller in callers}
    for number in range(-1, asked.rounds):
        for caller in callers:
            block(found[caller.name], caller, path, asked, counts=number >= 0)
    for name, each in found.items():
        middle = statistics.median(each.medians_ms)
        spread = f"{min(each.medians_ms):6.2f} to {max(each.medians_ms):6.2f}"
        costs = " + ".join(f"{1000 * s / each.requests:5.2f}" for s in each.spent_s)
        print(f"{question:28} {name:9} {middle:6.2f} ms ({spread}), processor {costs} ms")


def block(found: Found, caller: Caller, path: str, asked: Asked, *, counts: bool) -> None:
    """So many requests of one caller in a row."""
    took = []
    with httpx.Client(base_url=f"http://127.0.0.1:{caller.port}", timeout=60.0) as client:
        client.get(path, headers=caller.headers).raise_for_status()
        before = spent(caller, asked)
        for _ in range(asked.requests if counts else WARM_UP):
            begun = time.perf_counter()
            client.get(path, headers=caller.headers).raise_for_status()
            took.append(1000 * (time.perf_counter() - begun))
        after = spent(caller, asked)
    if counts:
        found.medians_ms.append(statistics.median(took))
        found.requests += len(took)
        for place, (earlier, later) in enumerate(zip(before, after, strict=True)):
            found.spent_s[place] += later - earlier


def spent(caller: Caller, asked: Asked) -> tuple[float, float]:
    """Processor seconds of the API and of the database so far."""
    backends = psutil.Process(asked.database).children()
    return seconds(psutil.Process(caller.server)), sum(map(seconds, backends))


def seconds(process: psutil.Process) -> float:
    """Of one process; 0 for one that has just ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
