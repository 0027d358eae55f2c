"""The watermark: bounded by every active source, settling, idling, never going back."""

from __future__ import annotations

from streams.windows.watermark import NEVER, Watermark

DELAY, IDLE = 60_000, 300_000


def mark() -> Watermark:
    return Watermark(DELAY, IDLE)


def test_nothing_heard_is_no_time() -> None:
    assert mark().value_ms == NEVER
    assert mark().due() is None
    assert not mark().active


def test_it_stays_the_delay_behind_the_newest_event() -> None:
    held = mark()
    held.observe("a", 1_000_000, 1_001_000)
    assert held.value_ms == 1_000_000 - DELAY


def test_the_slowest_active_source_holds_it() -> None:
    held = mark()
    held.observe("slow", 1_000_000, 1_000_000)
    held.observe("fast", 9_000_000, 1_000_001)
    assert held.value_ms == 1_000_000 - DELAY


def test_a_source_without_a_row_that_counts_holds_nobody() -> None:
    held = mark()
    held.observe("broken", NEVER, 1_000_000)
    held.observe("good", 2_000_000, 1_000_001)
    assert held.value_ms == 2_000_000 - DELAY


def test_it_never_goes_back() -> None:
    held = mark()
    held.observe("a", 5_000_000, 5_000_000)
    held.observe("a", 1_000_000, 5_000_001)
    held.observe("new and late", 2_000_000, 5_000_002)
    assert held.value_ms == 5_000_000 - DELAY


def test_a_quiet_source_settles_after_the_delay() -> None:
    held = mark()
    held.observe("a", 1_000_000, 1_001_000)
    assert held.due() == (1_001_000 + DELAY, "a")
    held.fire("a")
    assert held.value_ms == 1_000_000
    assert held.active


def test_a_settled_source_idles_and_lets_the_others_go() -> None:
    held = mark()
    held.observe("quiet", 1_000_000, 1_001_000)
    held.observe("busy", 2_000_000, 1_002_000)
    held.fire("quiet")
    assert held.value_ms == 1_000_000
    assert held.due() == (1_002_000 + DELAY, "busy")
    held.fire("busy")
    assert held.due() == (1_001_000 + IDLE, "quiet")
    held.fire("quiet")
    assert held.value_ms == 2_000_000
    assert held.active


def test_when_all_idle_nothing_is_active_and_time_stands() -> None:
    held = mark()
    held.observe("a", 1_000_000, 1_001_000)
    held.fire("a")
    held.fire("a")
    assert (held.active, held.value_ms, held.due()) == (False, 1_000_000, None)


def test_a_source_that_speaks_again_bounds_again() -> None:
    held = mark()
    held.observe("a", 1_000_000, 1_001_000)
    held.fire("a")
    held.fire("a")
    held.observe("b", 9_000_000, 9_000_000)
    assert held.value_ms == 9_000_000 - DELAY
    held.observe("a", 9_100_000, 9_100_000)
    held.observe("b", 9_900_000, 9_900_000)
    assert held.value_ms == 9_100_000 - DELAY


def test_deadlines_come_in_the_order_of_time_and_name() -> None:
    held = mark()
    held.observe("b", 1_000_000, 1_000_000)
    held.observe("a", 1_000_000, 1_000_000)
    assert held.due() == (1_000_000 + DELAY, "a")
