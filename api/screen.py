"""Incidents on a screen of so many lines: the mildest are put together first, by city, by province,
then over domains; the worst keep lines of their own the longest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

LEAST_LINES = 5
MOST_LINES = 200
COLOURS = 5
CITY_DIGITS, PROVINCE_DIGITS = 4, 2


@dataclass(frozen=True, slots=True)
class Spot:
    """An incident, as far as a screen looks."""

    id: str
    status: str
    domain: str
    area: str
    severity: int
    by_severity: Sequence[int]
    open: int
    hidden: int
    ended: int
    began: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """Incidents that stand on one line: one, or all of the area, domain and status whose colours
    lie between `mildest` and `severity`. `domain` None: of all; `area` empty: everywhere."""

    status: str
    domain: str | None
    area: str
    severity: int
    spots: tuple[Spot, ...]

    @property
    def mildest(self) -> int:
        """The mildest colour on it."""
        return min(spot.severity for spot in self.spots)

    @property
    def counties(self) -> int:
        """Counties in it; a city or province of its own counts as none."""
        return len({spot.area for spot in self.spots if not spot.area.endswith("00")})


def screen(spots: Iterable[Spot], most: int) -> list[ScreenLine]:
    """At most so many lines, worst first, then the newest; every incident is on exactly one."""
    lines = [ScreenLine(s.status, s.domain, s.area, s.severity, (s,)) for s in spots]
    for severity in range(COLOURS):
        for width, mixed in (
            (CITY_DIGITS, False), (PROVINCE_DIGITS, False), (PROVINCE_DIGITS, True), (0, True),
        ):  # fmt: skip
            lines = _together(lines, severity, width, mixed, most)
    return sorted(lines, key=_order)


def _together(
    lines: list[ScreenLine], severity: int, width: int, mixed: bool, most: int
) -> list[ScreenLine]:
    """Puts lines that are no worse than this together, where it saves most first, until it fits."""
    if len(lines) <= most:
        return lines
    mild = [line for line in lines if line.severity <= severity]
    kept = [line for line in lines if line.severity > severity]
    groups = [
        list(group)
        for _, group in groupby(
            sorted(mild, key=lambda line: _place(line, width, mixed)),
            key=lambda line: _place(line, width, mixed),
        )
    ]
    groups.sort(key=len, reverse=True)
    count, found = len(lines), kept
    for group in groups:
        if count > most and len(group) > 1:
            count -= len(group) - 1
            found.append(_one(group, width, mixed))
        else:
            found += group
    return found


def _place(line: ScreenLine, width: int, mixed: bool) -> tuple[str, str, str]:
    return line.status, "" if mixed else line.domain or "", line.area[:width]


def _one(group: list[ScreenLine], width: int, mixed: bool) -> ScreenLine:
    first = group[0]
    area = f"{first.area[:width]:0<6}" if width else ""
    return ScreenLine(
        first.status,
        None if mixed else first.domain,
        area,
        max(line.severity for line in group),
        tuple(spot for line in group for spot in line.spots),
    )


def _order(line: ScreenLine) -> tuple[object, ...]:
    newest = max(spot.began for spot in line.spots)
    return -line.severity, -newest.timestamp(), line.area, line.domain or "", line.status
