"""The colour of an area: the worst alert, kept and marked unknown in silence."""

from __future__ import annotations

from streams.contracts.outcome import AreaRisk
from streams.contracts.reason import Severity
from streams.resilience.composite import member, risk, roll_up
from streams.resilience.parameters import Compound, compound_mistakes

ORANGE = ("waterlogging", Severity.ORANGE, False)
BLUE = ("air", Severity.BLUE, False)


def fold(*alerts: tuple[str, Severity, bool], down: bool = False) -> AreaRisk:
    newest = {"air": 1, "waterlogging": 3}
    return risk("330106", alerts, newest_ms=newest, gateways_down=down, decided_ms=4)


def test_without_alerts_it_is_green() -> None:
    found = fold()
    assert (found.severity, found.led_by, found.unknown) == (Severity.NONE, None, False)


def test_the_worst_leads() -> None:
    found = fold(BLUE, ORANGE)
    assert (found.severity, found.led_by, found.open_alerts) == (
        Severity.ORANGE,
        "waterlogging",
        2,
    )


def test_a_tie_is_led_by_the_first_name() -> None:
    assert fold(ORANGE, ("air", Severity.ORANGE, False)).led_by == "air"


def test_when_all_leaders_are_stale_the_colour_stays_and_is_unknown() -> None:
    found = fold(("waterlogging", Severity.RED, True), BLUE)
    assert (found.severity, found.unknown, found.stale_alerts) == (Severity.RED, True, 1)


def test_one_fresh_leader_is_enough_to_know() -> None:
    assert not fold(("waterlogging", Severity.RED, True), ("air", Severity.RED, False)).unknown


def test_a_stale_alert_below_the_leader_does_not_matter() -> None:
    found = fold(ORANGE, ("air", Severity.BLUE, True))
    assert (found.unknown, found.stale_alerts) == (False, 1)


def test_a_silent_gateway_makes_even_green_unknown() -> None:
    assert (fold(down=True).severity, fold(down=True).unknown) == (Severity.NONE, True)


AIR_ORANGE = ("air", Severity.ORANGE, False)


def test_two_orange_domains_are_one_red_area() -> None:
    found = fold(ORANGE, AIR_ORANGE)
    assert (found.severity, found.detail["compound"]) == (Severity.RED, True)


def test_two_alerts_of_one_domain_are_not_two_domains() -> None:
    found = fold(ORANGE, ORANGE)
    assert (found.severity, found.detail["compound"]) == (Severity.ORANGE, False)


def test_orange_beside_yellow_stays_orange() -> None:
    assert fold(ORANGE, ("air", Severity.YELLOW, False)).severity is Severity.ORANGE


def test_nothing_is_above_red() -> None:
    found = fold(("waterlogging", Severity.RED, False), AIR_ORANGE)
    assert (found.severity, found.led_by, found.detail["compound"]) == (
        Severity.RED,
        "waterlogging",
        False,
    )


def test_a_step_that_rests_on_a_silent_sensor_stays_and_is_unknown() -> None:
    found = fold(ORANGE, ("air", Severity.ORANGE, True))
    assert (found.severity, found.unknown) == (Severity.RED, True)


def test_every_domain_says_how_fresh_it_is() -> None:
    found = fold(ORANGE)
    assert found.as_of_ms == 3
    assert found.detail["domains"] == [
        {"domain": "air", "severity": 0, "open": 0, "stale": 0, "as_of_ms": 1},
        {"domain": "waterlogging", "severity": 3, "open": 1, "stale": 0, "as_of_ms": 3},
    ]


def test_the_house_numbers_can_be_changed() -> None:
    numbers = Compound(Severity.YELLOW, 2, 2)
    alerts = [("air", Severity.YELLOW, False), ("waterlogging", Severity.YELLOW, False)]
    found = risk("1", alerts, newest_ms={}, gateways_down=False, decided_ms=0, numbers=numbers)
    assert found.severity is Severity.RED


def test_unusable_numbers_are_all_told() -> None:
    found = compound_mistakes({"risk.compound.severity": "5", "risk.compound.domains": "one"})
    assert found == [
        "risk.compound.severity = '5' is not a whole number from 1 to 4",
        "risk.compound.domains = 'one' is not a whole number from 2 to 99",
    ]


def test_a_city_has_the_worst_colour_of_its_counties() -> None:
    members = {"330106": member(fold(ORANGE)), "330108": member(fold(BLUE))}
    found = roll_up("330100", members, 13, 9)
    assert (found.severity, found.led_by, found.open_alerts) == (Severity.ORANGE, "waterlogging", 2)
    assert found.detail == {
        "led_by_area": "330106",
        "colours": {"0": 0, "1": 1, "2": 0, "3": 1, "4": 0},
        "unknown_areas": 0,
        "judged": 2,
        "of": 13,
    }


def test_a_city_is_unknown_when_only_unknown_counties_give_its_colour() -> None:
    dark, calm = member(fold(ORANGE, down=True)), member(fold())
    assert roll_up("330100", {"330106": dark, "330108": calm}, 2, 9).unknown
    bright = member(fold(AIR_ORANGE))
    found = roll_up("330100", {"330106": dark, "330108": bright}, 2, 9)
    assert (found.unknown, found.detail["unknown_areas"]) == (False, 1)


def test_a_calm_city_of_which_nothing_is_known_is_unknown() -> None:
    assert roll_up("330100", {"330106": member(fold(down=True))}, 1, 9).unknown


def test_a_citys_own_alerts_count_but_are_no_county() -> None:
    own = member(fold(AIR_ORANGE))
    found = roll_up("330100", {"330100": own, "330106": member(fold())}, 1, 9)
    assert (found.severity, found.detail["led_by_area"]) == (Severity.ORANGE, "330100")
    assert (found.detail["judged"], found.detail["of"]) == (1, 1)
