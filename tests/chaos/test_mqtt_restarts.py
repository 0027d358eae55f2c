"""10,000 devices on 200 connections, QoS 1: the broker is restarted twice, the gateway killed once.

Every reading is in the log, and once in what the pipeline stores: what a device or the broker sent
again is a duplicate. The broker keeps its own promise by its store (SIGTERM writes it); a broker
that is killed may lose what it has acknowledged, whatever stands behind it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import httpx
import numpy as np
import pytest

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import decode, encode_control
from streams.contracts.domain import Point
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import LEDGER_COLUMNS
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, PipelineSetup
from streams.storage.connect import connect
from streams.storage.migrate import migrate, property_ids
from streams.storage.registry import load_version, save_registry
from tests.support.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.chaos

DEVICES, CONNECTIONS, GATEWAYS, ROUNDS = 10_000, 200, 100, 3
COUNTIES = [f"3301{n:02d}" for n in range(2, 12)]
PATIENCE_S = 400.0
QUIET = logging.getLogger("tests.devices")  # a broker that goes away is what this is about
QUIET.setLevel(logging.CRITICAL + 1)
TOPIC = "city.observation.v1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(tmp_path, free_port())
    found.start()
    yield found
    found.stop(signal.SIGKILL)


def registry() -> Registry:
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
    }
    areas |= {code: Area(code, "county", "330100", code, code) for code in COUNTIES}
    points, sensors = {}, {}
    for number in range(DEVICES):
        name, area = f"d{number}", area_of(number)
        points[name] = Point(name, "flood_point", area, name, 120.1, 30.2, {})
        sensors[name] = Sensor(0, name, name, f"gw{number % GATEWAYS}", ("depth",))
    gateways = {f"gw{n}": Gateway(f"gw{n}", COUNTIES[n % len(COUNTIES)]) for n in range(GATEWAYS)}
    return Registry(areas, points, sensors, gateways, dict.fromkeys(COUNTIES, 0), 1)


def area_of(device: int) -> str:
    return COUNTIES[device % len(COUNTIES)]


async def publish_all(port: int, mine: list[int], start_ms: int, done: list[int]) -> None:
    """One connection's devices; what was not acknowledged is sent again by the next connection."""
    waiting = [(device, number) for number in range(ROUNDS) for device in mine]
    while waiting:
        try:
            async with aiomqtt.Client("127.0.0.1", port, timeout=10, logger=QUIET) as client:
                while waiting:
                    device, number = waiting[0]
                    topic = f"cb/v1/{area_of(device)}/waterlogging/d{device}/observation"
                    reading = {
                        "sensor": f"d{device}",
                        "property": "depth",
                        "time": start_ms + number * 1000,
                        "value": 0.01,
                    }
                    await client.publish(topic, json.dumps(reading).encode(), qos=1)
                    waiting.pop(0)
                    done[0] += 1
        except aiomqtt.MqttError:
            await asyncio.sleep(0.2)  # the broker is away: a device tries again


async def trouble(broker: Mosquitto, gateway: GatewayProcess, done: list[int]) -> None:
    """Two restarts of the broker and one kill of the gateway, by how far the devices are."""
    total = DEVICES * ROUNDS
    for share, what in ((0.2, "broker"), (0.45, "gateway"), (0.7, "broker")):
        while done[0] < share * total:
            await asyncio.sleep(0.05)
        if what == "gateway":
            await asyncio.to_thread(gateway.kill)
            await asyncio.to_thread(gateway.start)
        else:
            await asyncio.to_thread(broker.stop)
            await asyncio.to_thread(broker.start)


class GatewayProcess:
    """`citybrain gateway` with its MQTT door, started again after a kill."""

    def __init__(self, conninfo: str, namespace: str, mqtt_port: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._env = {
            "PATH": "/usr/bin:/bin",
            "CITYBRAIN_DATABASE": conninfo,
            "CITYBRAIN_NAMESPACE": namespace,
            "CITYBRAIN_GATEWAY_KEYS": "optional",
            "CITYBRAIN_GATEWAY_PORT": str(self.port),
            "CITYBRAIN_GATEWAY_MQTT_HOST": "127.0.0.1",
            "CITYBRAIN_GATEWAY_MQTT_PORT": str(mqtt_port),
        }
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "gateway"], env=self._env
        )
        deadline = time.monotonic() + 40
        while self.health().get("mqtt") != "connected":
            assert self._child.poll() is None, "the gateway ended"
            assert time.monotonic() < deadline, "the gateway did not connect"
            time.sleep(0.05)

    def health(self) -> dict[str, object]:
        try:
            found: dict[str, object] = httpx.get(f"http://127.0.0.1:{self.port}/health").json()
        except httpx.TransportError:
            return {}
        return found

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait(20)
            self._child = None


def test_every_reading_is_in_the_log_and_counts_once(
    database_url: str, namespace: str, broker: Mosquitto
) -> None:
    domains = find_domains()
    migrate(database_url, namespace, NamespaceKind.LIVE, domains=domains, partitions=1)
    with connect(database_url, namespace, "citybrain test") as connection:
        version = save_registry(connection, registry()).version
        content = load_version(connection, version)
        ids = property_ids(connection)
    start_ms = time.time_ns() // 1_000_000 - 60_000
    log = PostgresLog(database_url, namespace)
    log.append(0, [encode_control("registry", version, start_ms)])
    gateway = GatewayProcess(database_url, namespace, broker.port)
    gateway.start()
    wanted = {(f"d{d}", start_ms + n * 1000) for d in range(DEVICES) for n in range(ROUNDS)}
    try:
        began = time.monotonic()
        asyncio.run(asyncio.wait_for(scene(broker, gateway, start_ms), PATIENCE_S))
        published_s = time.monotonic() - began
        records = wait_for(log, wanted, began + PATIENCE_S)
        print(f"{len(wanted)} published in {published_s:.1f} s, {rows_of(records)} rows in the log")
    finally:
        gateway.kill()
    setup = PipelineSetup(TOPIC, 0, NamespaceKind.LIVE, domains, ids)
    outcome = Pipeline(setup).process(records, {version: content})
    total = np.sum(list(outcome.ledger.values()), axis=0)
    ledger = dict(zip(LEDGER_COLUMNS, total.tolist(), strict=True))
    assert ledger["stored"] == len(wanted)
    assert ledger["rejected"] == ledger["quarantined"] == 0
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"]
    log.close()


async def scene(broker: Mosquitto, gateway: GatewayProcess, start_ms: int) -> None:
    done = [0]
    parts = [list(range(n, DEVICES, CONNECTIONS)) for n in range(CONNECTIONS)]
    devices = [publish_all(broker.port, mine, start_ms, done) for mine in parts]
    await asyncio.gather(trouble(broker, gateway, done), *devices)


def wait_for(log: PostgresLog, wanted: set[tuple[str, int]], deadline: float) -> list[Record]:
    """The records of the log once every wanted reading is there."""
    records: list[Record] = []
    missing = set(wanted)
    while True:
        more = log.read(0, records[-1].offset + 1 if records else 0, 100_000)
        records += more
        for record in more:
            event = decode(record)
            if isinstance(event, Frame):
                names = [event.sensors[i] for i in event.sensor.tolist()]
                missing -= set(zip(names, event.time_ms.tolist(), strict=True))
        if not missing:
            return records
        assert time.monotonic() < deadline, f"{len(missing)} readings are not in the log"
        time.sleep(0.2)


def rows_of(records: list[Record]) -> int:
    events = [decode(record) for record in records]
    return sum(len(event) for event in events if isinstance(event, Frame))
