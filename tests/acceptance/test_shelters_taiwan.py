"""Taiwan's 5,973 evacuation shelters through the domain's own functions (domain.md §4, C).

The registry import has tests of its own; here the rows become points by the columns alone.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from functools import cache

import pytest

from streams.area.view import build_view, parameters_of
from streams.catalog import Profile
from streams.contracts.domain import Point
from streams.contracts.reason import Severity
from streams.contracts.surroundings import OpenAlert, Surroundings
from streams.domains.shelter import DOMAIN, heed, initial, inventory
from streams.domains.shelter.site import Basis, capacity, fit_for
from tests.support.shared_data import shared_data
from tests.support.shelters import COUNTY, town
from tests.support.small_city import START_MS

pytestmark = pytest.mark.acceptance
HAZARDS = {
    "水災": "flood",
    "震災": "earthquake",
    "土石流": "landslide",
    "海嘯": "tsunami",
    "核子事故": "nuclear",
    "坡地災害": "slope",
}
DEFAULTS = parameters_of(DOMAIN, {})


@cache
def points() -> tuple[Point, ...]:
    file = shared_data("shelters-taiwan") / "evacuation_shelters_tw_v9.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as rows:
        return tuple(map(point, csv.DictReader(rows)))


def point(row: Mapping[str, str]) -> Point:
    named = (HAZARDS[h.strip()] for h in row["適用災害類別"].split(",") if h.strip())
    attributes = {"capacity": row["預計收容人數"], "hazards": ",".join(named)}
    name = row["避難收容處所名稱"]
    return Point(row["序號"], "shelter", COUNTY, name, None, None, attributes)


def test_capacity_of_all_and_how_many_have_none() -> None:
    found = [capacity(p, DEFAULTS) for p in points()]
    assert len(found) == 5_973
    assert sum(c.basis is Basis.NOT_POSITIVE for c in found) == 58
    assert sum(c.persons is None for c in found) == 58
    assert sum(c.persons or 0 for c in found) == 2_301_656


def test_in_a_flood_only_those_fit_for_it_are_offered() -> None:
    assert sum(fit_for(p, "flood") for p in points()) == 5_057
    view = build_view(DOMAIN, COUNTY, town(points(), {}), Profile("tw"), None)
    rain = OpenAlert("weather", "weather.rainstorm", None, Severity.BLUE, False, True)
    state = initial(view, None)
    state, calm = heed(state, view, Surroundings(START_MS, 0, ()))
    assert sum(r.payload["offered"] for r in calm.results) == 5_973
    state, flood = heed(state, view, Surroundings(START_MS + 1, 1, (rain,)))
    assert sum(r.payload["offered"] for r in flood.results) == 5_057
    assert flood.judgements == [], "no sensor can call them open: nobody is blamed"
    told = inventory(view, state)
    assert told is not None
    fit = sum(capacity(p, DEFAULTS).persons or 0 for p in points() if fit_for(p, "flood"))
    assert (told["offer"]["shelters"], told["offer"]["capacity"]) == (5_057, fit)
    assert (told["shelters"], told["capacity"]) == (5_973, 2_301_656)


def test_a_name_is_not_an_identity() -> None:
    names = [p.name for p in points()]
    assert len(names) - len(set(names)) == 304
    assert len({p.id for p in points()}) == 5_973
