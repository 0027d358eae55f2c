"""In which minutes readings came, and how many came late: what the health of a day is told from.

Kept from closed windows, in event order; a later revision of a window only adds. Where the
domain's smallest window is an hour or longer the hour matrix says it all and nothing is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from streams.contracts.domain import DAY_MS, HOUR_MS, HourMatrix
from streams.contracts.frame import Int32, Int64
from streams.quality.health import WHOLE_HOUR, bits
from streams.windows.watermark import NEVER


@dataclass(slots=True)
class PresenceState:
    """`now` holds the minutes of the hour that began at `hour_ms`; `late` counts by day, series."""

    now: Int64
    hour_ms: int = NEVER
    day_ms: int = NEVER
    late: dict[int, dict[int, int]] = field(default_factory=dict)


class Presence:
    """See the module. `days`: (S, 24) bit masks of past hours by start of the day."""

    def __init__(self, base_s: int) -> None:
        self.base_s = base_s
        self.state = PresenceState(np.empty(0, np.int64))
        self.days: dict[int, Int64] = {}
        self.changed_days: set[int] = set()
        self.dropped_days: set[int] = set()

    def fit(self, count: int) -> None:
        """So many series from now on."""
        more = count - len(self.state.now)
        self.state.now = np.append(self.state.now, np.zeros(more, np.int64))

    def see(self, start_ms: int, day_ms: int, series: Int32) -> None:
        """A closed or revised smallest window of the day with readings of these series."""
        if self.base_s >= 3600:
            return
        hour_ms, mask = start_ms // HOUR_MS * HOUR_MS, bits(start_ms, self.base_s * 1000)
        if hour_ms < self.state.hour_ms:
            self._of(day_ms)[series, (hour_ms - day_ms) // HOUR_MS] |= mask
            return
        if hour_ms > self.state.hour_ms:
            self._turn(hour_ms, day_ms)
        self.state.now[series] |= mask

    def note_late(self, series: Int32, day_ms: Int64) -> None:
        """Rows that came after their window was closed, with the days that they belong to."""
        for one, day in zip(series.tolist(), day_ms.tolist(), strict=True):
            held = self.state.late.setdefault(day, {})
            held[one] = held.get(one, 0) + 1

    def minutes(self, matrix: HourMatrix) -> Int64:
        """The day's bit masks, (S, 24)."""
        if self.base_s >= 3600:
            return np.where(matrix.n + matrix.bad > 0, WHOLE_HOUR, 0)
        found = np.zeros(matrix.n.shape, np.int64)
        held = self.days.get(matrix.day_start_ms)
        if held is not None:
            found[: len(held)] = held
        if self.state.day_ms == matrix.day_start_ms:
            found[:, (self.state.hour_ms - self.state.day_ms) // HOUR_MS] |= self.state.now
        return found

    def late(self, day_ms: int) -> Int64:
        """Late readings of the day by series."""
        found = np.zeros(len(self.state.now), np.int64)
        for series, count in self.state.late.get(day_ms, {}).items():
            found[series] = count
        return found

    def forget(self, border_ms: int) -> None:
        """Drops days that end before the time: nothing can touch them any more."""
        for day in [d for d in self.days if d + DAY_MS <= border_ms]:
            del self.days[day]
            self.changed_days.discard(day)
            self.dropped_days.add(day)
        self.state.late = {d: c for d, c in self.state.late.items() if d + DAY_MS > border_ms}

    def _turn(self, hour_ms: int, day_ms: int) -> None:
        """Another hour begins: the last one joins its day."""
        state = self.state
        if state.hour_ms > NEVER:
            self._of(state.day_ms)[:, (state.hour_ms - state.day_ms) // HOUR_MS] |= state.now
        state.hour_ms, state.day_ms = hour_ms, day_ms
        state.now = np.zeros_like(state.now)

    def _of(self, day_ms: int) -> Int64:
        count = len(self.state.now)
        held = self.days.get(day_ms)
        if held is None:
            held = np.zeros((count, 24), np.int64)
        elif len(held) < count:
            held = np.pad(held, ((0, count - len(held)), (0, 0)))
        self.days[day_ms] = held
        self.changed_days.add(day_ms)
        return held
