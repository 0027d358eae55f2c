"""kill -9 of the deliverer, again and again, under load: nothing lost, the order of every alert
kept, and what comes twice has the same key.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from aiohttp import web

from deploy.process import wait_until
from streams.contracts.reason import NamespaceKind
from streams.storage.migrate import migrate
from tests.support.deliveries import put, states, subscribe, transition
from tests.support.receiver import Received, receiving

pytestmark = pytest.mark.chaos

KILLS = 10
SUBSCRIBERS = 5
ALERTS = 20
STEPS = 40
PATIENCE_S = 60.0
SEED = 20_261_130


def test_nothing_is_lost_and_repeats_are_known(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE)
    chance = random.Random(SEED)

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(chance.random() * 0.02)
        return web.Response(status=503 if chance.random() < 0.1 else 204)

    with receiving(answer) as receiver:
        paths = [f"/{n}" for n in range(SUBSCRIBERS)]
        for path in paths:
            subscribe(database_url, namespace, receiver.url(path))
        running = start(database_url, namespace, tmp_path)
        begun = time.monotonic()
        try:
            for step in range(1, STEPS + 1):
                put(database_url, namespace, *(transition(f"a{n}", step) for n in range(ALERTS)))
                if step % (STEPS // KILLS) == 0:
                    time.sleep(chance.random() * 0.8)
                    running.send_signal(signal.SIGKILL)
                    running.wait()
                    running = start(database_url, namespace, tmp_path)
            total = SUBSCRIBERS * ALERTS * STEPS
            done = wait_until(
                lambda: states(database_url, namespace) == {"sent": total}, PATIENCE_S, 0.2
            )
            assert done, (states(database_url, namespace), (tmp_path / "log").read_text()[-3000:])
        finally:
            running.send_signal(signal.SIGTERM)
            ended = running.wait(20)
        assert ended == 0, (tmp_path / "log").read_text()[-3000:]
        print(f"{total} delivered in {time.monotonic() - begun:.1f} s")
        for path in paths:
            judge(receiver.alerts(path))


def judge(arrived: list[Received]) -> None:
    """One subscriber's mail."""
    keys: dict[tuple[str, int], set[str]] = defaultdict(set)
    steps: dict[str, list[int]] = defaultdict(list)
    for one in arrived:
        data = one.content["data"]
        keys[data["alert"], data["sequence"]].add(one.id)
        steps[data["alert"]].append(data["sequence"])
    assert keys.keys() == {(f"a{n}", s) for n in range(ALERTS) for s in range(1, STEPS + 1)}
    assert all(len(ids) == 1 for ids in keys.values())
    assert len(set().union(*keys.values())) == ALERTS * STEPS
    for seen in steps.values():
        first = list(dict.fromkeys(seen))
        assert first == sorted(first), "a new state before an older one"


def start(conninfo: str, namespace: str, folder: Path) -> subprocess.Popen[bytes]:
    """The real command."""
    settings = {
        "CITYBRAIN_DATABASE": conninfo,
        "CITYBRAIN_NAMESPACE": namespace,
        "CITYBRAIN_DELIVER_ALLOW_NETWORKS": "127.0.0.0/8",
        "CITYBRAIN_DELIVER_FIRST_PAUSE_S": "0.05",
        "CITYBRAIN_DELIVER_MOST_PAUSE_S": "0.5",
    }
    with (folder / "log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "deliver"],
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
        )
