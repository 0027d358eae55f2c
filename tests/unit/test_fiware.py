"""Entities of Smart Data Models: every one valid, nothing invented, nothing passed off as live."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.exact import unscaled
from api.fiware.entity import (
    Found,
    Hazard,
    Place,
    Term,
    Where,
    alert,
    key_values,
    normalized,
    number,
    observed,
    utc,
)
from api.fiware.gather import thresholds
from api.fiware.models import AIR, CATEGORIES, FLOOD, MODELS, TRAFFIC, WEATHER, Model, category
from api.latest import LatestValue
from streams.contracts.domain import Domain, Parameter, TierRule, Title
from streams.contracts.reason import Severity
from tests.support.data_models import mistakes, validator
from tests.support.shared_data import shared_data

NOW = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
LIVE = Where("citybrain", "live")
PLAY = Where("play", "simulated")
PLACE = Place("p-1", "文三路", "330106", "西湖区", 120.1, 30.2)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def value(property_name: str, number: int, scale: int = 0, **changes: Any) -> LatestValue:
    given: dict[str, Any] = {
        "sensor": f"s-{property_name}",
        "property": property_name,
        "unit": "u",
        "value": unscaled(number, scale),
        "time": NOW,
        "flag": 1,
        "quality": "good",
        "age_s": 0.0,
        "silent": False,
    }
    return LatestValue(**given | changes)


def entity_of(model: Model, *values: LatestValue, **more: Any) -> dict[str, Any]:
    terms = observed(
        model, more.pop("place", PLACE), values, more.pop("where", LIVE), {"pm25": 3600}, **more
    )
    assert terms is not None
    return key_values(terms)


def hazard(**changes: Any) -> Hazard:
    return replace(
        Hazard(
            id="a-1",
            title="积水深度 water depth",
            domain="waterlogging",
            rule="waterlogging.depth",
            subject="p-1",
            origin="live",
            severity=3,
            onset=NOW,
            updated=NOW + timedelta(minutes=3),
            ended=None,
            valid_until=NOW + timedelta(hours=1),
            data={"value": "31.0"},
        ),
        **changes,
    )


@pytest.mark.parametrize("name", sorted(MODELS))
def test_an_entity_of_every_attribute_is_valid(name: str) -> None:
    model = MODELS[name]
    found = entity_of(model, *(value(a.property, 7, 1) for a in model.attributes))
    assert mistakes(found) == []
    assert found["id"] == f"urn:ngsi-ld:{name}:p-1"
    assert {a.name: found[a.name] for a in model.attributes} == {
        a.name: 0.7 for a in model.attributes
    }
    assert STAMP.fullmatch(found[model.observed])


def test_every_attribute_that_is_not_marked_as_ours_is_the_models() -> None:
    ours = {"travelTime", "snowfall"}
    for model in MODELS.values():
        held = _names(validator(model.name).schema)
        names = {a.name for a in model.attributes} | {model.observed}
        names |= {model.station} if model.station else set()
        names |= {model.flag.name} if model.flag else set()
        names |= {model.reference[0]} if model.reference else set()
        names |= {model.derived.whole[1]} if model.derived and model.derived.whole else set()
        assert names - held - ours - _common() == set(), model.name


def _names(schema: Any) -> set[str]:
    return {name for part in schema["allOf"] for name in part.get("properties", {})}


def _common() -> set[str]:
    folder = shared_data("smart-data-models")
    found = json.loads((folder / "weather-schema.json").read_text(encoding="utf-8"))["definitions"]
    return {name for part in found.values() for name in part.get("properties", {})}


def test_the_validator_finds_what_is_wrong() -> None:
    found = entity_of(AIR, value("pm25", 7))
    assert mistakes(found | {"airQualityIndex": 73.3})
    assert mistakes(found | {"pm25": -1})
    assert mistakes({k: v for k, v in found.items() if k != "location"})


@given(
    some.sampled_from(sorted(MODELS)).flatmap(
        lambda name: some.tuples(
            some.just(MODELS[name]),
            some.lists(
                some.tuples(
                    some.sampled_from([a.property for a in MODELS[name].attributes]),
                    some.integers(-(2**63), 2**63 - 1),
                    some.integers(0, 9),
                    some.sampled_from([1, 2, 3, 4, 9]),
                    some.integers(0, 10**6),
                ),
                max_size=6,
            ),
        )
    ),
    some.booleans(),
)
def test_extreme_readings_are_valid_or_left_out(
    drawn: tuple[Model, list[tuple[str, int, int, int, int]]], unlocated: bool
) -> None:
    model, readings = drawn
    place = replace(PLACE, lon=None) if unlocated else PLACE
    values = [
        value(p, n, scale, flag=flag, time=NOW + timedelta(milliseconds=ms), sensor=f"s{i}")
        for i, (p, n, scale, flag, ms) in enumerate(readings)
    ]
    terms = observed(model, place, values, PLAY, {}, None, [Decimal("0.05"), Decimal("0.4")])
    if terms is None:
        assert not values or (model.located and unlocated)
        return
    found = key_values(terms)
    assert mistakes(found) == []
    assert len(found["readings"]) == len(values)
    for attribute in model.attributes:
        counted = [v for v in values if v.property == attribute.property and v.flag <= 2]
        if attribute.name in found:
            assert float(found[attribute.name]) in {float(v.value.text) for v in counted}
        else:
            assert all(v.value.number < 0 for v in counted)
    shown = normalized(terms)
    assert shown.keys() == found.keys()


def test_a_value_that_does_not_count_is_only_among_the_readings() -> None:
    found = entity_of(AIR, value("pm25", 900, flag=4, quality="fail"), value("o3", 30))
    assert "pm25" not in found
    assert found["o3"] == 30
    assert [(r["property"], r["flag"]) for r in found["readings"]] == [("pm25", 4), ("o3", 1)]
    assert found["readings"][0]["intervalSeconds"] == 3600


def test_of_two_sensors_the_newest_speaks() -> None:
    older = value("pm25", 1, sensor="a", time=NOW - timedelta(hours=1))
    found = entity_of(AIR, older, value("pm25", 2, sensor="b"))
    assert found["pm25"] == 2
    assert "refDevice" not in found
    assert len(found["readings"]) == 2


def test_there_is_no_entity_of_what_was_never_heard_or_cannot_be_placed() -> None:
    assert observed(AIR, PLACE, [], LIVE, {}) is None
    assert observed(AIR, PLACE, [value("depth", 1)], LIVE, {}) is None
    nowhere = replace(PLACE, lat=None)
    assert observed(AIR, nowhere, [value("pm25", 1)], LIVE, {}) is None
    flood = observed(FLOOD, nowhere, [value("depth", 1)], LIVE, {})
    assert flood is not None
    assert "location" not in key_values(flood)


@pytest.mark.parametrize(
    ("payload", "index"),
    [
        ({"aqi": 73, "primary": ["pm25"]}, 73),
        ({"aqi": None}, None),
        ({}, None),
        ({"aqi": "x"}, None),
    ],
)
def test_the_index_is_an_integer_or_absent(payload: Mapping[str, Any], index: int | None) -> None:
    found = Found("air.station.hour", NOW, 3600, payload)
    entity = entity_of(AIR, value("pm25", 7), found=found)
    assert entity.get("airQualityIndex") == index
    assert entity["airQualityIndexDetail"]["from"] == "2026-07-01T04:00:00Z"
    assert entity["airQualityIndexDetail"]["to"] == "2026-07-01T05:00:00Z"
    assert mistakes(entity) == []


@pytest.mark.parametrize(
    ("height", "depth_mm", "reference", "distance"),
    [
        (None, 312, 0, -0.312),
        ("2.5", 312, 2.5, 2.188),
        ("2.5", 0, 2.5, 2.5),
        ("high", 10, 0, -0.01),
    ],
)
def test_depth_is_reference_minus_distance(
    height: str | None, depth_mm: int, reference: float, distance: float
) -> None:
    attributes = {} if height is None else {"sensor_height_m": height}
    place = replace(PLACE, attributes=attributes)
    found = entity_of(FLOOD, value("depth", depth_mm, 3), place=place)
    assert (found["referenceLevel"], found["measuredDistance"]) == (reference, distance)
    exact = Decimal(str(found["referenceLevel"])) - Decimal(str(found["measuredDistance"]))
    assert exact == Decimal(str(found["currentLevel"]))


@pytest.mark.parametrize(
    ("depth_mm", "status"), [(49, "Normal"), (50, "Alert"), (399, "Alert"), (400, "Danger")]
)
def test_the_flood_status_turns_exactly_at_the_tiers(depth_mm: int, status: str) -> None:
    tiers = [Decimal("0.05"), Decimal("0.15"), Decimal("0.4")]
    found = entity_of(FLOOD, value("depth", depth_mm, 3), thresholds=tiers)
    assert found["floodLevelStatus"] == status
    assert (found["alertLevel"], found["dangerLevel"]) == (0.05, 0.4)


def test_thresholds_are_in_the_propertys_unit_and_follow_the_profile() -> None:
    title = Title("", "")
    rule = TierRule(
        "w.depth", title, (("w.red", Severity.RED), ("w.blue", Severity.BLUE)), 4, "depth"
    )
    parameters = (
        Parameter("w.red", "40", "cm", "H", ""),
        Parameter("w.blue", "5", "cm", "H", ""),
    )
    domains = {"w": Domain("w", title, (), (), rules=(rule,), parameters=parameters)}
    assert thresholds("depth", 6, domains, {}) == [Decimal("0.05"), Decimal("0.4")]
    assert thresholds("depth", 6, domains, {"w.blue": "4"}) == [Decimal("0.04"), Decimal("0.4")]
    assert thresholds("rain", 6, domains, {}) == []


@pytest.mark.parametrize(
    ("severity", "stale", "congested"), [(0, False, False), (1, False, True), (1, True, None)]
)
def test_congestion_without_a_grade_is_an_open_alert_and_unknown_while_stale(
    severity: int, stale: bool, congested: bool | None
) -> None:
    place = replace(PLACE, severity=severity, stale=stale)
    found = entity_of(TRAFFIC, value("speed", 31), place=place)
    assert found.get("congested") is congested
    assert found["refRoadSegment"] == "urn:ngsi-ld:RoadSegment:p-1"
    assert found["dateObservedFrom"] == found["dateObservedTo"] == "2026-07-01T04:00:00Z"


@pytest.mark.parametrize(
    ("grade", "congested"), [(1, False), (2, False), (3, True), (5, True), (None, True)]
)
def test_congestion_follows_the_grade_and_without_one_the_alert(
    grade: int | None, congested: bool
) -> None:
    place = replace(PLACE, severity=1)
    found = Found("traffic.link.5min", NOW, 300, {"grade": grade})
    entity = entity_of(TRAFFIC, value("speed", 31), place=place, found=found)
    assert entity["congested"] is congested


def test_what_a_domain_derived_stands_beside_with_its_period() -> None:
    found = Found("traffic.link.5min", NOW, 300, {"tti": "1.250", "grade": 2, "vehicles": 7})
    entity = entity_of(TRAFFIC, value("speed", 31), found=found)
    assert entity["trafficState"] == {
        "tti": "1.250",
        "grade": 2,
        "from": "2026-07-01T04:00:00Z",
        "to": "2026-07-01T04:05:00Z",
    }
    assert mistakes(entity) == []


def test_normalized_values_carry_unit_and_time() -> None:
    terms = observed(WEATHER, PLACE, [value("air_temperature", -55, 1)], LIVE, {})
    assert terms is not None
    found = normalized(terms)
    assert found["temperature"] == {
        "type": "Property",
        "value": -5.5,
        "unitCode": "CEL",
        "observedAt": "2026-07-01T04:00:00Z",
    }
    assert found["location"]["type"] == "GeoProperty"
    assert found["refDevice"] == {
        "type": "Relationship",
        "object": "urn:ngsi-ld:Device:s-air_temperature",
    }
    assert found["dateObserved"]["value"] == {"@type": "DateTime", "@value": "2026-07-01T04:00:00Z"}
    assert isinstance(found["id"], str)


@pytest.mark.parametrize("kind", ["simulated", "replay", "verify", "drill"])
def test_what_is_not_live_says_so_in_id_name_and_origin(kind: str) -> None:
    where = Where("other", kind)
    found = entity_of(FLOOD, value("depth", 1), where=where)
    assert found["id"] == "urn:ngsi-ld:FloodMonitoring:other:p-1"
    assert found["name"].startswith("[")
    assert found["origin"] != "live"
    warned = key_values(alert(hazard(origin="live"), PLACE, where))
    assert warned["origin"] != "live"
    assert warned["description"].startswith("[")


def test_a_simulated_alert_in_a_live_namespace_is_marked() -> None:
    found = key_values(alert(hazard(origin="drill"), PLACE, LIVE))
    assert found["origin"] == "drill"
    assert found["description"].startswith("[DRILL")


@pytest.mark.parametrize(
    ("rank", "word"), [(1, "low"), (2, "medium"), (3, "high"), (4, "critical")]
)
def test_alerts_are_valid_and_colours_have_their_words(rank: int, word: str) -> None:
    found = key_values(alert(hazard(severity=rank), PLACE, LIVE))
    assert mistakes(found) == []
    assert found["severity"] == word
    assert (found["category"], found["subCategory"]) == ("naturalDisaster", "flood")
    assert found["validTo"] == "2026-07-01T05:00:00Z"


def rules() -> Iterator[str]:
    yield from CATEGORIES
    yield from ("weather.rain.red", "volcano.ash", "shelter.full", "air.city")


@pytest.mark.parametrize("rule", list(rules()))
def test_every_category_is_one_of_the_models(rule: str) -> None:
    assert mistakes(key_values(alert(hazard(rule=rule), PLACE, LIVE))) == []


def test_the_longest_beginning_decides_the_category() -> None:
    assert category("waterlogging.rise") == ("naturalDisaster", "floodRisk")
    assert category("waterlogging.depth") == ("naturalDisaster", "flood")
    assert category("volcano.ash") == ("security", None)


@given(some.text(max_size=20))
def test_ids_come_back_as_the_key(key: str) -> None:
    clean = key.encode("utf-8", "ignore").decode()
    for where in (LIVE, PLAY):
        assert where.key("Alert", where.id("Alert", clean)) == clean
    assert PLAY.key("Alert", LIVE.id("Alert", "x")) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5", "5"),
        ("-0.50", "-0.5"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740992", "9007199254740992.0"),
        ("9" * 30, "1e+30"),
    ],
)
def test_numbers_print_as_their_decimals(text: str, shown: str) -> None:
    assert json.dumps(number(Decimal(text))) == shown


def test_times_are_utc_with_a_z() -> None:
    assert utc(NOW + timedelta(milliseconds=5)) == "2026-07-01T04:00:00.005Z"
    assert key_values([Term("t", NOW, "DateTime")]) == {"t": "2026-07-01T04:00:00Z"}
