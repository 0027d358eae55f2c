"""How to reach Kafka, from the settings: one place for addresses, TLS and SASL.

A client that connects while a broker starts can hang for half a minute: the bootstrap time is
short, and whoever calls says it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka.errors import KafkaError

from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

BOOTSTRAP_MS = 3_000
CLIENT_ID = "citybrain"

T = TypeVar("T")


def client_options(settings: Settings) -> dict[str, Any]:
    """Options that every client of kafka-python takes. Raises `Misconfigured`."""
    if not settings.kafka:
        raise Misconfigured(["CITYBRAIN_KAFKA is empty: set it to the addresses of Kafka"])
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka.split(","),
        "client_id": CLIENT_ID,
        "security_protocol": settings.kafka_security,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
    }
    if settings.kafka_security.endswith("SSL"):
        options |= _tls(settings)
    if settings.kafka_security.startswith("SASL"):
        options |= _sasl(settings)
    return options


def connected(client: Callable[..., T], options: Mapping[str, Any], **more: Any) -> T:
    """A client of kafka-python that has reached a broker."""
    return client(**options, **more)


@contextmanager
def translated(topic: str = "") -> Iterator[None]:
    """Turns the client's errors into `Unavailable`, or `Misconfigured` where time heals nothing."""
    try:
        yield
    except KafkaError as error:
        raise Unavailable(f"Kafka: {type(error).__name__}: {error}".strip()) from error


def _tls(settings: Settings) -> dict[str, Any]:
    files = {
        "ssl_cafile": settings.kafka_ca,
        "ssl_certfile": settings.kafka_certificate,
        "ssl_keyfile": settings.kafka_key,
    }
    return {name: str(file) for name, file in files.items() if file is not None}


def _sasl(settings: Settings) -> dict[str, Any]:
    if not settings.kafka_user or settings.kafka_password is None:
        raise Misconfigured(
            ["CITYBRAIN_KAFKA_SECURITY asks for SASL: set CITYBRAIN_KAFKA_USER and _PASSWORD"]
        )
    return {
        "sasl_mechanism": settings.kafka_sasl,
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }
