"""All metrics of the MQTT door, in the gateway's registry: `citybrain_mqtt_<what>_<unit>`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class MqttMetrics:
    """See the module."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Messages by the last level of their topic; one may hold many readings.
        self.messages = Counter(
            "citybrain_mqtt_messages_total", "Messages taken.", ["kind"], registry=registry
        )
        # Readings that went to the dead letters (a message that cannot be read counts as one).
        self.refused = Counter(
            "citybrain_mqtt_refused_total", "Readings refused.", ["reason"], registry=registry
        )
        # Beyond the bound nothing holds QoS 0 back: use QoS 1.
        self.lost = Counter(
            "citybrain_mqtt_lost_total", "Messages of QoS 0 that were lost.", registry=registry
        )
        self.unsettled = Gauge(
            "citybrain_mqtt_unsettled_messages",
            "Messages taken and not yet acknowledged.",
            registry=registry,
        )
        self.connected = Gauge(
            "citybrain_mqtt_connected", "1 while the broker answers.", registry=registry
        )
