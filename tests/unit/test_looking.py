"""The lane's side of quality: whose health is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streams.area.looking import Looking
from streams.contracts.domain import AreaView, Checks, Domain, empty_matrix
from streams.domains.waterlogging import DEPTH, DOMAIN
from streams.domains.weather.layout import INDEX, PROPERTIES
from streams.quality.checks import Quality
from streams.windows.lane import Lane
from tests.support.small_city import START_MS

RAIN = PROPERTIES[INDEX["rain"]]

VIEW = AreaView(
    area="330106",
    points=(),
    series_sensor=np.array([1, 2, 3], np.int32),
    series_property=np.array([0, 1, 1], np.int16),
    series_point=np.zeros(3, np.int32),
    series_report_s=np.full(3, 60, np.int32),
    series_active=np.array([True, True, False]),
    parameters={},
)


def looking(domain: Domain) -> Looking:
    lane = Lane(domain, VIEW, 60_000, 1_800_000, 0)
    return Looking(lane, Quality(domain.properties, VIEW), domain.properties, VIEW)


def two_properties(rain: Checks) -> Domain:
    """Depth and rain of one domain. The view has no points: no neighbour is asked."""
    return replace(DOMAIN, properties=(DEPTH, replace(RAIN, checks=rain)), reads=())


def test_active_sensors_have_a_health() -> None:
    found = looking(two_properties(Checks())).health(empty_matrix(3, START_MS))
    assert found.series.tolist() == [0, 1]


def test_properties_reported_at_times_have_none() -> None:
    assert looking(two_properties(Checks(health=False))).health(
        empty_matrix(3, START_MS)
    ).series.tolist() == [0]


def test_only_the_series_asked_for_are_told() -> None:
    asked = np.array([1, 2], np.int32)
    found = looking(two_properties(Checks())).health(empty_matrix(3, START_MS), asked)
    assert found.series.tolist() == [1]
