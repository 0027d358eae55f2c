"""The table of warning signals: what a cell says, parsed. A cell is text in the city's profile.

    cell        none, or alternatives joined by " or "
    alternative conditions joined by " and "
    condition   <span> <quantity>>=<number>, of `min` <span> min<=<number>

Spans are hours (`6h`) or, for `max`, calendar days in a row (`3d`). Quantities: `rain` and `snow`
(mm in the span), `wind` and `gust` (the greatest, in Beaufort), `max` and `min` (℃), `drop` (℃: how
far the lowest of 24 h fell within the span).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from streams.domains.weather import parameters as key
from streams.domains.weather.scale import MM_SCALE, WIND_SCALE, edges

TEMPERATURE_SCALE = 2
SCALES: Mapping[str, int] = {
    "rain": MM_SCALE,
    "snow": MM_SCALE,
    "wind": WIND_SCALE,
    "gust": WIND_SCALE,
    "max": TEMPERATURE_SCALE,
    "min": TEMPERATURE_SCALE,
    "drop": TEMPERATURE_SCALE,
}
LONGEST_H: Mapping[str, int] = {
    "rain": 12,
    "snow": 12,
    "wind": 48,
    "gust": 48,
    "max": 72,
    "min": 72,
    "drop": 48,
}
LONGEST_D = 3
_KEYS = tuple(
    (name, tuple(key.cell_key(name, colour) for colour in key.COLOURS)) for name in key.CELLS
)
_CONDITION = re.compile(
    r"(?P<span>[1-9]\d*)(?P<unit>[hd]) (?P<quantity>[a-z]+)(?P<sign>>=|<=)(?P<number>-?\d+(\.\d+)?)"
)


class Amount(NamedTuple):
    """What a condition compares: a quantity over a span of hours, or of calendar days."""

    quantity: str
    span: int
    days: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """The amount is at least the threshold (scaled; of winds a speed); of `min` at most."""

    amount: Amount
    threshold: int


@dataclass(frozen=True, slots=True)
class Cell:
    """Alternatives, each a tuple of conditions that must all be met; () = never met."""

    text: str
    alternatives: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """Cells from blue to red, and every amount that they compare, once each."""

    cells: tuple[Cell, ...]
    amounts: tuple[Amount, ...]

    @staticmethod
    def of(cells: tuple[Cell, ...]) -> Signal:
        found = (one.amount for cell in cells for all_of in cell.alternatives for one in all_of)
        return Signal(cells, tuple(dict.fromkeys(found)))


@dataclass(frozen=True, slots=True)
class Table:
    """The signals by name."""

    version: str
    signals: Mapping[str, Signal]


def read_table(parameters: Mapping[str, str]) -> Table:
    """The table of a profile. Raises ValueError with the key and what may stand there."""
    signals = tuple((name, tuple(parameters[k] for k in keys)) for name, keys in _KEYS)
    return _read(parameters[key.TABLE_VERSION], signals, parameters[key.BEAUFORT])


@lru_cache(maxsize=64)
def _read(
    version: str, signals: tuple[tuple[str, tuple[str, ...]], ...], beaufort_ms: str
) -> Table:
    forces = edges(beaufort_ms, WIND_SCALE)
    read = {
        name: Signal.of(
            tuple(
                parse_cell(key.cell_key(name, colour), text, forces)
                for colour, text in zip(key.COLOURS, texts, strict=True)
            )
        )
        for name, texts in signals
    }
    return Table(version, read)


def parse_cell(name: str, text: str, forces: tuple[int, ...]) -> Cell:
    """One cell; `name` is its key, for the error. `forces`: where Beaufort 1, 2 … begin."""
    if text.strip() == "none":
        return Cell(text, ())
    alternatives = tuple(
        tuple(_condition(name, part.strip(), forces) for part in alternative.split(" and "))
        for alternative in text.split(" or ")
    )
    return Cell(text, alternatives)


def _condition(name: str, text: str, forces: tuple[int, ...]) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None or found["quantity"] not in SCALES:
        raise ValueError(f"{name}: {text!r} is no condition like '6h rain>=50'")
    quantity, span, days = found["quantity"], int(found["span"]), found["unit"] == "d"
    if days and (quantity != "max" or span > LONGEST_D):
        raise ValueError(f"{name}: {text!r}: days are for max, at most {LONGEST_D}")
    if not days and span > LONGEST_H[quantity]:
        raise ValueError(f"{name}: {text!r}: at most {LONGEST_H[quantity]}h")
    if quantity == "drop" and span % 24:
        raise ValueError(f"{name}: {text!r}: a drop is counted over 24h or 48h")
    if (found["sign"] == "<=") != (quantity == "min"):
        raise ValueError(f"{name}: {text!r}: only min is compared by <=, all others by >=")
    threshold = _threshold(name, quantity, found["number"], forces)
    return Condition(Amount(quantity, span, days), threshold)


def _threshold(name: str, quantity: str, number: str, forces: tuple[int, ...]) -> int:
    if quantity not in ("wind", "gust"):
        return int(Decimal(number).scaleb(SCALES[quantity]))
    if not number.isdecimal() or not 1 <= int(number) <= len(forces):
        raise ValueError(f"{name}: {number!r} is no Beaufort force from 1 to {len(forces)}")
    return forces[int(number) - 1]
