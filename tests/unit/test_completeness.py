"""How much of an area speaks: counted where silence is judged, summed up by city."""

from __future__ import annotations

import numpy as np

from streams.area.devices import Devices
from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.completeness import Completeness
from streams.contracts.domain import Point
from streams.contracts.outcome import RegionMessage, Transition
from streams.domains import find_domains
from streams.quality.silence import Silence, SilenceLimits
from streams.resilience.composite import completeness, member, risk, roll_up
from tests.support.region_bench import Bench
from tests.support.small_city import as_records, hostile, registry, run
from tests.support.toy_level import COUNTIES, partial, silence, watermark

COUNTY = "330106"
POINTS = {"s1": "p1", "s2": "p1", "s3": "p2", "s4": "p3"}
A, B, _ = COUNTIES
T0 = 1_700_006_400_000
H = 3_600_000


def county(without: str = "") -> Registry:
    sensors = {
        name: Sensor(number, name, point, "gw", ("depth",))
        for number, (name, point) in enumerate(POINTS.items())
        if name != without
    }
    points = {p: Point(p, "flood_point", COUNTY, p, None, None, {}) for p in POINTS.values()}
    return Registry(
        {COUNTY: Area(COUNTY, "county", None, "西湖区", "Xihu")},
        points,
        sensors,
        {"gw": Gateway("gw", COUNTY)},
        {COUNTY: 0},
        1,
    )


def devices() -> tuple[Devices, Silence]:
    held = Silence(SilenceLimits())
    made = Devices(held)
    made.fit(COUNTY, county(), find_domains())
    return made, held


def hear(held: Silence, at_ms: int, *numbers: int) -> None:
    held.hear(np.array(numbers, np.int32), at_ms)


def until(held: Silence, at_ms: int) -> None:
    while (due := held.due()) is not None and due[0] <= at_ms:
        held.fire(due[2])


def test_a_point_reports_while_one_of_its_sensors_speaks() -> None:
    made, held = devices()
    assert made.complete() == Completeness(3, 0, True), "nothing was ever heard"
    hear(held, 0, 0)
    assert made.complete() == Completeness(3, 1, False)
    hear(held, 1_000, 1)
    assert made.complete() == Completeness(3, 1, False), "the same point"
    hear(held, 2_000, 2)
    assert made.complete() == Completeness(3, 2, False)
    hear(held, 100_000, 1)
    until(held, 120_000)
    assert made.complete() == Completeness(3, 2, False), "its other sensor speaks"
    until(held, 122_000)
    assert made.complete() == Completeness(3, 1, False)
    hear(held, 130_000, 2)
    assert made.complete() == Completeness(3, 2, False)


def test_a_silent_gateway_makes_it_unknown() -> None:
    made, held = devices()
    hear(held, 0, 0, 1, 2, 3)
    until(held, 600_000)
    assert made.complete() == Completeness(3, 0, True)
    hear(held, 601_000, 3)
    assert made.complete() == Completeness(3, 1, False)


def test_what_leaves_the_registry_is_no_point_of_it() -> None:
    made, held = devices()
    hear(held, 0, 0, 1, 2, 3)
    made.fit(COUNTY, county(without="s4"), find_domains())
    assert made.complete() == Completeness(2, 2, False)


def test_the_counts_travel_with_the_colour_and_are_summed() -> None:
    one = risk(A, [], newest_ms={}, gateways_down=False, decided_ms=1, complete=three(2))
    other = risk(B, [], newest_ms={}, gateways_down=True, decided_ms=1, complete=three(0))
    assert completeness(one) == Completeness(3, 2, False)
    members = {A: member(one), B: member(other)}
    city = roll_up("330100", members, 2, 1)
    assert completeness(city) == Completeness(6, 2, False)
    assert completeness(roll_up("330000", {"330100": member(city)}, 1, 1)) == Completeness(
        6, 2, False
    )
    own = risk("330100", [], newest_ms={}, gateways_down=False, decided_ms=1)
    assert completeness(own) is None
    assert completeness(roll_up("330100", members | {"330100": member(own)}, 2, 1)) == Completeness(
        6, 2, False
    )


def three(reporting: int) -> Completeness:
    return Completeness(3, reporting, reporting == 0)


def told(area: str, proc_ms: int, reporting: int) -> RegionMessage:
    found = risk(
        area, [], newest_ms={}, gateways_down=False, decided_ms=1, complete=three(reporting)
    )
    return RegionMessage(area, 9, proc_ms, "risk", "", "", 0, member(found), "closed", 1)


def test_a_citys_alert_says_what_its_counties_have_told() -> None:
    bench = Bench()
    assert [t.completeness for t in raised(bench)] == [None, None], "nobody has told yet"
    bench = Bench()
    bench.apply(told(A, T0, 3), told(B, T0, 1))
    assert [t.completeness for t in raised(bench)] == [Completeness(6, 4, False)] * 2


def raised(bench: Bench) -> list[Transition]:
    return bench.apply(partial(A, T0 + H, T0, [500]), watermark(A, T0 + H, T0 + H)).transitions


def test_a_gateways_alert_says_it_of_the_county_it_stands_in() -> None:
    bench = Bench()
    bench.apply(told(A, T0, 2), told(B, T0, 1))
    found = []
    for number, area in enumerate(COUNTIES):
        found += bench.apply(silence(area, T0 + 1 + number, 3, 3)).transitions
    assert found
    assert {t.completeness for t in found if t.area == A} == {Completeness(3, 2, False)}


def test_every_transition_of_a_hostile_day_carries_it() -> None:
    held = registry()
    store = run(as_records(hostile(3), held), held)
    found = [one["completeness"] for each in store.transitions.values() for one in each]
    assert found
    assert {one["points"] for one in found} == {5}
    assert len({one["reporting"] for one in found}) > 1, "sensors fall silent on such a day"
