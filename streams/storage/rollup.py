"""Hours and days of every sensor, added up from its closed hourly windows.

A period is rolled up once, when no revision of the pipeline reaches it any more, and again when
late rows made its windows anew. Windows may leave then. The view `sensor_rollup` joins what is
rolled up with what is still in the windows. Integer sums; `bad` counts readings that did not pass
the checks.
"""

from __future__ import annotations

from streams.contracts.domain import DAY_MS, SHANGHAI_OFFSET_MS
from streams.storage.connect import Connection, Cursor

PERIODS = {3600: "hour", 86400: "day"}
READ_ROLLED = "select period_s, ms_of(until) from rolled order by period_s for share"
TAKE_ROLLED = "select ms_of(until) from rolled where period_s = %s for update"
FIRST = "select ms_of(min(start)) from observation_window where size_s = 3600"
MOVE = "update rolled set until = at_ms(%s) where period_s = %s"
ROLL = """
insert into observation_rollup (period_s, sensor, property, start, n, bad, total, low, high)
select %(period)s, w.sensor, w.property, date_trunc(%(unit)s, w.start, 'Asia/Shanghai') as begins,
    sum(w.n), sum(w.bad), sum(w.total)::bigint, min(w.low), max(w.high)
from observation_window w
where w.size_s = 3600 and w.start >= at_ms(%(from)s) and w.start < at_ms(%(until)s)
    and (%(sensors)s::int[] is null or w.sensor = any(%(sensors)s))
    and (%(properties)s::smallint[] is null or w.property = any(%(properties)s))
group by w.sensor, w.property, begins
on conflict (period_s, sensor, property, start) do update set
    n = excluded.n, bad = excluded.bad, total = excluded.total,
    low = excluded.low, high = excluded.high
"""


def roll_day(connection: Connection, period_s: int, settled_ms: int) -> bool:
    """Rolls up the next day before `settled_ms`, a midnight, in one transaction; false = none.

    Waits for a recomputer that has locked what is rolled up (`reroll`).
    """
    with connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(TAKE_ROLLED, (period_s,)).fetchone()
        start = row[0] if row and row[0] is not None else _first_day(cursor)
        if start is None or start >= settled_ms:
            return False
        _roll(cursor, period_s, start)
        cursor.execute(MOVE, (start + DAY_MS, period_s))
        return True


def reroll(cursor: Cursor, sensors: list[int], properties: list[int], day_ms: int) -> None:
    """Rolls up the day of these sensors again, where that had been done.

    Keeps others from rolling up until the caller's transaction ends.
    """
    for period_s, until in cursor.execute(READ_ROLLED).fetchall():
        if until is not None and day_ms < until:
            _roll(cursor, period_s, day_ms, sensors, properties)


def _roll(
    cursor: Cursor,
    period_s: int,
    day_ms: int,
    sensors: list[int] | None = None,
    properties: list[int] | None = None,
) -> None:
    given = {"period": period_s, "unit": PERIODS[period_s], "from": day_ms}
    series = {"until": day_ms + DAY_MS, "sensors": sensors, "properties": properties}
    cursor.execute(ROLL, given | series)


def _first_day(cursor: Cursor) -> int | None:
    row = cursor.execute(FIRST).fetchone()
    if row is None or row[0] is None:
        return None
    return int((row[0] + SHANGHAI_OFFSET_MS) // DAY_MS * DAY_MS - SHANGHAI_OFFSET_MS)
