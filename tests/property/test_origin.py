"""No simulated, replayed or drill input ever yields an Actual message (design §4, origin)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.message_status import may_notify, message_status
from streams.contracts.outcome import Transition
from streams.contracts.reason import Change, NamespaceKind, Origin, Reason, Severity
from streams.region.alerts import ORIGINS
from tests.support.region_bench import Bench
from tests.support.small_city import frame_of
from tests.support.timeline import COUNTY, Timeline, moment
from tests.support.toy_level import silence

KINDS, ALL = st.sampled_from(NamespaceKind), st.sampled_from(Origin)
FLOOD = [0.0, 0.31, 0.6, 0.6]


def statuses(kind: NamespaceKind, found: list[Transition]) -> set[str]:
    """What the store would send these transitions as."""
    return {message_status(kind, t.origin) for t in found}


@given(kind=KINDS, origins=st.lists(ALL, min_size=4, max_size=4), backfill=st.booleans())
@settings(max_examples=150, deadline=None)
def test_only_live_input_of_the_live_namespace_becomes_actual(
    kind: NamespaceKind, origins: list[Origin], backfill: bool
) -> None:
    """A flood told by frames of any origins, then silence and clearing timers."""
    city = Timeline(kind=kind)
    for minute, (origin, depth) in enumerate(zip(origins, FLOOD, strict=True)):
        at = moment(f"10:{minute:02d}")
        rows = [(f"{COUNTY}-p0", "depth", at, depth)]
        frame = frame_of(COUNTY, "waterlogging", minute, at + 1000, rows, origin)
        city.push(replace(frame, backfill=backfill))
    city.depth("10:05", origin=origins[-1], p0=0.0)
    city.tick("10:06")
    city.tick("11:00")
    found = statuses(kind, city.transitions)
    if kind is not NamespaceKind.LIVE or Origin.LIVE not in origins:
        assert "Actual" not in found
    for transition in city.transitions:
        if message_status(kind, transition.origin) == "Actual":
            assert (kind, transition.origin) == (NamespaceKind.LIVE, Origin.LIVE)


def test_live_input_of_the_live_namespace_is_actual() -> None:
    """Otherwise the law above is empty."""
    city = Timeline()
    city.depth("10:00", p0=0.6)
    assert statuses(NamespaceKind.LIVE, city.transitions) == {"Actual"}


@pytest.mark.parametrize("origin", [Origin.SIMULATED, Origin.REPLAYED, Origin.DRILL])
def test_a_live_namespace_refuses_what_is_not_live(origin: Origin) -> None:
    city = Timeline()
    outcome = city.depth("10:00", origin=origin, p0=0.6)
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.ORIGIN_REFUSED]
    assert city.transitions == []
    assert city.store.observation == {}


@given(origin=ALL)
def test_a_backfill_revises_and_tells_nobody(origin: Origin) -> None:
    """Only replayed rows may be a backfill; they go through the store and move no alert."""
    city = Timeline()
    rows = [(f"{COUNTY}-p0", "depth", moment("10:00"), 0.6)]
    frame = frame_of(COUNTY, "waterlogging", 1, moment("10:01"), rows, origin)
    outcome = city.push(replace(frame, backfill=True))
    if origin is Origin.REPLAYED:
        assert [len(late) for late in outcome.late] == [1]
    if origin is not Origin.LIVE:
        assert city.transitions == []


@given(kind=KINDS, origin=ALL)
def test_the_status_follows_both(kind: NamespaceKind, origin: Origin) -> None:
    status = message_status(kind, origin)
    assert status in {"Actual", "Exercise", "Test"}
    assert (status == "Actual") == (kind is NamespaceKind.LIVE and origin is Origin.LIVE)
    if origin is Origin.REPLAYED or kind in (NamespaceKind.REPLAY, NamespaceKind.VERIFY):
        assert not may_notify(kind, origin)


@given(kind=KINDS, said=ALL)
def test_alerts_of_the_region_are_never_more_real_than_their_input(
    kind: NamespaceKind, said: Origin
) -> None:
    """Gateway alerts carry the worst origin of namespace and messages."""
    bench = Bench(origin=ORIGINS[kind], gauges=9)
    told = [silence(area, 1_000_000, 9, 9, origin=said.value) for area in ("330102", "330105")]
    told.append(silence("330203", 1_000_000, 9, 9, origin=said.value))
    found = bench.apply(*told).transitions
    assert {t.change for t in found} == {Change.ONSET, Change.CONFIRMED}
    assert all(t.severity > Severity.NONE for t in found)
    actual = "Actual" in statuses(kind, found)
    assert actual == (kind is NamespaceKind.LIVE and said is Origin.LIVE)
