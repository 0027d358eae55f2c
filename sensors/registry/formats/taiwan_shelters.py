"""Evacuation shelters of Taiwan (National Fire Agency, open data set 73242) as shelter points.

A recording from elsewhere. The file says persons, not areas, so there is no class and no effective
area. A row without capacity or with longitude 0 is refused (domain.md §4); names repeat and are no
identity, the running number (序號) is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from sensors.registry.columns import ATTRIBUTE, POINT_ID, first_fault
from sensors.registry.crs import Crs
from sensors.registry.csv_file import numbered
from sensors.registry.formats import Format
from sensors.registry.line import Content, Entry, Fault, Line, Refused
from sensors.registry.source import Reading, declared_crs, read_text
from streams.catalog import Area
from streams.contracts.domain import Title
from streams.errors import Misconfigured

COUNTRY = Area("984000", "province", None, "台湾 (数据集)", "Taiwan (recording)")
PLACE = Area("984100", "city", COUNTRY.code, "台湾 (数据集)", "Taiwan (recording)")
SCHEME = "nfa-tw"
NUMBER, LON, LAT, NAME, CAPACITY = "序號", "經度", "緯度", "避難收容處所名稱", "預計收容人數"
TOWN, VILLAGE, ADDRESS = "縣市及鄉鎮市區", "村里", "避難收容處所地址"
HAZARDS, INDOOR, OUTDOOR, FRAIL = "適用災害類別", "室內", "室外", "適合避難弱者安置"
COLUMNS = (NUMBER, TOWN, VILLAGE, ADDRESS, LON, LAT, NAME, CAPACITY, HAZARDS, INDOOR, OUTDOOR)
HAZARD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "水災": "flood",
        "震災": "earthquake",
        "土石流": "debris_flow",
        "坡地災害": "landslide",
        "海嘯": "tsunami",
        "核子事故": "nuclear",
    }
)
YES, NO = "是", "否"


def read(path: Path, reading: Reading) -> Content:
    """The file's rows. Raises `Misconfigured` when the columns are not those of the data set."""
    file = path.name
    rows = numbered(read_text(path, reading.encoding))
    header = next(rows, (0, ""))[1]
    if isinstance(header, str):
        raise Misconfigured([f"{file}: there is no header: {header or 'empty file'}"])
    missing = [f"{file}: column {column} is missing" for column in COLUMNS if column not in header]
    if missing:
        raise Misconfigured(missing)
    crs = declared_crs(file, "WGS84", reading.crs, needed=True)
    return Content(file, crs or Crs.WGS84, tuple(_lines(file, header, rows)))


def _lines(
    file: str, header: list[str], rows: Iterator[tuple[int, list[str] | str]]
) -> Iterator[Line]:
    for row, cells in rows:
        if isinstance(cells, str):
            yield Refused(file, row, "", Fault.DAMAGED, cells)
        elif len(cells) != len(header):
            detail = f"{len(cells)} cells instead of {len(header)}"
            yield Refused(file, row, "", Fault.WRONG_COLUMNS, detail)
        else:
            yield _line(file, row, {c: t.strip() for c, t in zip(header, cells, strict=True)})


def _line(file: str, row: int, given: Mapping[str, str]) -> Line:
    fault = _fault(given)
    if fault is None:
        cells = _cells(given)
        unfit = first_fault(cells)
        if unfit is None:
            return Entry(file, row, cells)
        fault = unfit
    return Refused(file, row, *fault, given)


def _fault(given: Mapping[str, str]) -> tuple[str, Fault, str] | None:
    if not given[NUMBER]:
        return NUMBER, Fault.NO_ID, "the row has no running number"
    try:
        capacity = int(given[CAPACITY])
    except ValueError:
        return CAPACITY, Fault.BAD_NUMBER, f"{given[CAPACITY][:40]!r} is no number of persons"
    if capacity <= 0:
        return CAPACITY, Fault.NO_CAPACITY, f"capacity {capacity}"
    if given[LON] in ("", "0", "0.0"):
        return LON, Fault.NO_POSITION, f"longitude {given[LON] or 'empty'}"
    for hazard in filter(None, given[HAZARDS].split(",")):
        if hazard.strip() not in HAZARD_NAMES:
            return HAZARDS, Fault.BAD_VALUE, f"hazard {hazard[:40]!r} is unknown"
    return None


def _cells(given: Mapping[str, str]) -> dict[str, str]:
    hazards = [HAZARD_NAMES[h.strip()] for h in given[HAZARDS].split(",") if h.strip()]
    rooms = [
        name for name, column in (("indoor", INDOOR), ("outdoor", OUTDOOR)) if given[column] == YES
    ]
    frail = {YES: "yes", NO: "no"}.get(given.get(FRAIL, ""), "")
    cells = {
        "id": f"tw-shelter-{given[NUMBER]}",
        "type": "shelter",
        "area": PLACE.code,
        "name": given[NAME],
        "lon": given[LON],
        "lat": given[LAT],
        POINT_ID + SCHEME: given[NUMBER],
        ATTRIBUTE + "capacity": given[CAPACITY],
        ATTRIBUTE + "hazards": ",".join(hazards),
        ATTRIBUTE + "room": ",".join(rooms),
        ATTRIBUTE + "frail": frail,
        ATTRIBUTE + "town": given[TOWN],
        ATTRIBUTE + "address": given[VILLAGE] + given[ADDRESS],
    }
    return {column: text for column, text in cells.items() if text}


FORMAT = Format(
    name="taiwan-shelters",
    title=Title("台湾避难收容处所 (数据集)", "Evacuation shelters of Taiwan (recording)"),
    read=read,
    areas=(COUNTRY, PLACE),
    profile={
        "profile.utc_offset_hours": "8",
        "area.bbox": "-180,-90,180,90",
        "area.retired": "",
        "area.former_names": "",
    },
)
