"""From a message at the broker to the log, and only then the acknowledgement.

What can be sent again (log away, too much waiting) is tried again here; the broker holds the rest
back, because no more than `inflight` messages are unacknowledged. What can never be taken goes to
the dead letters. MQTT has no answer but the acknowledgement: a device that wants to know more names
a response topic (MQTT 5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from sensors.gateway.collector import Busy
from sensors.gateway.decoding import NDJSON
from sensors.gateway.directory import Directory
from sensors.gateway.intake import (
    Answer,
    Intake,
    OtherGateway,
    OverQuota,
    Sender,
    UnknownGateway,
)
from sensors.gateway.mqtt.broker import Broker, Message
from sensors.gateway.mqtt.metrics import MqttMetrics
from sensors.gateway.mqtt.refusals import Refusals, refusals_of
from sensors.gateway.mqtt.settings import MqttSettings
from sensors.gateway.mqtt.topic import DeviceTopic, Kind, read_topic
from sensors.gateway.reading import BadRequest, Claim, UnknownFormat
from sensors.gateway.seen import SeenBook
from sensors.gateway.status import check_devices, parse_status
from sensors.gateway.watch import RegistryWatch
from streams.contracts.cloudevents import MAX_TEXT, text_problem
from streams.contracts.frame import JSON, MAX_BODY_BYTES, Refusal
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent, Unavailable
from streams.log import Log

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
TOPIC, CONTENT_TYPE = "topic", "content-type"  # of `Refusal.came`; the topic without the root
NOBODY = "/mqtt"  # the source of what names no registered gateway
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """Who a topic speaks for: a gateway, or one sensor of it."""

    gateway: str
    sensor: str | None


class MqttDoor:
    """See the module. `run` until cancelled; `stop` finishes what was taken."""

    def __init__(
        self,
        settings: MqttSettings,
        intake: Intake,
        watch: RegistryWatch,
        seen: SeenBook,
        log: Log,
        clock_ms: Callable[[], int],
        instance: str,
        metrics: MqttMetrics,
        on_bug: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._watch = watch
        self._seen = seen
        self._clock_ms = clock_ms
        self._metrics = metrics
        self._on_bug = on_bug
        self._refusals = Refusals(log, instance)
        self._broker = Broker(settings, self._begin)
        metrics.connected.set_function(lambda: float(self.trouble is None))
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def trouble(self) -> str | None:
        """What stands between the door and the broker; None while it is connected."""
        return self._broker.trouble

    def start(self) -> None:
        """Connects in the background."""
        self._writing = asyncio.create_task(self._refusals.run())
        self._broker.start()

    async def stop(self, within_s: float) -> None:
        """Takes nothing more; what is not stored by then stays with the broker."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._broker.stop)
        if self._writing is not None:
            self._writing.cancel()

    def _begin(self, message: Message) -> None:
        """A message came; called by the broker's connection in the event loop."""
        if self._stopping or self._is_flooded(message):
            return
        self._metrics.messages.labels(message.topic.rpartition("/")[2][:20]).inc()
        task = asyncio.create_task(self._handle(message))
        self._tasks.add(task)
        self._metrics.unsettled.set(len(self._tasks))
        task.add_done_callback(self._end)

    def _is_flooded(self, message: Message) -> bool:
        """QoS 0 knows no holding back: beyond the bound it is lost, and counted."""
        if message.qos or len(self._tasks) < self._settings.inflight:
            return False
        self._metrics.lost.inc()
        return True

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._metrics.unsettled.set(len(self._tasks))
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a message made the door fail: this is a bug", exc_info=error)
            self._on_bug()  # it would never be acknowledged, nor any after it

    async def _handle(self, message: Message) -> None:
        """Until it is stored, one way or the other; then it is acknowledged."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                answer = await self._take(message)
                break
            except (Busy, Unavailable) as error:
                if wait_s >= LONGEST_WAIT_S:
                    _log.warning("a message waits: %s", error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        self._broker.settle(message)
        if message.reply_to:
            said = {"accepted": answer.accepted, "refused": list(answer.refused)}
            self._broker.reply(message, msgspec.json.encode(said))

    async def _take(self, message: Message) -> Answer:
        directory = self._watch.directory
        if directory is None:
            raise Busy("no registry is active yet", own=False)
        source, area = NOBODY, ""
        try:
            topic = read_topic(self._settings.root, message.topic)
            area = topic.area
            device = find_device(topic, directory)
            source = device.gateway
            if len(message.body) > self._settings.message_bytes:
                raise InvalidEvent(Reason.OVERSIZED, f"{len(message.body)} bytes")
            if topic.kind is Kind.STATUS:
                return self._take_status(message, device, directory)
            answer = await self._intake.take(
                *read_how(message), message.body, sender(topic, device)
            )
        except InvalidEvent as error:
            return await self._refuse(message, source, area, error.reason, error.detail)
        except UnknownFormat as error:
            return await self._refuse(message, source, area, Reason.UNKNOWN_ENCODING, str(error))
        except OverQuota as error:
            return await self._refuse(message, source, area, Reason.OVER_QUOTA, str(error))
        except (BadRequest, UnknownGateway, OtherGateway) as error:
            return await self._refuse(message, source, area, Reason.MALFORMED, str(error))
        if answer.refused:

            def write(reason: Reason, detail: str, rows: int) -> Refusal:
                return self._refusal(message, source, area, reason, detail, rows)

            await self._lay_down(area, refusals_of(answer.refused, write))
        return answer

    def _take_status(self, message: Message, device: Device, directory: Directory) -> Answer:
        """What a device says of itself, or its will for it; a cleared retained one says nothing."""
        if not message.body:
            return Answer(0, ())
        status = parse_status(message.body)
        if status.gateway not in (None, device.gateway):
            raise InvalidEvent(Reason.MALFORMED, "the status names another gateway than the topic")
        found, refused = check_devices(status, device.gateway, directory)
        now_ms = self._clock_ms()
        if device.sensor is None:
            # Retained: said before we listened. Offline: a will, which the broker speaks.
            heard = not message.retained and status.state != "offline"
            self._seen.say(device.gateway, status, found, now_ms, heard=heard)
        else:
            own = (device.sensor, status.state, None if message.retained else now_ms)
            self._seen.say_devices(device.gateway, [own], now_ms)
        return Answer(0, tuple({"sensor": one["device"], **one} for one in refused))

    async def _refuse(
        self, message: Message, source: str, area: str, reason: Reason, detail: str
    ) -> Answer:
        refusal = self._refusal(message, source, area, reason, detail, 1)
        await self._lay_down(area, [refusal])
        told = {"index": 0, "sensor": "", "reason": reason.value, "detail": refusal.detail}
        return Answer(0, (told,))

    def _refusal(
        self, message: Message, source: str, area: str, reason: Reason, detail: str, rows: int
    ) -> Refusal:
        body = message.body[: min(self._settings.message_bytes, MAX_BODY_BYTES)]
        came = describe_message(message, self._settings.root)
        return Refusal(source, area, self._clock_ms(), reason, detail, rows, body, came)

    async def _lay_down(self, area: str, refusals: Iterable[Refusal]) -> None:
        directory = self._watch.directory
        places = {} if directory is None else directory.partitions
        found = list(refusals)
        for one in found:
            self._metrics.refused.labels(one.reason.value).inc(one.rows)
        await self._refusals.put(places.get(area, 0), found)


def find_device(topic: DeviceTopic, directory: Directory) -> Device:
    """The gateway or sensor of a topic. Raises `InvalidEvent` when neither is registered."""
    if topic.device in directory.gateways:
        return Device(topic.device, None)
    known = directory.devices.get(topic.device)
    if known is not None and not text_problem("source", known.gateway):
        return Device(known.gateway, topic.device)
    raise InvalidEvent(
        Reason.UNKNOWN_SENSOR, f"{topic.device[:80]!r} is no registered gateway or sensor"
    )


def sender(topic: DeviceTopic, device: Device) -> Sender:
    """What the topic says of who sends, and binds the readings to."""
    claim = Claim(area=topic.area, domain=topic.domain, sensor=device.sensor)
    return Sender(gateway=device.gateway, claim=claim)


def read_how(message: Message) -> tuple[str, dict[str, str]]:
    """Content type and headers of a message. CloudEvents in binary mode are user properties.

    MQTT 3.1.1 has no content type: then the body is JSON. A JSON body that is no batch
    (`{"readings": …}`) is read as readings, one a line, so that a single reading is a message.
    """
    headers = {
        name if name.startswith("ce-") else f"ce-{name}": value
        for name, value in message.properties.items()
    }
    if "ce-specversion" not in headers:
        headers = {}
    kind = message.content_type or JSON
    if kind == JSON and not headers and not is_batch(message.body):
        return NDJSON, headers
    return kind, headers


def describe_message(message: Message, root: str) -> dict[str, str]:
    """What a later try must know of the message beside its body."""
    kind, headers = read_how(message)
    found = {TOPIC: message.topic.removeprefix(f"{root}/"), CONTENT_TYPE: kind, **headers}
    return {name: value for name, value in found.items() if len(value) <= MAX_TEXT}


def is_batch(body: bytes) -> bool:
    """Whether a JSON body is an object with `readings`, or no JSON at all."""
    try:
        return msgspec.json.decode(body, type=_Batch).readings is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b"\n" not in body.strip()


class _Batch(msgspec.Struct):
    readings: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
