"""The gateway under more than it can take: memory, answers and throughput, by a real server.

`python -m benchmarks.gateway_overload [SECONDS]` starts the gateway as a child, with keys and
quotas on, over a log that takes an append at once (fast), every 200 ms (slow), or five hundred
readings a second (narrow), and lets 128 clients send batches of 500 without pause. Over the narrow
log they offer far more than ten times what is taken; the report says how much. One JSON object a
line: name, value, unit, spread. Both processes share the cores.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import psutil

from benchmarks.city import registry
from sensors.gateway.keys import Key, digest
from sensors.gateway.settings import GatewaySettings, KeyRule
from streams.catalog import Registry
from streams.contracts.frame import JSON
from streams.log import Entry
from streams.log.memory import MemoryLog

CLIENTS = 128
ROWS = 500
PORT = 18_671
_BASE = f"http://127.0.0.1:{PORT}"


@dataclass(frozen=True)
class Case:
    """How the log behaves: seconds for an append, seconds for each of its frames."""

    append_s: float = 0.0
    frame_s: float = 0.0
    waiting_rows: int = 50_000


CASES = {
    "fast_log": Case(),
    "slow_log": Case(append_s=0.2),
    "narrow_log": Case(frame_s=1.0, waiting_rows=2_500),
}


class DroppingLog(MemoryLog):
    """Takes every append after a while and keeps nothing, so that memory is the gateway's."""

    def __init__(self, case: Case) -> None:
        super().__init__(64)
        self._case = case

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        time.sleep(self._case.append_s + self._case.frame_s * len(entries))
        return 0


def key_of(gateway: str) -> str:
    """The text of a gateway's key, which server and clients make alike."""
    return f"cb1_{hashlib.sha256(gateway.encode()).hexdigest()[:12]}_{'A' * 43}"


class FixedRegistry:
    """A `RegistrySource` of one version, and a `KeySource` of a key for each gateway."""

    def __init__(self) -> None:
        self._registry = registry()

    def active(self) -> str | None:
        return self._registry.version

    def load(self, version: str) -> Registry:
        return self._registry

    def stored_keys(self) -> list[Key]:
        texts = {gateway: key_of(gateway) for gateway in self._registry.gateways}
        return [
            Key(text.split("_")[1], gateway, ("330100",), digest(text))
            for gateway, text in texts.items()
        ]


@dataclass
class Account:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted: int = 0
    rss_mb: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)


def serve(case: Case) -> None:
    """The child: the gateway over a dropping log."""
    import uvicorn

    from sensors.gateway.app import GatewayParts, create_app
    from streams.domains import find_domains

    settings = GatewaySettings(
        waiting_rows=case.waiting_rows,
        source_rows=case.waiting_rows // 5,
        request_readings=ROWS,
        quota_readings_s=100_000,
        quota_bytes_s=100 << 20,
        keys=KeyRule.REQUIRED,
    )
    source = FixedRegistry()
    parts = GatewayParts(DroppingLog(case), source, find_domains(), settings, keys=source)
    uvicorn.run(
        create_app(parts),
        host="127.0.0.1",
        port=PORT,
        log_level="error",
        access_log=False,
        timeout_keep_alive=120,  # a client that waits long is not cut off between two requests
    )


def batch(code: str) -> bytes:
    """500 readings of one county, a second each."""
    now = time.time_ns() // 1_000_000
    readings = [
        {"sensor": f"d-{code}-{i:03d}", "property": "depth", "time": now, "value": i / 1000}
        for i in range(ROWS)
    ]
    return json.dumps({"gateway": f"gw-{code}", "readings": readings}).encode()


async def send(client: httpx.AsyncClient, code: str, until: float, account: Account) -> None:
    """One client: the next batch as soon as the last is answered; waits 50 ms when told to wait."""
    body = batch(code)
    headers = {"authorization": f"Bearer {key_of(f'gw-{code}')}", "content-type": JSON}
    while time.monotonic() < until:
        answer = await client.post("/v1/readings", content=body, headers=headers)
        account.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            account.accepted += answer.json()["accepted"]
        else:
            await asyncio.sleep(0.05)


async def watch(
    client: httpx.AsyncClient, child: psutil.Process, until: float, account: Account
) -> None:
    """Memory and fill of the gateway, twice a second."""
    while time.monotonic() < until:
        account.rss_mb.append(child.memory_info().rss / 2**20)
        account.waiting.append((await client.get("/health")).json()["waiting_rows"])
        await asyncio.sleep(0.5)


async def load(child: psutil.Process, seconds: float) -> Account:
    """Every client at once, for so long."""
    account = Account()
    limits = httpx.Limits(max_connections=CLIENTS + 1)
    async with httpx.AsyncClient(base_url=_BASE, limits=limits, timeout=60) as client:
        for _ in range(600):
            try:
                if (await client.get("/health")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        until = time.monotonic() + seconds
        codes = sorted(gateway.removeprefix("gw-") for gateway in registry().gateways)
        senders = [codes[number % len(codes)] for number in range(CLIENTS)]
        await asyncio.gather(
            watch(client, child, until, account),
            *(send(client, code, until, account) for code in senders),
        )
    return account


def measure(name: str, seconds: float) -> None:
    """One run with a fresh server."""
    command = [sys.executable, "-m", "benchmarks.gateway_overload", "--serve", name]
    with subprocess.Popen(command) as child:
        try:
            account = asyncio.run(load(psutil.Process(child.pid), seconds))
        finally:
            child.kill()
    third = max(1, len(account.rss_mb) // 3)
    first, last = max(account.rss_mb[third : 2 * third]), max(account.rss_mb[-third:])
    offered = account.statuses.total() * ROWS
    tell(f"gateway_{name}_offered", offered / seconds, "readings/s", None)
    tell(f"gateway_{name}_accepted", account.accepted / seconds, "readings/s", None)
    tell(f"gateway_{name}_overload", offered / max(1, account.accepted), "times", None)
    tell(f"gateway_{name}_rss", max(account.rss_mb), "MiB", max(account.rss_mb) - account.rss_mb[0])
    tell(f"gateway_{name}_rss_growth", last - first, "MiB, last third less second", None)
    tell(f"gateway_{name}_waiting", max(account.waiting), "rows", None)
    for status, count in sorted(account.statuses.items()):
        tell(f"gateway_{name}_{status}", count, "answers", None)


def tell(name: str, value: float, unit: str, spread: float | None) -> None:
    """One line of the report."""
    rounded = None if spread is None else round(spread, 1)
    print(
        json.dumps({"name": name, "value": round(value, 1), "unit": unit, "spread": rounded}),
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(CASES[sys.argv[2]])
    else:
        for one in CASES:
            measure(one, float(sys.argv[1]) if len(sys.argv) > 1 else 15.0)
