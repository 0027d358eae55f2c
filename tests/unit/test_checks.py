"""Quality checks: range, spike, flat line, the source's own flag; edges first."""

from __future__ import annotations

import numpy as np

from streams.contracts.domain import AreaView
from streams.domains.waterlogging import DEPTH
from streams.domains.weather.layout import INDEX, PROPERTIES
from streams.quality.checks import Judged, Quality
from streams.windows.chunk import Chunk

M = 10**6  # scaled metre
HOUR = 3600
GOOD, SUSPECT, FAIL = 1, 3, 4


def view(*properties: int) -> AreaView:
    count = len(properties)
    return AreaView(
        area="330106",
        points=(),
        series_sensor=np.arange(1, count + 1, dtype=np.int32),
        series_property=np.array(properties, np.int16),
        series_point=np.zeros(count, np.int32),
        series_report_s=np.full(count, 30, np.int32),
        series_active=np.ones(count, np.bool_),
        parameters={},
    )


class Sensors:
    """Depth sensors 0 and 1 under the checks; every call is one frame."""

    def __init__(self) -> None:
        self.quality = Quality((DEPTH, PROPERTIES[INDEX["rain"]]), view(0, 0))

    def rows(self, *rows: tuple[int, float, float]) -> tuple[Chunk, Judged]:
        """(series, second, metres), judged; the chunk carries the flags."""
        columns = np.array([(s, t * 1000, round(v * M)) for s, t, v in rows], np.int64).T
        flag = np.zeros(len(rows), np.int8)
        chunk = Chunk(columns[0].astype(np.int32), columns[1], columns[2], flag, columns[1])
        chunk.flag = self.quality.grade(chunk, None)
        return chunk, self.quality.judge(chunk)


def grade(values: list[float], source: list[int] | None = None) -> list[int]:
    sensors = Sensors()
    count = len(values)
    chunk = Chunk(
        np.zeros(count, np.int32),
        np.arange(count, dtype=np.int64),
        np.array([round(v * M) for v in values], np.int64),
        np.zeros(count, np.int8),
        np.zeros(count, np.int64),
    )
    flag = None if source is None else np.array(source, np.int8)
    found: list[int] = sensors.quality.grade(chunk, flag).tolist()
    return found


def test_the_limits_themselves_are_inside() -> None:
    assert grade([0.0, 3.0]) == [GOOD, GOOD]


def test_outside_the_limits() -> None:
    """Water above the limit stays suspect: it still alerts; below nothing fails."""
    assert grade([-0.000001, 3.000001]) == [FAIL, SUSPECT]


def test_the_source_can_only_make_it_worse() -> None:
    assert grade([0.1, 0.1, 0.1, 0.1, 3.1], [1, 2, 3, 9, 1]) == [
        GOOD,
        GOOD,
        SUSPECT,
        FAIL,
        SUSPECT,
    ]


def test_a_value_more_than_thirty_centimetres_off_both_neighbours_is_a_spike() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.0))
    sensors.rows((0, 30, 0.301))
    _, judged = sensors.rows((0, 60, 0.0))
    assert judged.spikes == [(0, 30_000)]
    assert [(c.series, c.time_ms, c.flag) for c in judged.changes] == [(0, 30_000, SUSPECT)]
    assert [(t.kind, t.closed) for t in judged.tickets] == [("spike", False), ("spike", True)]


def test_exactly_thirty_centimetres_is_no_spike() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.0), (0, 30, 0.3))
    assert sensors.rows((0, 60, 0.0))[1].spikes == []


def test_a_step_that_stays_is_no_spike() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.0), (0, 30, 0.5))
    assert sensors.rows((0, 60, 0.5))[1].spikes == []


def test_a_stair_is_no_spike() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.0), (0, 30, 0.5))
    assert sensors.rows((0, 60, 1.0))[1].spikes == []


def test_the_first_reading_ever_cannot_be_a_spike() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.9))
    assert sensors.rows((0, 30, 0.0))[1].spikes == []


def test_a_spike_inside_one_frame_is_flagged_there() -> None:
    sensors = Sensors()
    chunk, judged = sensors.rows((0, 0, 0.0), (0, 30, 0.9), (0, 60, 0.0))
    assert chunk.flag.tolist() == [GOOD, SUSPECT, GOOD]
    assert judged.spikes == [(0, 30_000)]


def test_a_dip_is_a_spike_as_well() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.9), (0, 30, 0.1))
    assert sensors.rows((0, 60, 0.9))[1].spikes == [(0, 30_000)]


def test_sensors_are_not_neighbours_in_time() -> None:
    sensors = Sensors()
    _, judged = sensors.rows((0, 0, 0.0), (0, 30, 0.0), (1, 0, 0.9), (1, 30, 0.9))
    assert judged.spikes == []


def flat(depth: float, hours: float, neighbour_moves: bool) -> list[tuple[str, bool]]:
    sensors = Sensors()
    sensors.rows((0, 0, 0.0), (1, 0, 0.1))
    sensors.rows((0, 60, depth), (1, 60, 0.1))
    sensors.rows((1, 120, 0.2 if neighbour_moves else 0.1))
    _, judged = sensors.rows((0, 60 + hours * HOUR, depth))
    return [(t.kind, t.closed) for t in judged.tickets]


def test_unchanged_for_six_hours_while_a_neighbour_moves_is_a_flat_line() -> None:
    assert flat(0.2, 6, neighbour_moves=True) == [("flat_line", False)]


def test_a_second_less_is_not() -> None:
    assert flat(0.2, 6 - 1 / HOUR, neighbour_moves=True) == []


def test_when_nobody_moves_nothing_is_flat() -> None:
    assert flat(0.2, 7, neighbour_moves=False) == []


def test_a_dry_street_may_be_dry_for_days() -> None:
    assert flat(0.0, 100, neighbour_moves=True) == []


def test_a_flat_line_ends_with_the_first_change() -> None:
    sensors = Sensors()
    sensors.rows((0, 0, 0.2), (1, 0, 0.1))
    sensors.rows((1, 60, 0.2))
    chunk, _ = sensors.rows((0, 6 * HOUR, 0.2))
    assert chunk.flag.tolist() == [SUSPECT]
    chunk, judged = sensors.rows((0, 6 * HOUR + 30, 0.21))
    assert chunk.flag.tolist() == [GOOD]
    assert [(t.kind, t.closed) for t in judged.tickets] == [("flat_line", True)]


def test_a_ticket_is_opened_once() -> None:
    sensors = Sensors()
    kinds = [t for at in range(3) for t in sensors.rows((0, at * 30, 3.5))[1].tickets]
    assert [(t.kind, t.closed) for t in kinds] == [("range", False)]
