"""Neighbour consistency: edges first, then who counts as a neighbour."""

from __future__ import annotations

import numpy as np

from streams.contracts.domain import AreaView, Point
from streams.quality.neighbour import FAR, Found, NeighbourState, judge, nearest
from streams.quality.parameters import NeighbourNumbers

NUMBERS = NeighbourNumbers(sensors=3, windows=3, spreads=5)
ALLOWED = 100


class Street:
    """Sensors that are all neighbours of each other; `None` = no mean in this window."""

    def __init__(self, count: int) -> None:
        zeros = np.zeros(count, np.int64)
        self.state = NeighbourState(zeros, zeros.copy(), zeros.copy(), np.full(count, FAR), {})
        self.near = np.array([[j for j in range(count) if j != i] for i in range(count)], np.int32)
        self.hour = 0

    def window(self, *means: int | None) -> list[Found]:
        known = np.array([m is not None for m in means], np.bool_)
        mean = np.array([m or 0 for m in means], np.int64)
        series = np.arange(len(means))
        allowed = np.full(len(means), ALLOWED, np.int64)
        found = judge(self.state, series, self.near, self.hour, (mean, known), (allowed, NUMBERS))
        self.hour += 1
        return found


def test_exactly_the_allowed_deviation_is_within() -> None:
    street = Street(4)
    assert [street.window(200, 100, 100, 100) for _ in range(9)] == [[]] * 9


def test_one_unit_more_is_off_and_suspect_after_three_windows() -> None:
    street = Street(4)
    assert street.window(201, 100, 100, 100) == []
    assert street.window(201, 100, 100, 100) == []
    (found,) = street.window(201, 100, 100, 100)
    assert (found.series, found.opened, found.since_ms) == (0, True, 0)
    assert (found.mean, found.median, found.spread, found.asked) == (201, 100, 0, 3)


def test_below_counts_like_above() -> None:
    street = Street(4)
    found = [street.window(0, 101, 101, 101) for _ in range(3)][-1]
    assert [f.series for f in found] == [0]


def test_a_storm_front_that_reaches_one_sensor_first_is_nothing() -> None:
    street = Street(4)
    for means in ((500, 0, 0, 0), (500, 450, 480, 470), (900, 450, 480, 470), (480,) * 4):
        assert street.window(*means) == []


def test_two_neighbours_are_not_enough() -> None:
    street = Street(4)
    assert [street.window(900, 100, 100, None) for _ in range(9)] == [[]] * 9


def test_a_missing_window_begins_the_count_again() -> None:
    street = Street(4)
    street.window(900, 100, 100, 100)
    street.window(900, 100, 100, 100)
    street.window(None, 100, 100, 100)
    assert street.window(900, 100, 100, 100) == []


def test_neighbours_that_disagree_prove_nothing() -> None:
    """Median 400, distances 0, 300, 400: their spread is more than what is allowed."""
    street = Street(4)
    assert [street.window(2000, 0, 400, 700) for _ in range(9)] == [[]] * 9


def test_five_times_the_spread_of_the_neighbours_is_within() -> None:
    """Neighbours 80, 100, 120: median 100, spread 20; 200 is their fifth spread."""
    street = Street(4)
    assert [street.window(200, 80, 100, 120) for _ in range(9)] == [[]] * 9
    wider = Street(4)
    assert [wider.window(350, 50, 100, 150) for _ in range(9)] == [[]] * 9, "5 × 50 = 250"
    assert [f.series for f in [wider.window(351, 50, 100, 150) for _ in range(3)][-1]] == [0]


def test_when_all_neighbours_are_suspect_nobody_can_be_asked() -> None:
    street = Street(4)
    street.state.since_ms[1:] = 0
    assert [street.window(900, 100, 100, 100) for _ in range(2)] == [[], []]
    assert street.state.since_ms[0] == FAR


def test_three_windows_within_end_it_and_one_off_begins_again() -> None:
    street = Street(5)
    off, within = (900, 100, 100, 100, 100), (100,) * 5
    for _ in range(3):
        street.window(*off)
    assert street.state.since_ms[0] == 0
    for means in (within, within, off, within, within):
        assert street.window(*means) == []
    (found,) = street.window(*within)
    assert (found.series, found.opened) == (0, False)
    assert street.state.since_ms[0] == FAR


def test_a_suspect_sensor_is_nobodys_neighbour() -> None:
    street = Street(5)
    for _ in range(3):
        street.window(900, 100, 100, 100, 100)
    (found,) = [street.window(100, 900, 100, 100, 100) for _ in range(3)][-1][-1:]
    assert (found.series, found.asked) == (1, 3)


def view(*places: tuple[float, float] | None) -> AreaView:
    located = [place or (None, None) for place in places]
    points = tuple(
        Point(str(n), "p", "330106", "p", lon, lat, {}) for n, (lon, lat) in enumerate(located)
    )
    count = len(places)
    return AreaView(
        area="330106",
        points=points,
        series_sensor=np.arange(count, dtype=np.int32),
        series_property=np.zeros(count, np.int16),
        series_point=np.arange(count, dtype=np.int32),
        series_report_s=np.full(count, 60, np.int32),
        series_active=np.ones(count, np.bool_),
        parameters={},
    )


def test_the_nearest_within_the_distance_come_first() -> None:
    """A degree of latitude is 111 km: 0.1 and 0.2 are near, 0.3 is beyond 30 km."""
    held = view((120.0, 30.0), (120.0, 30.2), (120.0, 30.1), (120.0, 30.3))
    table = nearest(held, np.arange(4), NeighbourNumbers(nearest=2, within_km=30))
    assert table.tolist() == [[2, 1], [2, 3], [0, 1], [1, 2]]


def test_a_degree_of_longitude_is_narrower_up_north() -> None:
    """0.3 degrees: 33 km at the equator, 17 km at 60 degrees."""
    numbers = NeighbourNumbers(within_km=30)
    assert nearest(view((10.0, 0.0), (10.3, 0.0)), np.arange(2), numbers).shape == (2, 0)
    assert nearest(view((10.0, 60.0), (10.3, 60.0)), np.arange(2), numbers).tolist() == [[1], [0]]


def test_without_coordinates_the_whole_area_is_asked() -> None:
    table = nearest(view(None, (120.0, 30.0), (120.0, 30.01)), np.arange(3), NeighbourNumbers())
    assert table.tolist() == [[1, 2], [2, -1], [1, -1]]
