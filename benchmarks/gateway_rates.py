"""`python -m benchmarks.gateway_rates`: readings per second that the gateway takes, by format.

The gateway is a process of its own (`citybrain gateway`, keys required, quotas out of the way)
over the log in an embedded PostgreSQL with every durability setting on. Clients of 8 gateways
send a body again and again, each as soon as the last is answered: 64 with single readings, which
wait for company, else 8. A reading counts when the answer says that the log has it. Clients,
gateway and PostgreSQL share the machine. Prints one JSON object a line: name, value (median of
the rounds), unit, spread.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks import city
from deploy import gateway_keys
from deploy.gateway_keys import Order
from deploy.postgres import EmbeddedPostgres
from sensors.gateway.decoding import NDJSON, SENML
from streams.contracts.frame import JSON
from streams.contracts.reason import NamespaceKind
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry

ROUNDS = 3
SECONDS = 3.0
NAMESPACE = "bench_gateway"
CASES = ((JSON, 1, 64), (JSON, 100, 8), (JSON, 1_000, 8), (NDJSON, 1_000, 8), (SENML, 1_000, 8))
_NAMES = {JSON: "json", NDJSON: "ndjson", SENML: "senml"}
_ENOUGH = "1000000000"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs every case; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
    given = parser.parse_args(arguments)
    cores, load = os.cpu_count() or 0, os.getloadavg()[0]
    about = f"cores, {platform.machine()}, {platform.python_version()}, load {load:.1f}"
    print(json.dumps({"name": "machine", "value": cores, "unit": about}), flush=True)
    with database() as conninfo, gateway(conninfo) as port:
        keys = make_keys(conninfo)
        asyncio.run(
            one_round(port, request_of(JSON, 1, keys, 8), 1, 1.0)
        )  # until the gateway knows the keys
        for kind, size, clients in CASES:
            rates = sorted(
                asyncio.run(
                    one_round(port, request_of(kind, size, keys, clients), size, given.seconds)
                )
                for _ in range(given.rounds)
            )
            tell(f"gateway_{_NAMES[kind]}_by_{size}", rates)


def tell(name: str, rates: Sequence[float]) -> None:
    """One line of the report."""
    spread = f"{rates[0]:.0f}..{rates[-1]:.0f} in {len(rates)} rounds"
    value = round(rates[len(rates) // 2])
    line = {"name": name, "value": value, "unit": "readings/s", "spread": spread}
    print(json.dumps(line), flush=True)


@contextmanager
def database() -> Iterator[str]:
    """A server of our own with a namespace and a registry, removed at the end."""
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    server = EmbeddedPostgres(var_dir)
    try:
        conninfo = server.start()
        migrate(conninfo, NAMESPACE, NamespaceKind.LIVE, partitions=city.DEFAULT.partitions)
        with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
            save_registry(connection, city.registry())
        yield conninfo
    finally:
        server.purge()
        shutil.rmtree(var_dir)


@contextmanager
def gateway(conninfo: str) -> Iterator[int]:
    """The gateway as users run it; gives its port once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")},
        "CITYBRAIN_DATABASE": conninfo,
        "CITYBRAIN_NAMESPACE": NAMESPACE,
        "CITYBRAIN_LOG_LEVEL": "ERROR",
        "CITYBRAIN_GATEWAY_PORT": str(port),
        "CITYBRAIN_GATEWAY_KEYS": "required",
        "CITYBRAIN_GATEWAY_REGISTRY_S": "0.2",
        "CITYBRAIN_GATEWAY_QUOTA_READINGS_S": _ENOUGH,
        "CITYBRAIN_GATEWAY_QUOTA_BYTES_S": _ENOUGH,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "gateway"], env=environment
    ) as child:
        try:
            wait(lambda: httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200)
            yield port
        finally:
            child.kill()


def wait(condition: Callable[[], bool]) -> None:
    """Until it is true, for a minute at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the gateway did not become healthy")


def make_keys(conninfo: str) -> Mapping[str, str]:
    """Area code → the key of its gateway."""
    with connect(conninfo, NAMESPACE, "citybrain bench") as connection:
        made = {
            code: gateway_keys.create(connection, Order(f"gw-{code}"), datetime.now(UTC)).text
            for code in city.DEFAULT.codes()
        }
    return made


def body(kind: str, size: int, code: str) -> bytes:
    """One body of so many readings of an area's flood points, a millisecond apart."""
    now_ms = time.time_ns() // 1_000_000 - size
    names = [f"d-{code}-{i % city.DEFAULT.sensors:03d}" for i in range(size)]
    if kind == SENML:
        pack = [
            {"n": f"{name}/depth", "u": "mm", "t": (now_ms + i) / 1000, "v": i}
            for i, name in enumerate(names)
        ]
        return json.dumps(pack).encode()
    rows = [
        {"sensor": name, "property": "depth", "time": now_ms + i, "value": i / 1000}
        for i, name in enumerate(names)
    ]
    if kind == NDJSON:
        return "\n".join(map(json.dumps, rows)).encode()
    return json.dumps({"gateway": f"gw-{code}", "readings": rows}).encode()


def request_of(kind: str, size: int, keys: Mapping[str, str], clients: int) -> list[bytes]:
    """What each client sends; the gateways take turns."""
    senders = itertools.islice(itertools.cycle(keys.items()), clients)
    return [request(kind, size, code, key) for code, key in senders]


async def one_round(port: int, sent: Sequence[bytes], size: int, seconds: float) -> float:
    """Readings per second that were accepted, over all clients."""
    began = time.monotonic()
    accepted = await asyncio.gather(*(client(port, one, size, began + seconds) for one in sent))
    return sum(accepted) / (time.monotonic() - began)


def request(kind: str, size: int, code: str, key: str) -> bytes:
    """The bytes of one request on a connection that stays open."""
    content = body(kind, size, code)
    head = (
        f"POST /v1/readings HTTP/1.1\r\nHost: gateway\r\nContent-Type: {kind}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def client(port: int, sent: bytes, size: int, until: float) -> int:
    """Sends the same request until the time is over; how many readings were accepted.

    Written on sockets, because a client library costs more than the gateway does.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted = 0
    try:
        while time.monotonic() < until:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            length = next(
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            answer = json.loads(await reader.readexactly(length))
            if status == 401:  # the gateway has not read the new keys yet
                await asyncio.sleep(0.05)
                continue
            assert status == 200, answer
            assert answer["accepted"] == size, answer
            accepted += size
    finally:
        writer.close()
    return accepted


if __name__ == "__main__":
    main()
