"""WGS-84 → GCJ-02 or BD-09 → WGS-84 comes back within a metre, all over China."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.registry.crs import Crs, Ellipsoid, bd_shift, distance_m, gcj_shift, to_wgs84

SHAPE = Ellipsoid()
FORWARD = {Crs.GCJ02: gcj_shift(SHAPE), Crs.BD09: bd_shift(SHAPE)}
longitude = st.floats(73.0, 136.0)
latitude = st.floats(3.0, 54.0)


@pytest.mark.parametrize("crs", list(FORWARD))
@given(where=st.lists(st.tuples(longitude, latitude), min_size=1, max_size=20))
def test_there_and_back_is_less_than_a_metre(crs: Crs, where: list[tuple[float, float]]) -> None:
    lon, lat = np.array(where).T.copy()
    back, exact = to_wgs84(crs, *FORWARD[crs](lon, lat), SHAPE)
    assert exact.all()
    assert distance_m(*back, lon, lat).max() < SHAPE.roundtrip_m


@given(west=st.floats(118.0, 123.0), south=st.floats(27.0, 31.5))
def test_zhejiang_is_shifted_between_100_and_700_metres(west: float, south: float) -> None:
    lon, lat = np.array([west]), np.array([south])
    moved = distance_m(*FORWARD[Crs.GCJ02](lon, lat), lon, lat)[0]
    assert 100 < moved < 700
