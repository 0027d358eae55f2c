"""The national hourly air feed as PM25.in republished it in 2020: one row per station and hour.

CSV: city, Date (YYYYMMDD), Hour (HH, Asia/Shanghai, END of the hour), WatchPoint, AQI, Level,
PrimaryPollution, PM2.5, PM10, CO (mg/m³), NO2, O3_1h, O3_8h, SO2 (µg/m³). Stations have names,
no codes and no positions: a stations file of the same network locates those that it still names.
Its city names carry 市, the rows' do not.
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
from streams.errors import Misconfigured

UTC_OFFSET_HOURS = 8
COLUMNS = (
    ("PM2.5", "pm25"),
    ("PM10", "pm10"),
    ("SO2", "so2"),
    ("NO2", "no2"),
    ("O3_1h", "o3"),
    ("CO", "co"),
)


def read(path: Path) -> Iterator[Line]:
    """Rows in file order; exact duplicates stay: the pipeline's ledger counts them."""
    for found in read_cells(path):
        yield found if isinstance(found, Refused) else _row(*found)


def registry(files: Files, gazetteer: Gazetteer) -> Entries:
    """The stations that the rows name, with code and position where the stations file has them."""
    known = {
        (city, name): cells for path in files["stations"] for city, name, cells in _known(path)
    }
    stations: dict[str, Station] = {}
    for path in files["readings"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                continue
            city, name = found[1]["city"].strip(), found[1]["WatchPoint"].strip()
            if city and name and _sensor(city, name) not in stations:
                stations[_sensor(city, name)] = _station(city, name, known)
    return place_stations(FEED.source, stations.values(), PROPERTIES, gazetteer)


def published(files: Files) -> Iterator[Published]:
    """AQI, level, primary pollutants and the running O3_8h of every readable row."""
    for path in files["readings"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                continue
            row = _row(*found)
            if isinstance(row, Row):
                cells = found[1]
                aqi = stated(cells["AQI"])
                yield Published(
                    "hour",
                    row.line,
                    row.sensor,
                    row.time_ms,
                    {
                        "aqi": aqi,
                        "level": stated(cells["Level"]) if aqi is not None else None,
                        "primary": primary_set(cells["PrimaryPollution"], aqi),
                        "o3_8h": stated(cells["O3_8h"]),
                    },
                )


def _row(line: int, cells: Mapping[str, str]) -> Line:
    try:
        city, name = cells["city"].strip(), cells["WatchPoint"].strip()
        if not city or not name:
            raise BadCell(Fault.NO_STATION, "city or station name is blank")
        label = parse_time(cells["Date"] + cells["Hour"], "%Y%m%d%H", UTC_OFFSET_HOURS)
        values, missing = numbers(cells, COLUMNS)
    except BadCell as error:
        return Refused(line, error.fault, str(error))
    return Row(line, _sensor(city, name), hour_ended(label), values, missing)


def _sensor(city: str, name: str) -> str:
    return f"air-{city}-{name}"


def _known(path: Path) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for found in read_cells(path):
        if isinstance(found, Refused):
            raise Misconfigured([f"{path}: line {found.line}: {found.detail}"])
        cells = found[1]
        yield cells["area"].strip().removesuffix("市"), cells["positionname"].strip(), cells


def _station(city: str, name: str, known: Mapping[tuple[str, str], Mapping[str, str]]) -> Station:
    cells = known.get((city, name))
    if cells is None:
        return Station(_sensor(city, name), name, city)
    lon, lat = (number(key, cells[key]) for key in ("longitude", "latitude"))
    return Station(
        _sensor(city, name),
        name,
        city,
        None if lon is None else float(lon),
        None if lat is None else float(lat),
        {"code": cells["stationcode"]},
    )


FEED = Feed(
    name="cnemc_2020",
    title=Title("全国城市空气质量实时发布 (2020)", "National hourly air quality, 2020 form"),
    domain="air",
    files=(
        FileKind(
            "readings",
            "hourly rows",
            ("city", "Date", "Hour", "WatchPoint", *(column for column, _ in COLUMNS)),
            needed=True,
        ),
        FileKind(
            "stations",
            "stations with positions",
            ("stationcode", "area", "positionname", "longitude", "latitude"),
        ),
    ),
    utc_offset_hours=UTC_OFFSET_HOURS,
    properties=PROPERTIES,
    read=read,
    registry=registry,
    published=published,
)
