"""Coordinate systems of China: GCJ-02 and BD-09 positions made into WGS-84, and back.

WGS-84 and CGCS2000 differ by centimetres and are one here (domain.md §6). GCJ-02 is a deliberate
shift of 100–700 m, BD-09 another one on top of it; neither has a closed inverse, so the inverse is
found by iteration. Outside China nothing is shifted. All functions work on arrays of degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contracts.domain import Parameter
from streams.errors import Misconfigured

Degrees: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[Degrees, Degrees]  # longitude, latitude
Shift: TypeAlias = Callable[[Degrees, Degrees], Pair]

A = Parameter("crs.gcj.a", "6378245.0", "m", "K", "domain.md §6: Krasovsky, semi-major axis")
EE = Parameter("crs.gcj.ee", "0.00669342162296594323", "1", "K", "domain.md §6: eccentricity²")
ROUNDTRIP = Parameter("crs.roundtrip_m", "1", "m", "K", "domain.md §6: error of the inverse")
PARAMETERS = (A, EE, ROUNDTRIP)

CENTRE_LON, CENTRE_LAT = 105.0, 35.0  # of the polynomial
CHINA_WEST, CHINA_EAST, CHINA_SOUTH, CHINA_NORTH = 72.004, 137.8347, 0.8293, 55.8271
BD_LON, BD_LAT = 0.0065, 0.006  # domain.md §6
BD_TURN = np.pi * 3000.0 / 180.0
METRES_PER_DEGREE = 111_320.0
ROUNDS = 30
STEP_DEG = 1e-10
DIGITS = 7  # of a converted position: 1 cm


class Crs(StrEnum):
    """What the numbers of a file mean."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """The numbers of the GCJ-02 shift and how exact its inverse has to be."""

    a: float = float(A.default)
    ee: float = float(EE.default)
    roundtrip_m: float = float(ROUNDTRIP.default)

    @staticmethod
    def of(values: Mapping[str, str]) -> Ellipsoid:
        """From a profile's values. Raises `Misconfigured` with all that are no numbers."""
        return Ellipsoid(*numbers(PARAMETERS, values))


def numbers(declared: Sequence[Parameter], values: Mapping[str, str]) -> list[float]:
    """The parameters as numbers, in their order. Raises `Misconfigured` with every mistake."""
    found: list[float] = []
    mistakes: list[str] = []
    for parameter in declared:
        text = values.get(parameter.key, parameter.default)
        try:
            found.append(float(text))
        except ValueError:
            mistakes.append(f"{parameter.key} = {text!r} in the profile is no number")
    if mistakes:
        raise Misconfigured(mistakes)
    return found


def to_wgs84(
    crs: Crs, lon: Degrees, lat: Degrees, shape: Ellipsoid
) -> tuple[Pair, NDArray[np.bool_]]:
    """Positions in WGS-84, and where the inverse is exact to `roundtrip_m` (elsewhere it does not
    exist: on the edge of the shifted region). WGS-84 and CGCS2000 are given back untouched."""
    if crs in (Crs.WGS84, Crs.CGCS2000):
        return (lon, lat), np.ones(len(lon), np.bool_)
    forward = gcj_shift(shape) if crs is Crs.GCJ02 else bd_shift(shape)
    found = _inverse(forward, lon, lat)
    again = forward(*found)
    exact = distance_m(again[0], again[1], lon, lat) < shape.roundtrip_m
    return (found[0].round(DIGITS), found[1].round(DIGITS)), exact


def gcj_shift(shape: Ellipsoid) -> Shift:
    """WGS-84 → GCJ-02; no shift outside China."""

    def forward(lon: Degrees, lat: Degrees) -> Pair:
        east, north = _polynomial(lon - CENTRE_LON, lat - CENTRE_LAT)
        turn = np.radians(lat)
        magic = 1.0 - shape.ee * np.sin(turn) ** 2
        radius = shape.a / np.sqrt(magic)
        north = np.degrees(north / (radius * (1.0 - shape.ee) / magic))
        east = np.degrees(east / (radius * np.cos(turn)))
        inside = in_china(lon, lat)
        return lon + np.where(inside, east, 0.0), lat + np.where(inside, north, 0.0)

    return forward


def bd_shift(shape: Ellipsoid) -> Shift:
    """WGS-84 → BD-09: the GCJ-02 shift, then Baidu's own; none outside China."""
    first = gcj_shift(shape)

    def forward(lon: Degrees, lat: Degrees) -> Pair:
        x, y = first(lon, lat)
        length = np.hypot(x, y) + 0.00002 * np.sin(y * BD_TURN)
        angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_TURN)
        inside = in_china(lon, lat)
        return (
            np.where(inside, length * np.cos(angle) + BD_LON, lon),
            np.where(inside, length * np.sin(angle) + BD_LAT, lat),
        )

    return forward


def in_china(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    """Inside the box in which maps are shifted."""
    found: NDArray[np.bool_] = (
        (lon >= CHINA_WEST) & (lon <= CHINA_EAST) & (lat >= CHINA_SOUTH) & (lat <= CHINA_NORTH)
    )
    return found


def distance_m(lon: Degrees, lat: Degrees, other_lon: Degrees, other_lat: Degrees) -> Degrees:
    """Metres between near positions, on a plane."""
    east = (lon - other_lon) * np.cos(np.radians(lat))
    found: Degrees = np.hypot(east, lat - other_lat) * METRES_PER_DEGREE
    return found


def _inverse(forward: Shift, lon: Degrees, lat: Degrees) -> Pair:
    """The position that `forward` moves onto (lon, lat): the shift changes so slowly that
    subtracting what is left over converges in a few rounds."""
    x, y = lon.copy(), lat.copy()
    for _ in range(ROUNDS):
        there = forward(x, y)
        east, north = there[0] - lon, there[1] - lat
        x, y = x - east, y - north
        if not len(x) or max(np.abs(east).max(), np.abs(north).max()) < STEP_DEG:
            break
    return x, y


def _polynomial(x: Degrees, y: Degrees) -> Pair:
    """The published GCJ-02 offset in metres, east and north, about the centre."""
    root, cross = np.sqrt(np.abs(x)), x * y
    common = _waves(x, (6.0, 20.0), (2.0, 20.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * cross + 0.1 * root + common
    east = (
        east + _waves(x, (1.0, 20.0), (1 / 3, 40.0)) + _waves(x, (1 / 12, 150.0), (1 / 30, 300.0))
    )
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * cross + 0.2 * root + common
    north = north + _waves(y, (1.0, 20.0), (1 / 3, 40.0))
    return east, north + _waves(y, (1 / 12, 160.0), (1 / 30, 320.0))


def _waves(of: Degrees, *terms: tuple[float, float]) -> Degrees:
    total = np.zeros_like(of)
    for frequency, height in terms:
        total = total + height * np.sin(frequency * np.pi * of)
    return total * 2.0 / 3.0
