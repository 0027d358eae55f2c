"""SensorThings over a real database: entities, links, options, pages; any filter is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from api.sensorthings.model import TYPES
from api.sensorthings.translate import FUNCTIONS as _FUNCTIONS
from tests.support.admission import api_served
from tests.support.api_client import get, walk
from tests.support.seed import Seeded
from tests.support.seed_domains import DOMAINS

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration

BASE = "/v1/sensorthings/v1.1"


def ask(client: httpx.Client, path: str, **options: object) -> Any:
    """The JSON of a successful answer; `top=1` is `$top=1`."""
    return get(client, f"{BASE}/{path}", **{f"${name}": text for name, text in options.items()})


def pages(client: httpx.Client, path: str, **options: object) -> Iterator[dict[str, Any]]:
    """All entities of a set, page by page."""
    page = ask(client, path, **options)
    while True:
        yield from page["value"]
        if "@iot.nextLink" not in page:
            return
        answer = client.get(page["@iot.nextLink"])
        assert answer.status_code == 200, answer.text
        page = answer.json()


def datastream(client: httpx.Client, seeded: Seeded) -> int:
    """The depth at the deepest point."""
    (found,) = ask(client, f"Things('{seeded.point}')/Datastreams")["value"]
    number: int = found["@iot.id"]
    return number


def test_the_root_lists_eight_sets_and_what_is_fulfilled(client: httpx.Client) -> None:
    root = get(client, BASE)
    assert {each["name"] for each in root["value"]} == set(TYPES)
    assert len(root["value"]) == 8
    for each in root["value"]:
        assert client.get(each["url"], params={"$top": 1}).status_code == 200
    classes = root["serverSettings"]["conformance"]
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in classes
    assert not [c for c in classes if "create" in c or "mqtt" in c or "function" in c]
    assert get(client, BASE + "/") == root


MANDATORY = {  # 18-088 §8.2, domain.md §7
    "Things": {"name", "description"},
    "Locations": {"name", "description", "encodingType", "location"},
    "HistoricalLocations": {"time"},
    "Datastreams": {"name", "description", "unitOfMeasurement", "observationType"},
    "Sensors": {"name", "description", "encodingType", "metadata"},
    "ObservedProperties": {"name", "definition", "description"},
    "Observations": {"phenomenonTime", "result", "resultTime"},
    "FeaturesOfInterest": {"name", "description", "encodingType", "feature"},
}


@pytest.mark.parametrize("name", list(TYPES))
def test_every_entity_has_its_properties_and_links_that_lead_somewhere(
    client: httpx.Client, name: str
) -> None:
    (entity,) = ask(client, name, top=1)["value"]
    assert MANDATORY[name] <= entity.keys()
    assert all(entity[p] is not None for p in MANDATORY[name] - {"resultTime"})
    alone = client.get(entity["@iot.selfLink"]).json()
    assert alone == entity
    for link in TYPES[name].links:
        answer = client.get(entity[f"{link}@iot.navigationLink"])
        assert answer.status_code == 200, answer.text
        linked = answer.json()
        assert ("value" in linked) == TYPES[name].links[link].many


def test_observations_are_the_readings_exactly_and_in_pages(
    client: httpx.Client, seeded: Seeded
) -> None:
    number = datastream(client, seeded)
    readings = walk(client, f"/v1/points/{seeded.point}/history", 1000)
    found = list(pages(client, f"Datastreams({number})/Observations", top=7))
    assert [o["phenomenonTime"] for o in found] == [r["time"] for r in reversed(readings)]
    assert [o["result"] for o in found] == [r["value"]["number"] for r in reversed(readings)]
    assert len({o["@iot.id"] for o in found}) == 180
    oldest = list(
        pages(client, f"Datastreams({number})/Observations", top=50, orderby="phenomenonTime asc")
    )
    assert oldest == list(reversed(found))
    worst = list(
        pages(client, f"Datastreams({number})/Observations", top=11, orderby="result desc")
    )
    results = [o["result"] for o in worst]
    assert results == sorted(results, reverse=True)
    assert len({o["@iot.id"] for o in worst}) == 180


def test_readings_of_a_property_without_windows_are_found(
    database_url: str, seeded: Seeded
) -> None:
    water = DOMAINS["waterlogging"]
    bare = replace(water, properties=tuple(replace(p, windows_s=()) for p in water.properties))
    domains = {**DOMAINS, "waterlogging": bare}
    with api_served(database_url, seeded.namespace, domains) as client:
        path = f"Datastreams({datastream(client, seeded)})/Observations"
        oldest = ask(client, path, top=1, orderby="phenomenonTime asc", count="true")
    assert oldest["@iot.count"] == 180
    assert oldest["value"][0]["phenomenonTime"] == "2024-09-16T03:30:00+08:00"


def test_results_are_decimals_with_their_digits(client: httpx.Client, seeded: Seeded) -> None:
    number = datastream(client, seeded)
    answer = client.get(f"{BASE}/Datastreams({number})/Observations?$top=1&$select=result")
    reading = walk(client, f"/v1/points/{seeded.point}/history", 1000)[-1]
    assert answer.text.startswith('{"value":[{"result":' + reading["value"]["text"] + "}]")


def test_what_is_not_live_says_so(client: httpx.Client) -> None:
    for name in ("Things", "Datastreams", "Sensors", "Locations", "FeaturesOfInterest"):
        (entity,) = ask(client, name, top=1)["value"]
        assert entity["properties"]["origin"] == "simulated"
    (observation,) = ask(client, "Observations", top=1)["value"]
    assert observation["parameters"]["origin"] == "simulated"


def test_filters_by_time_result_and_linked_entities(client: httpx.Client, seeded: Seeded) -> None:
    number = datastream(client, seeded)
    inside = ask(
        client,
        "Observations",
        filter=f"Datastream/id eq {number} and phenomenonTime ge 2024-09-16T06:00:00+08:00"
        " and phenomenonTime lt 2024-09-16T06:10:00+08:00",
        count="true",
    )
    assert inside["@iot.count"] == len(inside["value"]) == 10
    high = list(
        pages(
            client,
            "Observations",
            filter="result gt 0.5 and Datastream/ObservedProperty/name eq 'depth' and "
            f"Datastream/Thing/properties/area eq '{seeded.county}'",
            top=100,
        )
    )
    assert high
    assert all(o["result"] > 0.5 for o in high)
    assert list(pages(client, "Observations", filter="result gt 100")) == []
    none = ask(
        client, "Observations", filter="phenomenonTime gt 2031-01-01T00:00:00Z", count="true"
    )
    assert none == {"@iot.count": 0, "value": []}


def test_filters_of_things(client: httpx.Client, seeded: Seeded) -> None:
    points = seeded.registry.points

    def ids(filter_text: str) -> set[str]:
        return {t["@iot.id"] for t in pages(client, "Things", filter=filter_text, top=1000)}

    county = {p.id for p in points.values() if p.area == seeded.county}
    assert ids(f"properties/area eq '{seeded.county}'") == county
    assert ids(f"id eq '{seeded.point}' or @iot.id eq 'nothing'") == {seeded.point}
    name = points[seeded.point].name
    assert ids(f"name eq '{name}' and startswith(name, '{name[:2]}')") == {seeded.point}
    assert ids(f"substringof('{name[2:]}', name)") >= {seeded.point}
    gauges = {p.id for p in points.values() if p.type == "rain_gauge"}
    assert ids("properties/type eq 'rain_gauge'") == gauges
    assert ids("Datastreams/ObservedProperty/name eq 'rain'") == gauges
    assert ids("not (properties/type ne 'rain_gauge')") == gauges
    tidal = {p.id for p in points.values() if p.attributes.get("tidal") == "yes"}
    assert ids("properties/tidal eq 'yes'") == tidal
    square = "geography'POLYGON((121 28.5, 121.5 28.5, 121.5 29.2, 121 29.2, 121 28.5))'"
    inside = {
        p.id
        for p in points.values()
        if p.lon and p.lat and 121 <= p.lon <= 121.5 and 28.5 <= p.lat <= 29.2
    }
    assert ids(f"st_within(Locations/location, {square})") == inside
    assert inside


def test_expansions_go_deep_and_carry_their_pages(client: httpx.Client, seeded: Seeded) -> None:
    thing = ask(
        client,
        f"Things('{seeded.point}')",
        select="name",
        expand="Datastreams($expand=ObservedProperty($select=name),"
        "Observations($top=2;$orderby=phenomenonTime desc;$count=true)),"
        "Locations($select=location)",
    )
    assert thing.keys() == {"name", "Datastreams", "Locations"}
    (stream,) = thing["Datastreams"]
    assert stream["ObservedProperty"] == {"name": "depth"}
    newest = stream["Observations"]
    assert [o["phenomenonTime"] for o in newest] == [
        "2024-09-16T06:29:00+08:00",
        "2024-09-16T06:28:00+08:00",
    ]
    assert stream["Observations@iot.count"] == 180
    following = client.get(stream["Observations@iot.nextLink"]).json()["value"]
    assert [o["phenomenonTime"] for o in following] == [
        "2024-09-16T06:27:00+08:00",
        "2024-09-16T06:26:00+08:00",
    ]
    joined = ask(
        client, f"Things('{seeded.point}')", expand="Datastreams/Sensor,Datastreams/Observations"
    )
    assert joined["Datastreams"][0]["Sensor"]["metadata"]["properties"] == ["depth"]
    assert len(joined["Datastreams"][0]["Observations"]) == 100


def test_properties_values_and_references(client: httpx.Client, seeded: Seeded) -> None:
    name = seeded.registry.points[seeded.point].name
    path = f"Things('{seeded.point}')/name"
    assert ask(client, path) == {"name": name}
    bare = client.get(f"{BASE}/{path}/$value")
    assert (bare.text, bare.headers["content-type"]) == (name, "text/plain; charset=utf-8")
    references = ask(client, "Things/$ref", top=2)["value"]
    assert all(client.get(r["@iot.selfLink"]).status_code == 200 for r in references)
    number = datastream(client, seeded)
    one = ask(client, f"Datastreams({number})/Thing/$ref")
    assert one["@iot.selfLink"].endswith(f"Things('{seeded.point}')")
    newest = ask(client, f"Datastreams({number})/Observations", top=1)["value"][0]["@iot.id"]
    assert client.get(f"{BASE}/Observations('{newest}')/resultTime/$value").status_code == 204
    text = client.get(f"{BASE}/Observations('{newest}')/result/$value").text
    result = ask(client, f"Observations('{newest}')")["result"]
    assert text == f"{result:.3f}"


def test_links_keep_the_namespace_that_was_asked_for(client: httpx.Client, seeded: Seeded) -> None:
    answer = client.get(f"{BASE}/Things?$top=1&namespace={seeded.namespace}").json()
    assert answer["@iot.nextLink"].endswith(f"&namespace={seeded.namespace}")
    (thing,) = answer["value"]
    assert thing["@iot.selfLink"].endswith(f"?namespace={seeded.namespace}")
    assert client.get(f"{BASE}/Things?namespace=not_there").status_code == 404


def test_freshness_and_entity_tags_are_in_the_headers(client: httpx.Client) -> None:
    first = client.get(f"{BASE}/Things?$top=1")
    assert first.headers["citybrain-as-of"] == "2024-09-16T06:30:00+08:00"
    again = client.get(f"{BASE}/Things?$top=1", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(client: httpx.Client, method: str) -> None:
    for path in ("Things", "Things('x')", "Things/$ref"):
        answer = client.request(method, f"{BASE}/{path}", json={})
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Things('nothing')", 404),
        ("Datastreams(1)", 404),
        ("Datastreams(99999999999999999999999)", 404),
        ("Observations('x')", 404),
        ("Observations('99999999999-1')", 404),
        ("Observations('1-99999999999999')", 404),
        ("Things('nothing')/Datastreams", 404),
        ("Things?$filter=name eq", 400),
        ("Things?$unknown=1", 400),
        ("Things?$resultFormat=dataArray", 501),
        ("?$top=1", 400),
        ("Things('%00')", 400),
        ("Things?$filter=name eq '%00'", 400),
        ("Things?$skiptoken=WyJ4Il0", 400),
        ("Observations?$filter=result div (result sub result) eq 1", 400),
        ("Things?$filter=substring(name, 99999999999) eq 'x'", 400),
        ("Things?$filter=" + quote("1e999 mul 1e999 " * 1 + "mul 1e999 " * 190 + "eq 1"), 400),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(f"{BASE}/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_too_much_at_once_is_refused_and_expanded_pages_are_short(
    client: httpx.Client, seeded: Seeded
) -> None:
    assert len(ask(client, "Things", top=1000, expand="Locations")["value"]) == 100
    number = datastream(client, seeded)
    inside = "Observations($expand=FeatureOfInterest/Observations($top=1))"
    few = ask(client, f"Datastreams({number})", expand=inside.replace("($e", "($top=2;$e"))
    assert len(few["Observations"]) == 2
    deep = "Observations($expand=FeatureOfInterest($expand=Observations($expand=Datastream)))"
    assert client.get(f"{BASE}/Datastreams({number})?$expand={deep}").status_code == 400


def test_options_of_a_set_have_no_meaning_for_one(client: httpx.Client, seeded: Seeded) -> None:
    for option in ("$top=1", "$filter=true", "$count=true"):
        assert client.get(f"{BASE}/Things('{seeded.point}')?{option}").status_code == 400


TEXT = some.text(some.characters(codec="utf-8"), max_size=40)
OPERATORS = ["eq", "ne", "gt", "ge", "lt", "le", "and", "or", "add", "sub", "mul", "div", "mod"]
FUNCTIONS = [*_FUNCTIONS, "year", "frobnicate"]
NAMES = sorted({name for t in TYPES.values() for name in (*t.fields, "id", *t.links)})
LEAVES = some.one_of(
    some.sampled_from(NAMES),
    some.sampled_from(["Datastream/id", "Thing/name", "Datastreams/Thing/name", "null", "true"]),
    some.integers(-(10**30), 10**30).map(str),
    some.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    TEXT.map(lambda t: "'" + t.replace("'", "''") + "'"),
    some.datetimes(min_value=datetime(1, 1, 1)).map(lambda t: t.isoformat() + "Z"),
    some.just("geography'POLYGON((0 0,130 0,130 50,0 0))'"),
)
EXPRESSIONS = some.recursive(
    LEAVES,
    lambda inner: some.one_of(
        some.tuples(
            inner,
            some.sampled_from(OPERATORS),
            inner,
        ).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda e: f"not ({e})"),
        some.tuples(
            some.sampled_from(FUNCTIONS),
            some.lists(inner, min_size=1, max_size=3),
        ).map(lambda p: f"{p[0]}({','.join(p[1])})"),
    ),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(some.sampled_from(sorted(TYPES)), some.one_of(TEXT, EXPRESSIONS))
def test_any_filter_is_answered_or_refused(client: httpx.Client, name: str, text: str) -> None:
    answer = client.get(f"{BASE}/{name}", params={"$filter": text, "$top": 2})
    assert answer.status_code in (200, 400, 501), (text, answer.text)


@settings(max_examples=60, deadline=None)
@given(
    some.sampled_from(["$orderby", "$select", "$expand", "$skiptoken", "$top", "$skip", "$count"]),
    some.one_of(TEXT, some.sampled_from(NAMES).map(lambda n: n + " desc"), EXPRESSIONS),
)
def test_any_option_is_answered_or_refused(client: httpx.Client, option: str, text: str) -> None:
    answer = client.get(f"{BASE}/Datastreams", params={option: text})
    assert answer.status_code in (200, 400, 501), (text, answer.text)


@settings(max_examples=60, deadline=None)
@given(
    some.one_of(
        TEXT,
        some.lists(
            some.sampled_from(
                ["Things", "('x')", "(5)", "/", "Datastreams", "Thing", "$ref", "$value", "name"]
            ),
            max_size=8,
        ).map("".join),
    )
)
def test_any_path_is_answered_or_refused(client: httpx.Client, path: str) -> None:
    escaped = quote(path, safe="/()'$")
    answer = client.get(f"{BASE}/{escaped}")
    assert answer.status_code in (200, 400, 404), (path, answer.text)
