"""`python -m benchmarks.access`: what the check of who may costs a request.

A seeded province (1,800 points, a typhoon morning) behind the API, one server process and one
client on loopback, a request at a time. The same questions, with the same answers, are asked by an
API that is open to everybody, with a key for everything, for the province and for one county; and
every key's own list. Callers take turns, request by request, so that what else the machine does
hits all alike.
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
from dataclasses import dataclass
from pathlib import Path

import httpx
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
    headers: dict[str, str]


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
        measure(server.conninfo, folder, given.rounds, given.requests)
    finally:
        server.purge()
        shutil.rmtree(folder)


def serve(conninfo: str, port: str, opening: str) -> None:
    """The API in a process of its own."""
    settings = AccessSettings(api_open=Opening(opening))
    app = create_app(conninfo, NAMESPACE, DOMAINS, settings=settings)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


def measure(conninfo: str, folder: Path, rounds: int, requests: int) -> None:
    """Seeds, starts both servers, asks, and prints medians in ms with the spread of the rounds."""
    county = seed(conninfo, NAMESPACE, folder).county
    keys = {
        "all": make_key(conninfo, NAMESPACE),
        "province": make_key(conninfo, NAMESPACE, areas=[PROVINCE]),
        "county": make_key(conninfo, NAMESPACE, areas=[county]),
    }
    ports = {opening: free_port() for opening in (Opening.VIEWER, Opening.NONE)}
    servers = [start(conninfo, port, opening) for opening, port in ports.items()]
    callers = [Caller("open", ports[Opening.VIEWER], {})]
    callers += [Caller(name, ports[Opening.NONE], bearer(key)) for name, key in keys.items()]
    questions = {
        "GET /v1/indicators": "/v1/indicators",
        "GET /v1/alerts?area=COUNTY": f"/v1/alerts?area={county}",
        "GET /v1/points?area=COUNTY": f"/v1/points?area={county}",
        "GET /v1/alerts (own)": "/v1/alerts",
        "GET /v1/points (own)": "/v1/points",
    }
    print(f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}, {rounds} rounds of {requests}")
    try:
        for question, path in questions.items():
            tell(question, {c.name: [] for c in callers}, callers, path, rounds, requests)
    finally:
        for each in servers:
            each.terminate()
            each.wait(20)
    print(f"load {os.getloadavg()[0]:.1f}; area {county}, keys for {ALL}, {PROVINCE}, {county}")


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


def tell(
    question: str,
    medians: dict[str, list[float]],
    callers: Sequence[Caller],
    path: str,
    rounds: int,
    requests: int,
) -> None:
    """Asks in turns, and prints a line for each caller."""
    sizes: dict[str, int] = {}
    clients = {c.name: httpx.Client(base_url=f"http://127.0.0.1:{c.port}") for c in callers}
    for number in range(-1, rounds):
        took: dict[str, list[float]] = {c.name: [] for c in callers}
        for _ in range(requests if number >= 0 else WARM_UP):
            for caller in callers:
                begun = time.perf_counter()
                answer = clients[caller.name].get(path, headers=caller.headers)
                took[caller.name].append(1000 * (time.perf_counter() - begun))
                answer.raise_for_status()
                sizes[caller.name] = len(answer.content)
        if number >= 0:
            for name, found in took.items():
                medians[name].append(statistics.median(found))
    for client in clients.values():
        client.close()
    for name, found in medians.items():
        spread = f"{min(found):6.2f} to {max(found):6.2f}"
        middle = statistics.median(found)
        print(f"{question:28} {name:9} {middle:6.2f} ms ({spread}) {sizes[name]:8,} B")


if __name__ == "__main__":
    main()
