"""NDJSON: one native reading a line. A bad line costs no other."""

from __future__ import annotations

from sensors.gateway.formats.native import read_one
from sensors.gateway.reading import BadRequest, Places, Reading, Refused


def read(body: bytes, most: int) -> tuple[tuple[Reading | Refused, ...], Places]:
    """The readings of all lines that are not blank, and the number of each line, from 1.

    `BadRequest` when there are more than `most`, before the rest is read.
    """
    readings: list[Reading | Refused] = []
    numbers = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        if len(readings) == most:
            raise BadRequest(f"more than {most} readings; at most {most} are taken at once")
        readings.append(read_one(len(readings), line))
        numbers.append(number)
    return tuple(readings), Places("line", tuple(numbers))
