"""One domain reads another's property and heeds its alerts: what it gets, and what stays put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from streams.area.reads import with_reads
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import Frame, Record
from streams.contracts.reason import Change, NamespaceKind, Origin, Reason
from streams.errors import Misconfigured
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore
from tests.support.small_city import START_MS, TOPIC, keep_checkpoint
from tests.support.toy_pair import (
    COUNTY,
    DOMAINS,
    GATEWAY,
    PROPERTY_IDS,
    REMIND_MS,
    STREET,
    registry,
)

MINUTE = 60_000
HELD = registry()
Row = tuple[str, str, int, float]  # sensor, property, minute, value


def frame(domain: str, number: int, rows: Sequence[Row], ingest_ms: int | None = None) -> Frame:
    """Rows of one sensor and property."""
    latest = max(row[2] for row in rows)
    return Frame(
        source=GATEWAY,
        id=f"{domain}-{number}",
        domain=domain,
        area=COUNTY,
        origin=Origin.LIVE,
        ingest_ms=START_MS + (latest + 1) * MINUTE + 1 if ingest_ms is None else ingest_ms,
        sensors=(rows[0][0],),
        properties=(rows[0][1],),
        units=None,
        sensor=np.zeros(len(rows), np.int32),
        property=np.zeros(len(rows), np.int32),
        time_ms=np.array([START_MS + r[2] * MINUTE for r in rows], np.int64),
        value=np.array([r[3] for r in rows], np.float64),
    )


def log(*sent: Frame | int) -> list[Record]:
    """Frames, and ticks as the minute at which they come."""
    messages = [(START_MS, encode_control("registry", HELD.version, START_MS))]
    for one in sent:
        if isinstance(one, int):
            at = START_MS + one * MINUTE
            messages.append((at, encode_tick(at)))
        else:
            messages.append((one.ingest_ms, encode(one)))
    return [Record(n, at, *message) for n, (at, message) in enumerate(messages)]


def play(
    records: Sequence[Record],
    cuts: Sequence[int] = (),
    restart: bool = False,
    contents: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> ModelStore:
    """The log in batches, with `restart` from the bytes of a checkpoint each time."""
    setup = PipelineSetup(TOPIC, 0, NamespaceKind.LIVE, DOMAINS, PROPERTY_IDS)
    contents = {HELD.version: HELD.to_dict(), **contents}
    pipeline, store = Pipeline(setup), ModelStore()
    parts: dict[str, bytes] = {}
    segments: dict[str, dict[int, bytes]] = {}
    for low, high in pairwise(sorted({0, len(records), *cuts})):
        store.apply(pipeline.process(records[low:high], contents))
        if restart:
            keep_checkpoint(pipeline, parts, segments)
            pipeline = Pipeline(setup)
            pipeline.load(parts, {k: sorted(v.items()) for k, v in segments.items()})
            pipeline.supply(contents)
    return store


def changes(store: ModelStore, rule: str) -> list[tuple[int, Change]]:
    """(minute, change) of a rule's transitions."""
    return [((t["event_ms"] - START_MS) // MINUTE, t["change"]) for t in told(store, rule)]


def told(store: ModelStore, rule: str) -> list[dict[str, Any]]:
    return [t for ts in store.transitions.values() for t in ts if t["rule"] == rule]


def rain(number: int, minute: int, value: float) -> Frame:
    return frame("sky", number, [("g", "toy_rain", minute, value)])


def depth(number: int, minute: int, value: float) -> Frame:
    return frame("street", number, [("s", "toy_depth", minute, value)])


def test_the_reader_sees_accepted_rows_and_only_the_owner_stores_them() -> None:
    sent = (rain(1, 0, 5), rain(2, 0, 5), depth(1, 0, 5), depth(2, 2, 5), 10)
    held = play(log(*sent)).canonical()
    assert len(held["observation"]) == 3
    assert [key[2] for key in held["windows"] if key[0] == 60] == [1, 2]
    columns = ("received", "rejected", "duplicate", "stored")
    rows = {key[1]: [counts[c] for c in columns] for key, counts in held["ledger"].items()}
    assert rows == {"sky": [2, 0, 1, 1], "street": [2, 0, 0, 2]}


def test_a_derived_alert_can_use_what_was_read() -> None:
    store = play(log(depth(1, 0, 3), rain(1, 1, 5), depth(2, 2, 4), depth(3, 3, 5)))
    assert changes(store, "street.wet") == [(3, Change.ONSET), (3, Change.CONFIRMED)]


def test_closed_minutes_hold_what_was_read_with_its_late_comers() -> None:
    store = play(log(rain(1, 0, 5), depth(1, 0, 1), rain(2, 5, 1), depth(2, 5, 1), 20))
    rain_of = {e["start_ms"]: e["payload"]["r"] for e in store.canonical()["episodes"].values()}
    assert rain_of == {START_MS: 5, START_MS + 5 * MINUTE: 1}
    late = frame("sky", 3, [("g", "toy_rain", 0, 7)], START_MS + 21 * MINUTE)
    store = play(log(rain(1, 5, 1), depth(1, 5, 1), depth(2, 0, 1), 20, late, 30))
    rain_of = {e["start_ms"]: e["payload"]["r"] for e in store.canonical()["episodes"].values()}
    assert rain_of[START_MS] == 7


def test_a_row_sent_to_the_reader_itself_is_refused() -> None:
    outcome = Pipeline(PipelineSetup(TOPIC, 0, NamespaceKind.LIVE, DOMAINS, PROPERTY_IDS)).process(
        log(frame("street", 1, [("g", "toy_rain", 0, 5)])), {HELD.version: HELD.to_dict()}
    )
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.UNKNOWN_PROPERTY]


def test_a_property_that_nobody_owns_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match="domain street reads toy_rain: nobody owns it"):
        with_reads(STREET, {"street": STREET})


def test_a_heeding_domain_is_told_of_alerts_and_of_their_end() -> None:
    sent = (depth(1, 0, 0), rain(1, 1, 49), rain(2, 2, 50), depth(2, 2, 0), rain(3, 3, 0), 4)
    store = play(log(*sent))
    assert changes(store, "street.watch") == [
        (3, Change.ONSET),
        (3, Change.CONFIRMED),
        (4, Change.CLEARED),
    ]
    assert {t["subject"] for t in told(store, "street.watch")} == {f"area:{COUNTY}"}


def test_its_own_timer_goes_off_at_its_deadline_not_at_the_tick_that_passes_it() -> None:
    store = play(log(depth(1, 0, 0), rain(1, 2, 50), 30))
    begin = START_MS + 3 * MINUTE + 1
    reminded = told(store, "street.reminder")
    assert [t["event_ms"] for t in reminded][:1] == [begin + REMIND_MS]
    assert all(t["decided_ms"] == t["event_ms"] for t in reminded)


def test_an_alert_of_the_area_goes_stale_with_the_last_sensor_of_its_domain() -> None:
    store = play(log(depth(1, 0, 0), rain(1, 1, 50), 2, 30))
    silent = [(m, c) for m, c in changes(store, "street.watch") if c is Change.STALE]
    assert silent == [(4, Change.STALE)], "three minutes after the depth of minute 0 came"
    assert [c for _, c in changes(store, "sky.heavy")][-1] is Change.STALE


def test_an_alert_of_the_area_ends_when_nothing_of_its_domain_is_left() -> None:
    left = replace(HELD, sensors={n: s for n, s in HELD.sensors.items() if n != "s"})
    records = log(depth(1, 0, 0), rain(1, 1, 50), 2)
    at = START_MS + 3 * MINUTE
    records.append(Record(len(records), at, *encode_control("registry", left.version, at)))
    store = play(records, contents={left.version: left.to_dict()})
    assert changes(store, "street.watch")[-1][1] is Change.RETIRED
    assert changes(store, "sky.heavy")[-1][1] is not Change.RETIRED


@pytest.mark.parametrize("restart", [False, True])
def test_batches_and_restarts_change_nothing(restart: bool) -> None:
    rng = np.random.default_rng(5)
    sent: list[Frame | int] = []
    for number in range(40):
        minute = number + int(rng.integers(-3, 1)) if number > 3 else number
        value = float(rng.integers(0, 70))
        at = START_MS + (number + 1) * MINUTE + 1
        sent.append(frame("sky", number, [("g", "toy_rain", minute, value)], at))
        sent.append(frame("street", number, [("s", "toy_depth", minute, value)], at))
        if number % 7 == 0:
            sent.append(number + 2)
    records = log(*sent, 300)
    whole = play(records).canonical()
    assert whole["transitions"]
    assert whole["episodes"]
    assert play(records, range(len(records)), restart).canonical() == whole
