"""Stored readings of a stretch of time, in the order of their ends, to be played again. Reads only.

An interval's value is known when the interval is over; `t` is its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streams.storage.connect import Connection

ROWS = """
select (extract(epoch from o.t) * 1000)::bigint, (extract(epoch from o.t) * 1000)::bigint + i.ms,
       s.name, pt.area, ps.gateway, p.name, p.domain, o.value, p.scale
from observation o
join property p on p.id = o.property
join unnest(%(names)s::text[], %(ms)s::bigint[]) as i (name, ms) on i.name = p.name
join sensor s on s.id = o.sensor
join point_sensor ps on ps.sensor = o.sensor
join point pt on pt.id = ps.point
where o.t >= %(oldest)s and o.t < %(to)s and starts_with(pt.area, %(stem)s)
  and o.t + i.ms * interval '1 millisecond' >= %(from)s
  and o.t + i.ms * interval '1 millisecond' < %(to)s
order by 2, pt.area, p.domain, ps.gateway, s.name, p.name
"""
COUNT = f"select count(*) from ({ROWS}) as found"  # noqa: S608 - of our own words only
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored value, raw, as it came: `value` at the property's scale; `end_ms` when it was."""

    time_ms: int
    end_ms: int
    sensor: str
    area: str
    gateway: str
    property: str
    domain: str
    value: int
    scale: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows: their interval ends in [since, until), their area's code begins with `stem`.

    `interval_ms` by property; a property that is not in it is left out.
    """

    since: datetime
    until: datetime
    stem: str
    interval_ms: Mapping[str, int]

    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        longest = timedelta(milliseconds=max(self.interval_ms.values(), default=0))
        return {
            "from": self.since,
            "to": self.until,
            "oldest": self.since - longest,
            "stem": self.stem,
            "names": list(self.interval_ms),
            "ms": list(self.interval_ms.values()),
        }


def count_rows(connection: Connection, wish: Wish) -> int:
    """How many there are."""
    row = connection.execute(COUNT, wish.parameters()).fetchone()
    return 0 if row is None else int(row[0])


def kept_rows(connection: Connection, wish: Wish) -> Iterator[Kept]:
    """The rows, a batch at a time from the server; inside a transaction."""
    with connection.cursor(name="replaying") as cursor:
        cursor.itersize = BATCH
        cursor.execute(ROWS, wish.parameters())
        for row in cursor:
            yield Kept(*row)
