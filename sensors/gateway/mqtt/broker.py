"""The connection to the broker: a kept session, messages in, acknowledgements out in their order.

A message is acknowledged only when its taker says so, never on arrival: the broker sends what was
not acknowledged again, to the next connection of the same session. Hence `paho` itself and not a
wrapper that acknowledges while it hands the message over.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sensors.gateway.mqtt.settings import MqttSettings, Version
from sensors.gateway.mqtt.topic import subscriptions

QOS = 1  # of our subscription: 2 would let the broker forget a message before we have stored it
LONGEST_WAIT_S = 30
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Message:
    """One message as it came. `connection` and `number` are for its acknowledgement."""

    topic: str
    body: bytes
    qos: int
    retained: bool
    content_type: str | None
    properties: Mapping[str, str]  # user properties, names in lower case
    reply_to: str | None
    correlation: bytes | None
    connection: int
    number: int
    done: bool = field(default=False)


class Broker:
    """`on_message` is called in the event loop; each message must be given to `settle` once."""

    def __init__(self, settings: MqttSettings, on_message: Callable[[Message], None]) -> None:
        self._settings = settings
        self._on_message = on_message
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection = 0  # counts connections: an old one's numbers mean nothing to the next
        self._unsettled: deque[Message] = deque()
        self._client = _client(settings)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received
        self.trouble: str | None = "not connected yet"

    def start(self) -> None:
        """Connects in the background, again and again when the broker is away."""
        settings, self._loop = self._settings, asyncio.get_running_loop()
        self._client.connect_async(
            settings.host, settings.port, settings.keepalive_s, **_terms(settings)
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Ends the connection; the broker keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()

    def settle(self, message: Message) -> None:
        """The message is stored: it is acknowledged when all before it are (MQTT-4.6.0-2)."""
        message.done = True
        while self._unsettled and self._unsettled[0].done:
            first = self._unsettled.popleft()
            if first.connection == self._connection and first.qos:
                self._client.ack(first.number, first.qos)

    def reply(self, message: Message, body: bytes) -> None:
        """Answers where the message asks for it, below our own root only."""
        topic = message.reply_to
        if topic and topic.startswith(f"{self._settings.root}/") and not set(topic) & set("+#\0"):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if message.correlation is not None:
                properties.CorrelationData = message.correlation
            self._client.publish(topic, body, qos=0, properties=properties)

    # in paho's own thread ------------------------------------------------------------------------

    def _connected(
        self, client: paho.Client, _data: Any, flags: Any, code: ReasonCode, _more: Any
    ) -> None:
        if code.is_failure:
            self._call(self._note, f"the broker refuses the connection: {code}")
            return
        topics = subscriptions(self._settings.root, self._settings.share)
        client.subscribe([(topic, QOS) for topic in topics])  # again: a lost session had them
        self._call(self._begin, bool(flags.session_present))

    def _disconnected(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _more: Any
    ) -> None:
        self._call(self._note, f"the broker is away: {code}")

    def _received(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._call(self._take, message)

    def _call(self, what: Callable[..., None], *given: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *given)

    # in the event loop ---------------------------------------------------------------------------

    def _begin(self, session_present: bool) -> None:
        self._connection += 1
        self._unsettled.clear()
        self.trouble = None
        kept = "the session was kept" if session_present else "a new session"
        _log.info("connected to the broker: %s", kept)

    def _note(self, trouble: str) -> None:
        if self.trouble != trouble:
            _log.warning("%s", trouble)
        self.trouble = trouble

    def _take(self, message: paho.MQTTMessage) -> None:
        taken = _read(message, self._connection)
        self._unsettled.append(taken)
        self._on_message(taken)


def _client(settings: MqttSettings) -> paho.Client:
    v5 = settings.version is Version.V5
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=paho.MQTTv5 if v5 else paho.MQTTv311,
        clean_session=None if v5 else False,
        manual_ack=True,
    )
    client.reconnect_delay_set(1, LONGEST_WAIT_S)
    if settings.username:
        client.username_pw_set(settings.username, settings.password.get_secret_value() or None)
    if settings.tls:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.certificate_key)
        client.tls_set_context(context)
    return client


def _terms(settings: MqttSettings) -> dict[str, Any]:
    """What MQTT 5 says at the beginning; 3.1.1 has no words for it."""
    if settings.version is not Version.V5:
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = settings.session_s
    properties.ReceiveMaximum = settings.inflight
    properties.MaximumPacketSize = settings.message_bytes + 65_536  # with topic and properties
    return {"clean_start": False, "properties": properties}


def _read(message: paho.MQTTMessage, connection: int) -> Message:
    said = message.properties
    pairs = getattr(said, "UserProperty", ()) if said is not None else ()
    return Message(
        topic=message.topic,
        body=bytes(message.payload),
        qos=message.qos,
        retained=bool(message.retain),
        content_type=getattr(said, "ContentType", None),
        properties={name.lower(): value for name, value in pairs},
        reply_to=getattr(said, "ResponseTopic", None),
        correlation=getattr(said, "CorrelationData", None),
        connection=connection,
        number=message.mid,
    )
