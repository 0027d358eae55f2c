"""Alerts when their rules change, go out of season or hold only for some points."""

from __future__ import annotations

import numpy as np

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.rule import Level, Numbers, Thresholds, thresholds
from streams.alerting.ruling import Ruling, everywhere
from streams.alerting.season import Season
from streams.contracts.domain import DAY_MS
from streams.contracts.outcome import Transition
from streams.contracts.reason import Change, Origin, Severity
from streams.domains.waterlogging import DEPTH_RULE
from tests.support.tiers import CM, depth_rule

MINUTE = 60_000
RULE = "waterlogging.depth"
HERE, THERE = Subject("p1", "p1"), Subject("p2", "p2")
BLUE, YELLOW, ORANGE, RED = list(Severity)[1:]


def book(ruling: Ruling | None = None) -> Book:
    made = Book("330106")
    made.use("waterlogging", {RULE: ruling or everywhere(depth_rule())})
    return made


def at(minute: float) -> Moment:
    return Moment(round(minute * MINUTE), position=7, origin=Origin.LIVE)


def see(held: Book, minute: float, cm: float, subject: Subject = HERE) -> list[Transition]:
    return held.judge(RULE, subject, round(minute * MINUTE), round(cm * CM), at(minute))


def flooded(cm: float = 31) -> Book:
    held = book()
    see(held, 0, cm)
    see(held, 1, cm)
    return held


def table(**colours: str) -> Thresholds:
    levels = {Severity[name.upper()]: Level(text) for name, text in colours.items()}
    return thresholds(DEPTH_RULE, Numbers(levels, "2", clear_minutes="10"))


def refit(held: Book, ruling: Ruling | None, minute: float = 2) -> list[Transition]:
    held.use("waterlogging", {} if ruling is None else {RULE: ruling})
    return held.refit(at(minute))


def told(transitions: list[Transition]) -> list[tuple[Change, Severity]]:
    return [(t.change, t.severity) for t in transitions]


def test_the_same_rules_again_change_nothing() -> None:
    assert refit(flooded(), everywhere(depth_rule())) == []


def test_an_open_alert_is_judged_by_the_new_numbers_from_its_next_reading_on() -> None:
    held = flooded(31)
    held.mark = "abcdef123456"
    higher = depth_rule(orange_cm="40")
    assert refit(held, everywhere(higher)) == []
    assert [s for _, s, _ in held.open()] == [ORANGE]
    assert see(held, 3, 31) == []
    (lowered,) = see(held, 13, 31)
    assert told([lowered]) == [(Change.LOWERED, YELLOW)]
    assert lowered.rule_version == f"{higher.version}@abcdef123456"


def test_time_below_goes_on_only_if_the_last_value_is_below_by_the_new_numbers_too() -> None:
    for yellow, over in (("27", True), ("12", False)):
        held = flooded(31)
        see(held, 2, 12.5)
        rule = depth_rule(blue_cm="11", yellow_cm=yellow)
        refit(held, everywhere(rule), 3)
        due = held.due()
        assert due is not None
        lowered = held.fire(due[1], due[0], 1)
        assert told(lowered) == [(Change.LOWERED, BLUE if over else YELLOW)]


def test_what_counted_towards_a_raise_counts_no_more() -> None:
    held = book()
    see(held, 0, 16)
    refit(held, everywhere(depth_rule(blue_cm="14")), 0.5)
    assert see(held, 1, 16) == []
    assert told(see(held, 2, 16)) == [(Change.CONFIRMED, BLUE)]


def test_a_severity_that_is_no_level_any_more_goes_down_to_the_next() -> None:
    held = flooded(31)
    (lowered,) = refit(held, everywhere(table(blue="15", red="50")))
    assert told([lowered]) == [(Change.LOWERED, BLUE)]
    assert (lowered.value, lowered.threshold) == (None, "15")


def test_an_alert_without_any_level_left_is_retired_as_what_it_was() -> None:
    held = flooded(16)
    (gone,) = refit(held, everywhere(table(red="50")))
    assert told([gone]) == [(Change.RETIRED, BLUE)]
    assert list(held.open()) == []


def test_a_new_level_between_keeps_the_severity() -> None:
    held = book(everywhere(table(blue="15", red="50")))
    for minute in (0, 1):
        see(held, minute, 55)
    assert refit(held, everywhere(depth_rule())) == []
    assert [s for _, s, _ in held.open()] == [RED]
    assert told(see(held, 3, 56)) == []


def test_a_rule_that_is_off_or_gone_retires_its_alerts() -> None:
    for ruling in (Ruling(DEPTH_RULE, None, None, watches=RULE), None):
        held = flooded()
        held.mark = "abcdef123456"
        (gone,) = refit(held, ruling)
        assert told([gone]) == [(Change.RETIRED, ORANGE)]
        assert (gone.rule_version, gone.domain) == ("@abcdef123456", "waterlogging")
        assert held.due() is None


def test_where_a_rule_does_not_hold_nothing_is_judged() -> None:
    ruling = Ruling(DEPTH_RULE, None, None, {"p2": depth_rule()}, watches=RULE)
    held = book(ruling)
    assert see(held, 0, 60) == []
    assert told(see(held, 0, 16, THERE)) == [(Change.ONSET, BLUE)]


def test_rows_are_looked_at_by_the_threshold_of_their_own_point() -> None:
    ruling = Ruling(DEPTH_RULE, None, depth_rule(), {"p2": depth_rule(blue_cm="5")}, watches=RULE)
    held = book(ruling)
    subjects = {0: HERE, 3: THERE}
    series = np.array([0, 0, 3, 3, 7], np.int32)
    time = np.array([0, MINUTE, 0, MINUTE, 0])
    value = np.array([6, 6, 6, 6, 60]) * CM
    rows = (series, time, value, np.zeros(5, np.bool_))
    found = held.look(RULE, subjects, rows)
    assert found is not None
    assert found.tolist() == [2, 3]
    assert {t.point for t in held.judge_rows(RULE, subjects, rows, at(1))} == {"p2"}


def test_an_alert_of_an_old_checkpoint_had_the_levels_that_its_domain_declares() -> None:
    for ruling, ends in (
        (everywhere(table(yellow="20", red="50")), (Change.LOWERED, YELLOW)),
        (Ruling(DEPTH_RULE, None, None, watches=RULE), (Change.RETIRED, ORANGE)),
    ):
        held = flooded(31)
        (track,) = held.state.tracks.values()
        track.tiers, track.version = [], ""
        assert told(refit(held, ruling)) == [ends]


# seasons ----------------------------------------------------------------------------------------

JANUARY = Season(((101, 131),), 0)
END = 31 * DAY_MS  # of January 1970


def in_season() -> Book:
    return book(Ruling(DEPTH_RULE, depth_rule(), depth_rule(), season=JANUARY, watches=RULE))


def days(number: float) -> float:
    return number * DAY_MS / MINUTE


def test_nothing_begins_out_of_season() -> None:
    held = in_season()
    assert see(held, days(31), 60) == []
    assert told(see(in_season(), days(31) - 1, 60))[0] == (Change.ONSET, RED)


def test_the_end_of_the_season_retires_by_itself() -> None:
    held = in_season()
    see(held, days(30), 31)
    see(held, days(30) + 1, 31)
    due = held.due()
    assert due is not None
    assert due[0] == END
    (gone,) = held.fire(due[1], due[0], 1)
    assert (gone.change, gone.severity, gone.event_ms) == (Change.RETIRED, ORANGE, END)


def test_a_reading_from_after_the_season_retires_as_of_its_end() -> None:
    held = in_season()
    see(held, days(30), 31)
    see(held, days(30) + 1, 31)
    rows = (np.zeros(1, np.int32), np.array([END + 1]), np.array([31 * CM]), np.zeros(1, np.bool_))
    (gone,) = held.judge_rows(RULE, {0: HERE}, rows, at(days(31) - 1))
    assert (gone.change, gone.event_ms) == (Change.RETIRED, END)


def test_a_new_season_retires_what_began_out_of_it() -> None:
    held = book()
    see(held, days(40), 31)
    season = Ruling(DEPTH_RULE, depth_rule(), depth_rule(), season=JANUARY, watches=RULE)
    assert told(refit(held, season, days(40) + 1)) == [(Change.RETIRED, BLUE)]
