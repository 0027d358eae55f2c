"""All metrics of the gateway in one typed list. A registry of its own: one app, one set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class GatewayMetrics:
    """`citybrain_gateway_<what>_<unit>`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Answers by HTTP status, and readings by what became of them.
        self.requests = Counter(
            "citybrain_gateway_requests_total", "Requests.", ["status"], registry=self.registry
        )
        self.accepted = Counter(
            "citybrain_gateway_accepted_total",
            "Readings that the log took.",
            registry=self.registry,
        )
        self.refused = Counter(
            "citybrain_gateway_refused_total",
            "Readings refused.",
            ["reason"],
            registry=self.registry,
        )
        # By gateway: only registered ones get a label, so the registry bounds the series.
        self.by_gateway = Counter(
            "citybrain_gateway_source_readings_total",
            "Readings by gateway and what became of them.",
            ["gateway", "outcome"],
            registry=self.registry,
        )
        self.bytes = Counter(
            "citybrain_gateway_source_bytes_total",
            "Bytes of bodies that were decoded, by gateway.",
            ["gateway"],
            registry=self.registry,
        )
        self.throttled = Counter(
            "citybrain_gateway_source_throttled_total",
            "Requests beyond a quota.",
            ["gateway", "limit"],
            registry=self.registry,
        )
        self.denied = Counter(
            "citybrain_gateway_denied_total",
            "Requests without a valid key.",
            ["reason"],
            registry=self.registry,
        )
        self.frames = Counter(
            "citybrain_gateway_frames_total", "Frames that the log took.", registry=self.registry
        )
        # How full it is; the bounds are settings.
        self.waiting = Gauge(
            "citybrain_gateway_waiting_rows", "Rows that wait for the log.", registry=self.registry
        )
        self.reading = Gauge(
            "citybrain_gateway_reading_bytes", "Bytes of bodies held.", registry=self.registry
        )
        self.in_progress = Gauge(
            "citybrain_gateway_requests_in_progress",
            "Requests in progress.",
            registry=self.registry,
        )
        # Where the time goes.
        self.append = Histogram(
            "citybrain_gateway_append_seconds", "One append to the log.", registry=self.registry
        )
        self.answer = Histogram(
            "citybrain_gateway_answer_seconds", "From request to answer.", registry=self.registry
        )
