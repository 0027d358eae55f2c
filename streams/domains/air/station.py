"""Frozen stations and evidence of life, from the rows that a station published. Pure arithmetic.

A closed station republishes its last row for days. Rule (house): the same values of all reported
pollutants in `air.frozen.min_repeats` consecutive PUBLISHED hours make the whole run frozen; a
missing hour does not break it, the first changed row ends it. A station may alert only when a row
within its last `air.alert.life_window_hours` published ones differed from the row before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Row = tuple[int | None, ...]
"""Scaled values by pollutant in the order of POLLUTANTS, as published, whatever their flags."""


@dataclass(slots=True)
class StationState:
    """What is known of a station's published rows up to `last_ms` (start of the newest hour).

    `repeats` counts the published hours of the present run, which began at `run_ms`.
    `since_change` counts published hours since the newest changed row (0 = it is the newest;
    -1 = no row has ever differed from one before it). `flagged` keeps, by series and time, the
    quality flag that a reading had before it was marked frozen. `hot` > 0 while an alert may be
    open or pending (hours below that would still clear it); `led` = pollutants that led it.
    """

    row: list[int | None] = field(default_factory=list)
    last_ms: int = -1
    run_ms: int = -1
    repeats: int = 0
    since_change: int = -1
    frozen: bool = False
    flagged: dict[int, dict[int, int]] = field(default_factory=dict)
    hot: int = 0
    led: list[str] = field(default_factory=list)


def advance(state: StationState, row: Row, start_ms: int, min_repeats: int) -> None:
    """Takes the row of the next published hour into the state (in event order)."""
    same = state.repeats > 0 and list(row) == state.row
    if same:
        state.repeats += 1
        state.since_change += state.since_change >= 0
    else:
        state.since_change = 0 if state.repeats else -1
        state.repeats, state.run_ms, state.row = 1, start_ms, list(row)
    state.last_ms = start_ms
    state.frozen = state.repeats >= min_repeats


def shows_life(state: StationState, window: int) -> bool:
    """A changed row lies within the last `window` published hours and the run is not frozen.

    The first row of a station alone is no change.
    """
    return not state.frozen and 0 <= state.since_change < window


def frozen_hours(rows: Iterable[tuple[int, Row]], min_repeats: int, seed: StationState) -> set[int]:
    """Hours (start, ms) inside frozen runs; `rows` in event order. `seed` is advanced through all.

    `seed` is a fresh state, or one that says how the run before the first row stood.
    """
    runs: list[int] = []
    frozen: set[int] = set()
    for start_ms, row in rows:
        advance(seed, row, start_ms, min_repeats)
        if seed.run_ms == start_ms:
            runs = []
        runs.append(start_ms)
        if seed.frozen:
            frozen.update(runs)
            runs = []
    return frozen
