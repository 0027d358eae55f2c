"""The colour of one area now, and when it may have changed."""

from __future__ import annotations

from collections.abc import Mapping

from streams.alerting.book import Book
from streams.area.devices import Devices
from streams.area.seat import Seat
from streams.contracts.outcome import AreaRisk
from streams.quality.silence import Silence
from streams.resilience.composite import risk
from streams.resilience.parameters import DEFAULT, compound_numbers
from streams.windows.watermark import NEVER


class Colour:
    """Reads the area's alerts and silences; keeps nothing that a checkpoint would need."""

    def __init__(self, area: str, book: Book, silence: Silence, devices: Devices) -> None:
        self._area = area
        self._book = book
        self._silence = silence
        self._devices = devices
        self._numbers = DEFAULT
        self._looked: tuple[int, int] | None = None

    def fit(self, values: Mapping[str, str]) -> None:
        """A profile version holds from here on."""
        self._numbers = compound_numbers(values)
        self._looked = None

    def may_have_changed(self) -> bool:
        """Whether alerts or silent devices moved since this was asked last."""
        now = self._book.moves, self._silence.moves
        before, self._looked = self._looked, now
        return now != before

    def now(self, seats: Mapping[str, Seat], decided_ms: int) -> AreaRisk:
        """The colour, and how fresh each domain is."""
        newest = {name: seat.work.newest_ms for name, seat in seats.items()}
        return risk(
            self._area,
            self._book.open(),
            newest_ms={name: ms for name, ms in newest.items() if ms > NEVER},
            gateways_down=bool(self._silence.state.gateways_down),
            decided_ms=decided_ms,
            numbers=self._numbers,
            complete=self._devices.complete(),
        )
