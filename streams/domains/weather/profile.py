"""What of a profile's numbers the weather domain cannot compute with: all of it, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from streams.domains.weather import parameters as key
from streams.domains.weather import scale
from streams.domains.weather.table import parse_cell

_EDGES = {
    key.BEAUFORT: (scale.WIND_SCALE, 17),
    key.CYCLONE: (scale.WIND_SCALE, len(scale.CYCLONES)),
    key.RAIN_24H: (scale.MM_SCALE, len(scale.RAIN_GRADES)),
    key.RAIN_12H: (scale.MM_SCALE, len(scale.RAIN_GRADES)),
    key.SNOW_24H: (scale.MM_SCALE, len(scale.SNOW_GRADES)),
    key.SNOW_12H: (scale.MM_SCALE, len(scale.SNOW_GRADES)),
    key.CONVECTIVE: (scale.MM_SCALE, len(scale.CONVECTIVE_GRADES)),
}
_LEAST: Mapping[str, tuple[Callable[[str], Fraction | Decimal | int], int]] = {
    key.NEEDED_POINTS: (int, 1),
    key.CLEAR: (int, 1),
    key.FRESH_MIN: (Decimal, 1),
    key.REFERENCE_SHARE: (Fraction, 0),
}


def mistakes(parameters: Mapping[str, str]) -> list[str]:
    """Every wrong cell, edge and number, each with its key."""
    return [*_edges(parameters), *_cells(parameters), *_numbers(parameters)]


def _edges(parameters: Mapping[str, str]) -> Iterator[str]:
    for name, (digits, wanted) in _EDGES.items():
        try:
            found = len(scale.edges(parameters[name], digits))
        except (ValueError, ArithmeticError):
            yield f"{name}: {parameters[name]!r} is no list of ascending numbers"
            continue
        if found != wanted:
            yield f"{name}: {found} edges, {wanted} are needed"


def _cells(parameters: Mapping[str, str]) -> Iterator[str]:
    forces = tuple(range(1, 18))  # which speeds they are is another question
    for signal in key.CELLS:
        for colour in key.COLOURS:
            name = key.cell_key(signal, colour)
            try:
                parse_cell(name, parameters[name], forces)
            except ValueError as error:
                yield str(error)


def _numbers(parameters: Mapping[str, str]) -> Iterator[str]:
    for name, (read, least) in _LEAST.items():
        try:
            fits = read(parameters[name]) >= least
        except (ValueError, ArithmeticError):
            fits = False
        if not fits:
            yield f"{name} = {parameters[name]!r} is no number from {least} on"
