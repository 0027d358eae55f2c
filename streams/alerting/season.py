"""When in the year a rule holds: days by the profile's zone, also across New Year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from streams.contracts.domain import DAY_MS
from streams.contracts.frame import Bool, Int64

_DAY = re.compile(r"(\d\d)-(\d\d)")
_EPOCH = date(1970, 1, 1)
_LEAP_YEAR = 2024
_YEAR_DAYS = 366


@dataclass(frozen=True, slots=True)
class Season:
    """Ranges of days, as month * 100 + day, both ends included; the zone's offset from UTC."""

    ranges: tuple[tuple[int, int], ...]
    zone_ms: int

    def holds(self, time_ms: int) -> bool:
        """Whether the rule holds at this time."""
        return self._has_day((time_ms + self.zone_ms) // DAY_MS)

    def hold(self, time_ms: Int64) -> Bool:
        """The same for a column of times."""
        days = (time_ms + self.zone_ms) // DAY_MS
        known, place = np.unique(days, return_inverse=True)
        inside = np.array([self._has_day(day) for day in known.tolist()], np.bool_)
        found: Bool = inside[place]
        return found

    def end_after(self, time_ms: int) -> int | None:
        """When the season that holds at this time ends; None when it lasts all year."""
        day = (time_ms + self.zone_ms) // DAY_MS
        for later in range(day + 1, day + 1 + _YEAR_DAYS):
            if not self._has_day(later):
                return later * DAY_MS - self.zone_ms
        return None

    def _has_day(self, day: int) -> bool:
        at = _EPOCH + timedelta(days=day)
        number = at.month * 100 + at.day
        return any(
            first <= number <= last if first <= last else number >= first or number <= last
            for first, last in self.ranges
        )


def day_number(text: str) -> int | None:
    """ "06-15" as 615; None when there is no such day in any year."""
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    month, day = int(found[1]), int(found[2])
    try:
        date(_LEAP_YEAR, month, day)
    except ValueError:
        return None
    return month * 100 + day
