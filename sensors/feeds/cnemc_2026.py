"""The national hourly air feed as archived in 2026: one row per station and hour, with position.

CSV: timepoint (Asia/Shanghai, END of the hour), stationcode, longitude, latitude, area,
positionname, primarypollutant, aqi, then hourly and 24-hour means; CO in mg/m³, the rest µg/m³.
Only the hourly means are readings: the 24-hour columns are the source's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sensors.feeds.cells import BadCell, hour_ended, number, numbers, parse_time
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
from sensors.feeds.national_air import PROPERTIES, primary_set, stated
from sensors.feeds.stations import Station, place_stations
from streams.contracts.domain import Title

UTC_OFFSET_HOURS = 8
UNPLANNED = "/"  # not monitored by plan (HJ 633-2026 §5.3); every other mark is a missing value
COLUMNS = (
    ("pm2_5", "pm25"),
    ("pm10", "pm10"),
    ("so2", "so2"),
    ("no2", "no2"),
    ("o3", "o3"),
    ("co", "co"),
)


def read(path: Path) -> Iterator[Line]:
    """Rows in file order."""
    for found in read_cells(path):
        yield found if isinstance(found, Refused) else _row(*found)


def registry(files: Files, gazetteer: Gazetteer) -> Entries:
    """The stations of the readable rows."""
    first: dict[str, Mapping[str, str]] = {}
    unplanned: dict[str, set[str]] = {}
    for path in files["readings"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                continue
            row = _row(*found)
            if isinstance(row, Row):
                first.setdefault(row.sensor, found[1])
                outside = (p for column, p in COLUMNS if found[1][column].strip() == UNPLANNED)
                unplanned.setdefault(row.sensor, set()).update(outside)
    stations = (_station(sensor, cells, unplanned[sensor]) for sensor, cells in first.items())
    return place_stations(FEED.source, stations, PROPERTIES, gazetteer)


def published(files: Files) -> Iterator[Published]:
    """AQI, primary pollutants and running O3_8h of every readable row; the form has no level."""
    for path in files["readings"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                continue
            row = _row(*found)
            if isinstance(row, Row):
                cells = found[1]
                aqi = stated(cells["aqi"])
                yield Published(
                    "hour",
                    row.line,
                    row.sensor,
                    row.time_ms,
                    {
                        "aqi": aqi,
                        "primary": primary_set(cells["primarypollutant"], aqi),
                        "o3_8h": stated(cells["o3_8h"]),
                    },
                )


def _row(line: int, cells: Mapping[str, str]) -> Line:
    try:
        code = cells["stationcode"].strip()
        if not code:
            raise BadCell(Fault.NO_STATION, "station code is blank")
        label = parse_time(cells["timepoint"], "%Y-%m-%dT%H%M", UTC_OFFSET_HOURS)
        values, missing = numbers(cells, COLUMNS)
        _position(cells)
    except BadCell as error:
        return Refused(line, error.fault, str(error))
    return Row(line, f"air-{code}", hour_ended(label), values, missing)


def _position(cells: Mapping[str, str]) -> tuple[float, float] | None:
    lon, lat = number("longitude", cells["longitude"]), number("latitude", cells["latitude"])
    return None if lon is None or lat is None else (float(lon), float(lat))


def _station(sensor: str, cells: Mapping[str, str], unplanned: set[str]) -> Station:
    lon, lat = _position(cells) or (None, None)
    attributes = {"code": cells["stationcode"].strip()}
    if unplanned:
        attributes["not_monitored"] = ",".join(sorted(unplanned))
    name, city = cells["positionname"].strip(), cells["area"].strip()
    return Station(sensor, name, city, lon, lat, attributes)


FEED = Feed(
    name="cnemc_2026",
    title=Title("全国城市空气质量实时发布 (2026)", "National hourly air quality, 2026 form"),
    domain="air",
    files=(
        FileKind(
            "readings",
            "hourly rows",
            (
                "timepoint",
                "stationcode",
                "longitude",
                "latitude",
                "area",
                "positionname",
                "primarypollutant",
                "aqi",
                "o3_8h",
                *(column for column, _ in COLUMNS),
            ),
            needed=True,
        ),
    ),
    utc_offset_hours=UTC_OFFSET_HOURS,
    properties=PROPERTIES,
    read=read,
    registry=registry,
    published=published,
)
