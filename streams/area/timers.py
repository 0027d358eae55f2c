"""What is due next in an area, in (deadline, key) order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from streams.alerting.book import Book
from streams.area.seat import Seat
from streams.area.warnings import AreaWarnings
from streams.quality.silence import Silence

Due = tuple[int, str, Any]  # deadline, key ("<kind>|…"), what


def next_due(
    seats: Mapping[str, Seat], book: Book, silence: Silence, warnings: AreaWarnings, to_ms: int
) -> Due | None:
    """The first timer with a deadline up to `to_ms`."""
    ready = [one for one in _timers(seats, book, silence, to_ms) if one[0] <= to_ms]
    ending = warnings.due()
    if ending is not None and ending[0] <= to_ms:
        ready.append((ending[0], f"warning|{ending[1]}", ending[1]))
    return min(ready, key=lambda one: one[:2], default=None)


def quiet_until(
    seats: Mapping[str, Seat], silence: Silence, warnings: AreaWarnings, to_ms: int
) -> int:
    """Until when no source, no sensor and no warning is due, as far as it matters up to `to_ms`."""
    dues = [*(seat.work.lane.state.watermark.due() for seat in seats.values()), warnings.due()]
    return min([silence.quiet_until(to_ms), *(due[0] for due in dues if due is not None)])


def alert_or_heed_is_due(seats: Iterable[Seat], book: Book, to_ms: int) -> bool:
    """Whether an alert has a deadline by then, or one of these domains, which all look around."""
    for seat in seats:
        wanted = seat.work.domain.due
        at = None if wanted is None else wanted(seat.work.state)
        if at is not None and at <= to_ms:
            return True
    alert = book.due()
    return alert is not None and alert[0] <= to_ms


def _timers(seats: Mapping[str, Seat], book: Book, silence: Silence, to_ms: int) -> Iterator[Due]:
    for name, seat in seats.items():
        found = seat.work.lane.state.watermark.due()
        if found is not None:
            yield found[0], f"source|{name}|{found[1]}", (name, found[1])
        wanted = seat.work.domain.due
        at = None if wanted is None else wanted(seat.work.state)
        if at is not None:
            yield at, f"heed|{name}", name
    alert = book.due()
    if alert is not None:
        yield alert[0], f"alert|{alert[1]}", alert[1]
    if silence.earliest(to_ms):
        silent = silence.due()
        if silent is not None:
            yield silent[0], f"silence|{silent[1]}", silent[2]
