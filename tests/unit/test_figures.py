"""Figures of waterlogging: row 13, daily points and peaks, tidal points apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.area.view import build_view
from streams.catalog import Profile
from streams.contracts.domain import AreaView, HourMatrix, Payload, Point, empty_matrix
from streams.domains.waterlogging import DOMAIN, figures
from tests.support.small_city import COUNTIES, START_MS, registry

COUNTY = COUNTIES[0]
PARAMETERS = {p.key: p.default for p in DOMAIN.parameters}
M = 10**6


def view(**tidal: str) -> AreaView:
    """Three flood points; e.g. `p1="yes"` is tidal."""
    held = registry()
    points = dict(held.points)
    for name, value in tidal.items():
        old = points[f"{COUNTY}-{name}"]
        points[old.id] = replace(old, attributes={**old.attributes, "tidal": value})
    return build_view(DOMAIN, COUNTY, replace(held, points=points), Profile("t"), None)


def matrix(seen: AreaView, **peaks_m: float) -> HourMatrix:
    """One good reading in the first hour for each point named."""
    made = empty_matrix(len(seen.series_sensor), START_MS)
    for name, peak in peaks_m.items():
        series = seen.series_name.index(f"{COUNTY}-{name}")
        made.n[series, 0] = 1
        made.high[series, 0] = made.low[series, 0] = made.total[series, 0] = round(peak * M)
    return made


def inventory(done: int, of: int, relapsed: list[str] | None = None) -> Payload:
    return {"inventory": of, "eliminated": done, "relapse_proposed": relapsed or []}


@pytest.mark.parametrize(
    ("done", "of", "shown"),
    [(250, 250, "100.0"), (249, 250, "99.6"), (0, 250, "0.0"), (1, 3, "33.3"), (1, 16, "6.3")],
)
def test_row_13_is_signed_off_over_the_frozen_inventory(done: int, of: int, shown: str) -> None:
    fact = figures.elimination("county", {"a": inventory(done, of)}, PARAMETERS)
    assert fact is not None
    assert (fact.value, fact.numerator, fact.denominator) == (shown, str(done), str(of))


def test_points_found_later_never_enter_the_denominator() -> None:
    """250 of 250, then ten more points: still 100.0 (domain.md §2.4)."""
    held = registry().points[f"{COUNTY}-p0"]
    old = [replace(held, id=f"o{n}") for n in range(250)]
    later = [replace(held, id=f"n{n}", attributes={"signoff": "登记"}) for n in range(10)]
    seen = replace(view(), points=(*old, *later))
    partial = figures.inventory(seen, {})
    assert partial is not None
    fact = figures.elimination("county", {"a": partial}, PARAMETERS)
    assert fact is not None
    assert (fact.value, fact.denominator) == ("100.0", "250")


def test_a_proposed_relapse_is_told_and_changes_nothing() -> None:
    partial = figures.inventory(view(), {f"{COUNTY}-p1": 5})
    assert partial == inventory(3, 3, [f"{COUNTY}-p1"])
    fact = figures.elimination("county", {"a": partial}, PARAMETERS)
    assert fact is not None
    assert (fact.value, fact.detail["relapse_proposed"]) == ("100.0", [f"{COUNTY}-p1"])


def test_the_city_adds_counts_and_never_averages_shares() -> None:
    members = {"a": inventory(1, 1), "b": inventory(0, 9)}
    fact = figures.elimination("city", members, PARAMETERS)
    assert fact is not None
    assert fact.value == "10.0"


def test_without_an_inventory_there_is_no_share() -> None:
    empty = replace(view(), points=(Point("x", "flood_point", COUNTY, "x", None, None, {}),))
    assert figures.inventory(empty, {}) is None
    assert figures.elimination("county", {}, PARAMETERS) is None


def test_a_point_floods_at_fifteen_centimetres() -> None:
    seen = view()
    partial = figures.daily(seen, matrix(seen, p0=0.149999, p1=0.15, p2=0.0)).partial
    assert partial is not None
    assert (partial["points"], partial["reporting"], partial["flooded"]) == (3, 3, 1)
    assert partial["peak"] == 150_000


def test_silent_points_widen_the_bounds() -> None:
    seen = view()
    partial = figures.daily(seen, matrix(seen, p0=0.3)).partial
    assert partial is not None
    fact = figures.flooded_points("county", {"a": partial}, PARAMETERS)
    assert fact is not None
    assert (fact.value, fact.lower, fact.upper, fact.have, fact.want) == ("1", "1", "3", 1, 3)


def test_tidal_points_stand_apart() -> None:
    seen = view(p1="yes")
    partial = figures.daily(seen, matrix(seen, p0=0.2, p1=2.0)).partial
    assert partial is not None
    assert (partial["points"], partial["flooded"], partial["tidal_flooded"]) == (2, 1, 1)
    assert partial["peak"] == 200_000


def test_a_day_without_readings_states_no_peak() -> None:
    seen = view()
    partial = figures.daily(seen, matrix(seen)).partial
    assert partial is not None
    assert partial["peak"] is None
    assert figures.peak_depth("county", {"a": partial}, PARAMETERS) is None
    assert figures.flooded_points("county", {}, PARAMETERS) is None


def test_bad_readings_alone_are_no_report() -> None:
    seen = view()
    made = matrix(seen)
    made.bad[:, 3] = 5
    partial = figures.daily(seen, made).partial
    assert partial is not None
    assert (partial["reporting"], partial["flooded"]) == (0, 0)


def test_the_greatest_depth_names_its_area() -> None:
    members: dict[str, Payload] = {
        "a": {"peak": 310_000, "reporting": 2, "points": 3},
        "b": {"peak": None, "reporting": 0, "points": 1},
    }
    fact = figures.peak_depth("city", members, PARAMETERS)
    assert fact is not None
    assert (fact.value, fact.detail["at_area"], fact.have, fact.want) == ("0.31", "a", 2, 4)
