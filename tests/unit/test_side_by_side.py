"""The task of the comparison: the reference and the numpy solution against plain Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.rivals.task import (
    MILLI,
    ColumnTask,
    Flip,
    Rows,
    flip,
    read_events,
    read_frame,
)
from benchmarks.side_by_side.__main__ import differences
from benchmarks.side_by_side.data import (
    SENSORS,
    START_MS,
    Readings,
    Sums,
    event_bodies,
    expected_flips,
    expected_sums,
    frame_bodies,
    frames,
)
from benchmarks.side_by_side.engine import engines
from benchmarks.side_by_side.report import BEGIN, END, Report, fill_page
from benchmarks.side_by_side.run import ROOT, Measured, Results

READINGS = Readings(20_000)


def rows_of_frames(encoding: str) -> list[Rows]:
    return [read_frame(body, encoding) for _, _, body, _ in frame_bodies(READINGS, encoding)]


def rows_of_events() -> list[Rows]:
    bodies = [body for _, _, body, _ in event_bodies(READINGS)]
    return [read_events(bodies[start : start + 997]) for start in range(0, len(bodies), 997)]


def by_hand(rows: Iterable[Rows]) -> Results:
    """Every reading one by one, without the windows that the closing readings open."""
    sums: Sums = {}
    flips: Counter[Flip] = Counter()
    on: dict[str, bool] = {}
    end = START_MS + READINGS.windows * 300_000
    for sensor, time_ms, value in (reading for some in rows for reading in some.each()):
        if time_ms < end:
            where = (sensor, time_ms - time_ms % 300_000)
            count, total = sums.get(where, (0, 0))
            sums[where] = (count + 1, total + round(value * 1000))
        now = True if value > 0.95 else False if value < 0.90 else on.get(sensor, False)
        if now != on.get(sensor, False):
            flips[sensor, time_ms, now] += 1
        on[sensor] = now
    return Results(sums, flips)


def by_columns(rows: Iterable[Rows], restarts: bool = False) -> Results:
    task = ColumnTask()
    sums: Sums = {}
    flips: Counter[Flip] = Counter()
    for some in rows:
        closed, found = task.take(some)
        flips.update(found)
        for sensor, start, count, total in closed:
            assert (sensor, start) not in sums  # a window is told once
            sums[sensor, start] = (count, round(total * MILLI))
        if restarts:
            task = ColumnTask.load(task.save())
    return Results(sums, flips)


def test_the_reference_is_what_plain_python_counts() -> None:
    assert by_hand(rows_of_events()) == Results(expected_sums(READINGS), expected_flips(READINGS))


def test_the_readings_try_both_edges_of_the_hysteresis() -> None:
    milli = set(READINGS.milli.ravel().tolist())
    assert {900, 950, 951, 899} <= milli
    flips = expected_flips(READINGS)
    assert sum(on for _, _, on in flips.elements()) > 20
    assert sum(not on for _, _, on in flips.elements()) > 20


@pytest.mark.parametrize(
    ("on", "value", "then"),
    [
        (False, 0.95, False),
        (False, 0.951, True),
        (True, 0.90, True),
        (True, 0.899, False),
        (False, 0.92, False),
    ],
)
def test_an_alert_goes_on_above_and_off_below(on: bool, value: float, then: bool) -> None:
    assert flip(on, value) is then


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_columns_give_the_same_as_the_reference(encoding: str) -> None:
    assert differences(by_columns(rows_of_frames(encoding)), READINGS) == ""
    assert differences(by_columns(rows_of_frames(encoding), restarts=True), READINGS) == ""


def test_columns_give_the_same_from_single_events() -> None:
    assert differences(by_columns(rows_of_events()), READINGS) == ""


def test_areas_may_overtake_another() -> None:
    rows = rows_of_frames("msgpack")
    chance = random.Random(3)
    queues: dict[str, list[Rows]] = {}
    for some in rows:
        queues.setdefault(some.names[0], []).append(some)
    mixed = []
    while queues:
        area = chance.choice(sorted(queues))
        mixed.append(queues[area].pop(0))
        if not queues[area]:
            del queues[area]
    assert differences(by_columns(mixed), READINGS) == ""


def test_every_reading_is_in_a_frame_and_a_frame_holds_at_most_five_hundred() -> None:
    sizes = [len(frame) for _, frame in frames(READINGS)]
    assert sum(sizes) == READINGS.total
    assert max(sizes) == 500
    assert min(sizes) == SENSORS // 40  # the closing readings


def test_a_wrong_window_and_a_lost_change_are_told() -> None:
    right = Results(expected_sums(READINGS), expected_flips(READINGS))
    assert differences(right, READINGS) == ""
    where = next(iter(right.sums))
    wrong = Results(right.sums | {where: (1, 1)}, right.flips - Counter([next(iter(right.flips))]))
    assert "1 of" in differences(wrong, READINGS)
    assert "1 changes of alerts missing, 0 too many" in differences(wrong, READINGS)


def test_the_engines_have_names_of_their_own_and_say_what_they_make_durable() -> None:
    found = engines()
    assert len({engine.key for engine in found}) == len(found)
    assert all(engine.durable for engine in found)
    assert {engine.family for engine in found} == {"citybrain", "java", "python"}


def test_a_page_gets_the_table_and_keeps_the_rest(tmp_path: Path) -> None:
    report = Report()
    for key, seconds in (("citybrain/msgpack", 2.0), ("kafka-streams/msgpack", 1.0)):
        engine = next(engine for engine in engines() if engine.key == key)
        report.add(engine, 1, Measured(1000, seconds, seconds / 2, 0.1, 0.1, 0.1, 50.0))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    fill_page(report, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "citybrain is 0.50 times as fast as the fastest Kafka Streams" in text
    page.write_text("no table", encoding="utf-8")
    with pytest.raises(ValueError, match="has no lines"):
        fill_page(report, page)


def test_the_page_of_the_documents_can_be_filled() -> None:
    text = (ROOT / "docs/side-by-side.md").read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
