"""The colour of an area: the worst alert, kept and marked unknown in silence."""

from __future__ import annotations

from streams.contracts.outcome import AreaRisk
from streams.contracts.reason import Severity
from streams.resilience.composite import risk

ORANGE = ("waterlogging", Severity.ORANGE, False)
BLUE = ("air", Severity.BLUE, False)


def fold(*alerts: tuple[str, Severity, bool], down: bool = False) -> AreaRisk:
    return risk("330106", alerts, gateways_down=down, as_of_ms=1, decided_ms=2)


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
