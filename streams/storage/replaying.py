"""Stored readings of a stretch of time, in its order, to be played again. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from streams.storage.connect import Connection

ROWS = """
select (extract(epoch from o.t) * 1000)::bigint, s.name, pt.area, ps.gateway, p.name, p.domain,
       o.value, p.scale
from observation o
join property p on p.id = o.property
join sensor s on s.id = o.sensor
join point_sensor ps on ps.sensor = o.sensor
join point pt on pt.id = ps.point
where o.t >= %(from)s and o.t < %(to)s and starts_with(pt.area, %(stem)s)
order by o.t, pt.area, p.domain, ps.gateway, s.name, p.name
"""
COUNT = """
select count(*) from observation o join point_sensor ps on ps.sensor = o.sensor
join point pt on pt.id = ps.point
where o.t >= %(from)s and o.t < %(to)s and starts_with(pt.area, %(stem)s)
"""
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored value, raw, as it came: `value` at the property's scale."""

    time_ms: int
    sensor: str
    area: str
    gateway: str
    property: str
    domain: str
    value: int
    scale: int


def count_rows(connection: Connection, since: datetime, until: datetime, stem: str) -> int:
    """How many there are in areas whose code begins so."""
    bounds = {"from": since, "to": until, "stem": stem}
    row = connection.execute(COUNT, bounds).fetchone()
    return 0 if row is None else int(row[0])


def kept_rows(
    connection: Connection, since: datetime, until: datetime, stem: str
) -> Iterator[Kept]:
    """The rows by event time, a batch at a time from the server; inside a transaction."""
    with connection.cursor(name="replaying") as cursor:
        cursor.itersize = BATCH
        cursor.execute(ROWS, {"from": since, "to": until, "stem": stem})
        for row in cursor:
            yield Kept(*row)
