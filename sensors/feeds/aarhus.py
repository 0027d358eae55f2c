"""Road traffic in Aarhus (CityPulse, 2014): travel times between Bluetooth readers every 5 minutes.

CSV: avgMeasuredTime (s), avgSpeed (km/h, cut to whole), vehicleCount, TIMESTAMP (local, START of
the interval), REPORT_ID; the segments file gives length, an outside normal speed and positions.
The speed is what the source derives from the time: the domain is given the time and the count, the
speed stays with the reading. Segments that no row names are not registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sensors.feeds.cells import BadCell, epoch_ms, number, numbers, parse_time
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
from streams.catalog import Area, Gateway, Sensor
from streams.contracts.domain import Point, Title
from streams.errors import Misconfigured

UTC_OFFSET_HOURS = 2  # Denmark in summer time, in force over the whole recording
COUNTRY = Area("983000", "province", None, "奥胡斯 (回放)", "Aarhus (recording)")
CITY = Area("983100", "city", COUNTRY.code, "奥胡斯 (回放)", "Aarhus (recording)")
COLUMNS = (
    ("avgMeasuredTime", "travel_time"),
    ("avgSpeed", "speed"),
    ("vehicleCount", "vehicle_count"),
)
ROAD_CLASS = {"MAJOR_ROAD": "trunk", "MINOR_ROAD": "secondary", "LOCAL_ROAD": "branch"}


def read(path: Path) -> Iterator[Line]:
    """Rows in file order (time order)."""
    for found in read_cells(path):
        yield found if isinstance(found, Refused) else _row(*found)


def registry(files: Files, _gazetteer: Gazetteer) -> Entries:
    """The segments that the rows name, all in one pseudo-area, each a road link."""
    described = dict(found for path in files["stations"] for found in _described(path))
    names = {row.sensor for path in files["readings"] for row in read(path) if isinstance(row, Row)}
    points = tuple(_point(name, described.get(name)) for name in sorted(names))
    return Entries(
        areas=(COUNTRY, CITY),
        points=points,
        sensors=tuple(Sensor(0, p.id, p.id, FEED.source, FEED.properties) for p in points),
        gateways=(Gateway(FEED.source, CITY.code, FEED.source),),
    )


def published(files: Files) -> Iterator[Published]:
    """The source's speed of every readable row: whole km/h."""
    for path in files["readings"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                continue
            row = _row(*found)
            if isinstance(row, Row):
                speed = dict(row.values).get("speed")
                shown = None if speed is None else format(speed, "f")
                yield Published("speed", row.line, row.sensor, row.time_ms, {"speed_kmh": shown})


def _row(line: int, cells: Mapping[str, str]) -> Line:
    try:
        segment = cells["REPORT_ID"].strip()
        if not segment:
            raise BadCell(Fault.NO_STATION, "REPORT_ID is blank")
        time = epoch_ms(parse_time(cells["TIMESTAMP"], "%Y-%m-%dT%H:%M:%S", UTC_OFFSET_HOURS))
        values, missing = numbers(cells, COLUMNS)
    except BadCell as error:
        return Refused(line, error.fault, str(error))
    return Row(line, segment, time, values, missing)


def _described(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for found in read_cells(path):
        if isinstance(found, Refused):
            raise Misconfigured([f"{path}: line {found.line}: {found.detail}"])
        yield found[1]["REPORT_ID"].strip(), found[1]


def _point(segment: str, cells: Mapping[str, str] | None) -> Point:
    if cells is None:
        return Point(segment, "road_link", CITY.code, segment, None, None, {})
    lon, lat = _middle(cells, "LNG"), _middle(cells, "LAT")
    attributes = {
        "length_m": cells["DISTANCE_IN_METERS"].strip(),
        "free_flow_kmh": cells["NDT_IN_KMH"].strip(),
        "road_class": ROAD_CLASS.get(cells["ROAD_TYPE"].strip(), ""),
    }
    street = f"{cells['POINT_1_STREET'].strip()} – {cells['POINT_2_STREET'].strip()}"
    kept = {name: value for name, value in attributes.items() if value}
    return Point(segment, "road_link", CITY.code, street, lon, lat, kept)


def _middle(cells: Mapping[str, str], axis: str) -> float | None:
    """Half way between the two readers: for the map."""
    ends = [number(name, cells[name]) for name in (f"POINT_1_{axis}", f"POINT_2_{axis}")]
    known = [end for end in ends if end is not None]
    return float(sum(known) / len(known)) if len(known) == len(ends) else None


FEED = Feed(
    name="aarhus",
    title=Title("奥胡斯道路交通 (CityPulse)", "Road traffic, Aarhus (CityPulse)"),
    domain="traffic",
    files=(
        FileKind(
            "readings",
            "travel times",
            ("avgMeasuredTime", "avgSpeed", "TIMESTAMP", "vehicleCount", "REPORT_ID"),
            needed=True,
        ),
        FileKind(
            "stations",
            "segments with length and normal speed",
            (
                "REPORT_ID",
                "DISTANCE_IN_METERS",
                "NDT_IN_KMH",
                "ROAD_TYPE",
                "POINT_1_STREET",
                "POINT_2_STREET",
                "POINT_1_LAT",
                "POINT_1_LNG",
                "POINT_2_LAT",
                "POINT_2_LNG",
            ),
        ),
    ),
    utc_offset_hours=UTC_OFFSET_HOURS,
    properties=("travel_time", "speed", "vehicle_count"),
    read=read,
    registry=registry,
    published=published,
    elsewhere=True,
)
