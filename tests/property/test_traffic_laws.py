"""Laws of traffic: the index grows with delay, lies between its links, and order means nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.catalog import Registry
from streams.contracts.domain import DAY_MS, HOUR_MS, Point
from streams.domains.traffic.grade import dtp_of, grade_of, tpi_of, tti_of
from streams.domains.traffic.link import links_of
from streams.domains.traffic.measure import Measure, registered, state_of
from streams.domains.traffic.network import Sums, index_of
from tests.support.small_city import START_MS, Sent, as_records, run
from tests.support.traffic_area import (
    COUNTY,
    FIVE_MIN_MS,
    MIN_MS,
    Reading,
    frame,
    link,
    registry_of,
    view_of,
)

FEW = settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
LAWS = settings(max_examples=200, deadline=None, derandomize=True)
RATIOS = st.fractions(min_value=0, max_value=2, max_denominator=10_000)


@given(one=RATIOS, other=RATIOS)
@LAWS
def test_slower_is_never_better(one: Fraction, other: Fraction) -> None:
    slow, fast = sorted((one, other))
    worse, better = dtp_of(slow * 60_000, 60_000), dtp_of(fast * 60_000, 60_000)
    assert worse >= better
    assert tpi_of(worse) >= tpi_of(better)
    assert grade_of(worse) >= grade_of(better)
    assert (tpi_of(worse) > tpi_of(better)) is (worse > better)


@given(ratio=RATIOS)
@LAWS
def test_tpi_dtp_and_tti_tell_the_same_grade(ratio: Fraction) -> None:
    dtp = dtp_of(ratio, 1)
    grade = int(grade_of(dtp))
    assert 2 * (grade - 1) <= tpi_of(dtp) <= 2 * grade
    tti = tti_of(dtp)
    assert tti is None or 1 - 1 / tti == dtp


LINKS = st.lists(
    st.tuples(
        st.integers(1, 5_000),  # length, m
        st.integers(1, 120),  # free flow, km/h
        st.integers(1, 130),  # speed, km/h
        st.integers(0, 500),  # vehicles
    ),
    min_size=1,
    max_size=8,
)


@given(drawn=LINKS, weight=st.sampled_from(["vehicle_km", "length"]), order=st.randoms())
@LAWS
def test_the_area_lies_between_its_links_in_any_order(
    drawn: list[tuple[int, int, int, int]], weight: str, order: Random
) -> None:
    points = [
        link(str(n), length_m=str(length), free_flow_kmh=str(free))
        for n, (length, free, _, _) in enumerate(drawn)
    ]
    known = list(zip(links_of(view_of(points)), drawn, strict=True))
    order.shuffle(known)
    sums, each = Sums(), []
    for one, (length, _, speed, vehicles) in known:
        time_us = 1000 * round(Fraction(length * 3_600_000, speed))
        measured = Measure(Fraction(speed * 1000), time_us, vehicles, "speed")
        state = state_of(one, measured, registered(one))
        assert state is not None
        assert state.free_us is not None
        sums.want(one, registered(one))
        sums.add(one, state)
        if weight == "length" or vehicles or not any(d[3] for d in drawn):
            each.append(1 - Fraction(state.free_us, time_us))
    index = index_of(sums, weight)
    assert index is not None
    assert min(each) <= index.dtp <= max(each)
    assert (index.lower, index.upper) == (None, None)


# through the pipeline ---------------------------------------------------------------------------

STREETS = (link("a"), link("b", length_m="700"), link("c", free_flow_kmh=""))
POND = Point("pond", "flood_point", COUNTY, "pond", None, None, {"link": "a"})


def intervals(rng: np.random.Generator, count: int, start_ms: int) -> list[list[Reading]]:
    """A morning: speeds fall and rise, a link is silent now and then."""
    found = []
    for number in range(count):
        level = 60 * (1 - 0.8 * abs(np.sin(number / 7))) * float(rng.uniform(0.8, 1.1))
        time_ms = start_ms + number * FIVE_MIN_MS
        rows = [Reading("a", "speed", time_ms, round(level, 1))]
        for name in ("b", "c"):
            if rng.random() < 0.9:
                rows.append(Reading(name, "speed", time_ms, round(level * 0.9, 1)))
                rows.append(Reading(name, "vehicle_count", time_ms, int(rng.integers(0, 40))))
        found.append(rows)
    return found


def send(found: Sequence[list[Reading]], order: Sequence[int], start_ms: int) -> list[Sent]:
    """A frame for each interval in this order, after all of them have ended; then quiet."""
    begin = start_ms + (len(found) + 1) * FIVE_MIN_MS
    sent = [
        frame(interval, begin + place * 1000, "traffic", found[interval])
        for place, interval in enumerate(order)
    ]
    return [*sent, Sent(None, tick_ms=begin + DAY_MS)]


@given(seed=st.integers(0, 10_000))
@FEW
def test_intervals_in_any_order_leave_what_those_in_order_leave(seed: int) -> None:
    """Six intervals: half an hour, all of it inside the horizon."""
    rng = np.random.default_rng(seed)
    held, found = registry_of(STREETS), intervals(rng, 6, START_MS + 8 * HOUR_MS)
    straight = run(as_records(send(found, range(6), START_MS + 8 * HOUR_MS), held), held)
    mixed = rng.permutation(6).tolist()
    shuffled = run(as_records(send(found, mixed, START_MS + 8 * HOUR_MS), held), held)
    for what in ("observation", "windows", "results", "partials", "episodes"):
        assert shuffled.canonical()[what] == straight.canonical()[what], what
    assert straight.results


def live(found: Sequence[list[Reading]], start_ms: int) -> list[Sent]:
    """Each interval as it ends, with ticks between."""
    sent: list[Sent] = []
    for number, rows in enumerate(found):
        end = start_ms + (number + 1) * FIVE_MIN_MS
        sent.append(frame(number, end + 5_000, "traffic", rows))
        sent.append(Sent(None, tick_ms=end + 2 * MIN_MS))
    return [*sent, Sent(None, tick_ms=start_ms + len(found) * FIVE_MIN_MS + DAY_MS)]


@pytest.mark.parametrize("seed", [1, 2])
def test_learning_and_floods_survive_every_split_and_restart(seed: int) -> None:
    """Two nights teach link c, which counts in hours of the third day; a pond floods link a; cut
    and restarted anywhere it is the same."""
    rng = np.random.default_rng(seed)
    held: Registry = registry_of((*STREETS, POND))
    sent: list[Sent] = []
    for day in range(2):
        start = START_MS + day * DAY_MS
        sent += live(intervals(rng, 7 * 12, start), start)[:-1]
    pond = [START_MS + DAY_MS + 7 * HOUR_MS + n * 30_000 for n in range(20)]
    rows = [Reading("pond", "depth", time, 0.4) for time in pond]
    sent.append(frame(0, pond[-1] + 1000, "waterlogging", rows))
    after = START_MS + DAY_MS + 7 * HOUR_MS + 10 * MIN_MS
    sent += live(intervals(rng, 8, after), after)[:-1]
    third = START_MS + 2 * DAY_MS
    sent += live(intervals(rng, 14, third), third)
    (records,) = as_records(sent, held).values()
    whole = run({0: records}, held).canonical()
    origins = {p.get("free_flow_origin") for p in whole["results"].values()}
    assert origins >= {"registry", "learnt", None}
    assert any(e["kind"] == "traffic.flooded" for e in whole["episodes"].values())
    counted = {
        start: partial["learnt"]
        for (_, domain, period, start), partial in whole["partials"].items()
        if (domain, period) == ("traffic", "hour")
    }
    assert {start for start, learnt in counted.items() if learnt} == {third}
    cuts = sorted(rng.integers(1, len(records), 15).tolist())
    assert run({0: records}, held, {0: cuts}, restarts=cuts).canonical() == whole
