"""Laws of delivery: order for each alert over any failures, the back-off's bounds, the index."""

from __future__ import annotations

import math
from typing import Any

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from api.delivery.backoff import Backoff
from api.delivery.event import Event
from api.delivery.filter import Filter
from api.delivery.line import Item, Limits, Line
from api.delivery.matching import Facts, Matcher, Wanted, regions_of
from api.delivery.outcome import Outcome, State
from api.delivery.place import METRES_PER_DEGREE, Places, Strip
from streams.contracts.area_code import covers

chances = st.floats(0, 1)


@given(st.integers(1, 60), chances, st.floats(0.01, 10), st.floats(1, 1000))
def test_a_pause_grows_to_its_bound_and_is_never_nothing(
    failures: int, chance: float, first_s: float, most_s: float
) -> None:
    backoff = Backoff(first_s, 2.0, most_s)
    pause = backoff.pause_s(failures, chance)
    assert 0 < min(first_s, most_s) / 2 <= pause <= most_s
    assert backoff.ceiling_s(failures) <= backoff.ceiling_s(failures + 1)
    assert backoff.pause_s(failures, chance, 10_000) == most_s


def test_pauses_without_chance_double() -> None:
    backoff = Backoff(1.0, 2.0, 900.0)
    assert [backoff.pause_s(n, 1.0) for n in (1, 2, 3, 10, 11, 99)] == [1, 2, 4, 512, 900, 900]


def event(sequence: int, alert: str) -> Event:
    return Event(sequence, alert, "330106", "Actual", True, {"alert": alert, "sequence": sequence})


ends = st.sampled_from(["well", "badly", "final"])


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=30),
    st.lists(st.tuples(ends, chances, st.booleans()), max_size=200),
    st.booleans(),
)
def test_order_is_kept_and_every_delivery_ends(
    alerts: list[str], turns: list[tuple[str, float, bool]], latest: bool
) -> None:
    line = Line(Limits(width=3, attempts=4), latest=latest)
    waiting = [Item(event(n, alert), queued_s=0.0) for n, alert in enumerate(alerts)]
    added = 0
    ended: dict[int, State] = {}
    tried: list[tuple[str, int]] = []
    flying: list[Item] = []
    now = 1.0
    for end, chance, add in [*turns, *[("well", 0.5, True)] * (len(alerts) * 20)]:
        if add and added < len(waiting):
            for needless in line.add([waiting[added]]):
                ended[needless.event.sequence] = State.SUPERSEDED
            added += 1
        flying += line.take(now)
        assert len({item.event.alert for item in flying}) == len(flying) <= 3
        if not flying:
            now = max(now, line.due() or now) + 0.001
            continue
        item = flying.pop(0)
        tried.append((item.event.alert, item.event.sequence))
        outcome = Outcome(end == "well", final=end == "final")
        state = line.settle(item, outcome, now, chance).state
        if state is not State.WAITING:
            assert item.event.sequence not in ended
            ended[item.event.sequence] = state
    assert ended.keys() == set(range(len(alerts)))
    assert len(line) == 0
    for alert in set(alerts):
        steps = [sequence for of, sequence in tried if of == alert]
        assert steps == sorted(steps)
        newest = max(n for n, of in enumerate(alerts) if of == alert)
        assert ended[newest] is not State.SUPERSEDED


def test_failures_in_a_row_open_the_circuit_and_one_probe_closes_it() -> None:
    line = Line(Limits(width=4, open_after=3))
    line.add(Item(event(n, f"a{n}"), 0.0) for n in range(8))
    first = line.take(1.0)
    assert len(first) == 4
    for item in first:
        line.settle(item, Outcome(False), 1.0, 1.0)
    assert line.is_open
    assert line.take(1.5) == []
    assert line.due() == 2.0
    (probe,) = line.take(2.0)
    assert line.take(2.0) == []
    line.settle(probe, Outcome(True), 2.1, 1.0)
    assert not line.is_open
    assert len(line.take(2.2)) == 2, "a line that failed widens slowly"


codes = st.sampled_from(["330000", "330100", "330106", "330400", "330402", "320000", "330106001"])
wishes = st.builds(
    lambda areas, polygon, near, domains, severity, statuses, changes: Filter.model_validate(
        {
            "areas": areas,
            "polygon": polygon,
            "near": near,
            "domains": domains,
            "min_severity": severity,
            "statuses": statuses,
            "changes": changes,
        }
    ),
    st.lists(codes, max_size=2),
    st.none() | st.tuples(st.floats(119, 121), st.floats(29, 31)).map(lambda at: square(*at, 0.3)),
    st.none()
    | st.builds(lambda area, m: {"area": area, "within_m": m}, codes, st.floats(1, 100_000)),
    st.lists(st.sampled_from(["air", "traffic"]), max_size=1),
    st.integers(0, 4),
    st.sampled_from([["Actual"], ["Exercise"], ["Actual", "Test"]]),
    st.lists(st.sampled_from(["raised", "cleared"]), max_size=1),
)
facts = st.builds(
    Facts,
    codes,
    st.none() | st.sampled_from(["p0", "p1", "unknown"]),
    st.sampled_from(["air", "traffic"]),
    st.integers(0, 4),
    st.sampled_from(["raised", "cleared", "onset"]),
    st.sampled_from(["Actual", "Exercise", "Test"]),
    st.booleans(),
)


def square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


PLACES = Places(
    shapes={
        "330100": shapely.box(119.5, 29.5, 120.5, 30.5),
        "330400": shapely.box(120.5, 30.3, 121.0, 31.0),
    },
    points={"p0": (120.2, 30.2), "p1": (120.48, 30.4)},
    centres={"330106": (120.1, 30.2)},
)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(wishes, st.booleans(), st.booleans()), max_size=6),
    facts,
)
def test_the_index_finds_what_every_filter_alone_would(
    given_: list[tuple[Filter, bool, bool]], seen: Facts
) -> None:
    wanted = [Wanted(f"s{n}", wish, people) for n, (wish, people, _) in enumerate(given_)]
    told = {f"s{n}" for n, (_, _, was) in enumerate(given_) if was}
    found = Matcher(wanted, PLACES).match(seen, told)
    assert found == [w.subscription for w in wanted if wants(w, seen, w.subscription in told)]


def wants(wanted: Wanted, seen: Facts, told: bool) -> bool:
    """The filter as its words say."""
    wish = wanted.filter
    place = PLACES.of(seen.area, seen.point)
    where = not (wish.areas or wish.polygon or wish.near)
    where = where or any(covers(code, seen.area) for code in wish.areas)
    for region in regions_of(wish, PLACES):
        where = where or (place is not None and region.holds(place))
    return (
        where
        and (not wish.domains or seen.domain in wish.domains)
        and (told or seen.severity >= wish.min_severity)
        and (not wish.changes or seen.change in wish.changes)
        and seen.status in wish.statuses
        and (seen.notify or not wanted.people)
    )


@given(st.floats(-0.3, 0.3), st.floats(100, 30_000))
def test_near_a_border_means_both_its_sides(aside: float, within_m: float) -> None:
    strip = Strip(PLACES.shapes["330100"].boundary, within_m)
    metres = abs(aside) * METRES_PER_DEGREE * math.cos(math.radians(30.0))
    place = shapely.Point(120.5 + aside, 30.0)
    if abs(metres - within_m) > 1.0:
        assert strip.holds(place) == (metres < within_m)
