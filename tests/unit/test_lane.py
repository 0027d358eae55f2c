"""Which readings are new, duplicate, revised or late; the horizon to the millisecond."""

from __future__ import annotations

import numpy as np
import pytest

from streams.area.reads import with_reads
from streams.area.view import build_view
from streams.catalog import Profile
from streams.domains.waterlogging import DOMAIN
from streams.windows.chunk import Chunk
from streams.windows.lane import Lane, Sifted
from tests.support.small_city import COUNTIES, DOMAINS, registry
from tests.support.timeline import moment

MINUTE = 60_000
HORIZON = 30 * MINUTE
TEN = moment("10:00")


@pytest.fixture
def lane() -> Lane:
    seen = with_reads(DOMAIN, DOMAINS)
    view = build_view(seen, COUNTIES[0], registry(), Profile("t"), None)
    return Lane(seen, view, MINUTE, HORIZON, 8 * 3_600_000)


def sift(lane: Lane, *rows: tuple[int, int, int]) -> Sifted:
    """Rows (series, ms after ten, value)."""
    columns = np.array(rows, np.int64).T
    flag, position = np.ones(len(rows), np.int8), np.arange(len(rows), dtype=np.int64)
    return lane.sift(
        Chunk(columns[0].astype(np.int32), TEN + columns[1], columns[2], flag, position)
    )


def depth_series(lane: Lane) -> int:
    return int(np.flatnonzero(lane.view.series_property == 0)[0])


def test_new_rows_come_sorted_and_marked_fresh(lane: Lane) -> None:
    found = sift(lane, (1, 2000, 7), (0, 1000, 5), (1, 1000, 6))
    assert list(zip(found.new.series.tolist(), found.new.value.tolist(), strict=True)) == [
        (0, 5),
        (1, 6),
        (1, 7),
    ]
    assert found.fresh.all()


def test_a_row_behind_the_newest_is_new_and_not_fresh(lane: Lane) -> None:
    sift(lane, (0, 5000, 1))
    found = sift(lane, (0, 4000, 2), (0, 6000, 3))
    assert found.new.value.tolist() == [2, 3]
    assert found.fresh.tolist() == [False, True]


def test_the_same_again_is_a_duplicate(lane: Lane) -> None:
    sift(lane, (0, 1000, 5))
    found = sift(lane, (0, 1000, 5))
    assert (found.duplicates, len(found.new), len(found.revised)) == (1, 0, 0)


def test_another_value_is_a_revision_with_both(lane: Lane) -> None:
    sift(lane, (0, 1000, 5))
    found = sift(lane, (0, 1000, 6))
    assert (found.revised.value.tolist(), found.replaced.value.tolist()) == ([6], [5])
    assert lane.state.newest_value[0] == 6


def test_one_frame_may_say_it_three_times_in_its_order(lane: Lane) -> None:
    found = sift(lane, (0, 1000, 5), (0, 1000, 6), (0, 1000, 5))
    assert found.new.value.tolist() == [5]
    assert found.revised.value.tolist() == [6, 5]
    assert found.replaced.value.tolist() == [5, 6]
    assert lane.state.newest_value[0] == 5


def test_the_horizon_to_the_millisecond(lane: Lane) -> None:
    series = depth_series(lane)
    lane.state.watermark.value_ms = TEN + HORIZON
    found = sift(lane, (series, 0, 1), (series, 1, 2))
    assert (found.late.value.tolist(), found.new.value.tolist()) == ([1], [2])


def test_an_interval_is_late_by_its_end(lane: Lane) -> None:
    rain = int(np.flatnonzero(lane.view.series_property == 1)[0])
    lane.state.watermark.value_ms = TEN + HORIZON + MINUTE
    found = sift(lane, (rain, 0, 1), (rain, 1, 2))
    assert (found.late.value.tolist(), found.new.value.tolist()) == ([1], [2])


def test_a_late_row_marks_its_day_and_enters_no_history(lane: Lane) -> None:
    series = depth_series(lane)
    lane.state.watermark.value_ms = TEN + HORIZON
    sift(lane, (series, -MINUTE, 1))
    assert lane.state.late_days == [moment("0:00")]
    assert lane.history.unsaved == []


def test_reflagging_tells_only_what_changed(lane: Lane) -> None:
    sift(lane, (0, 1000, 5), (0, 2000, 6))
    at = np.array([TEN + 1000, TEN + 2000, TEN + 9000], np.int64)
    found = lane.reflag(np.zeros(3, np.int32), at, np.array([3, 1, 3], np.int8))
    assert found.time_ms.tolist() == [TEN + 1000]
    assert found.flag.tolist() == [3]
