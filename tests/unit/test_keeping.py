"""How far back things are kept."""

from __future__ import annotations

from streams.contracts.domain import DAY_MS, HOUR_MS, SHANGHAI_OFFSET_MS
from streams.settings import Settings
from streams.storage.keeping import SPARE_DAYS, Keeping, boundary, settled

MIDNIGHT = 1_785_600_000_000  # 2026-08-02 in Asia/Shanghai
NOON = MIDNIGHT + 12 * HOUR_MS


def test_a_boundary_is_a_midnight_of_shanghai() -> None:
    assert (MIDNIGHT + SHANGHAI_OFFSET_MS) % DAY_MS == 0
    assert settled(NOON, 0) == MIDNIGHT - SPARE_DAYS * DAY_MS
    assert settled(MIDNIGHT, 0) == settled(NOON, 0)
    assert settled(MIDNIGHT - 1, 0) == settled(NOON, 0) - DAY_MS


def test_nothing_goes_that_may_still_be_revised() -> None:
    horizon = 45 * DAY_MS
    assert boundary(NOON, 7, horizon) == settled(NOON, horizon)
    assert boundary(NOON, 90, horizon) == settled(NOON, 90 * DAY_MS)


def test_zero_keeps_for_ever() -> None:
    assert boundary(NOON, 0, DAY_MS) is None
    assert Keeping.of(Settings()) == Keeping(events_days=30), "but for events"
