"""What is known of each area right now, and which areas a filter looks at. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api.delivery.filter import Filter
from api.delivery.matching import regions_of
from api.delivery.place import Places
from api.moment import from_ms, iso
from streams.contracts.area_code import covers


@dataclass(frozen=True, slots=True)
class AreaState:
    """How complete the picture of one area is. `unknown`: silent or never judged."""

    area: str
    points: int  # with sensors
    reporting: int  # of them
    silent: int  # sensors, over all domains
    unknown: bool
    as_of_ms: int | None  # processing time up to which it was looked at

    def plain(self) -> dict[str, Any]:
        """For a message."""
        return {
            "area": self.area,
            "points": self.points,
            "reporting": self.reporting,
            "silent_sensors": self.silent,
            "unknown": self.unknown,
            "as_of": None if self.as_of_ms is None else iso(from_ms(self.as_of_ms)),
        }


def areas_of(wants: Filter, places: Places, known: Iterable[str]) -> frozenset[str]:
    """The known areas about which a filter may be told something."""
    codes = list(known)
    if not (wants.areas or wants.polygon or wants.near):
        return frozenset(codes)
    found = {code for code in codes if any(covers(outer, code) for outer in wants.areas)}
    for region in regions_of(wants, places):
        for code in codes:
            place = places.of(code, None)
            if place is not None and region.holds(place):
                found.add(code)
    return frozenset(found)


def counted(
    states: Mapping[str, AreaState], areas: Iterable[str], working: bool
) -> list[dict[str, Any]]:
    """The states of these areas, by code; while nobody works, none is known."""
    found = [states[code] for code in sorted(areas) if code in states]
    return [state.plain() | {"unknown": state.unknown or not working} for state in found]
