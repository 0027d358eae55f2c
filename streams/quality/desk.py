"""One desk for all maintenance tickets of an area: opened once, added to, closed by evidence.

Whoever finds something says so as often as it likes. Of one kind, property and sensor (or subject)
at most one ticket is open. What opens and closes each kind:

    kind       opened by                                        closed by
    range      a value outside the physical limits              the next good reading
    spike      one value off both neighbours in time            the next good reading
    flat_line  unchanged while others change                    the next good reading
    jump       a rise that no rain explains (waterlogging)      the next good reading
    frozen     a station that republishes one row (air)         the first changed row
    balance    more people left a shelter than had come         the next count
    silent     no reading, its gateway speaks                   the next reading
    neighbour  n windows off the agreeing neighbours            n windows within
    drift      days off its own level                           one day within
    unit       a source in another unit                         the usual level, or a person

All of them: also when the sensor leaves the registry. Those of single sensors that a `unit`
ticket of their source explains end with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from streams.contracts.domain import Ticket

BY_GOOD_READING = frozenset(("range", "spike", "flat_line", "jump"))
EXPLAINED_BY_UNIT = frozenset(("range", "spike", "flat_line", "jump"))


class Desk:
    """See the module. `open` (the checkpoint): `<sensor>|<subject>|<property>|<kind>` → opened."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}

    def settle(self, said: Iterable[Ticket]) -> list[Ticket]:
        """What is new of it, in order: an opening, more evidence, a closing.

        More evidence carries the time of the opening. A closing of what is not known to be open
        is passed on: it may have been opened before this desk kept a list.
        """
        told = []
        for ticket in said:
            key = f"{ticket.sensor}|{ticket.subject}|{ticket.property}|{ticket.kind}"
            opened = self.open.get(key)
            if ticket.closed:
                self.open.pop(key, None)
            elif opened is None:
                self.open[key] = ticket.time_ms
            elif not ticket.evidence:
                continue
            else:
                ticket = replace(ticket, time_ms=opened)
            told.append(ticket)
        return told

    def gone(self, sensors: Collection[int], time_ms: int) -> list[Ticket]:
        """What to say, because only these sensors are there any more."""
        found = []
        for sensor, subject, prop, kind, opened in opened_of(self):
            if sensor and sensor not in sensors:
                when = max(opened, time_ms)
                why = {"why": "left the registry"}
                found.append(Ticket(sensor, prop, kind, when, True, why, subject))
        return found


def opened_of(desk: Desk) -> Iterator[tuple[int, str, str, str, int]]:
    """(sensor, subject, property, kind, opened) of every open ticket, in key order."""
    for key, opened in sorted(desk.open.items()):
        sensor, rest = key.split("|", 1)
        subject, prop, kind = rest.rsplit("|", 2)
        yield int(sensor), subject, prop, kind, opened
