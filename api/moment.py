"""Instants at the border: ISO 8601 with +08:00 out, any offset (but one) in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema

SHANGHAI = timezone(timedelta(hours=8))
_UNESCAPED_PLUS = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")


def iso(moment: datetime) -> str:
    """ISO 8601 in +08:00, milliseconds only when there are any."""
    local = moment.astimezone(SHANGHAI)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


def from_ms(time_ms: int) -> datetime:
    """The instant of epoch milliseconds, exactly."""
    return datetime.fromtimestamp(time_ms // 1000, UTC) + timedelta(milliseconds=time_ms % 1000)


def age_s(then: datetime | None, now: datetime | None) -> float | None:
    """Seconds from one instant to the other, never negative; None when either is unknown."""
    if then is None or now is None:
        return None
    return round(max(0.0, (now - then).total_seconds()), 3)


def mend_plus(text: object) -> object:
    """A `+` that arrived as a space, because the client did not escape it, becomes a `+` again."""
    return _UNESCAPED_PLUS.sub(r"\1+\2", text) if isinstance(text, str) else text


Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2024-09-16T06:00:00+08:00"]}
    ),
]
GivenMoment = Annotated[AwareDatetime, BeforeValidator(mend_plus)]
