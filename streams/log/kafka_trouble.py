"""What went wrong with Kafka, in words that say what to do: one place for the client's errors.

kafka-python says why it reached no broker only in its log, and much more than once. So its log is
heard here, the cause goes into our error, and the lines themselves are shown at level DEBUG only.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka.errors import (
    AuthorizationError,
    IllegalSaslStateError,
    InvalidTopicError,
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
    UnsupportedVersionError,
)

from streams.errors import Misconfigured, Unavailable

SECURITY = "CITYBRAIN_KAFKA_SECURITY"
LOGIN = "check CITYBRAIN_KAFKA_USER, CITYBRAIN_KAFKA_PASSWORD and CITYBRAIN_KAFKA_SASL"
KEPT = 200
# What the client's log says, and what to do about it. The first that is found counts.
CAUSES = (
    ("SaslAuthenticationFailedError: ([^:]*$|Authentication failed.*)", f"{LOGIN}"),
    ("UnsupportedSaslMechanismError", f"the broker does not offer it: {LOGIN}"),
    (
        "CERTIFICATE_VERIFY_FAILED. certificate verify failed: (.*)",
        "check CITYBRAIN_KAFKA_CA and the host names in CITYBRAIN_KAFKA",
    ),
    ("(alert certificate required|CERTIFICATE_REQUIRED)", "set CITYBRAIN_KAFKA_CERTIFICATE"),
    ("(alert unknown ca|alert bad certificate)", "check CITYBRAIN_KAFKA_CERTIFICATE"),
    ("WRONG_VERSION_NUMBER", f"the broker speaks no TLS at this address: check {SECURITY}"),
    ("Invalid frame length", f"the broker does not speak so at this address: check {SECURITY}"),
)
HUNG_UP = re.compile("socket disconnected|UNEXPECTED_EOF|timed out", re.IGNORECASE)
_FAILED = re.compile(r"Bootstrap (?:connection|attempt) to \S+ failed: (.*?) \(backoff")
_REFUSED = (MessageSizeTooLargeError, RecordListTooLargeError)
_LOGIN_ERRORS = (
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
)
_FOR_EVER = (
    KafkaConfigurationError,
    InvalidTopicError,
    PolicyViolationError,
    UnsupportedVersionError,
)


class _Heard(logging.Handler):
    """Keeps the last complaints; `since` gives those that came after a number."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self._last: deque[tuple[int, str]] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        self._last.append((self.count, record.getMessage()))

    def since(self, number: int) -> list[str]:
        return [text for count, text in list(self._last) if count > number]


_heard = _Heard()


class _Through(logging.Handler):
    """Hands a line to the program's own handlers, where somebody asked for everything."""

    def emit(self, record: logging.LogRecord) -> None:
        root = logging.getLogger()
        if root.getEffectiveLevel() <= logging.DEBUG:
            root.handle(record)


@contextmanager
def translated(topic: str = "") -> Iterator[None]:
    """Turns the client's errors into `Unavailable`, or `Misconfigured` where time heals nothing."""
    before = _heard.count
    try:
        yield
    except KafkaError as error:
        raise _translation(error, topic, _heard.since(before)) from error


def _translation(error: KafkaError, topic: str, heard: Sequence[str]) -> Exception:
    said = _words(error)
    if isinstance(error, KafkaTimeoutError) and "bootstrap" in said:
        return _unreached(said, heard)
    if isinstance(error, _LOGIN_ERRORS):
        return Misconfigured([f"Kafka refuses the login: {said}; {LOGIN}"])
    if isinstance(error, AuthorizationError):
        return Misconfigured([f"Kafka does not permit this user to use {topic or 'it'}: {said}"])
    if isinstance(error, _REFUSED):
        return Misconfigured(
            [f"topic {topic} refuses a record as too large: {said}; see `citybrain topics check`"]
        )
    if isinstance(error, UnknownTopicOrPartitionError):
        return Unavailable(f"Kafka has no topic {topic}: `citybrain topics create` makes it")
    if isinstance(error, _FOR_EVER):
        return Misconfigured([f"Kafka: {said}"])
    return Unavailable(f"Kafka: {said}")


def _unreached(said: str, heard: Sequence[str]) -> Exception:
    causes = [found[1] for text in heard if (found := _FAILED.search(text))]
    for pattern, advice in CAUSES:
        for cause in causes:
            if re.search(pattern, cause):
                return Misconfigured([f"Kafka: {_short(cause)}; {advice}"])
    last = f": {_short(causes[-1])}" if causes else ""
    hint = (
        f"; if it runs, check {SECURITY} and CITYBRAIN_KAFKA_SASL" if HUNG_UP.search(last) else ""
    )
    return Unavailable(f"Kafka does not answer, {_lower(said)}{last}{hint}")


def _words(error: KafkaError) -> str:
    """Name and text, once."""
    name, text = type(error).__name__, str(error).strip()
    return text if text.startswith((name, "[Error")) else f"{name}: {text}"


def _short(cause: str) -> str:
    """The last part of a chain of errors is the one that says it."""
    kept = re.sub(r"\[Error \d+\] ", "", cause)
    return re.sub(r"\b(\w+Error): (?=\w+Error)", "", kept).strip()


def _lower(said: str) -> str:
    text = said.removeprefix("KafkaTimeoutError: ")
    return text[:1].lower() + text[1:]


def _listen() -> None:
    for name in ("kafka", "aiokafka"):  # at DEBUG they log every request, with the password in it
        logging.getLogger(name).setLevel(logging.INFO)
    logger = logging.getLogger("kafka")
    logger.propagate = False
    logger.addHandler(_heard)
    logger.addHandler(_Through())


_listen()
