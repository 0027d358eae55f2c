"""Dashboards as Grafana gets them: the same every time, well formed, at the rules' thresholds."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dashboards.grafana.assemble import Place, assemble, written
from dashboards.grafana.boards import boards, words
from dashboards.grafana.boards.domain import board as domain_board
from dashboards.grafana.checks import mistakes, panels_of, schema_mistakes
from dashboards.grafana.model import UID_MOST, Board, uid_of
from dashboards.grafana.sql import Queries, literal
from sensors.warnings.types import TYPES
from streams.contracts.domain import Domain, Property, Title
from streams.contracts.reason import Change, Reason
from streams.domains import find_domains
from tests.support.shared_data import shared_data
from tests.support.toy_domain.noise import DOMAIN as NOISE

DOMAINS: Mapping[str, Domain] = {**find_domains(), "noise": NOISE}
PLACE = Place("citybrain")


@pytest.fixture(scope="module")
def made() -> list[tuple[Board, dict[str, Any]]]:
    return [(board, assemble(board, PLACE)) for board in boards(DOMAINS, "citybrain")]


Made = list[tuple[Board, dict[str, Any]]]


def test_there_is_a_board_for_every_domain_and_every_subject(made: Made) -> None:
    assert [model["uid"] for _, model in made] == [
        "citybrain-situation",
        *(f"citybrain-domain-{name}" for name in sorted(DOMAINS)),
        "citybrain-indicators",
        "citybrain-ledger",
        "citybrain-platform",
    ]


def test_nothing_is_wrong_with_any_of_them(made: Made) -> None:
    assert mistakes(made, DOMAINS) == []


def test_the_same_input_gives_the_same_bytes(made: Made) -> None:
    again = [written(assemble(board, PLACE)) for board in boards(DOMAINS, "citybrain")]
    assert again == [written(model) for _, model in made]


def test_they_fit_the_published_schema(made: Made) -> None:
    file = shared_data("grafana-jsonschema") / "dashboard.jsonschema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    assert {model["uid"]: schema_mistakes(model, schema) for _, model in made} == {
        model["uid"]: [] for _, model in made
    }
    spoilt = {**made[0][1], "panles": []}
    assert schema_mistakes(spoilt, schema) != []


def test_a_new_domain_brings_curve_threshold_and_table() -> None:
    board = domain_board(NOISE, "citybrain")
    (curve,) = [panel for panel in board.panels if panel.title == Title("声级", "sound level")]
    assert [(step.value, step.colour) for step in curve.steps] == [
        (None, "#1e5c48"),
        (70.0, "#2d7ff0"),
        (85.0, "#f5872b"),
    ]
    assert curve.unit == "suffix: dB"
    assert "'sound_level'" in curve.sql


def test_a_domain_that_is_warned_of_or_has_roads_shows_them() -> None:
    shown = {
        name: {panel.title.en for panel in domain_board(DOMAINS[name], "citybrain").panels}
        & {"Official warnings", "Road closures", "Incidents"}
        for name in ("weather", "waterlogging", "traffic", "noise")
    }
    assert shown == {
        "weather": {"Incidents", "Official warnings"},
        "waterlogging": {"Incidents", "Road closures"},
        "traffic": {"Incidents", "Road closures"},
        "noise": {"Incidents"},
    }
    assert {t for domain in DOMAINS.values() for t in domain.warned} <= {*TYPES}


def test_what_the_stream_tells_has_a_name_for_people() -> None:
    assert {value for value, _, _ in words.CHANGES} == {*Change}
    assert {value for value, _, _ in words.REASONS} == {*Reason}


def test_thresholds_are_drawn_in_the_unit_of_the_property() -> None:
    """The depth rule's centimetres stand as metres on the curve of metres."""
    board = domain_board(DOMAINS["waterlogging"], "citybrain")
    curve = next(panel for panel in board.panels if panel.title.zh == "积水深度")
    assert [step.value for step in curve.steps] == [None, 0.15, 0.27, 0.3, 0.5]


def test_a_city_s_own_numbers_are_drawn() -> None:
    own = {"waterlogging.tier.blue_cm": "12.5"}
    board = domain_board(DOMAINS["waterlogging"], "citybrain", own)
    curve = next(panel for panel in board.panels if panel.title.zh == "积水深度")
    assert curve.steps[1].value == 0.125
    assert mistakes([(board, assemble(board, PLACE))], DOMAINS, own) == []
    assert mistakes([(board, assemble(board, PLACE))], DOMAINS) != []


Spoil = Callable[[dict[str, Any]], object]
SPOILT: dict[str, Spoil] = {
    "ids are not unique": lambda m: panels_of(m)[1].update(id=panels_of(m)[0]["id"]),  # type: ignore[attr-defined]
    "overlap": lambda m: panels_of(m)[1]["gridPos"].update(panels_of(m)[0]["gridPos"]),
    "outside the grid": lambda m: panels_of(m)[0]["gridPos"].update(x=22),
    "no unit": lambda m: panels_of(m)[0]["fieldConfig"]["defaults"].pop("unit"),
    "no data": lambda m: panels_of(m)[0]["fieldConfig"]["defaults"].pop("noValue"),
    "asks nothing": lambda m: panels_of(m)[0]["targets"].clear(),
    "another data source": lambda m: panels_of(m)[0]["targets"][0]["datasource"].update(uid="x"),
}


@pytest.mark.parametrize("complaint", SPOILT)
def test_a_mistake_is_found(made: Made, complaint: str) -> None:
    board, model = made[0]
    spoilt = copy.deepcopy(model)
    SPOILT[complaint](spoilt)
    assert any(complaint in found for found in mistakes([(board, spoilt)], DOMAINS))


def test_a_threshold_beside_the_rule_is_found() -> None:
    board = domain_board(DOMAINS["waterlogging"], "citybrain")
    model = assemble(board, PLACE)
    for panel in panels_of(model):
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
            if step["value"] == 0.27:
                step["value"] = 0.28
    found = mistakes([(board, model)], DOMAINS)
    assert len(found) == 2  # the map and the curve
    assert all("thresholds" in each for each in found)


def test_two_boards_with_one_uid_are_found(made: Made) -> None:
    assert mistakes([made[0], made[0]], DOMAINS) == ["citybrain-situation: this uid is given twice"]


def test_uids_are_stable_and_within_the_limit() -> None:
    long = uid_of("citybrain", "domain-" + "x" * 60)
    assert len(long) == UID_MOST
    assert long == uid_of("citybrain", "domain-" + "x" * 60)
    assert long != uid_of("citybrain", "domain-" + "x" * 61)
    assert uid_of("my_city", "ledger") == "my_city-ledger"


def test_what_a_domain_is_called_cannot_change_a_query() -> None:
    queries = Queries("domain", "citybrain")
    assert "'o''clock'" in queries.get("open", domain="o'clock")
    for text in ("$county", "a\\b", "[[x]]"):
        with pytest.raises(ValueError, match="cannot stand in a query"):
            literal(text)
    with pytest.raises(ValueError, match="no namespace"):
        Queries("domain", "x; drop table")


def test_a_domain_without_rules_facts_or_properties_still_has_a_board() -> None:
    bare = replace(NOISE, rules=(), properties=(), parameters=())
    quiet = replace(
        NOISE,
        rules=(),
        properties=(Property("x", "", 0, Title("甲", "x"), Decimal(0), Decimal(1)),),
    )
    for domain in (bare, quiet):
        board = domain_board(domain, "citybrain")
        assert mistakes([(board, assemble(board, PLACE))], {"noise": domain}) == []
