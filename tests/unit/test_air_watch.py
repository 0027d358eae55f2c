"""Frozen stations, evidence of life, judgements and withdrawals, hour by hour."""

from __future__ import annotations

import msgspec
import pytest

from streams.contracts.domain import HOUR_MS, Outputs
from streams.contracts.reason import Change
from streams.domains.air.station import StationState, advance, frozen_hours, shows_life
from streams.domains.air.watch import AirState, initial
from tests.support.air_area import START, Row, Timeline, row, series_of, view_of

STUCK = row("151,194,35,145,8,1.757")  # AQI 201
CLEAN = [row(f"{10 + i},{20 + i},5,20,60,0.5") for i in range(24)]
HEAVY = [row(f"{160 + i},200,5,20,60,0.5") for i in range(24)]  # AQI 211 and more


def timeline(**parameters: str) -> Timeline:
    named = {f"air.{key.replace('__', '.')}": value for key, value in parameters.items()}
    return Timeline(view_of(["A", "B"], parameters=named))


def values(outputs: Outputs) -> list[tuple[int, int]]:
    return [(j.point, j.value) for j in outputs.judgements]


def test_a_station_that_repeats_its_row_from_the_start_never_judges() -> None:
    line = timeline()
    answers = [line.play(hour, {"A": STUCK}) for hour in range(10)]
    assert not any(answer.judgements or answer.withdrawals for answer in answers)
    assert line.flagged_hours("A") == list(range(10))
    assert [len(a.flags) for a in answers] == [0, 0, 18] + [6] * 7
    assert [len(a.tickets) for a in answers] == [0, 0, 1] + [0] * 7


def test_the_run_is_flagged_retroactively_on_its_third_published_hour() -> None:
    line = timeline()
    line.play(0, {"A": CLEAN[0]})
    for hour in (1, 2):
        assert not line.play(hour, {"A": STUCK}).flags
    flags = line.play(3, {"A": STUCK}).flags
    assert {(f.time_ms - START) // HOUR_MS for f in flags} == {1, 2, 3}
    assert {f.flag for f in flags} == {3}
    assert line.flagged_hours("A") == [1, 2, 3]


def test_missing_hours_do_not_break_the_run() -> None:
    line = timeline()
    for hour in (0, 5, 23):
        answer = line.play(hour, {"A": STUCK})
    assert line.flagged_hours("A") == [0, 5, 23]
    assert len(answer.tickets) == 1


def test_two_equal_rows_are_not_frozen() -> None:
    line = timeline()
    for hour, values_ in enumerate((STUCK, STUCK, CLEAN[0], STUCK, STUCK)):
        line.play(hour, {"A": values_})
    assert line.flagged_hours("A") == []


def test_one_changed_pollutant_or_a_vanished_one_is_a_changed_row() -> None:
    line = timeline()
    changed = {**STUCK, "co": "1.7571"}
    vanished = {k: v for k, v in STUCK.items() if k != "co"}
    for hour, values_ in enumerate((STUCK, STUCK, changed, changed, vanished, vanished)):
        line.play(hour, {"A": values_})
    assert line.flagged_hours("A") == []


def test_all_reported_pollutants_are_enough_for_a_run() -> None:
    line = timeline()
    part = row("32,221,8,-,89,0.668")  # as 绍兴 市环保站 repeats it
    for hour in range(3):
        line.play(hour, {"A": part})
    assert line.flagged_hours("A") == [0, 1, 2]


def test_the_first_changed_row_ends_the_flag_and_closes_the_ticket() -> None:
    line = timeline()
    for hour in range(4):
        opened = line.play(hour, {"A": STUCK}).tickets
    assert not opened
    answer = line.play(4, {"A": CLEAN[0]})
    assert line.flagged_hours("A") == [0, 1, 2, 3]
    assert [(t.sensor, t.property, t.kind, t.closed) for t in answer.tickets] == [
        (1, "pm25", "frozen", True)
    ]
    assert values(answer) == [(0, 20)]  # changed, hence alive


def test_min_repeats_is_a_parameter() -> None:
    line = timeline(frozen__min_repeats="5")
    for hour in range(5):
        assert line.flagged_hours("A") == []
        line.play(hour, {"A": STUCK})
    assert line.flagged_hours("A") == [0, 1, 2, 3, 4]


def test_a_first_row_alone_raises_nothing() -> None:
    line = timeline()
    assert values(line.play(0, {"A": HEAVY[0]})) == []
    assert values(line.play(1, {"A": HEAVY[1]})) == [(0, 211)]


def test_a_changed_row_within_the_last_three_published_hours_is_life() -> None:
    line = timeline(frozen__min_repeats="9")
    answers = [line.play(h, {"A": r}) for h, r in enumerate([CLEAN[0], *[HEAVY[0]] * 5])]
    assert [len(a.judgements) for a in answers] == [0, 1, 1, 1, 0, 0]


def test_an_alert_raised_before_the_freeze_is_withdrawn() -> None:
    line = timeline()
    rows = [CLEAN[0], HEAVY[0], HEAVY[0], HEAVY[0], HEAVY[0]]
    answers = [line.play(hour, {"A": r}) for hour, r in enumerate(rows)]
    assert [len(a.judgements) for a in answers] == [0, 1, 1, 0, 0]
    assert [len(a.withdrawals) for a in answers] == [0, 0, 0, 1, 0]
    withdrawal = answers[3].withdrawals[0]
    assert (withdrawal.rule, withdrawal.point, withdrawal.change) == (
        "air.station",
        0,
        Change.WITHDRAWN,
    )
    assert withdrawal.time_ms == START + 3 * HOUR_MS
    assert withdrawal.evidence["source"] == "frozen"


def test_a_freeze_in_clean_air_withdraws_nothing() -> None:
    line = timeline()
    answers = [line.play(h, {"A": r}) for h, r in enumerate([CLEAN[1], *[CLEAN[0]] * 3])]
    assert not any(a.withdrawals for a in answers)
    assert answers[3].tickets


def test_a_freeze_after_the_alert_has_cleared_withdraws_nothing() -> None:
    line = timeline()
    rows = [CLEAN[0], HEAVY[0], HEAVY[1], CLEAN[1], CLEAN[2], *[CLEAN[3]] * 3]
    answers = [line.play(hour, {"A": r}) for hour, r in enumerate(rows)]
    assert answers[-1].tickets
    assert not any(a.withdrawals for a in answers)


def test_the_judged_value_is_the_hourly_aqi_with_its_evidence() -> None:
    line = timeline()
    line.play(0, {"A": CLEAN[0]})
    (judgement,) = line.play(1, {"A": HEAVY[0]}).judgements
    assert (judgement.rule, judgement.time_ms, judgement.value) == (
        "air.station",
        START + HOUR_MS,
        210,
    )
    assert judgement.evidence["primary"] == ["pm25"]
    assert judgement.evidence["standard_version"] == "HJ 633-2012"


def test_a_reading_that_failed_its_checks_is_not_judged() -> None:
    line = timeline()
    line.play(0, {"A": CLEAN[0]})
    line.put(1, "A", {"pm25": "9000"}, flag=4)
    assert values(line.play(1, {"A": row("-,21,5,20,60,0.5")})) == [(0, 21)]


def test_missing_the_pollutant_that_led_ends_no_alert() -> None:
    line = timeline()
    line.play(0, {"A": CLEAN[0]})
    line.play(1, {"A": HEAVY[0]})
    without = row("-,30,5,20,60,0.5")
    assert values(line.play(2, {"A": without})) == []
    assert values(line.play(3, {"A": CLEAN[3]})) == [(0, 23)]


def test_stations_are_watched_apart() -> None:
    line = timeline()
    for hour in range(4):
        answer = line.play(hour, {"A": STUCK, "B": CLEAN[hour]})
    assert line.flagged_hours("A") == [0, 1, 2, 3]
    assert line.flagged_hours("B") == []
    assert values(answer) == [(1, 23)]


def test_a_revision_that_breaks_the_run_lifts_the_flags() -> None:
    line = timeline()
    for hour in range(4):
        line.play(hour, {"A": STUCK})
    answer = line.revise(1, {"A": CLEAN[0]})
    assert line.flagged_hours("A") == []
    assert [t.closed for t in answer.tickets] == [True]
    assert not answer.judgements


def test_a_revision_restores_the_flag_that_a_reading_had() -> None:
    line = timeline()
    series = series_of(line.view, "A", "co")
    for hour in range(3):
        line.put(hour, "A", STUCK, flag=2)
        line.play(hour, {})
    assert line.stored[series, START][1] == 3
    line.revise(1, {"A": CLEAN[0]})
    assert line.stored[series, START][1] == 2


def test_a_late_row_that_completes_a_run_flags_it() -> None:
    line = timeline()
    for hour in (0, 2):
        line.play(hour, {"A": STUCK})
    line.play(3, {"A": CLEAN[3]})
    answer = line.revise(1, {"A": STUCK})
    assert line.flagged_hours("A") == [0, 1, 2]
    assert not answer.tickets  # it was over before it was known


def test_a_late_row_that_freezes_the_present_run_withdraws() -> None:
    line = timeline()
    line.play(0, {"A": CLEAN[0]})
    line.play(2, {"A": HEAVY[0]})
    line.play(3, {"A": HEAVY[0]})
    answer = line.revise(1, {"A": HEAVY[0]})
    assert line.flagged_hours("A") == [1, 2, 3]
    assert [t.closed for t in answer.tickets] == [False]
    assert [w.point for w in answer.withdrawals] == [0]


def test_a_late_row_newer_than_every_closed_row_counts() -> None:
    line = timeline()
    line.play(0, {"A": STUCK})
    line.play(1, {"A": STUCK})
    line.revise(2, {"A": STUCK})  # hour 2 had been empty when the watermark passed it
    assert line.flagged_hours("A") == [0, 1, 2]
    assert line.play(3, {"A": CLEAN[0]}).tickets[0].closed


def test_revisions_in_any_order_end_in_the_flags_of_the_straight_run() -> None:
    rows: list[Row] = [CLEAN[0], STUCK, STUCK, STUCK, CLEAN[1], CLEAN[2], STUCK, STUCK]
    straight = timeline()
    for hour, values_ in enumerate(rows):
        straight.play(hour, {"A": values_})
    crooked = timeline()
    for hour in (0, 4, 7):
        crooked.play(hour, {"A": rows[hour]})
    for hour in (6, 2, 5, 1, 3):
        crooked.revise(hour, {"A": rows[hour]})
    assert crooked.stored == straight.stored
    mine, other = crooked.state.stations["A"], straight.state.stations["A"]
    assert (mine.row, mine.repeats, mine.run_ms, mine.frozen, mine.flagged) == (
        other.row,
        other.repeats,
        other.run_ms,
        other.frozen,
        other.flagged,
    )


def test_a_repeated_revision_changes_nothing() -> None:
    line = timeline()
    for hour in range(4):
        line.play(hour, {"A": STUCK})
    assert line.revise(1, {}) == Outputs()


def test_a_run_older_than_the_horizon_stays_frozen_on_a_revision() -> None:
    line = timeline()
    horizon = 45 * 24
    for hour in (0, 1, 2, horizon + 1):
        line.play(hour, {"A": STUCK})
    assert line.revise(horizon + 1, {}) == Outputs()
    assert line.state.stations["A"].frozen


def test_old_flags_are_forgotten_beyond_the_horizon() -> None:
    line = timeline()
    for hour in range(4):
        line.play(hour, {"A": STUCK})
    line.play(4 + 45 * 24, {"A": CLEAN[0]})
    kept = line.state.stations["A"].flagged.values()
    assert [list(times) for times in kept] == [[START + 3 * HOUR_MS]] * 6


def test_state_survives_a_checkpoint() -> None:
    line = timeline()
    for hour in range(4):
        line.play(hour, {"A": STUCK, "B": HEAVY[hour]})
    content = msgspec.msgpack.encode(line.state)
    assert msgspec.msgpack.decode(content, type=AirState) == line.state
    line.state = msgspec.msgpack.decode(content, type=AirState)
    assert len(line.play(4, {"A": STUCK}).flags) == 6


def test_a_station_that_left_the_registry_leaves_the_state() -> None:
    line = timeline()
    line.play(0, {"A": STUCK, "B": CLEAN[0]})
    state = initial(view_of(["B"]), line.state)
    assert set(state.stations) == {"B"}


def test_rows_advance_as_drawn() -> None:
    #   row      a  a  b  b  b  c
    #   repeats  1  2  1  2  3  1
    state = StationState()
    seen = []
    for hour, value in enumerate((1, 1, 2, 2, 2, 3)):
        advance(state, (value,), hour, 3)
        seen.append((state.repeats, state.since_change, state.frozen, shows_life(state, 3)))
    assert seen == [
        (1, -1, False, False),
        (2, -1, False, False),
        (1, 0, False, True),
        (2, 1, False, True),
        (3, 2, True, False),
        (1, 0, False, True),
    ]


@pytest.mark.parametrize(
    ("rows", "frozen"),
    [("aab", set()), ("aaa", {0, 1, 2}), ("abbbc", {1, 2, 3}), ("abababab", set()), ("", set())],
)
def test_frozen_hours(rows: str, frozen: set[int]) -> None:
    given = [(hour, (ord(letter),)) for hour, letter in enumerate(rows)]
    assert frozen_hours(given, 3, StationState()) == frozen
