"""Laws of the shelter domain: exact comparison, a balance that no order of arrival can change."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alerting.rule import fill
from streams.area.view import parameters_of
from streams.domains.shelter import DOMAIN, OCCUPANCY
from streams.domains.shelter.balance import (
    CHECK_IN,
    CHECK_OUT,
    NONE,
    OCCUPANTS,
    Balance,
    feed_all,
    share,
)
from streams.domains.shelter.occupancy import level
from tests.support.shelters import GATEWAY, ShelterTown, shelter, town
from tests.support.timeline import moment

START = moment("08:00")
WINDOW_MS = 300_000
PERSONS = st.integers(0, 400)
SENSORS = {"occupants": "counter", "check_in": "door", "check_out": "door"}
EVENTS = st.dictionaries(
    st.tuples(st.integers(0, 340), st.sampled_from(sorted(SENSORS))), PERSONS, max_size=40
)
Events = Mapping[tuple[int, str], int]


@given(
    capacity=st.integers(1, 10**6),
    occupants=st.integers(0, 2 * 10**6),
    hundredths=st.integers(9_501, 20_000),
)
def test_tiers_are_judged_exactly_for_every_capacity_and_two_decimals(
    capacity: int, occupants: int, hundredths: int
) -> None:
    red = f"{hundredths // 100}.{hundredths % 100:02d}"
    parameters = parameters_of(DOMAIN, {"shelter.occupancy.red_over_pct": red})
    percent = Fraction(100 * occupants, capacity)
    expected = sum((percent >= 80, percent >= 95, percent > Fraction(red)))
    assert fill(OCCUPANCY, parameters).tier(share(occupants, capacity)) == expected
    named = {0: (None, "watch"), 1: ("yellow",), 2: ("orange",), 3: ("red",)}
    assert level(occupants, capacity, parameters) in named[expected]


@given(capacity=st.integers(1, 10**6))
def test_full_is_orange_and_one_more_is_red(capacity: int) -> None:
    rule = fill(OCCUPANCY, parameters_of(DOMAIN, {}))
    assert rule.tier(share(capacity, capacity)) == 2
    assert rule.tier(share(capacity + 1, capacity)) == 3


READINGS = st.lists(st.tuples(st.sampled_from((OCCUPANTS, CHECK_IN, CHECK_OUT)), PERSONS))


@given(before=READINGS, count=PERSONS, after=READINGS)
def test_never_negative_and_a_count_forgets_what_was_before(
    before: list[tuple[int, int]], count: int, after: list[tuple[int, int]]
) -> None:
    balance, fresh = Balance(), Balance()
    feed_all(balance, ((t, prop, value, 0) for t, (prop, value) in enumerate(before)))
    assert balance.occupants >= 0
    feed_all(balance, [(1_000, OCCUPANTS, count, 0)])
    assert (balance.occupants, balance.short_ms, balance.short_by) == (count, NONE, 0)
    tail = [(1_001 + t, prop, value, 0) for t, (prop, value) in enumerate(after)]
    feed_all(balance, tail)
    feed_all(fresh, [(1_000, OCCUPANTS, count, 0), *tail])
    assert balance == fresh


def expected(events: Events) -> dict[int, int]:
    """Occupants at the end of every window with a reading, by an oracle of its own."""
    order = {"check_in": 0, "check_out": 1, "occupants": 2}
    persons, found = 0, {}
    for (minute, prop), value in sorted(events.items(), key=lambda e: (e[0][0], order[e[0][1]])):
        step = {"occupants": value - persons, "check_in": value, "check_out": -value}[prop]
        persons = max(0, persons + step)
        found[(START + minute * 60_000) // WINDOW_MS * WINDOW_MS] = persons
    return found


@given(events=EVENTS, order=st.randoms(use_true_random=False), batch=st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_the_order_of_arrival_inside_the_horizon_changes_no_result(
    events: Events, order: Random, batch: int
) -> None:
    """Half of the readings come after the watermark has passed all of them."""
    sensors = {"counter": ("s", ("occupants", "open")), "door": ("s", ("check_in", "check_out"))}
    city = ShelterTown(town([shelter("s")], sensors))
    rows = [(SENSORS[p], p, START + m * 60_000, float(v)) for (m, p), v in events.items()]
    order.shuffle(rows)
    half = len(rows) // 2
    later = START + 350 * 60_000
    for number, low in enumerate(range(0, half, batch)):
        city.rows(rows[low : min(low + batch, half)], later + number)
    city.rows([("counter", "open", later, 1.0)], later + 1_000)
    for number, low in enumerate(range(half, len(rows), batch)):
        city.rows(rows[low : low + batch], later + 120_000 + number, GATEWAY)
    found = {
        start: payload["occupants"]
        for (kind, _, start, _), payload in city.store.results.items()
        if kind == "shelter.occupancy"
    }
    assert found == expected(events)
    open_tickets = sum(-1 if closed else 1 for _, closed in city.tickets())
    assert open_tickets == falls_short(events)


def falls_short(events: Events) -> int:
    """1 when since the last count more have left than were there."""
    order = {"check_in": 0, "check_out": 1, "occupants": 2}
    persons = short = 0
    for (_, prop), value in sorted(events.items(), key=lambda e: (e[0][0], order[e[0][1]])):
        if prop == "occupants":
            persons, short = value, 0
        else:
            persons += value if prop == "check_in" else -value
            short, persons = (1, 0) if persons < 0 else (short, persons)
    return short
