"""What is in force in an area, whatever order the messages come in."""

from __future__ import annotations

from itertools import permutations

import pytest

from streams.area.warnings import AreaWarnings
from streams.contracts.cap.model import Status
from streams.contracts.reason import Severity
from streams.contracts.warning import OPERATOR, Kind, OfficialWarning
from tests.support.official import warning

HOUR = 3_600_000
XIHU = "330106"


def in_force(*told: OfficialWarning, area: str = XIHU, now_ms: int = 0) -> list[str]:
    """Identifiers that are open after these, by the order of ids that `open` states."""
    names = {one.id: one.identifier for one in told}
    area_warnings = AreaWarnings(area)
    for one in told:
        area_warnings.take(one, "gw", now_ms)
    return sorted(names[one.id] for one in area_warnings.open)


@pytest.mark.parametrize(
    ("areas", "concerned"),
    [
        (("330000",), True),
        (("330100",), True),
        (("330106",), True),
        (("330106002",), True),  # a town of it
        (("330110",), False),
        (("330200", "330106"), True),
        ((), False),
    ],
)
def test_which_area_a_warning_concerns(areas: tuple[str, ...], concerned: bool) -> None:
    assert (in_force(warning("a", 0, areas=areas)) == ["a"]) is concerned


def test_a_countys_warning_is_not_the_whole_citys() -> None:
    assert in_force(warning("a", 0, areas=("330106",)), area="330100") == []


ALERT = warning("a", 0)
UPDATE = warning("b", 1, kind=Kind.UPDATE, refers=("a",), severity=Severity.ORANGE)
CANCEL = warning("c", 2, kind=Kind.CANCEL, refers=("a", "b"))


@pytest.mark.parametrize("order", list(permutations((ALERT, UPDATE))))
def test_an_update_takes_the_place_of_what_it_names(order: tuple[OfficialWarning, ...]) -> None:
    assert in_force(*order) == ["b"]
    assert in_force(*order, *order) == ["b"], "said again, it is the same"


@pytest.mark.parametrize("order", list(permutations((ALERT, UPDATE, CANCEL))))
def test_a_cancel_ends_all_that_it_names(order: tuple[OfficialWarning, ...]) -> None:
    assert in_force(*order) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_without_references_the_series_tells(order: tuple[int, ...]) -> None:
    rows = [
        warning("yellow", 0, series="s", severity=Severity.YELLOW),
        warning("orange", HOUR, series="s", severity=Severity.ORANGE),
        warning("other", HOUR, series="t"),
    ]
    assert in_force(*(rows[n] for n in order), rows[2]) == ["orange", "other"]
    lifted = warning("lifted", 2 * HOUR, series="s", kind=Kind.CANCEL)
    assert in_force(lifted, *(rows[n] for n in order), rows[2]) == ["other"]


def test_rows_of_the_same_second_come_out_the_same_in_any_order() -> None:
    rows = [warning(name, HOUR, series="s") for name in ("one", "two")]
    assert in_force(*rows) == in_force(*reversed(rows))
    assert len(in_force(*rows)) == 1


def test_a_test_ends_no_real_warning() -> None:
    test = warning("x", 2, kind=Kind.CANCEL, refers=("a",), status=Status.TEST)
    assert in_force(ALERT, test) == ["a"]


@pytest.mark.parametrize(("by", "ends"), [("gw", True), ("other", False), (OPERATOR, True)])
@pytest.mark.parametrize("first", [True, False])
def test_only_who_brought_it_or_a_person_ends_it(by: str, ends: bool, first: bool) -> None:
    held = AreaWarnings(XIHU)
    told = [(ALERT, "gw"), (CANCEL, by)]
    for one, source in told if first else reversed(told):
        held.take(one, source, 0)
    assert (held.open == ()) is ends


@pytest.mark.parametrize(("by", "ends"), [("gw", True), ("other", False), (OPERATOR, True)])
def test_the_same_holds_for_a_series(by: str, ends: bool) -> None:
    held = AreaWarnings(XIHU)
    held.take(warning("row", 0, series="s"), "gw", 0)
    held.take(warning("lifted", 1, series="s", kind=Kind.CANCEL), by, 1)
    assert (held.open == ()) is ends


def test_it_ends_at_its_own_end_or_at_the_houses() -> None:
    held = AreaWarnings(XIHU)
    held.take(warning("short", 0, expires_ms=HOUR), "gw", 0)
    held.take(warning("unstated", 0), "gw", 0)
    short, unstated = warning("short", 0).id, warning("unstated", 0).id
    assert held.due() == (HOUR, short)
    held.expire(short, HOUR)
    assert held.due() == (24 * HOUR, unstated)
    assert [one.id for one in held.open] == [unstated]
    held.take(warning("short", 0, expires_ms=HOUR), "gw", HOUR)
    assert len(held.open) == 1, "what is over on arrival is not in force"


def test_the_worst_comes_first() -> None:
    held = AreaWarnings(XIHU)
    for name, severity in (("a", Severity.BLUE), ("b", Severity.RED), ("c", Severity.YELLOW)):
        held.take(warning(name, 0, severity=severity), "gw", 0)
    assert [int(one.severity) for one in held.open] == [4, 2, 1]


def test_what_was_ended_is_forgotten_after_a_week() -> None:
    held = AreaWarnings(XIHU)
    held.take(CANCEL, "gw", 0)
    held.take(warning("row", 0, series="s"), "gw", 0)
    assert held.state.ended != {} != held.state.series
    held.take(warning("later", 9 * 24 * HOUR), "gw", 9 * 24 * HOUR)
    assert (held.state.ended, held.state.series) == ({}, {})
