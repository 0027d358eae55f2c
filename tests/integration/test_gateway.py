"""The gateway over the embedded log and the stored registry, and as the process a user starts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from sensors.gateway.app import Gateway, GatewayParts, create_app, running
from sensors.gateway.settings import GatewaySettings, KeyRule
from sensors.gateway.stored import StoredRegistry
from streams.catalog import Registry, Sensor
from streams.contracts.codec import decode
from streams.contracts.frame import Frame
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log import Log
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.registry import save_registry
from tests.support.namespace import make_namespace as migrated
from tests.support.namespace import small_registry

pytestmark = pytest.mark.integration

DOMAINS = find_domains()
DOMAIN = next(iter(DOMAINS.values()))
PROPERTY = DOMAIN.properties[0].name
TIME = "2026-07-01T08:00:00+08:00"


def registry(sensors: int = 4) -> Registry:
    small = small_registry(sensors)
    renamed = {
        name: Sensor(0, name, sensor.point, sensor.gateway, (PROPERTY,))
        for name, sensor in small.sensors.items()
    }
    return replace(small, sensors=renamed)


def save(database_url: str, namespace: str, content: Registry, *, activate: bool) -> str:
    with connect(database_url, namespace, "citybrain test") as connection:
        version = save_registry(connection, content).version
        if activate:
            connection.execute("delete from config_active")
            connection.execute(
                "insert into config_active values ('registry', 0, %s, 0)", (version,)
            )
    return version


def batch(sensors: int, **more: object) -> dict[str, object]:
    readings = [
        {"sensor": f"s{i}", "property": PROPERTY, "time": TIME, "value": i / 10}
        for i in range(sensors)
    ]
    return {"gateway": "gw", "readings": readings} | more


def frames(log: Log) -> list[Frame]:
    found = [decode(one) for part in range(log.partitions()) for one in log.read(part, 0)]
    assert all(isinstance(one, Frame) for one in found)
    return [one for one in found if isinstance(one, Frame)]


def test_readings_stand_in_the_embedded_log_when_the_answer_comes(
    database_url: str, make_namespace: Callable[[], str]
) -> None:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)
    first = save(database_url, name, registry(4), activate=True)
    log, source = PostgresLog(database_url, name), StoredRegistry(database_url, name)

    async def story() -> None:
        own = GatewaySettings(linger_ms=5, keys=KeyRule.OPTIONAL)
        app = create_app(GatewayParts(log, source, DOMAINS, own))
        gateway: Gateway = app.state.gateway
        transport = httpx.ASGITransport(app)
        async with (
            running(gateway),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            answers = await asyncio.gather(
                *(client.post("/v1/readings", json=batch(4)) for _ in range(20))
            )
            assert {answer.status_code for answer in answers} == {200}
            assert sum(map(len, frames(log))) == 80
            assert len(frames(log)) < 40
            health = (await client.get("/health")).json()
            assert (health["status"], health["registry"]) == ("ok", first)

            fifth = batch(5, id="b-1")
            assert len((await client.post("/v1/readings", json=fifth)).json()["refused"]) == 1
            second = save(database_url, name, registry(5), activate=False)
            await gateway.watch.refresh()
            assert gateway.watch.directory is not None
            assert gateway.watch.directory.version == first
            save(database_url, name, registry(5), activate=True)
            await gateway.watch.refresh()
            assert gateway.watch.directory.version == second
            for _ in range(2):
                answer = await client.post("/v1/readings", json=fifth)
                assert answer.json() == {"accepted": 5, "refused": []}
            ids = [frame.id for frame in frames(log) if frame.id.startswith("b-1")]
            # The area without news: three times one frame. The other: the old one, twice the new.
            assert (len(ids), len(set(ids))) == (6, 3)

    try:
        asyncio.run(story())
    finally:
        log.close()
        source.close()


def test_readings_stand_in_kafka_when_the_answer_comes(
    database_url: str,
    make_namespace: Callable[[], str],
    kafka_settings: Settings,
    make_kafka_namespace: Callable[..., str],
) -> None:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)
    save(database_url, name, registry(4), activate=True)
    log = KafkaLog(kafka_settings, topic_name(make_kafka_namespace(2)))
    source = StoredRegistry(database_url, name)

    async def story() -> None:
        own = GatewaySettings(linger_ms=5, keys=KeyRule.OPTIONAL)
        app = create_app(GatewayParts(log, source, DOMAINS, own))
        transport = httpx.ASGITransport(app)
        async with (
            running(app.state.gateway),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            answers = await asyncio.gather(
                *(client.post("/v1/readings", json=batch(4, id=f"b-{n}")) for n in range(20))
            )
            assert {answer.status_code for answer in answers} == {200}

    try:
        asyncio.run(story())
        assert sum(map(len, frames(log))) == 80
        record = log.read(0, 0)[0]
        assert record.headers["ce_specversion"] == "1.0"
        assert record.headers["ce_type"] == f"citybrain.{DOMAIN.name}.observation.v1"
        assert (record.headers["ce_source"], record.headers["origin"]) == ("gw", "live")
    finally:
        log.close()
        source.close()


def test_the_command_serves_and_ends_when_told(
    database_url: str, make_namespace: Callable[[], str]
) -> None:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)
    save(database_url, name, registry(4), activate=False)
    with process(database_url, name) as (child, client):
        answer = client.post("/v1/readings", json=batch(4))
        assert answer.json() == {"accepted": 4, "refused": []}
        assert "citybrain_gateway_accepted_total 4.0" in client.get("/metrics").text
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) in (0, -signal.SIGTERM)
    log = PostgresLog(database_url, name)
    try:
        assert sum(map(len, frames(log))) == 4
    finally:
        log.close()


def test_every_format_reaches_the_log_as_the_same_reading(
    database_url: str, make_namespace: Callable[[], str]
) -> None:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)
    save(database_url, name, registry(1), activate=False)
    unit = DOMAIN.properties[0].unit
    reading = {"sensor": "s0", "property": PROPERTY, "time": TIME, "value": 35.5}
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/zj/330102/s0",
        "type": f"cn.gov.zj.citybrain.{DOMAIN.name}.observation.v1",
        "time": TIME,
        "subject": "p0",
        "data": {"property": PROPERTY, "value": 35.5},
    }
    bodies: dict[str, object] = {
        "application/json": {"readings": [reading]},
        "application/x-ndjson": reading,
        "application/senml+json": [
            {"bn": "s0/", "bt": 1_782_864_000, "bv": 35, "n": PROPERTY, "u": unit, "v": 0.5}
        ],
        "application/cloudevents+json": event,
        "application/cloudevents-batch+json": [event],
    }
    with process(database_url, name) as (_, client):
        for kind, body in bodies.items():
            answer = client.post(
                "/v1/readings?gateway=gw", json=body, headers={"content-type": kind}
            )
            assert answer.json() == {"accepted": 1, "refused": []}, kind
    log = PostgresLog(database_url, name)
    try:
        found = frames(log)
    finally:
        log.close()
    assert len(found) == len(bodies)
    assert {frame.value.tolist()[0] for frame in found} == {35.5}
    assert {frame.time_ms.tolist()[0] for frame in found} == {1_782_864_000_000}


def test_the_command_refuses_an_address_that_others_can_reach(database_url: str) -> None:
    found = subprocess.run(
        command(),
        env=environment(database_url, "citybrain") | {"CITYBRAIN_GATEWAY_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 2
    assert "CITYBRAIN_GATEWAY_HOST" in found.stderr
    assert "CITYBRAIN_GATEWAY_EXPOSE" in found.stderr
    assert "CITYBRAIN_GATEWAY_KEYS" in found.stderr


def command() -> list[str]:
    return [sys.executable, "-m", "deploy.cli", "gateway"]


def environment(database_url: str, namespace: str) -> dict[str, str]:
    own = {
        "CITYBRAIN_DATABASE": database_url,
        "CITYBRAIN_NAMESPACE": namespace,
        "CITYBRAIN_GATEWAY_KEYS": "optional",
    }
    return {k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")} | own


@contextmanager
def process(
    database_url: str, namespace: str, **settings: object
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """The gateway as a child process on a free loopback port, once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = environment(database_url, namespace) | {"CITYBRAIN_GATEWAY_PORT": str(port)}
    own |= {f"CITYBRAIN_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
    with (
        subprocess.Popen(command(), env=own) as child,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        try:
            wait_until_healthy(client, child)
            yield child, client
        finally:
            child.kill()


def wait_until_healthy(client: httpx.Client, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the gateway did not become healthy; exit code {child.poll()}")
