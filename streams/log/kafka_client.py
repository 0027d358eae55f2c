"""How to reach Kafka, from the settings: one place for addresses, TLS and SASL.

A client that connects while a broker starts can hang for half a minute: the bootstrap time is
short, and whoever calls says it again.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from streams.errors import Misconfigured
from streams.log.kafka_trouble import translated
from streams.settings import Settings

__all__ = ["client_options", "translated"]

BOOTSTRAP_MS = 5_000
CLIENT_ID = "citybrain"


class _Network(KafkaNetClient):  # type: ignore[misc]  # the library has no types
    """Gives its thread and its sockets back when it reaches no broker: the clients leave them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._bootstrap = self._manager.bootstrap
        self._manager.bootstrap = self._reach

    def _reach(self, *given: Any, **named: Any) -> None:
        try:
            self._bootstrap(*given, **named)
        except KafkaError:
            self.close()
            raise


class _Secret(str):
    """A password that does not show when a client logs its options."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(hidden)'"


def client_options(settings: Settings) -> dict[str, Any]:
    """Options that every client of kafka-python takes. Raises `Misconfigured`."""
    if not settings.kafka:
        raise Misconfigured(["CITYBRAIN_KAFKA is empty: set it to the addresses of Kafka"])
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka.split(","),
        "client_id": CLIENT_ID,
        "security_protocol": settings.kafka_security,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "kafka_client": _Network,
    }
    if settings.kafka_security.endswith("SSL"):
        options |= _tls(settings)
    if settings.kafka_security.startswith("SASL"):
        options |= _sasl(settings)
    return options


def _tls(settings: Settings) -> dict[str, str]:
    files = {
        "ssl_cafile": settings.kafka_ca,
        "ssl_certfile": settings.kafka_certificate,
        "ssl_keyfile": settings.kafka_key,
    }
    given = {name: str(file) for name, file in files.items() if file is not None}
    _try_files(given)
    return given


def _try_files(given: Mapping[str, str]) -> None:
    """Reads them as the clients will: a mistake is told here, and by the name of its setting."""
    context = ssl.create_default_context()
    mistakes = []
    if "ssl_cafile" in given:
        try:
            context.load_verify_locations(given["ssl_cafile"])
        except (OSError, ssl.SSLError) as error:
            mistakes.append(f"CITYBRAIN_KAFKA_CA {given['ssl_cafile']}: {_words(error)}")
    certificate, key = given.get("ssl_certfile"), given.get("ssl_keyfile")
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError) as error:
            both = f"{certificate} with CITYBRAIN_KAFKA_KEY {key}"
            mistakes.append(f"CITYBRAIN_KAFKA_CERTIFICATE {both}: {_words(error)}")
    elif key is not None:
        mistakes.append("CITYBRAIN_KAFKA_KEY is set: set CITYBRAIN_KAFKA_CERTIFICATE too")
    if mistakes:
        raise Misconfigured(mistakes)


def _words(error: OSError) -> str:
    return error.strerror or str(error)


def _sasl(settings: Settings) -> dict[str, Any]:
    if not settings.kafka_user or settings.kafka_password is None:
        raise Misconfigured(
            ["CITYBRAIN_KAFKA_SECURITY asks for SASL: set CITYBRAIN_KAFKA_USER and _PASSWORD"]
        )
    return {
        "sasl_mechanism": settings.kafka_sasl,
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": _Secret(settings.kafka_password.get_secret_value()),
    }
