"""Beijing, twelve national stations, hourly (UCI "Beijing Multi-Site Air Quality", 2017).

CSV: No, year, month, day, hour (Asia/Shanghai), PM2.5, PM10, SO2, NO2, CO, O3 (all µg/m³, CO
too), weather, station. The hour is read as the national label, the END of the hour. The yearly
bulletin of the city (JSON) is what `citybrain verify` compares with. The weather columns
are not read: no domain has them at one value an hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sensors.feeds.cells import MICRO_PER_MILLI, BadCell, epoch_ms, hour_ended, numbers, parse_time
from sensors.feeds.feed import (
    Entries,
    Fault,
    Feed,
    FileKind,
    Files,
    Gazetteer,
    Line,
    Published,
    Refused,
    Row,
)
from sensors.feeds.lines import read_cells
from sensors.feeds.national_air import PROPERTIES
from streams.catalog import Area, Gateway, Sensor
from streams.contracts.domain import Point, Title

UTC_OFFSET_HOURS = 8
BACKGROUND = frozenset({"Dingling"})  # the network's clean-air reference, outside the city's means
COUNTRY = Area("981000", "province", None, "北京 (回放)", "Beijing (recording)")
CITY = Area("981100", "city", COUNTRY.code, "北京 (回放)", "Beijing (recording)")
COLUMNS = (
    ("PM2.5", "pm25"),
    ("PM10", "pm10"),
    ("SO2", "so2"),
    ("NO2", "no2"),
    ("O3", "o3"),
    ("CO", "co"),
)
_BULLETIN = (
    "good_days",
    "excellent_days",
    "moderate_days",
    "heavily_polluted_days",
    "days_in_year",
    "good_day_ratio_percent",
    "CO_24h_p95_mg_m3",
    "O3_MDA8_p90_ug_m3",
)


def read(path: Path) -> Iterator[Line]:
    """Rows in file order: station after station, each a whole year."""
    for found in read_cells(path):
        yield found if isinstance(found, Refused) else _row(*found)


def registry(files: Files, _gazetteer: Gazetteer) -> Entries:
    """The stations that the rows name, all in one pseudo-area."""
    names: set[str] = set()
    for path in files["readings"]:
        names |= {
            found[1]["station"].strip()
            for found in read_cells(path)
            if not isinstance(found, Refused)
        }
    points = tuple(_point(name) for name in sorted(names - {""}))
    return Entries(
        areas=(COUNTRY, CITY),
        points=points,
        sensors=tuple(Sensor(0, p.id, p.id, FEED.source, PROPERTIES) for p in points),
        gateways=(Gateway(FEED.source, CITY.code, FEED.source),),
    )


def published(files: Files) -> Iterator[Published]:
    """The bulletin's figures of the year, as decimal texts."""
    for path in files["published"]:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
        zone = timezone(timedelta(hours=UTC_OFFSET_HOURS))
        start = epoch_ms(datetime(int(content["year"]), 1, 1, tzinfo=zone))
        values = {name: str(content[name]) for name in _BULLETIN}
        means = content["annual_mean_ug_m3"]
        values |= {
            f"mean_{prop}": str(means[column]) for column, prop in COLUMNS if column in means
        }
        yield Published("year", 0, CITY.code, start, values)


def _row(line: int, cells: Mapping[str, str]) -> Line:
    try:
        station = cells["station"].strip()
        if not station:
            raise BadCell(Fault.NO_STATION, "station is blank")
        text = "-".join(cells[part] for part in ("year", "month", "day", "hour"))
        label = parse_time(text, "%Y-%m-%d-%H", UTC_OFFSET_HOURS)
        values, missing = numbers(cells, COLUMNS)
    except BadCell as error:
        return Refused(line, error.fault, str(error))
    canonical = tuple(
        (prop, value / MICRO_PER_MILLI if prop == "co" else value) for prop, value in values
    )
    return Row(line, f"prsa-{station}", hour_ended(label), canonical, missing)


def _point(name: str) -> Point:
    attributes = {"site": "background"} if name in BACKGROUND else {}
    return Point(f"prsa-{name}", "air_station", CITY.code, name, None, None, attributes)


FEED = Feed(
    name="prsa",
    title=Title("北京十二站逐时空气质量", "Beijing, twelve stations, hourly"),
    domain="air",
    files=(
        FileKind(
            "readings",
            "hourly rows",
            ("year", "month", "day", "hour", "station", *(column for column, _ in COLUMNS)),
            needed=True,
        ),
        FileKind("published", "the yearly bulletin", ("year", "annual_mean_ug_m3", *_BULLETIN)),
    ),
    utc_offset_hours=UTC_OFFSET_HOURS,
    properties=PROPERTIES,
    read=read,
    registry=registry,
    published=published,
    elsewhere=True,
)
