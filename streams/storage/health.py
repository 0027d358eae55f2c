"""Health of the sensors of one area-day, told anew from the stored readings after late ones came.

The same formula as the pipeline's (streams.quality.health). How many came late is the pipeline's
count: what came beyond its horizon counts as received and not as late, because how much of it is
known when a day is told anew depends on when that happens.
"""

from __future__ import annotations

import numpy as np

from streams.contracts.domain import DAY_MS, AreaView, Domain, HourMatrix
from streams.contracts.frame import Int64
from streams.contracts.outcome import SensorHealth
from streams.quality.health import WHOLE_HOUR, day_health
from streams.quality.parameters import late_weight
from streams.storage.connect import Cursor
from streams.storage.findings import write_health

# A reading covers the minutes of its smallest window, as in the pipeline.
READ_MINUTES = """
select o.sensor, o.property, ((ms_of(o.t) - %(day)s) / 3600000)::int as hour,
       bit_or(((1::bigint << %(length)s) - 1)
              << (ms_of(o.t) %% 3600000 / 60000 / %(length)s * %(length)s)::int)
from unnest(%(sensors)s::int[], %(properties)s::smallint[]) as s (sensor, property)
join observation o on o.sensor = s.sensor and o.property = s.property
where o.t >= at_ms(%(day)s) and o.t < at_ms(%(until)s)
group by o.sensor, o.property, hour
"""
READ_TOLD = """
select h.sensor, h.property, h.late
from unnest(%(sensors)s::int[], %(properties)s::smallint[]) as s (sensor, property)
join sensor_health h on h.sensor = s.sensor and h.property = s.property
where h.day_start = at_ms(%(day)s)
"""


def retell_health(
    cursor: Cursor, domain: Domain, view: AreaView, ids: list[int], matrix: HourMatrix
) -> None:
    """Writes a closed day of all active sensors; `matrix` is read from the store."""
    base_s = min(size for prop in domain.properties for size in prop.windows_s)
    day_ms = matrix.day_start_ms
    given = {
        "sensors": view.series_sensor.tolist(),
        "properties": ids,
        "day": day_ms,
        "until": day_ms + DAY_MS,
        "length": max(1, base_s // 60),
    }
    number = {key: i for i, key in enumerate(zip(given["sensors"], ids, strict=True))}
    regular = [p for p, prop in enumerate(domain.properties) if prop.checks.health]
    told_of = np.isin(view.series_property, np.array(regular, np.int16))
    series = np.flatnonzero(view.series_active & told_of)
    if not len(series):
        return
    found = day_health(
        matrix,
        _minutes(cursor, given, number, matrix, base_s),
        _late(cursor, given, number, matrix),
        view.series_report_s,
        series,
        base_s,
        late_weight(view.parameters),
    )
    told = SensorHealth(
        view.series_sensor[series],
        np.array(ids, np.int16)[series],
        np.full(len(series), day_ms, np.int64),
        found.expected,
        found.received,
        found.good,
        found.late,
        found.intervals,
        found.covered,
        found.gap_s,
        found.score,
    )
    write_health(cursor, [told])


def _minutes(
    cursor: Cursor,
    given: dict[str, object],
    number: dict[tuple[int, int], int],
    matrix: HourMatrix,
    base_s: int,
) -> Int64:
    if base_s >= 3600:
        return np.where(matrix.n + matrix.bad > 0, WHOLE_HOUR, 0)
    found = np.zeros(matrix.n.shape, np.int64)
    for sensor, prop, hour, mask in cursor.execute(READ_MINUTES, given):
        found[number[sensor, prop], hour] = mask
    return found


def _late(
    cursor: Cursor,
    given: dict[str, object],
    number: dict[tuple[int, int], int],
    matrix: HourMatrix,
) -> Int64:
    found = np.zeros(len(matrix.n), np.int64)
    for sensor, prop, late in cursor.execute(READ_TOLD, given):
        found[number[sensor, prop]] = late
    return found
