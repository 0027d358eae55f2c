"""Coordinate systems: the vectors of domain.md §6, the edge of China, and the settings."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.registry.crs import (
    CHINA_EAST,
    CHINA_NORTH,
    CHINA_SOUTH,
    CHINA_WEST,
    Crs,
    Ellipsoid,
    bd_shift,
    distance_m,
    gcj_shift,
    to_wgs84,
)
from streams.errors import Misconfigured

SHAPE = Ellipsoid()
HANGZHOU = np.array([120.2044]), np.array([30.2495])


def test_hangzhou_is_shifted_by_513_metres() -> None:
    lon, lat = gcj_shift(SHAPE)(*HANGZHOU)
    assert lon[0] - HANGZHOU[0][0] == pytest.approx(0.0046, abs=5e-5)
    assert lat[0] - HANGZHOU[1][0] == pytest.approx(-0.0024, abs=5e-5)
    assert distance_m(lon, lat, *HANGZHOU)[0] == pytest.approx(513, abs=1)


def test_baidu_adds_about_65_and_60_ten_thousandths() -> None:
    gcj, bd = gcj_shift(SHAPE)(*HANGZHOU), bd_shift(SHAPE)(*HANGZHOU)
    assert bd[0][0] - gcj[0][0] == pytest.approx(0.0065, abs=3e-4)
    assert bd[1][0] - gcj[1][0] == pytest.approx(0.006, abs=3e-4)


@pytest.mark.parametrize("crs", [Crs.WGS84, Crs.CGCS2000])
def test_wgs84_and_cgcs2000_are_not_touched(crs: Crs) -> None:
    (lon, lat), exact = to_wgs84(crs, *HANGZHOU, SHAPE)
    assert (lon[0], lat[0]) == (120.2044, 30.2495)
    assert exact.all()


@pytest.mark.parametrize(("crs", "shift"), [(Crs.GCJ02, gcj_shift), (Crs.BD09, bd_shift)])
def test_hangzhou_comes_back(crs: Crs, shift: object) -> None:
    forward = gcj_shift(SHAPE) if shift is gcj_shift else bd_shift(SHAPE)
    (lon, lat), exact = to_wgs84(crs, *forward(*HANGZHOU), SHAPE)
    assert exact.all()
    assert distance_m(lon, lat, *HANGZHOU)[0] < 0.02


@pytest.mark.parametrize("crs", list(Crs))
@pytest.mark.parametrize("where", [(-73.98, 40.75), (10.2, 56.15), (151.2, -33.9)])
def test_outside_china_nothing_is_shifted(crs: Crs, where: tuple[float, float]) -> None:
    given = np.array([where[0]]), np.array([where[1]])
    (lon, lat), exact = to_wgs84(crs, *given, SHAPE)
    assert (lon[0], lat[0]) == where
    assert exact.all()


def test_the_edge_of_china_has_positions_without_an_inverse_and_says_so() -> None:
    near = np.linspace(-0.01, 0.01, 2001)
    lon = np.concatenate([np.full_like(near, 120.0)] * 2 + [CHINA_WEST + near, CHINA_EAST + near])
    lat = np.concatenate([CHINA_NORTH + near, CHINA_SOUTH + near] + [np.full_like(near, 30.0)] * 2)
    (back_lon, back_lat), exact = to_wgs84(Crs.GCJ02, lon, lat, SHAPE)
    again = gcj_shift(SHAPE)(back_lon, back_lat)
    assert not exact.all()
    assert distance_m(*again, lon, lat)[exact].max() < 1.1


def test_no_positions_are_no_trouble() -> None:
    nothing = np.array([], np.float64)
    (lon, lat), exact = to_wgs84(Crs.BD09, nothing, nothing, SHAPE)
    assert (len(lon), len(lat), len(exact)) == (0, 0, 0)


def test_a_profile_may_change_the_numbers() -> None:
    assert Ellipsoid.of({}) == SHAPE
    assert Ellipsoid.of({"crs.roundtrip_m": "0.5"}).roundtrip_m == 0.5
    with pytest.raises(Misconfigured, match="is no number") as caught:
        Ellipsoid.of({"crs.gcj.a": "large", "crs.gcj.ee": ""})
    assert len(caught.value.mistakes) == 2
