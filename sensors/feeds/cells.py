"""Cells of recorded files → exact values and event times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from sensors.feeds.feed import Fault

HOUR_MS = 3_600_000
MISSING = frozenset({"", "NaN", "NA", "—", "/", "-;"})  # domain reference §1.4.6
METRES_PER_INCH = Decimal("0.0254")  # exact by definition (international yard, 1959)
MICRO_PER_MILLI = Decimal(1000)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class BadCell(ValueError):
    """A cell that is neither a value nor a mark of absence."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


def is_missing(text: str) -> bool:
    return text.strip() in MISSING


def number(name: str, text: str) -> Decimal | None:
    """The cell as an exact decimal; None when it is marked missing; else `BadCell`."""
    stripped = text.strip()
    if stripped in MISSING:
        return None
    if not _NUMBER.fullmatch(stripped):
        raise BadCell(Fault.BAD_NUMBER, f"{name}: {stripped[:40]!r} is no number")
    return Decimal(stripped)


def numbers(
    cells: Mapping[str, str], columns: Iterable[tuple[str, str]]
) -> tuple[tuple[tuple[str, Decimal], ...], int]:
    """Values of (column, property) pairs, and how many are marked missing; may raise `BadCell`."""
    values: list[tuple[str, Decimal]] = []
    missing = 0
    for column, prop in columns:
        value = number(column, cells[column])
        if value is None:
            missing += 1
        else:
            values.append((prop, value))
    return tuple(values), missing


def hour_ended(label: datetime) -> int:
    """Epoch ms of the START of the hour whose END is the label (domain reference §1.1).

    Label 00:00 is the last hour of the day before.
    """
    return epoch_ms(label) - HOUR_MS


def epoch_ms(moment: datetime) -> int:
    """Epoch ms of an aware time, exact."""
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
    return since // timedelta(milliseconds=1)


def parse_time(text: str, form: str, offset_hours: int) -> datetime:
    """A wall time of the source's zone as an aware time; `BadCell` when it is none."""
    try:
        naive = datetime.strptime(text.strip(), form)
    except ValueError as error:
        raise BadCell(Fault.BAD_TIME, f"{text[:40]!r} is no time: {error}") from error
    return naive.replace(tzinfo=timezone(timedelta(hours=offset_hours)))
