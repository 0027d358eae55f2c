"""Healthy: the loop turns and what it needs answers."""

from __future__ import annotations

from streams.runtime.health import Health


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_that_turns_is_healthy() -> None:
    clock = Clock()
    health = Health(turn_s=30, now=clock)
    clock.now += 30
    assert health.reasons() == []
    health.turned()
    clock.now += 30
    assert health.reasons() == []


def test_a_loop_that_hangs_is_not() -> None:
    clock = Clock()
    health = Health(turn_s=30, now=clock)
    clock.now += 31
    assert health.reasons() == ["the loop has not turned for 31 s"]


def test_trouble_is_told_with_its_beginning_and_its_first_cause() -> None:
    clock = Clock()
    health = Health(now=clock)
    health.trouble("database", "refused")
    clock.now += 5
    health.trouble("database", "still refused")
    health.trouble("broker", "silent")
    assert health.reasons() == ["broker away for 0 s: silent", "database away for 5 s: refused"]
    health.trouble("database", None)
    health.trouble("broker", None)
    assert health.reasons() == []
