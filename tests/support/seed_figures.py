"""Facts, ledger, tickets and episodes of the seeded typhoon morning."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from streams.catalog import Registry
from streams.storage.connect import Connection

AS_OF = datetime.fromisoformat("2024-09-16T06:30:00+08:00")
DAY = datetime.fromisoformat("2024-09-15T00:00:00+08:00")
SOURCE = "gw-seed"

FACT = (
    "insert into fact values (%(indicator)s, %(area)s, %(period)s, %(start)s, %(end)s,"
    " %(revision)s, %(value)s, %(numerator)s, %(denominator)s, %(have)s, %(want)s, %(lower)s,"
    " %(upper)s, %(unit)s, '1', %(detail)s, %(cause)s, %(known_from)s, %(known_to)s)"
)


def write_fact(
    connection: Connection, indicator: str, area: str, period: str, **given: Any
) -> None:
    """A fact, by default of the hour before `AS_OF`."""
    hour = AS_OF.replace(minute=0)
    row: dict[str, Any] = {
        "indicator": indicator,
        "area": area,
        "period": period,
        "start": hour - timedelta(hours=1),
        "end": hour,
        "revision": 1,
        "value": None,
        "numerator": None,
        "denominator": None,
        "have": 1,
        "want": 1,
        "lower": None,
        "upper": None,
        "unit": "",
        "detail": Jsonb({}),
        "cause": "closed",
        "known_from": AS_OF - timedelta(minutes=25),
        "known_to": None,
    }
    connection.execute(FACT, row | given)


def write_facts(connection: Connection, registry: Registry) -> None:
    cities = sorted(a.code for a in registry.areas.values() if a.level == "city")
    for number, city in enumerate(cities):
        write_fact(
            connection,
            "air.aqi",
            city,
            "hour",
            value=str(28 + 9 * number),
            have=8 - number % 3,
            want=8,
            detail=Jsonb({"standard": "HJ 633-2012"}),
        )
        write_fact(connection, "waterlogging.flooded", city, "hour", value=str(number % 5))
    write_fact(
        connection,
        "waterlogging.flooded",
        "330000",
        "hour",
        value="37",
        have=89,
        want=90,
        lower="37",
        upper="44",
    )
    state = {"start": DAY, "end": DAY + timedelta(days=1), "unit": "%"}
    write_fact(
        connection,
        "plan.13",
        "330000",
        "state",
        **state,
        value="60.0",
        numerator="240",
        denominator="400",
        have=400,
        want=400,
    )
    month = {
        "start": datetime.fromisoformat("2024-09-01T00:00:00+08:00"),
        "end": datetime.fromisoformat("2024-10-01T00:00:00+08:00"),
        "unit": "%",
    }
    first = AS_OF - timedelta(hours=6)
    write_fact(
        connection,
        "plan.15",
        "330000",
        "month",
        **month,
        value="92.7",
        numerator="153",
        denominator="165",
        have=165,
        want=165,
        known_from=first,
        known_to=first + timedelta(hours=2),
    )
    write_fact(
        connection,
        "plan.15",
        "330000",
        "month",
        **month,
        revision=2,
        value="93.3",
        numerator="154",
        denominator="165",
        have=165,
        want=165,
        cause="late",
        known_from=first + timedelta(hours=2),
    )


def write_accounts(connection: Connection, registry: Registry) -> None:
    for number, area in enumerate(sorted({p.area for p in registry.points.values()})):
        stored, late = 5_000 + 37 * number, number
        connection.execute(
            "insert into ledger values (%s,'waterlogging',%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (area, SOURCE, stored + 6, 1, 2, 3, stored, stored - late, late, 1),
        )
    sensor = min(registry.sensors.values(), key=lambda s: s.id)
    area = registry.points[sensor.point].area
    for hours, closed in ((3, None), (9, AS_OF - timedelta(hours=4))):
        connection.execute(
            "insert into ticket values (%s,%s,%s,'flat_line',%s,%s,%s)",
            (
                area,
                sensor.id,
                sensor.properties[0],
                AS_OF - timedelta(hours=hours),
                closed,
                Jsonb({"unchanged_h": 6}),
            ),
        )
    connection.execute(
        "insert into ticket (area, sensor, subject, property, kind, opened, evidence)"
        " values (%s, 0, 'source:gw-1', 'co', 'unit', %s, %s)",
        (area, AS_OF - timedelta(hours=20), Jsonb({"unit": "µg/m³"})),
    )
    _write_health(connection, registry)
    point = min(p.id for p in registry.points.values() if p.type == "flood_point")
    for number, end in ((1, None), (2, AS_OF - timedelta(hours=3))):
        connection.execute(
            "insert into episode values (%s,'waterlogging.wet',%s,%s,%s,%s,%s)",
            (
                f"episode-{number}",
                registry.points[point].area,
                point,
                AS_OF - timedelta(hours=2 * number),
                end,
                Jsonb({"peak_mm": 210}),
            ),
        )


def _write_health(connection: Connection, registry: Registry) -> None:
    """Three days of five sensors; the first one lost half a day on the last of them."""
    sensors = sorted(registry.sensors.values(), key=lambda s: s.id)[:5]
    for day in range(3):
        start = AS_OF.replace(hour=0, minute=0) - timedelta(days=day + 1)
        for sensor in sensors:
            covered = 720 if sensor is sensors[0] and day == 0 else 1440
            connection.execute(
                "insert into sensor_health select %s, id, %s, 1440, %s, %s, 0, 1440, %s, %s, %s"
                " from property where name = %s",
                (
                    sensor.id,
                    start,
                    covered,
                    covered,
                    covered,
                    (1440 - covered) * 60,
                    100 * covered // 1440,
                    sensor.properties[0],
                ),
            )
