"""From rows to records: when they arrive, how they are framed, where the ticks are."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from sensors.feeds.arrival import Arrival, Disorder, in_order, upset
from sensors.feeds.feed import Row
from sensors.feeds.framing import (
    MAX_FRAME_ROWS,
    Pulse,
    Routing,
    Sent,
    backfill_frames,
    replay_frames,
)
from streams.contracts.frame import Frame, Tick
from streams.contracts.reason import Origin

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROUTING = Routing("feed.x", "air", {"a": "330100", "b": "330200"}, {"330100": 0, "330200": 1}, 2)
PULSE = Pulse(linger_ms=10_000, tick_ms=60_000, quiet_ticks=2, stride_ms=300_000, flush_ms=900_000)


def row(line: int, sensor: str, time_ms: int, value: str = "1") -> Row:
    return Row(line, sensor, time_ms, (("pm25", Decimal(value)), ("co", Decimal("0.1"))))


def hourly(hours: int) -> list[Row]:
    return [row(n, "a", n * HOUR_MS, str(n)) for n in range(hours)]


def frames_of(sent: list[Sent]) -> list[Frame]:
    return [s.event for s in sent if isinstance(s.event, Frame)]


def test_a_row_arrives_when_its_interval_has_ended() -> None:
    (arrival,) = in_order([row(2, "a", 5 * HOUR_MS)], HOUR_MS, 5_000)
    assert arrival.at_ms == 6 * HOUR_MS + 5_000


def test_rows_arrive_in_order_of_time_and_ties_in_order_of_lines() -> None:
    rows = [row(2, "b", HOUR_MS), row(3, "a", 0), row(4, "a", HOUR_MS)]
    assert [a.row.line for a in in_order(rows, HOUR_MS, 0)] == [3, 2, 4]


def test_a_shuffle_delays_a_tenth_beyond_the_horizon_and_the_rest_within() -> None:
    arrivals = in_order(hourly(5000), HOUR_MS, 0)
    shuffled = upset(arrivals, Disorder(7, True, 0.0, DAY_MS))
    assert sorted(a.row.line for a in shuffled) == [a.row.line for a in arrivals]
    delays = [a.at_ms - (a.row.time_ms + HOUR_MS) for a in shuffled]
    beyond = [d for d in delays if d > DAY_MS]
    assert 0.08 < len(beyond) / len(delays) < 0.12
    assert min(delays) >= 0
    assert all(left.at_ms <= right.at_ms for left, right in pairwise(shuffled))
    assert [a.row.line for a in shuffled] != [a.row.line for a in arrivals]


def test_the_same_seed_gives_the_same_order_and_another_seed_another() -> None:
    arrivals = in_order(hourly(200), HOUR_MS, 0)
    first, again, other = (upset(arrivals, Disorder(s, True, 0.2, DAY_MS)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_duplicates_are_added_and_come_later() -> None:
    arrivals = in_order(hourly(2000), HOUR_MS, 0)
    doubled = upset(arrivals, Disorder(7, False, 0.25, DAY_MS))
    copies = [a for a in doubled if a.copy]
    assert 0.2 < len(copies) / 2000 < 0.3
    assert len(doubled) == 2000 + len(copies)
    originals = {a.row.line: a.at_ms for a in doubled if not a.copy}
    assert all(copy.at_ms >= originals[copy.row.line] for copy in copies)


def test_every_reading_is_framed_once_with_its_exact_value() -> None:
    arrivals = in_order([*hourly(30), row(99, "b", HOUR_MS, "0.1")], HOUR_MS, 5_000)
    found = []
    for frame in frames_of(list(replay_frames(arrivals, ROUTING, PULSE))):
        for i in range(len(frame)):
            found.append(
                (
                    frame.sensors[frame.sensor[i]],
                    frame.properties[frame.property[i]],
                    int(frame.time_ms[i]),
                    repr(float(frame.value[i])),
                )
            )
    expected = [
        (a.row.sensor, name, a.row.time_ms, repr(float(value)))
        for a in arrivals
        for name, value in a.row.values
    ]
    assert sorted(found) == sorted(expected)


def test_a_frame_holds_one_area_and_says_that_it_is_replayed() -> None:
    arrivals = in_order([row(2, "a", 0), row(3, "b", 0)], HOUR_MS, 5_000)
    sent = list(replay_frames(arrivals, ROUTING, PULSE))
    first, second = frames_of(sent)
    assert (first.area, second.area) == ("330100", "330200")
    assert {first.origin, second.origin} == {Origin.REPLAYED}
    assert not first.backfill
    assert first.source == "feed.x"
    assert [s.partition for s in sent if isinstance(s.event, Frame)] == [0, 1]


def test_the_clock_never_goes_back_and_frames_leave_after_their_rows_arrived() -> None:
    arrivals = upset(in_order(hourly(300), HOUR_MS, 0), Disorder(3, True, 0.3, DAY_MS))
    sent = list(replay_frames(arrivals, ROUTING, PULSE))
    assert all(left.at_ms <= right.at_ms for left, right in pairwise(sent))
    newest = {a.row.time_ms: a.at_ms for a in reversed(arrivals)}
    for frame in frames_of(sent):
        assert all(newest[int(t)] < frame.ingest_ms for t in frame.time_ms)


def test_ticks_follow_every_frame_on_every_partition_and_time_runs_on_at_the_end() -> None:
    sent = list(replay_frames(in_order([row(2, "a", 0)], HOUR_MS, 0), ROUTING, PULSE))
    start = HOUR_MS + 10_000
    ticks = [(s.partition, s.at_ms - start) for s in sent if isinstance(s.event, Tick)]
    assert [at for p, at in ticks if p == 0] == [at for p, at in ticks if p == 1]
    assert [at for p, at in ticks if p == 0] == [
        60_000,
        120_000,
        180_000,
        240_000,
        300_000,
        600_000,
        900_000,
    ]


def test_quiet_ticks_stop_until_something_comes() -> None:
    sent = list(replay_frames(in_order(hourly(2), HOUR_MS, 0), ROUTING, PULSE))
    between = [
        s.at_ms
        for s in sent
        if isinstance(s.event, Tick) and s.at_ms < 2 * HOUR_MS and s.partition == 0
    ]
    assert between == [HOUR_MS + 70_000, HOUR_MS + 130_000]


def test_frame_ids_are_unique_and_the_same_on_every_run() -> None:
    arrivals = upset(in_order(hourly(300), HOUR_MS, 0), Disorder(3, True, 0.5, DAY_MS))
    ids = [f.id for f in frames_of(list(replay_frames(arrivals, ROUTING, PULSE)))]
    assert len(set(ids)) == len(ids)
    assert ids == [f.id for f in frames_of(list(replay_frames(arrivals, ROUTING, PULSE)))]


def test_rows_without_values_make_no_frame() -> None:
    arrivals = [Arrival(0, Row(2, "a", 0, (), 6))]
    assert not frames_of(list(replay_frames(arrivals, ROUTING, PULSE)))


def test_a_backfill_is_stamped_by_the_wall_clock_marked_and_without_ticks() -> None:
    arrivals = in_order(hourly(MAX_FRAME_ROWS), HOUR_MS, 0)
    times = iter(range(1000, 2000))
    sent = list(backfill_frames(arrivals, ROUTING, lambda: next(times)))
    frames = frames_of(sent)
    assert len(frames) == len(sent) == 2
    assert [len(f) for f in frames] == [MAX_FRAME_ROWS, MAX_FRAME_ROWS]
    assert all(f.backfill and f.origin is Origin.REPLAYED for f in frames)
    assert [f.ingest_ms for f in frames] == [1000, 1001]


def test_a_repeated_backfill_has_the_same_frame_ids() -> None:
    arrivals = in_order(hourly(50), HOUR_MS, 0)
    first = [f.id for f in frames_of(list(backfill_frames(arrivals, ROUTING, lambda: 1)))]
    again = [f.id for f in frames_of(list(backfill_frames(arrivals, ROUTING, lambda: 2)))]
    assert first == again
