"""Street flooding in New York (FloodNet, NYC Open Data aq7i-eu5q and kb2e-tjy3): depths by minute.

CSV: time_utc, sensor_id, depth_inches (1 in = 0.0254 m exactly); the sensors file gives name,
position and tidal influence, the events file what the network itself found. Sensors that no row
names are not registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from sensors.feeds.cells import METRES_PER_INCH, BadCell, epoch_ms, number, parse_time
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

# Days of New York in summer time, in force until 2025-11-02; the rows themselves are in UTC.
UTC_OFFSET_HOURS = -4
COUNTRY = Area("982000", "province", None, "纽约 (回放)", "New York (recording)")
CITY = Area("982100", "city", COUNTRY.code, "纽约 (回放)", "New York (recording)")
MINUTE_MS = 60_000


def read(path: Path) -> Iterator[Line]:
    """Rows in file order (time order)."""
    for found in read_cells(path):
        yield found if isinstance(found, Refused) else _row(*found)


def registry(files: Files, _gazetteer: Gazetteer) -> Entries:
    """The sensors that the rows name, all in one pseudo-area, each a flood point."""
    described = dict(found for path in files["stations"] for found in _described(path))
    names = {row.sensor for path in files["readings"] for row in read(path) if isinstance(row, Row)}
    points = tuple(_point(name, described.get(name)) for name in sorted(names))
    return Entries(
        areas=(COUNTRY, CITY),
        points=points,
        sensors=tuple(Sensor(0, p.id, p.id, FEED.source, ("depth",)) for p in points),
        gateways=(Gateway(FEED.source, CITY.code, FEED.source),),
    )


def published(files: Files) -> Iterator[Published]:
    """Events of the network: start, end (epoch ms), peak (m), minutes to the peak and in all."""
    for path in files["published"]:
        for found in read_cells(path):
            if isinstance(found, Refused):
                raise Misconfigured([f"{path}: line {found.line}: {found.detail}"])
            line, cells = found
            start, end = (
                epoch_ms(parse_time(cells[key], "%Y-%m-%dT%H:%M:%S.%f", 0))
                for key in ("flood_start_time", "flood_end_time")
            )
            peak = number("max_depth_inches", cells["max_depth_inches"])
            yield Published(
                "event",
                line,
                cells["sensor_id"].strip(),
                start,
                {
                    "end_ms": str(end),
                    "peak_m": None if peak is None else _plain(peak * METRES_PER_INCH),
                    "onset_min": cells["onset_time_mins"],
                    "drain_min": cells["drain_time_mins"],
                    "duration_min": cells["duration_mins"],
                },
            )


def _row(line: int, cells: Mapping[str, str]) -> Line:
    try:
        sensor = cells["sensor_id"].strip()
        if not sensor:
            raise BadCell(Fault.NO_STATION, "sensor is blank")
        time = epoch_ms(parse_time(cells["time_utc"], "%Y-%m-%dT%H:%M:%SZ", 0))
        inches = number("depth_inches", cells["depth_inches"])
    except BadCell as error:
        return Refused(line, error.fault, str(error))
    if inches is None:
        return Row(line, sensor, time, (), 1)
    return Row(line, sensor, time, (("depth", inches * METRES_PER_INCH),))


def _described(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for found in read_cells(path):
        if isinstance(found, Refused):
            raise Misconfigured([f"{path}: line {found.line}: {found.detail}"])
        yield found[1]["sensor_id"].strip(), found[1]


def _point(sensor: str, cells: Mapping[str, str] | None) -> Point:
    if cells is None:
        return Point(sensor, "flood_point", CITY.code, sensor, None, None, {})
    lon, lat = number("longitude", cells["longitude"]), number("latitude", cells["latitude"])
    return Point(
        sensor,
        "flood_point",
        CITY.code,
        cells["sensor_name"].strip() or sensor,
        None if lon is None else float(lon),
        None if lat is None else float(lat),
        {"tidal": "yes" if cells["tidally_influenced"].strip() == "Yes" else "no"},
    )


def _plain(value: Decimal) -> str:
    return format(value, "f")


FEED = Feed(
    name="floodnet",
    title=Title("纽约街道积水 (FloodNet)", "Street flooding, New York (FloodNet)"),
    domain="waterlogging",
    files=(
        FileKind("readings", "depth rows", ("time_utc", "sensor_id", "depth_inches"), needed=True),
        FileKind(
            "published",
            "the network's events",
            (
                "sensor_id",
                "flood_start_time",
                "flood_end_time",
                "max_depth_inches",
                "onset_time_mins",
                "drain_time_mins",
                "duration_mins",
            ),
        ),
        FileKind(
            "stations",
            "sensors with positions",
            ("sensor_name", "sensor_id", "tidally_influenced", "latitude", "longitude"),
        ),
    ),
    utc_offset_hours=UTC_OFFSET_HOURS,
    properties=("depth",),
    read=read,
    registry=registry,
    published=published,
    elsewhere=True,
)
