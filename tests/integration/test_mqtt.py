"""The MQTT door at a real broker: nothing acknowledged before the log has it, nothing lost."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sensors.gateway.app import Gateway, GatewayParts, running
from sensors.gateway.mqtt.settings import MqttSettings, Version
from sensors.gateway.settings import GatewaySettings
from streams.contracts.codec import decode
from streams.contracts.frame import Frame, Record, Refusal
from streams.contracts.reason import Reason
from tests.support.gateway_bench import FakeRegistry, GatedLog, toy_domains, toy_registry
from tests.support.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.integration

T = TypeVar("T")
TIME_MS = 1_782_864_000_000
PATIENCE_S = 20.0
S1 = "cb/v1/330106/water/s1/observation"
GW = "cb/v1/330106/water/gw/observation"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(tmp_path, free_port())
    found.start()
    yield found
    found.stop(signal.SIGKILL)


def settings(broker: Mosquitto, **changed: object) -> MqttSettings:
    return MqttSettings.model_validate({"host": "127.0.0.1", "port": broker.port} | changed)


@asynccontextmanager
async def door(
    broker: Mosquitto, log: GatedLog, version: Version = Version.V5
) -> AsyncIterator[Gateway]:
    """A gateway whose MQTT door is connected."""
    gateway = Gateway(
        GatewayParts(
            log,
            FakeRegistry(toy_registry()),
            toy_domains(),
            GatewaySettings(append_timeout_s=2),
            clock_ms=lambda: TIME_MS + 1000,
            mqtt=settings(broker, version=version),
        )
    )
    async with running(gateway):
        assert gateway.mqtt is not None
        await until(lambda: gateway.mqtt is not None and gateway.mqtt.trouble is None)
        yield gateway


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


def device(broker: Mosquitto, version: Version = Version.V5) -> aiomqtt.Client:
    protocol = aiomqtt.ProtocolVersion.V5 if version is Version.V5 else aiomqtt.ProtocolVersion.V311
    return aiomqtt.Client("127.0.0.1", broker.port, protocol=protocol)


def reading(number: int, sensor: str = "s1", value: float = 0.5) -> bytes:
    one = {"sensor": sensor, "property": "depth", "time": TIME_MS - number * 1000, "value": value}
    return json.dumps(one).encode()


def properties(**named: object) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in named.items():
        setattr(found, name, value)
    return found


def stored(log: GatedLog) -> list[tuple[str, int]]:
    """(sensor, time) of every row in the log, as often as it is there."""
    found = []
    for frame in records(log, Frame):
        names = [frame.sensors[i] for i in frame.sensor.tolist()]
        found += list(zip(names, frame.time_ms.tolist(), strict=True))
    return found


def refused(log: GatedLog) -> list[tuple[Reason, int, bytes]]:
    return [(r.reason, r.rows, r.content) for r in records(log, Refusal)]


def records(log: GatedLog, kind: type[T]) -> list[T]:
    held: list[Record] = [r for p in range(2) for r in log.read(p, 0, 100_000)]
    return [event for event in map(decode, held) if isinstance(event, kind)]


def play(scene: Awaitable[None]) -> None:
    async def all_of_it() -> None:
        await scene

    asyncio.run(all_of_it())


@pytest.mark.parametrize("ours", Version)
@pytest.mark.parametrize("theirs", Version)
def test_readings_reach_the_log_whichever_version_either_side_speaks(
    broker: Mosquitto, ours: Version, theirs: Version
) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log, ours), device(broker, theirs) as sender:
            for number in range(20):
                await sender.publish(S1, reading(number), qos=number % 3)
            await until(lambda: len(set(stored(log))) == 20)
        assert refused(log) == []

    play(scene())


def test_formats_by_content_type_and_a_batch_of_a_gateway(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        senml = json.dumps([{"bn": "s1/", "n": "depth", "u": "m", "t": TIME_MS / 1000, "v": 0.3}])
        batch = {"readings": [json.loads(reading(1)), json.loads(reading(2, "s2"))]}
        said = properties(ContentType="application/senml+json")
        async with door(broker, log), device(broker) as sender:
            await sender.publish(S1, senml.encode(), qos=1, properties=said)
            await sender.publish(GW, json.dumps(batch).encode(), qos=1)
            await until(lambda: len(stored(log)) == 2)
            await until(lambda: len(refused(log)) == 1)
        assert {sensor for sensor, _ in stored(log)} == {"s1"}
        ((reason, rows, content),) = refused(log)
        assert (reason, rows) == (Reason.FOREIGN_AREA, 1), "s2 stands in another county"
        assert json.loads(content) == batch

    play(scene())


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (S1, reading(1, "s2"), Reason.UNKNOWN_SENSOR),
        (S1, b"no json", Reason.MALFORMED),
        (S1, b'{"readings": 3}', Reason.MALFORMED),
        (S1, b'{"sensor": "s1"}', Reason.WRONG_TYPE),
        ("cb/v1/330108/water/s1/observation", reading(1), Reason.FOREIGN_AREA),
        ("cb/v1/330106/weather/s1/observation", reading(1), Reason.UNKNOWN_DOMAIN),
        ("cb/v1/330106/water/nobody/observation", reading(1), Reason.UNKNOWN_SENSOR),
        ("cb/v1/33x/water/s1/observation", reading(1), Reason.BAD_HEADERS),
        ("cb/v1/330106/water/s1/status", b"{}", Reason.MALFORMED),
    ],
)
def test_what_cannot_be_taken_is_in_the_log_with_its_reason_and_bytes(
    broker: Mosquitto, topic: str, body: bytes, reason: Reason
) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log), device(broker) as sender:
            await sender.publish(topic, body, qos=1)
            await until(lambda: len(refused(log)) == 1)
        assert refused(log) == [(reason, 1, body)]
        assert stored(log) == []

    play(scene())


def test_a_device_may_ask_for_an_answer(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log), device(broker) as sender:
            await sender.subscribe("cb/v1/330106/water/s1/answer")
            where = "cb/v1/330106/water/s1/answer"
            asked = properties(ResponseTopic=where, CorrelationData=b"7")
            await sender.publish(S1, reading(1) + b"\n" + reading(2, "s2"), qos=1, properties=asked)
            answer = await asyncio.wait_for(anext(aiter(sender.messages)), PATIENCE_S)
        assert answer.properties is not None
        assert getattr(answer.properties, "CorrelationData", None) == b"7"
        said = json.loads(bytes(answer.payload))
        assert said["accepted"] == 1
        assert [one["reason"] for one in said["refused"]] == ["unknown_sensor"]

    play(scene())


def test_no_answer_is_sent_outside_our_own_topics(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log), device(broker) as sender:
            await sender.subscribe([("other/topic", 0), ("cb/v1/answer", 0)])
            for topic in ("other/topic", "cb/v1/answer"):
                asked = properties(ResponseTopic=topic)
                await sender.publish(S1, reading(1), qos=1, properties=asked)
            answer = await asyncio.wait_for(anext(aiter(sender.messages)), PATIENCE_S)
            assert answer.topic.value == "cb/v1/answer", "the first one was not answered"

    play(scene())


def test_nothing_is_acknowledged_before_the_log_has_it(broker: Mosquitto) -> None:
    """The door dies with messages in its hands: the broker gives them to the next one."""

    async def scene() -> None:
        shut, log = GatedLog(open=False), GatedLog()
        async with device(broker) as sender:
            async with door(broker, shut) as first:
                for number in range(30):
                    await sender.publish(S1, reading(number), qos=1)
                assert first.mqtt is not None
                await until(
                    lambda: (
                        first.metrics.registry.get_sample_value("citybrain_mqtt_unsettled_messages")
                        == 30
                    )
                )
            assert stored(shut) == []
            async with door(broker, log):
                await until(lambda: len(set(stored(log))) == 30)
        shut.gate.set()

    play(scene())


def test_what_is_published_while_nobody_listens_waits_at_the_broker(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log):
            pass
        async with device(broker) as sender:
            for number in range(50):
                await sender.publish(S1, reading(number), qos=1)
        async with door(broker, log):
            await until(lambda: len(stored(log)) == 50)
        async with door(broker, log), device(broker) as sender:
            await sender.publish(S1, reading(99), qos=1)
            await until(lambda: ("s1", TIME_MS - 99_000) in stored(log))
        assert len(stored(log)) == 51, "acknowledged once, they do not come again"

    play(scene())


def test_a_broker_that_is_restarted_is_found_again(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        async with door(broker, log) as gateway:
            assert gateway.mqtt is not None
            async with device(broker) as sender:
                await sender.publish(S1, reading(1), qos=1)
                await until(lambda: len(stored(log)) == 1)
            await asyncio.to_thread(broker.stop)
            await until(lambda: gateway.mqtt is not None and gateway.mqtt.trouble is not None)
            await asyncio.to_thread(broker.start)
            await until(lambda: gateway.mqtt is not None and gateway.mqtt.trouble is None)
            async with device(broker) as sender:
                await sender.publish(S1, reading(2), qos=1)
                await until(lambda: len(set(stored(log))) == 2)

    play(scene())


def test_a_log_that_is_away_loses_nothing(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        log.failures = 10**9
        async with door(broker, log), device(broker) as sender:
            await sender.publish(S1, reading(1), qos=1)
            await sender.publish(S1, b"no json", qos=1)
            await until(lambda: log.failures < 10**9)
            log.failures = 0
            await until(lambda: len(set(stored(log))) == 1)
            await until(lambda: len(refused(log)) == 1)

    play(scene())


def test_status_and_will_tell_who_is_there(broker: Mosquitto) -> None:
    async def scene() -> None:
        log = GatedLog()
        online = json.dumps({"state": "online", "version": "1.2"}).encode()
        will = aiomqtt.Will("cb/v1/330106/water/gw/status", b'{"state": "offline"}', 1, True)
        async with door(broker, log) as gateway:
            sender = aiomqtt.Client("127.0.0.1", broker.port, will=will)
            await sender.__aenter__()
            await sender.publish("cb/v1/330106/water/s1/status", online, qos=1, retain=True)
            await sender.publish("cb/v1/330106/water/gw/status", online, qos=1, retain=True)
            await said(gateway, "online")
            (row,) = await gateway.seen.read("gw")
            assert (row.version, row.seen_at is None) == ("1.2", False)
            (own,) = await gateway.seen.read_devices("gw")
            assert (own.device, own.state) == ("s1", "online")
            sender._client.socket().close()  # type: ignore[union-attr]  # it is cut off
            await said(gateway, "offline")
        assert refused(log) == []

    async def said(gateway: Gateway, state: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while [row.state for row in await gateway.seen.read("gw")] != [state]:
                await asyncio.sleep(0.02)

    play(scene())
