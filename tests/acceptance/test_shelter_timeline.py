"""A shelter's night as timelines: push at a time, want a change (domain.md §4).

The pipeline with the real shelter domain; the shelter holds 350 persons (700 m², short).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.contracts.domain import Point
from tests.support.shelters import ALL, ShelterTown, one_shelter, run_again, shelter, town

pytestmark = pytest.mark.acceptance


def filled(*persons: int) -> ShelterTown:
    """Open from 20:00 on, counted every five minutes."""
    city = ShelterTown()
    for number, count in enumerate(persons):
        city.say(f"20:{5 * number:02d}", open=1, occupants=count)
    return city


# filling up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("persons", "severity"),
    [
        (244, None),
        (245, None),  # exactly 70 %: watched, no alert
        (279, None),
        (280, "yellow"),  # exactly 80 %
        (332, "yellow"),
        (333, "orange"),  # 95.14 %; 332.5 would be 95
        (350, "orange"),  # exactly 100 % is not more than 100 %
        (351, "red"),
    ],
)
def test_the_edges_of_the_tiers(persons: int, severity: str | None) -> None:
    story = filled(persons).story("occupancy")
    expected = [f"20:00:00 onset {severity}", f"20:00:00 confirmed {severity}"]
    assert story == (expected if severity else [])


def test_exactly_95_percent_is_orange() -> None:
    city = ShelterTown(one_shelter(capacity="200"))
    city.say("20:00", open=1, occupants=190)
    assert city.story("occupancy")[-1] == "20:00:00 confirmed orange"


def test_one_too_many_of_a_million_is_red() -> None:
    city = ShelterTown(one_shelter(capacity="1000000"))
    city.say("20:00", open=1, occupants=999_999)
    city.say("20:05", check_in=1)
    assert city.story("occupancy")[-1] == "20:00:00 confirmed orange"
    city.say("20:06", check_in=1)
    assert city.story("occupancy")[-1] == "20:06:00 raised red"


def test_it_fills_and_empties() -> None:
    city = filled(100, 280, 351, 350)
    for minute in range(20, 60, 5):
        city.say(f"20:{minute}", open=1, occupants=200)
    assert city.story("occupancy") == [
        "20:05:00 onset yellow",
        "20:05:00 confirmed yellow",
        "20:10:00 raised red",
        "20:25:00 lowered orange",  # not more than 100 % since 20:15
        "20:30:00 cleared orange",  # below 80 % since 20:20
    ]
    evidence = [t.evidence for t in city.transitions if t.rule == "shelter.occupancy"]
    assert evidence[2] == {"occupants": 351, "capacity": 350}
    assert {t.unit for t in city.transitions} == {"%"}


def test_a_shelter_without_a_capacity_never_has_a_percentage() -> None:
    city = ShelterTown(one_shelter(capacity="0"))
    city.say("20:00", open=1, occupants=5_000)
    city.say("20:10", open=1)
    assert city.story("occupancy") == []
    assert (city.result("20:00")["percent"], city.result("20:00")["occupants"]) == (None, 5_000)
    city.say("21:02", open=1)
    assert (city.state()["no_capacity"], city.state()["now"]["occupants"]) == (1, 5_000)


# counter and door -------------------------------------------------------------------------------


def counter_and_door() -> ShelterTown:
    sensors = {"counter": ("s", ("occupants", "open")), "door": ("s", ("check_in", "check_out"))}
    return ShelterTown(town([shelter("s")], sensors))


def test_the_door_moves_what_the_counter_last_said() -> None:
    city = counter_and_door()
    city.say("20:00", "counter", open=1, occupants=270)
    city.say("20:01", "door", check_in=9)
    assert city.story("occupancy") == []
    city.say("20:02", "door", check_in=1)
    assert city.story("occupancy")[-1] == "20:02:00 confirmed yellow", "270 + 9 + 1 is 80 %"
    city.say("20:05", "counter", open=1, occupants=260)
    city.say("20:06", "door", check_out=5)
    city.say("20:20", "counter", open=1)
    assert city.result("20:00")["occupants"] == 280
    assert city.result("20:05")["occupants"] == 255, "a count re-bases the balance"


def test_at_one_instant_a_count_includes_who_came() -> None:
    city = counter_and_door()
    city.say("20:00", "counter", open=1, occupants=100)
    city.say("20:01", "counter", occupants=110)
    city.say("20:01", "door", check_in=10, ingest="20:01:02")
    city.say("20:20", "counter", open=1)
    assert city.result("20:00")["occupants"] == 110


def test_two_doors_in_any_order_of_arrival() -> None:
    sensors = {"a": ("s", ("check_in", "check_out", "open")), "b": ("s", ("check_in", "check_out"))}
    city = ShelterTown(town([shelter("s")], sensors))
    city.say("20:00", "a", open=1, check_in=200)
    city.say("20:03", "a", check_in=60)
    city.say("20:02", "b", check_in=80, ingest="20:03:30")
    told = ["20:03:00 onset orange", "20:03:00 confirmed orange"]
    assert city.story("occupancy") == told, "200 + 60 + 80 of 350"
    city.say("20:20", "a", open=1)
    assert city.result("20:00")["occupants"] == 340


def test_a_door_that_lags_behind_the_other_empties_nothing() -> None:
    sensors = {"a": ("s", ("check_in", "open")), "b": ("s", ("check_out",))}
    city = ShelterTown(town([shelter("s")], sensors))
    city.say("20:10", "a", open=1, check_in=280)
    city.say("20:01", "b", check_out=0, ingest="20:10:30")
    assert city.story("occupancy") == ["20:10:00 onset yellow", "20:10:00 confirmed yellow"]


def test_more_leaving_than_were_there_is_a_ticket_until_the_next_count() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=10)
    city.say("20:01", check_out=12)
    city.say("20:06", check_in=3)
    city.say("20:20", open=1)
    assert city.tickets() == [("balance", False)]
    first = city.result("20:00")
    assert (first["occupants"], first["missing"]) == (0, 2)
    assert city.result("20:05")["occupants"] == 3, "held at 0, never below"
    city.say("20:25", open=1, occupants=4)
    city.say("20:40", open=1)
    assert city.tickets() == [("balance", False), ("balance", True)]


def test_a_late_check_in_mends_the_balance_and_moves_no_alert() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=270)
    city.say("20:10", check_out=275)
    city.say("20:30", open=1, check_in=1)
    city.say("20:50", open=1)
    assert city.tickets() == [("balance", False)]
    city.say("20:05", check_in=20, ingest="20:51")  # inside the six hours, not the newest
    assert city.tickets() == [("balance", False), ("balance", True)]
    assert city.result("20:10")["occupants"] == 15
    assert city.result("20:30")["occupants"] == 16
    assert city.story("occupancy") == [], "290 at 20:05 would have been yellow"


def test_a_corrected_count_mends_the_figure_and_moves_no_alert() -> None:
    city = filled(300, 100)
    before = city.story("occupancy")
    city.say("20:10", check_in=1)
    city.say("20:00", occupants=351, ingest="20:11")
    city.say("20:30", open=1)
    assert city.result("20:00")["level"] == "red"
    assert city.result("20:10")["occupants"] == 101
    assert city.story("occupancy") == [*before, "20:15:00 cleared yellow"]


def test_a_reading_of_hours_ago_finds_its_place_after_a_gap() -> None:
    city = ShelterTown()
    city.say("8:00", open=1, check_in=5)
    city.say("18:00", open=1)
    city.say("18:30", open=1)
    city.say("13:00", check_in=3, ingest="18:31")
    city.say("19:00", open=1, check_out=1)
    city.say("19:10", open=1)
    found = [city.result(at)["occupants"] for at in ("8:00", "13:00", "18:00", "19:00")]
    assert found == [5, 8, 8, 7]


def test_a_doubtful_count_does_not_count() -> None:
    city = filled(100)
    city.say("20:05", open=1, occupants=1_000_001)  # beyond the limit: flag 4
    city.say("20:20", open=1)
    assert city.story("occupancy") == []
    assert city.result("20:05")["occupants"] == 100


# closed under a red warning -------------------------------------------------------------------


def test_a_red_warning_over_a_closed_shelter_alerts_until_it_opens() -> None:
    city = ShelterTown()
    city.say("20:00", open=0, occupants=0)
    city.gale("20:10", 1)
    assert city.story("closed") == [], "orange is not red"
    city.gale("20:20", 2)
    assert city.story("closed") == ["20:20:01 onset orange", "20:20:01 confirmed orange"]
    city.say("20:25", open=1, occupants=0)
    assert city.story("closed")[-1] == "20:25:01 cleared orange"
    city.say("20:30", open=0, occupants=0)
    assert city.story("closed")[-1] == "20:30:01 confirmed orange", "closed again: a new alert"
    city.gale("20:40", 0)
    assert city.story("closed")[-1] == "20:40:01 cleared orange", "the warning has ended"


def test_one_that_never_reported_counts_as_closed() -> None:
    city = ShelterTown()
    city.gale("20:00", 2)
    assert city.story("closed")[-1] == "20:00:01 confirmed orange"
    evidence = city.transitions[-1].evidence
    assert evidence == {"warnings": ["sky.gale"], "reported": "never"}


def test_one_that_no_sensor_can_call_open_is_not_judged() -> None:
    city = ShelterTown(town([shelter("s")], {"s": ("s", ("occupants",))}))
    city.gale("20:00", 2)
    assert city.story("closed") == []


def test_silence_ends_nothing_and_keeps_the_alert_as_it_is() -> None:
    city = ShelterTown()
    city.say("20:00", open=0, occupants=0)
    city.gale("20:05", 2)
    city.tick("20:15:01")
    assert city.story("closed")[-1] == "20:15:01 stale orange", "three intervals of five minutes"
    city.tick("23:00")
    assert city.story("closed")[-1] == "20:15:01 stale orange"


def test_a_flood_warning_does_not_call_for_shelters_that_are_not_fit_for_it() -> None:
    sensors = {name: (name, ALL) for name in ("dry", "wet", "any")}
    points = [shelter("dry", hazards="flood,typhoon"), shelter("wet", hazards="earthquake")]
    city = ShelterTown(town([*points, shelter("any")], sensors))
    city.use(shelter__hazard__of_rule="sky=flood")
    city.gale("20:00", 2)
    alerted = {t.subject for t in city.transitions if t.rule == "shelter.closed"}
    assert alerted == {"dry", "any"}, "what is not stated is not excluded"


def test_the_severity_is_a_parameter() -> None:
    city = ShelterTown()
    city.use(shelter__closed__severity="red")
    city.gale("20:00", 2)
    assert city.story("closed")[-1] == "20:00:01 confirmed red"


# silent while open ------------------------------------------------------------------------------


def test_no_report_for_two_hours_while_open_alerts_until_it_reports() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=5)
    city.tick("21:59:59")
    assert city.story("unreported") == []
    city.tick("22:00:00")
    assert city.story("unreported") == ["22:00:00 onset yellow", "22:00:00 confirmed yellow"]
    city.tick("23:30")
    assert len(city.story("unreported")) == 2, "silence does not end it"
    city.say("23:40", occupants=5)
    assert city.story("unreported")[-1] == "23:40:01 cleared yellow"
    city.tick("25:39:59")
    assert city.story("unreported")[-1] == "23:40:01 cleared yellow"
    city.tick("25:40")
    assert city.story("unreported")[-1] == "25:40:00 confirmed yellow"


def test_a_closed_shelter_may_be_silent() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=5)
    city.say("20:05", open=0, occupants=0)
    city.tick("24:00")
    assert city.story("unreported") == []


def test_old_news_delivered_late_is_no_report() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=5)
    city.say("20:05", open=1, occupants=6, ingest="22:30")
    assert city.story("unreported")[-1] == "22:00:00 confirmed yellow"
    city.say("22:31", open=1, occupants=6)
    assert city.story("unreported")[-1] == "22:31:01 cleared yellow"


def test_the_deadline_follows_its_parameter() -> None:
    city = ShelterTown()
    city.use(shelter__silence_hours="0.5")
    city.say("20:00", open=1, occupants=5)
    city.tick("20:30")
    assert city.story("unreported")[-1] == "20:30:00 confirmed yellow"


# offers in a flood ----------------------------------------------------------------------------


def two_shelters() -> ShelterTown:
    points = [
        shelter("dry", hazards="flood,typhoon", capacity="100"),
        shelter("hill", hazards="earthquake", capacity="900"),
    ]
    city = ShelterTown(town(points, {p.id: (p.id, ALL) for p in points}))
    city.say("20:00", "dry", open=1, occupants=40)
    city.say("20:00", "hill", open=1, occupants=0)
    city.say("20:10", "hill", open=1)
    return city


def test_in_a_flood_only_shelters_fit_for_it_are_offered() -> None:
    city = two_shelters()
    assert city.offers("hill") == [(True, [])], "told once, with the first reading"
    city.flood("20:11", 0.4)
    assert city.offers("hill")[-1] == (False, ["flood"])
    assert city.offers("dry")[-1] == (True, ["flood"])
    offer = city.state()["offer"]
    assert (offer["shelters"], offer["capacity"], offer["free"]) == (1, 100, 60)
    for minute in range(12, 40):
        city.flood(f"20:{minute}", 0.0)
    assert city.offers("hill")[-1] == (True, [])
    assert city.state()["offer"]["free"] == 960


# registry ---------------------------------------------------------------------------------------


def changed(city: ShelterTown, **attributes: str) -> None:
    old = city.held.points["s"]
    point = Point("s", "shelter", old.area, "s", None, None, {**old.attributes, **attributes})
    city.activate(replace(city.held, points={**city.held.points, "s": point}))


def test_a_shelter_that_is_no_longer_one_alerts_no_more() -> None:
    city = ShelterTown()
    city.say("20:00", open=1, occupants=340)
    city.gale("20:01", 2)
    city.say("20:05", open=0, occupants=340)
    changed(city, deregistered="2026-08-17")
    assert city.story("closed")[-1].split()[1] == "cleared"
    assert city.story("occupancy")[-1].split()[1] == "retired"
    assert city.offers()[-1] == (False, [])
    city.say("20:10", open=1, occupants=351)
    city.tick("24:00")
    assert city.story("occupancy")[-1].split()[1] == "retired"
    assert city.story("unreported") == []


def test_row_19_follows_the_dates_of_the_registry() -> None:
    city = ShelterTown(one_shelter(standardised="2026-08-18"))
    city.say("20:00", open=1, occupants=1)
    assert city.state()["standardised"]["count"] == 0, "accepted tomorrow"
    city.tick("23:59:59")
    assert city.state()["standardised"]["count"] == 0
    city.tick("24:00")
    found = city.state()["standardised"]
    assert (found["count"], found["as_of"]) == (1, "2026-08-18")


# laws ---------------------------------------------------------------------------------------------


def test_batches_and_restarts_mean_nothing() -> None:
    city = two_shelters()
    city.flood("20:11", 0.4)
    city.gale("20:15", 2)
    for minute in range(20, 60, 5):
        city.say(f"20:{minute}", "dry", open=1, occupants=2 * minute, check_in=1)
        city.say(f"20:{minute - 7:02d}", "hill", ingest=f"20:{minute}:30", check_out=3, open=0)
    city.tick("24:00")
    whole = city.store.canonical()
    assert len(city.transitions) > 10
    assert run_again(city, range(len(city.records)), restart=True).canonical() == whole
    assert run_again(city, [3, 7, 11], restart=False).canonical() == whole
