"""Instants as text: RFC 3339 date-times in, UTC with milliseconds out.

Epoch milliseconds everywhere else; only what crosses a border has a text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_rfc3339(time_ms: int) -> str:
    """Epoch ms as `2026-11-23T15:40:00.250Z`; `ValueError` outside the years 1 to 9999."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError as error:
        raise ValueError(f"{time_ms} ms lies outside the years 1 to 9999") from error
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_rfc3339(text: str) -> int:
    """Epoch ms of an RFC 3339 §5.6 date-time, cut to the millisecond; `ValueError` otherwise.

    A leap second (:60) is refused: UTC days here have 86,400 seconds.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an RFC 3339 date-time")
    try:
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r} is not a date-time that exists") from error
