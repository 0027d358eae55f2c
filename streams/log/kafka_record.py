"""A message of a Kafka client as a record of the log, whichever client fetched it."""

from __future__ import annotations

from typing import Any

from streams.contracts.frame import Record


def record_of(message: Any) -> Record:
    """Headers as text, the body of a tombstone empty. Takes whatever others have written.

    A header that is not UTF-8 keeps its bytes as lone surrogates: such text is no attribute of an
    event, so the record goes to the dead letters, and two different ones stay different.
    """
    headers = {name: _text(value) for name, value in message.headers}
    return Record(message.offset, message.timestamp, headers, message.value or b"")


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "surrogateescape")
