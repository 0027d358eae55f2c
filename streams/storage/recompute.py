"""The recomputer: days that late rows have touched are rebuilt from what is stored.

Windows, the day's hour matrix, the domain's results and the area's partials, in one transaction
that holds the position row of the owning partition, so that no commit of it can interleave.
Integer SQL only; quality flags of at most 2 count (design.md §5, Late is not lost).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, LiteralString

import numpy as np

from streams.area.view import build_view
from streams.catalog import Profile, Registry, registry_of
from streams.contracts.domain import (
    DAY_MS,
    HOUR_MS,
    AreaView,
    Derived,
    Domain,
    HourMatrix,
    Payload,
    Result,
    empty_matrix,
)
from streams.contracts.outcome import RegionMessage
from streams.errors import Unavailable
from streams.storage.connect import Connection, Cursor, connect, translated
from streams.storage.expiry import READINGS, kept_since
from streams.storage.findings import write_results
from streams.storage.health import retell_health
from streams.storage.holders import LOCK_WAIT_MS, ending_silent_holders
from streams.storage.migrate import REGION_TOPIC, property_ids
from streams.storage.region_log import write_messages
from streams.storage.registry import load_version
from streams.storage.rollup import reroll

LATE = "late"
UNBOUNDED = 1 << 52  # nothing ever came on time (a backfill alone): every stored period is over
AFTER_THE_PIPELINE = 1 << 40  # sequence numbers behind those of the first stage

FIND_MARK = """
select area, domain, ms_of(day_start), topic, partition from late_mark
order by position, area, domain, day_start limit 1
"""
LOCK_POSITION = """
select owner_epoch from position where topic = %s and partition = %s for update
"""
TAKE_MARK = """
delete from late_mark
where area = %s and domain = %s and day_start = at_ms(%s) and topic = %s and partition = %s
returning position
"""
ACTIVE_VERSION = """
select version from config_active where kind = %s and partition = %s
"""
# How far the pipeline has closed this area and domain; it says so in both places.
CLOSED = """
select greatest(
    (select (payload->>'watermark')::bigint from region_log
     where city = %(city)s and area = %(area)s and domain = %(domain)s and kind = 'watermark'
     order by id desc limit 1),
    (select (payload->>'watermark')::bigint from area_latest
     where area = %(area)s and domain = %(domain)s))
"""
# The newest processing time of the area that the region log knows: what it says next is no older.
# One millisecond less lets the message through without waiting for another tick.
CLOCK = """
select greatest(
    (select proc_ms from region_log
     where city = %(city)s and area = %(area)s and sequence < %(after)s
     order by id desc limit 1),
    (select proc_ms from region_log
     where city = '*' and kind = 'clock' and payload->'areas' ? %(area)s
     order by id desc limit 1),
    1) - 1
"""
SET_WINDOWS = """
insert into observation_window (size_s, sensor, property, start, n, bad, total, low, high)
select s.size_s, o.sensor, o.property,
       at_ms(ms_of(o.t) / (s.size_s * 1000::bigint) * (s.size_s * 1000::bigint)) as begins,
       count(*) filter (where o.flag <= 2), count(*) filter (where o.flag > 2),
       coalesce(sum(o.value) filter (where o.flag <= 2), 0)::bigint,
       min(o.value) filter (where o.flag <= 2), max(o.value) filter (where o.flag <= 2)
from unnest(%(sensors)s::int[], %(properties)s::smallint[], %(sizes)s::int[])
     as s (sensor, property, size_s)
join observation o on o.sensor = s.sensor and o.property = s.property
where o.t >= at_ms(%(day)s) and o.t < at_ms(%(until)s)
  and (ms_of(o.t) / (s.size_s * 1000::bigint) + 1) * (s.size_s * 1000::bigint) <= %(closed)s
group by s.size_s, o.sensor, o.property, begins
on conflict (size_s, sensor, property, start) do update set
    n = excluded.n, bad = excluded.bad, total = excluded.total,
    low = excluded.low, high = excluded.high
where (observation_window.n, observation_window.bad, observation_window.total,
       observation_window.low, observation_window.high)
    is distinct from (excluded.n, excluded.bad, excluded.total, excluded.low, excluded.high)
"""
READ_HOURS = """
select o.sensor, o.property, ((ms_of(o.t) - %(day)s) / 3600000)::int as hour,
       count(*) filter (where o.flag <= 2), count(*) filter (where o.flag > 2),
       coalesce(sum(o.value) filter (where o.flag <= 2), 0)::bigint,
       coalesce(min(o.value) filter (where o.flag <= 2), 0),
       coalesce(max(o.value) filter (where o.flag <= 2), 0)
from unnest(%(sensors)s::int[], %(properties)s::smallint[]) as s (sensor, property)
join observation o on o.sensor = s.sensor and o.property = s.property
where o.t >= at_ms(%(day)s) and o.t < at_ms(%(until)s)
group by o.sensor, o.property, hour
"""
# What the domain had learnt of each point and is in force for the day, as `streams.area.learnt`.
READ_LEARNT = """
select point, told.payload from unnest(%s::text[]) as point cross join lateral (
    select payload from point_result r
    where r.kind = %s and r.point = point and r.start <= at_ms(%s) and r.period_s = 86400
    order by r.start desc limit 1) as told
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """An area-day to rebuild; `topic` and `partition` say where its frames come from."""

    area: str
    domain: str
    day_ms: int
    topic: str
    partition: int


class Recomputer:
    """Rebuilds marked days, one per step, on a connection of its own, for one thread."""

    def __init__(self, conninfo: str, namespace: str, domains: Mapping[str, Domain]) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._domains = domains
        self._connection: Connection | None = None
        self._versions: dict[str, Registry | Profile] = {}

    def step(self) -> int:
        """Rebuilds the oldest marked day in one transaction; 0 = there was none.

        Raises `Unavailable` when the database failed: simply call again.
        """
        with self._trouble():
            connection = self._open()
            with (
                ending_silent_holders(connection),
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                row = cursor.execute(FIND_MARK).fetchone()
                return 0 if row is None else self._rebuild(cursor, Mark(*row))

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rebuild(self, cursor: Cursor, mark: Mark) -> int:
        # The position first, as every commit does: else the two could wait for each other.
        cursor.execute(LOCK_POSITION, (mark.topic, mark.partition))
        taken = cursor.execute(
            TAKE_MARK, (mark.area, mark.domain, mark.day_ms, mark.topic, mark.partition)
        ).fetchone()
        domain = self._domains.get(mark.domain)
        registry = self._registry(cursor, mark.partition)
        if taken is None or domain is None or mark.area not in registry.areas:
            return 1  # another recomputer was faster, or nothing is left that it could mean
        since = kept_since(cursor, READINGS[0].what)
        if since is not None and mark.day_ms < since:
            return 1  # most of the day's readings have gone: what was told of it stays
        view = build_view(domain, mark.area, registry, self._profile(cursor, mark.partition), None)
        city = registry.city_of(mark.area)
        closed = _one(cursor, CLOSED, mark, city) or UNBOUNDED
        if closed > mark.day_ms:
            derived = self._derive(cursor, domain, view, mark, closed)
            write_results(cursor, _results(derived))
            self._send(cursor, mark, city, taken[0], derived)
        return 1

    def _derive(
        self, cursor: Cursor, domain: Domain, view: AreaView, mark: Mark, closed: int
    ) -> list[tuple[str, int, Derived]]:
        properties = property_ids(cursor.connection)
        ids = [properties[domain.properties[p].name] for p in view.series_property.tolist()]
        write_windows_of_day(cursor, domain, view, ids, mark.day_ms, closed)
        reroll(cursor, view.series_sensor.tolist(), ids, mark.day_ms)
        matrix = read_matrix(cursor, view, ids, mark.day_ms, closed)
        view = replace(view, learnt=read_learnt(cursor, domain, view, mark.day_ms))
        found: list[tuple[str, int, Derived]] = []
        for hour in np.flatnonzero((matrix.n + matrix.bad).sum(axis=0)).tolist():
            if domain.hourly is not None:
                start = mark.day_ms + hour * HOUR_MS
                found.append(("hour", start, domain.hourly(view, matrix, hour)))
        if mark.day_ms + DAY_MS <= closed:
            retell_health(cursor, domain, view, ids, matrix)
            if domain.daily is not None:
                found.append(("day", mark.day_ms, domain.daily(view, matrix)))
        return found

    def _send(
        self,
        cursor: Cursor,
        mark: Mark,
        city: str,
        position: int,
        derived: Iterable[tuple[str, int, Derived]],
    ) -> None:
        partials = [(p, s, d.partial) for p, s, d in derived if d.partial is not None]
        clock = _one(cursor, CLOCK, mark, city) or 0
        sequence = AFTER_THE_PIPELINE + _next_number(cursor)
        messages = [
            _message(mark, sequence + i, clock, period, start, payload, position)
            for i, (period, start, payload) in enumerate(partials)
        ]
        cities = {mark.area: city}
        write_messages(cursor, mark.topic, [(mark.partition, cities, m) for m in messages])

    # -- configuration and connection --------------------------------------------------------------

    def _registry(self, cursor: Cursor, partition: int) -> Registry:
        row = cursor.execute(ACTIVE_VERSION, ("registry", partition)).fetchone()
        if row is None:
            return Registry({}, {}, {}, {}, {})
        found = self._versions.get(row[0])
        if not isinstance(found, Registry):
            found = registry_of(row[0], load_version(cursor.connection, row[0]))
            self._versions[row[0]] = found
        return found

    def _profile(self, cursor: Cursor, partition: int) -> Profile:
        row = cursor.execute(ACTIVE_VERSION, ("profile", partition)).fetchone()
        if row is None:
            return Profile("")
        found = self._versions.get(row[0])
        if not isinstance(found, Profile):
            found = Profile.from_dict(load_version(cursor.connection, row[0]))
            self._versions[row[0]] = found
        return found

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            name = f"citybrain recompute {self._namespace}"
            self._connection = connect(
                self._conninfo, self._namespace, name, lock_wait_ms=LOCK_WAIT_MS
            )
        return self._connection

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except Unavailable:
            self.close()
            raise


def write_windows_of_day(
    cursor: Cursor, domain: Domain, view: AreaView, ids: list[int], day_ms: int, closed: int
) -> None:
    """Rebuilds every closed window of the area-day from the stored readings, all sizes."""
    series = [
        (sensor, number, size)
        for sensor, number, index in zip(
            view.series_sensor.tolist(), ids, view.series_property.tolist(), strict=True
        )
        for size in domain.properties[index].windows_s
    ]
    if series:
        sensors, properties, sizes = (list(column) for column in zip(*series, strict=True))
        columns = {"sensors": sensors, "properties": properties, "sizes": sizes}
        bounds = {"day": day_ms, "until": day_ms + DAY_MS, "closed": closed}
        cursor.execute(SET_WINDOWS, columns | bounds)


def read_matrix(
    cursor: Cursor, view: AreaView, ids: list[int], day_ms: int, closed: int
) -> HourMatrix:
    """The hour windows of the area-day (scaled integers); hours that are not closed stay empty."""
    matrix = empty_matrix(len(ids), day_ms)
    sensors = view.series_sensor.tolist()
    number = {key: i for i, key in enumerate(zip(sensors, ids, strict=True))}
    parameters = {"sensors": sensors, "properties": ids, "day": day_ms, "until": day_ms + DAY_MS}
    for sensor, prop, hour, *values in cursor.execute(READ_HOURS, parameters):
        if day_ms + (hour + 1) * HOUR_MS <= closed:
            at = number[sensor, prop], hour
            (
                matrix.n[at],
                matrix.bad[at],
                matrix.total[at],
                matrix.low[at],
                matrix.high[at],
            ) = values
    return matrix


def read_learnt(
    cursor: Cursor, domain: Domain, view: AreaView, day_ms: int
) -> dict[str, Mapping[str, Any]]:
    """By point what the domain had learnt (`Domain.learns`) and is in force for the day."""
    if domain.learns is None:
        return {}
    points = [point.id for point in view.points]
    return dict(cursor.execute(READ_LEARNT, (points, domain.learns, day_ms)).fetchall())


def _results(derived: Iterable[tuple[str, int, Derived]]) -> list[Result]:
    return [result for _, _, part in derived for result in part.results]


def _message(
    mark: Mark, sequence: int, clock: int, period: str, start: int, payload: Payload, position: int
) -> RegionMessage:
    return RegionMessage(
        area=mark.area,
        sequence=sequence,
        proc_ms=clock,
        kind="partial",
        domain=mark.domain,
        period=period,
        start_ms=start,
        payload=payload,
        cause=LATE,
        position=position,
    )


def _one(cursor: Cursor, statement: LiteralString, mark: Mark, city: str) -> int | None:
    parameters = {
        "area": mark.area,
        "domain": mark.domain,
        "city": city,
        "after": AFTER_THE_PIPELINE,
    }
    row = cursor.execute(statement, parameters).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _next_number(cursor: Cursor) -> int:
    row = cursor.execute(
        "select next_offset from log_partition where topic = %s and partition = 0 for update",
        (REGION_TOPIC,),
    ).fetchone()
    return 0 if row is None else int(row[0])
