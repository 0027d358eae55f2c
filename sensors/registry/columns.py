"""The columns of a registry file, and what their texts may be.

The same names are cells of a CSV row and properties of a GeoJSON feature; docs/registry.md
describes them for people, and a test keeps the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from sensors.registry.line import Fault
from streams.contracts.cloudevents import text_problem

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "the point's id, unique and for ever",
        "type": "point type of a domain, such as flood_point",
        "area": "six-digit code of its county (or city), or the full name",
        "name": "its name for people",
        "lon": "longitude, degrees",
        "lat": "latitude, degrees",
        "crs": "what lon and lat mean: wgs84, cgcs2000, gcj02, bd09; the same in all rows",
        "sensor": "name of a device at the point, unique and for ever",
        "gateway": "id of the gateway that speaks for the device",
        "properties": "what the device measures, separated by ; , or space",
        "report_s": "seconds between its reports; empty or 0 = the property's usual interval",
        "gateway_area": "where the gateway stands; without it, the point's area",
        "gateway_name": "the gateway's name for people",
    }
)
ATTRIBUTE, POINT_ID, SENSOR_ID = "attr.", "id.", "sensor.id."
PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        ATTRIBUTE: "an attribute of the point",
        POINT_ID: "the id by which another system (the scheme) knows the point",
        SENSOR_ID: "the id by which another system knows the sensor",
    }
)
CHINESE: Mapping[str, str] = MappingProxyType(
    {
        "编号": "id",
        "类型": "type",
        "行政区": "area",
        "名称": "name",
        "经度": "lon",
        "纬度": "lat",
        "坐标系": "crs",
        "设备": "sensor",
        "网关": "gateway",
        "监测项": "properties",
        "上报间隔": "report_s",
    }
)
POINT_COLUMNS = ("type", "area", "name", "lon", "lat")
SENSOR_COLUMNS = ("sensor", "properties", "report_s")
MAX_TEXT = 2000
MAX_NAME = 100  # of an attribute or a scheme
NAME = re.compile(r"[^\s:.][^\s:]*")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def column_named(text: str) -> str | None:
    """The column that a header cell means; None when there is no such column."""
    name = text.strip()
    name = CHINESE.get(name, name)
    if name in COLUMNS:
        return name
    prefix = prefix_of(name)
    rest = name.removeprefix(prefix)
    return name if prefix and len(rest) <= MAX_NAME and NAME.fullmatch(rest) else None


@lru_cache(maxsize=1024)  # asked for every cell
def prefix_of(column: str) -> str:
    """`attr.`, `id.` or `sensor.id.`; empty for a plain column."""
    return next((p for p in (SENSOR_ID, ATTRIBUTE, POINT_ID) if column.startswith(p)), "")


def under(prefix: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The cells of the columns with this prefix, by the rest of their names."""
    return {c.removeprefix(prefix): text for c, text in cells.items() if prefix_of(c) == prefix}


def text_fault(column: str, text: str) -> tuple[Fault, str] | None:
    """Why a cell's text cannot be kept; None when it can."""
    if len(text) > MAX_TEXT:
        return Fault.BAD_TEXT, f"{len(text)} characters, at most {MAX_TEXT} are kept"
    unfit = UNFIT.search(text)
    if unfit:
        return Fault.BAD_TEXT, f"holds the character U+{ord(unfit.group()):04X}"
    if column in ("id", "sensor", "gateway"):
        wire = {"id": "subject", "sensor": "sensor", "gateway": "source"}[column]
        problem = text_problem(wire, text)
        if problem:
            return Fault.BAD_VALUE, problem
        if column == "id" and "/" in text:
            return Fault.BAD_VALUE, "an id holds no /: it is part of an address"
    return None


def first_fault(cells: Mapping[str, str]) -> tuple[str, Fault, str] | None:
    """The first cell that cannot be kept, with its column."""
    for column, text in cells.items():
        found = text_fault(column, text)
        if found:
            return column, *found
    return None


def header_mistakes(file: str, header: Iterable[str]) -> list[str]:
    """Everything wrong with a header."""
    texts = list(header)
    named = [column_named(text) for text in texts]
    mistakes = [
        f"{file}: row 1: column {text.strip()[:60]!r} is unknown; rename it, or put attr. before "
        "it to keep it as an attribute"
        for text, column in zip(texts, named, strict=True)
        if column is None
    ]
    known = [column for column in named if column]
    twice = sorted({c for c in known if known.count(c) > 1})
    mistakes += [f"{file}: row 1: column {c} is there more than once" for c in twice]
    if not {"id", "gateway"} & set(known):
        mistakes.append(f"{file}: row 1: column id is missing (is the separator a comma?)")
    return mistakes
