"""What a reader says about one row of a file: an entry, or a refusal with reason and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from sensors.registry.crs import Crs


class Fault(StrEnum):
    """Why a row cannot be taken. Values are stable: reports count by them."""

    DAMAGED = "damaged"
    WRONG_COLUMNS = "wrong_columns"
    GEOMETRY = "geometry"
    BAD_TEXT = "bad_text"
    BAD_VALUE = "bad_value"
    BAD_NUMBER = "bad_number"
    NO_ID = "no_id"
    NO_TYPE = "no_type"
    NO_NAME = "no_name"
    HALF_POSITION = "half_position"
    NO_POSITION = "no_position"
    SWAPPED = "swapped"
    OUTSIDE_BOX = "outside_box"
    NOT_CONVERTIBLE = "not_convertible"
    NO_AREA = "no_area"
    UNKNOWN_AREA = "unknown_area"
    WRONG_LEVEL = "wrong_level"
    NO_POINT = "no_point"
    NO_GATEWAY = "no_gateway"
    NO_PROPERTY = "no_property"
    CONTRADICTS = "contradicts"
    REPEATED = "repeated"
    NO_CAPACITY = "no_capacity"


ADVICE: Mapping[Fault, str] = {
    Fault.DAMAGED: "open the file in an editor at this row and repair it",
    Fault.WRONG_COLUMNS: "give every row as many cells as the header; quote text with commas",
    Fault.GEOMETRY: "give a Point with longitude and latitude, or null when it has none",
    Fault.BAD_TEXT: "remove the character, or shorten the text",
    Fault.BAD_VALUE: "correct the value as the column's description says",
    Fault.BAD_NUMBER: "write a decimal number with a point, such as 120.1551",
    Fault.NO_ID: "give the point an id of its own that never changes",
    Fault.NO_TYPE: "fill the column type, or give --type for the whole file",
    Fault.NO_NAME: "give the point a name for people",
    Fault.HALF_POSITION: "give both lon and lat, or neither",
    Fault.NO_POSITION: "find the position and correct the source",
    Fault.SWAPPED: "swap lon and lat: longitude comes first",
    Fault.OUTSIDE_BOX: "check position and crs; the box is the profile's area.bbox",
    Fault.NOT_CONVERTIBLE: "check the crs: this position has no counterpart in WGS-84",
    Fault.NO_AREA: "fill the column area, or give a position inside a boundary",
    Fault.UNKNOWN_AREA: "give a six-digit code in force, or the area's full name",
    Fault.WRONG_LEVEL: "give the county, or the city when the county is not known",
    Fault.NO_POINT: "give the id of its point, and the point in this file or the registry",
    Fault.NO_GATEWAY: "fill the column gateway, or give --gateway for the whole file",
    Fault.NO_PROPERTY: "fill the column properties, or give --properties for the whole file",
    Fault.CONTRADICTS: "let all rows say the same of one thing, or leave the cell empty",
    Fault.REPEATED: "remove one of the two",
    Fault.NO_CAPACITY: "find the capacity and correct the source",
}


class Note(StrEnum):
    """What is said about a row that was taken. Values are stable."""

    AREA_MAPPED = "area_mapped"
    AREA_BY_POSITION = "area_by_position"
    AREA_UNDECIDED = "area_undecided"
    OUTSIDE_AREA = "outside_area"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_PROPERTY = "unknown_property"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken. `row` is the line of a CSV file on which the row begins (the header
    is on line 1), or the number of a GeoJSON feature, from 1; `content` is the row as it was."""

    file: str
    row: int
    column: str
    fault: Fault
    detail: str
    content: Mapping[str, str] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.fault]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at in a row that was taken; `subject` is the point's or sensor's id."""

    file: str
    row: int
    note: Note
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a point, a point with one of its sensors, or a gateway.

    `cells` holds what is filled, by column; texts are stripped and never empty.
    """

    file: str
    row: int
    cells: Mapping[str, str]


Line: TypeAlias = Entry | Refused


@dataclass(frozen=True, slots=True)
class Content:
    """What one file says. `crs` is None only when no row has a position."""

    file: str
    crs: Crs | None
    lines: tuple[Line, ...]
    blank: int = 0
