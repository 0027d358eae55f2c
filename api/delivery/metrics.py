"""All metrics of the deliverer in one typed list."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_STEPS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)

QUEUED = Counter("citybrain_delivery_queued_total", "Deliveries put into queues.")
ATTEMPTS = Counter("citybrain_delivery_attempts_total", "Attempts by their end.", ["end"])
SETTLED = Counter("citybrain_delivery_settled_total", "Deliveries by what they became.", ["state"])
# From the fan-out to the receiver's answer, of what was sent.
DELAY = Histogram("citybrain_delivery_delay_seconds", "From queue to answer.", buckets=_STEPS)
POSITION = Gauge("citybrain_delivery_position", "Newest number of the outbox that is fanned out.")
FLYING = Gauge("citybrain_delivery_flying", "Attempts that are under way.")
OPEN = Gauge("citybrain_delivery_open_circuits", "Subscribers that fail again and again.")
SUBSCRIPTIONS = Gauge("citybrain_delivery_subscriptions", "Subscriptions that are not removed.")
HEARTBEATS = Counter("citybrain_delivery_heartbeats_total", "Heartbeats by their end.", ["end"])
LEADING = Gauge("citybrain_delivery_leading", "1 while this process delivers.")
PUBLISHED = Counter("citybrain_delivery_published_total", "Alert events published to Kafka.")
