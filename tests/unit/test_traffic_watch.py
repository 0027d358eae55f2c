"""Five minutes after five minutes: results, judgements, learning, flooded links, revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from streams.contracts.domain import DAY_MS, HOUR_MS, Episode, Judgement, Outputs, Point
from streams.contracts.reason import Severity
from streams.contracts.surroundings import AREA, OpenAlert, Surroundings
from streams.domains.traffic import inventory
from streams.domains.traffic.coverage import known_share
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES
from streams.domains.traffic.watch import (
    AREA_5MIN,
    AREA_RULE,
    CONGESTION,
    LINK_5MIN,
    LINK_RULE,
    TrafficState,
    heed,
    initial,
)
from tests.support.small_city import START_MS
from tests.support.traffic_area import COUNTY, FIVE_MIN_MS, Street, link, view_of

POND = Point("pond", "flood_point", COUNTY, "pond", None, None, {"link": "a, z"})


def street(*links: Point, **parameters: str) -> Street:
    return Street(view_of(links or (link(),), {f"traffic.{k}": v for k, v in parameters.items()}))


def told(outputs: Outputs, kind: str = LINK_5MIN, point: str = "a") -> Mapping[str, Any]:
    (result,) = [r for r in outputs.results if (r.kind, r.point) == (kind, point)]
    assert result.period_s == 300
    return result.payload


def judged(outputs: Outputs, rule: str) -> list[tuple[int, int]]:
    return [(j.point, j.value) for j in outputs.judgements if j.rule == rule]


def alert(point: Point | None, rule: str = "waterlogging.depth") -> OpenAlert:
    return OpenAlert("waterlogging", rule, point, Severity.ORANGE, False, False)


def look(known: Street, *alerts: OpenAlert, now_ms: int = START_MS) -> list[Episode]:
    known.state, outputs = heed(known.state, known.view, Surroundings(now_ms, 0, alerts))
    assert not outputs.judgements
    shown = [(r.kind, r.point, r.start_ms, r.payload["until_ms"]) for r in outputs.results]
    assert shown == [(e.kind, e.point, e.start_ms, e.end_ms) for e in outputs.episodes]
    return outputs.episodes


def test_a_link_is_told_with_its_state_and_what_it_rests_on() -> None:
    payload = told(street().pass_by(START_MS, {"a": {TRAVEL_TIME: 120, VEHICLES: 8}}))
    assert payload == {
        "speed_kmh": "30.000",
        "travel_time_s": "120.000",
        "vehicles": 8,
        "measured_by": "travel_time",
        "dtp": "0.5000",
        "tti": "2.000",
        "tpi": "4.00",
        "grade": 3,
        "grade_name": "轻度拥堵",
        "free_flow_kmh": "60.000",
        "free_flow_origin": "registry",
        "free_flow_n": None,
        "method": "GB/T 33171-2016 DTP",
        "flooded": False,
        "flooded_since_ms": None,
        "flooded_by": [],
    }


@pytest.mark.parametrize(
    ("kmh", "value"), [(43, 1), (42, 2), (31, 2), (30, 3), (24, 4), (18, 5), (0, 5)]
)
def test_links_and_area_are_judged_by_their_grade(kmh: float, value: int) -> None:
    outputs = street().pass_by(START_MS, {"a": {SPEED: kmh}})
    assert judged(outputs, LINK_RULE) == [(0, value)]
    assert judged(outputs, AREA_RULE) == [(AREA, value)]
    assert {j.time_ms for j in outputs.judgements} == {START_MS}


@pytest.mark.parametrize(("length", "links"), [("499.999", []), ("500", [(0, 5)]), ("", [])])
def test_links_shorter_than_500_m_are_not_judged(length: str, links: list[Any]) -> None:
    outputs = street(link(length_m=length)).pass_by(START_MS, {"a": {SPEED: 5}})
    assert judged(outputs, LINK_RULE) == links
    assert told(outputs)["grade"] == 5


def test_an_area_is_judged_only_where_enough_length_has_a_state() -> None:
    half = street(link("a"), link("b")).pass_by(START_MS, {"a": {SPEED: 5}})
    less = street(link("a"), link("b", length_m="1001")).pass_by(START_MS, {"a": {SPEED: 5}})
    assert judged(half, AREA_RULE) == [(AREA, 5)]
    assert judged(less, AREA_RULE) == []
    assert told(less, AREA_5MIN, COUNTY)["have"] == 1


def test_silence_raises_nothing_and_ends_nothing() -> None:
    known = street(link("a"), link("b"))
    known.pass_by(START_MS, {"a": {SPEED: 5}, "b": {SPEED: 5}})
    outputs = known.pass_by(START_MS + FIVE_MIN_MS, {"b": {SPEED: 5}})
    assert judged(outputs, LINK_RULE) == [(1, 5)]
    assert [r.point for r in outputs.results if r.kind == LINK_5MIN] == ["b"]


def test_a_revised_interval_is_told_again_and_judges_nothing() -> None:
    known = street()
    known.drive([50, 50, 50])
    outputs = known.pass_by(START_MS + FIVE_MIN_MS, {"a": {SPEED: 5}}, revised=True)
    assert told(outputs)["speed_kmh"] == "5.000"
    assert outputs.judgements == []


def test_congestion_is_an_episode_with_its_worst() -> None:
    known = street()
    (episode,) = known.drive([20, 18, 20]).episodes
    assert (episode.kind, episode.point) == (CONGESTION, "a")
    assert (episode.start_ms, episode.end_ms) == (START_MS, None)
    assert episode.payload["worst_grade_name"] == "严重拥堵"
    assert episode.payload["worst_ms"] == START_MS + FIVE_MIN_MS
    ended = known.drive([50, 50, 50], START_MS + 3 * FIVE_MIN_MS).episodes
    assert [(e.id, e.end_ms) for e in ended] == [(episode.id, START_MS + 3 * FIVE_MIN_MS)]
    assert (ended[0].payload["duration_s"], ended[0].payload["intervals"]) == (900, 3)


def test_a_revision_takes_an_episode_back() -> None:
    known = street()
    (episode,) = known.drive([20, 20, 20]).episodes
    (gone,) = known.pass_by(START_MS, {"a": {SPEED: 60}}, revised=True).episodes
    assert (gone.id, gone.removed) == (episode.id, True)


def test_without_free_flow_a_link_has_a_speed_and_no_state() -> None:
    outputs = street(link(free_flow_kmh="")).pass_by(START_MS, {"a": {SPEED: 5}})
    assert (told(outputs)["speed_kmh"], told(outputs)["grade"]) == ("5.000", None)
    assert outputs.judgements == []
    area = told(outputs, AREA_5MIN, COUNTY)
    assert (area["have"], area["links"], area["without_free_flow"]) == (0, 1, 1)
    assert area["dtp"] is None


def quiet_nights(known: Street, nights: int, kmh: float) -> Outputs:
    outputs = Outputs()
    for night in range(nights):
        start = START_MS + night * DAY_MS
        outputs = known.drive([kmh] * (7 * 12), start)  # until 07:00
    return outputs


def test_free_flow_is_learnt_from_quiet_nights_and_named() -> None:
    known = street(link(free_flow_kmh=""))
    first = quiet_nights(known, 1, 50)  # 60 values are not enough
    assert told(first)["free_flow_kmh"] is None
    second = quiet_nights(known, 2, 50)
    payload = told(second)
    assert (payload["free_flow_kmh"], payload["free_flow_origin"]) == ("50.000", "learnt")
    assert payload["free_flow_n"] == 120
    jam = known.pass_by(START_MS + DAY_MS + 8 * HOUR_MS, {"a": {SPEED: 35}})
    assert told(jam)["dtp"] == "0.3000"


def test_what_is_learnt_is_told_so_that_it_can_be_registered() -> None:
    known = street(link("a", free_flow_kmh=""), link("b"), link("c", free_flow_kmh=""))
    assert inventory(known.view, known.state) == {"links": 3, "registered": 1, "learnt": {}}
    quiet_nights(known, 2, 50)
    held = inventory(known.view, known.state)
    assert held == {"links": 3, "registered": 1, "learnt": {"a": "50.000"}}
    share = known_share("county", {COUNTY: held}, {})
    assert share is not None
    assert (share.value, share.have, share.want) == ("66.7", 2, 3)
    assert share.detail["learnt_kmh"] == {"a": "50.000"}


def test_the_inventory_is_told_anew_only_when_what_is_learnt_changes() -> None:
    known = street(link(free_flow_kmh=""))
    changed = [
        night * 24 + interval // 12
        for night in range(3)
        for interval in range(7 * 12)
        if known.pass_by(
            START_MS + night * DAY_MS + interval * FIVE_MIN_MS, {"a": {SPEED: 50}}
        ).inventory_changed
    ]
    assert changed == [24 + 6]  # once, at 06:00 after the second night


def test_every_morning_tells_for_tomorrow_what_was_learnt_or_that_nothing_was() -> None:
    known = street(link("a", free_flow_kmh=""), link("b"))
    told_at = {
        (night, interval // 12, (r.start_ms - START_MS) // DAY_MS): r.payload
        for night in range(3)
        for interval in range(7 * 12)
        for r in known.pass_by(
            START_MS + night * DAY_MS + interval * FIVE_MIN_MS, {"a": {SPEED: 50}, "b": {SPEED: 50}}
        ).results
        if r.kind == "traffic.free_flow" and (r.point, r.period_s) == ("a", 86_400)
    }
    assert told_at == {  # (day, hour, day from which it holds)
        (0, 6, 1): {"free_flow_mh": None, "free_flow_kmh": None, "free_flow_n": 60},
        (1, 6, 2): {"free_flow_mh": 50_000, "free_flow_kmh": "50.000", "free_flow_n": 120},
        (2, 6, 3): {"free_flow_mh": 50_000, "free_flow_kmh": "50.000", "free_flow_n": 180},
    }


def test_registered_links_are_not_told_as_learnt() -> None:
    known = street(link("b"))
    outputs = [
        known.pass_by(START_MS + interval * FIVE_MIN_MS, {"b": {SPEED: 50}})
        for interval in range(7 * 12)
    ]
    assert {r.kind for o in outputs for r in o.results} == {
        "traffic.link.5min",
        "traffic.area.5min",
    }


def test_an_area_without_links_has_no_inventory() -> None:
    assert inventory(view_of(()), TrafficState()) is None
    assert known_share("county", {}, {}) is None


def test_the_registry_rules_over_what_was_learnt() -> None:
    known = street(link(free_flow_kmh=""))
    quiet_nights(known, 2, 50)
    registered = view_of([link()])
    state = initial(registered, known.state)
    assert state.learning.links == {}
    again = Street(registered)
    again.state = state
    payload = told(again.pass_by(START_MS + 3 * DAY_MS, {"a": {SPEED: 50}}))
    assert (payload["free_flow_kmh"], payload["free_flow_origin"]) == ("60.000", "registry")


def test_a_flood_point_that_names_the_link_floods_it() -> None:
    known = street()
    (episode,) = look(known, alert(POND))
    assert (episode.kind, episode.point, episode.end_ms) == ("traffic.flooded", "a", None)
    assert episode.payload == {"by": ["pond"], "rules": ["waterlogging.depth"], "duration_s": None}
    payload = told(known.pass_by(START_MS, {"a": {SPEED: 50}}))
    assert (payload["flooded"], payload["flooded_by"]) == (True, ["pond"])
    assert payload["flooded_since_ms"] == START_MS
    assert look(known, alert(POND), now_ms=START_MS + 1000) == []
    (over,) = look(known, now_ms=START_MS + 60_000)
    assert (over.id, over.end_ms, over.payload["duration_s"]) == (episode.id, START_MS + 60_000, 60)


def test_the_map_shows_a_flooded_link_on_which_nothing_drives() -> None:
    known = street()
    _, wet = heed(known.state, known.view, Surroundings(START_MS, 0, (alert(POND),)))
    assert dict(wet.results[0].payload) == {
        "flooded": True,
        "since_ms": START_MS,
        "until_ms": None,
        "by": ["pond"],
        "rules": ["waterlogging.depth"],
        "duration_s": None,
    }
    _, dry = heed(known.state, known.view, Surroundings(START_MS + 90_000, 0, ()))
    assert (dry.results[0].payload["flooded"], dry.results[0].start_ms) == (False, START_MS)
    assert dry.results[0].payload["duration_s"] == 90


def test_a_link_that_names_its_flood_point_is_flooded_by_it() -> None:
    plain = Point("pond", "flood_point", COUNTY, "pond", None, None, {})
    assert look(street(), alert(plain)) == []
    assert [e.point for e in look(street(link(flood_point="pond")), alert(plain))] == ["a"]


def test_alerts_of_the_area_or_of_other_points_flood_nothing() -> None:
    other = Point("x", "flood_point", COUNTY, "x", None, None, {"link": "b"})
    assert look(street(), alert(None), alert(other)) == []


def test_a_second_point_keeps_the_onset_and_is_told() -> None:
    known = street()
    (first,) = look(known, alert(POND))
    other = Point("ford", "flood_point", COUNTY, "ford", None, None, {"link": "a"})
    (second,) = look(known, alert(POND), alert(other), now_ms=START_MS + 1000)
    assert (second.id, second.payload["by"]) == (first.id, ["ford", "pond"])


@pytest.mark.parametrize(("kmh", "value"), [(18, 6), (24, 4), (50, 1)])
def test_red_needs_severe_congestion_together_with_the_flood(kmh: float, value: int) -> None:
    known = street(link("a"), link("b"))
    look(known, alert(POND))
    outputs = known.pass_by(START_MS, {"a": {SPEED: kmh}, "b": {SPEED: kmh}})
    assert judged(outputs, LINK_RULE) == [(0, value), (1, min(value, 5))]
    assert judged(outputs, AREA_RULE) == [(AREA, value)]


def test_evidence_says_what_the_judgement_saw() -> None:
    outputs = street().pass_by(START_MS, {"a": {SPEED: 18}})
    (judgement,) = [j for j in outputs.judgements if j.rule == LINK_RULE]
    assert isinstance(judgement, Judgement)
    assert judgement.evidence["dtp"] == "0.7000"
    assert judgement.evidence["free_flow_origin"] == "registry"


def test_a_state_starts_empty() -> None:
    assert initial(view_of([link()]), None) == TrafficState()
