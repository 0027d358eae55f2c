"""Comparisons with published results: what counts, what is left out, what is listed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from sensors.feeds.account import Account
from sensors.feeds.agreement import Agreement, Share, quantiles
from sensors.feeds.feed import Fault, Published, Refused
from sensors.feeds.published_events import Event, agree_events
from sensors.feeds.published_hours import (
    Answer,
    agree_hours,
    agree_withheld,
    distinct,
    recompute,
    window_is_there,
)
from sensors.feeds.published_year import agree_year
from sensors.feeds.tally import Period, RefusedLines, Tally
from streams.storage.stored import LedgerSums, StoredEpisode, StoredFact, StoredReading

HOUR_MS = 3_600_000
MIDNIGHT = 1_585_843_200_000  # 2020-04-03 00:00 in Shanghai
YEAR_START = 1_451_577_600_000  # 2016-01-01 00:00 in Shanghai


def hour(
    start: int, aqi: str | None = "57", o3_8h: str | None = None, primary: str = "pm10"
) -> Published:
    level = None if aqi is None else "良"
    names = None if aqi is None else (primary,)
    values = {"aqi": aqi, "level": level, "primary": names, "o3_8h": o3_8h}
    return Published("hour", start + 2, "s", MIDNIGHT + start * HOUR_MS, values)


def answer(aqi: int | None = 57, o3_8h: str | None = None, *, withheld: bool = False) -> Answer:
    level = None if aqi is None else 2
    return Answer(aqi, level, ("pm10",), o3_8h, "HJ 633-2012", withheld)


def at(start: int, found: Answer) -> dict[tuple[str, int], Answer]:
    return {("s", MIDNIGHT + start * HOUR_MS): found}


def test_an_equal_row_agrees_in_everything() -> None:
    found = agree_hours([hour(9)], at(9, answer()))
    assert [(s.what, s.agree, s.of) for s in found.shares] == [
        ("AQI", 1, 1),
        ("level", 1, 1),
        ("primary", 1, 1),
    ]
    assert found.disagreements == []


@pytest.mark.parametrize(
    ("published", "ours", "what"),
    [
        (hour(9, "58"), answer(), "AQI"),
        (hour(9, primary="pm25"), answer(), "primary"),
        (hour(9), Answer(57, 3, ("pm10",), None, ""), "level"),
    ],
)
def test_each_difference_is_listed_with_its_line(
    published: Published, ours: Answer, what: str
) -> None:
    found = agree_hours([published], at(9, ours))
    assert [(d.what, d.line) for d in found.disagreements] == [(what, 11)]
    assert found.share(what).agree == 0


def test_a_row_that_we_do_not_have_disagrees() -> None:
    assert {d.what for d in agree_hours([hour(9)], {}).disagreements} == {"AQI", "level", "primary"}


def test_a_row_without_a_published_aqi_is_no_disagreement() -> None:
    found = agree_hours([hour(9, None)], at(9, answer()))
    assert found.shares == []
    assert "1 rows have no published AQI although ours can be stated" in found.notes


def test_withheld_rows_are_counted_apart_and_compared_by_their_raw_values() -> None:
    found = agree_hours([hour(9)], at(9, answer(None, withheld=True)))
    assert found.shares == []
    assert "1 rows with an AQI are withheld by us: their source is frozen" in found.notes
    key = ("s", MIDNIGHT + 9 * HOUR_MS)
    raw = [StoredReading("s", "pm10", key[1], Fraction(63))]
    again = agree_withheld([hour(9)], recompute(raw, {key}))
    assert [(s.agree, s.of) for s in again.shares] == [(1, 1)] * 3
    assert recompute(raw, set()) == {}


def test_the_running_mean_is_compared_only_where_its_whole_window_is_there() -> None:
    rows = [hour(n, o3_8h="40") for n in (0, 1, 2, 4)]
    there = {(r.subject, r.start_ms) for r in rows}
    assert [window_is_there(r, there) for r in rows] == [True, True, True, False]
    day = [hour(n) for n in range(3, 12)]
    there = {(r.subject, r.start_ms) for r in day}
    assert window_is_there(hour(10), there)
    assert not window_is_there(hour(9), there)


def test_the_window_does_not_reach_into_the_day_before() -> None:
    assert window_is_there(hour(0), {("s", MIDNIGHT)})


def test_exact_duplicates_are_compared_once() -> None:
    assert distinct([hour(9), hour(9), hour(10)]) == [hour(9), hour(10)]


def event(start_min: float, peak: str, onset_min: float, duration_min: float) -> Event:
    start = int(start_min * 60_000)
    end = start + int(duration_min * 60_000)
    row = Published("event", 5, "p", start, {})
    return Event(
        row, start, end, Decimal(peak), int(onset_min * 60_000), int(duration_min * 60_000)
    )


def episode(start_min: float, peak: str, peak_min: float, end_min: float) -> StoredEpisode:
    start, at_peak, end = (round(m * 60_000) for m in (start_min, peak_min, end_min))
    payload = {
        "dry_before_ms": start - 60_000,
        "peak_m": peak,
        "peak_ms": at_peak,
        "drained_ms": end,
        "zero_ms": end + 60_000,
    }
    return StoredEpisode("p", start, end, payload)


def test_an_event_is_measured_from_rest_to_rest() -> None:
    found = agree_events([event(10, "0.30", 5, 20)], {"p": [episode(11, "0.30", 15, 29)]})
    assert [(s.what, s.agree) for s in found.shares if s.expected] == [
        ("event found", 1),
        ("start within 1 min (last reading at rest)", 1),
        ("peak within 1.5 cm", 1),
        ("time of the peak within 1 min", 1),
        ("duration within 1 min (rest to rest)", 1),
    ]
    assert found.disagreements == []


@pytest.mark.parametrize(
    ("ours", "what"),
    [
        (episode(12.1, "0.30", 15, 29), "start within 1 min (last reading at rest)"),
        (episode(11, "0.3151", 15, 29), "peak within 1.5 cm"),
        (episode(11, "0.30", 16.1, 29), "time of the peak within 1 min"),
        (episode(11, "0.30", 15, 30.1), "duration within 1 min (rest to rest)"),
    ],
)
def test_a_difference_beyond_its_limit_is_listed(ours: StoredEpisode, what: str) -> None:
    found = agree_events([event(10, "0.30", 5, 20)], {"p": [ours]})
    assert what in {d.what for d in found.disagreements}
    assert found.share(what).agree == 0


def test_the_limits_themselves_still_agree() -> None:
    found = agree_events([event(10, "0.30", 5, 20)], {"p": [episode(12, "0.315", 16, 30)]})
    assert found.disagreements == []


def test_events_that_we_miss_and_episodes_without_an_event_are_told() -> None:
    found = agree_events([event(10, "0.005", 5, 20)], {"p": [episode(90, "0.30", 95, 99)]})
    (missed,) = found.disagreements
    assert missed.why == "its peak is below our wet threshold"
    assert found.share("event found").agree == 0
    assert "1 of our 1 episodes match no published event" in found.notes


def test_one_event_over_two_episodes_takes_the_first_start_and_the_highest_peak() -> None:
    ours = [episode(11, "0.10", 12, 14), episode(20, "0.30", 25, 29)]
    found = agree_events([event(10, "0.30", 15, 20)], {"p": ours})
    assert found.disagreements == []
    assert "1 events lie over several of our episodes" in found.notes


def bulletin(**values: str) -> Published:
    return Published(
        "year", 0, "c", YEAR_START, {"days_in_year": "366", **dict.fromkeys(DAYS, "0"), **values}
    )


DAYS = (
    "good_days",
    "excellent_days",
    "moderate_days",
    "heavily_polluted_days",
    "CO_24h_p95_mg_m3",
    "O3_MDA8_p90_ug_m3",
)


def day_fact(day: int, aqi: int | None, pm25: int = 40) -> StoredFact:
    detail = {
        "concentration": {"pm25": {"mean": [str(pm25), "1"], "stations": 12}},
        "below_quorum": [],
    }
    value = None if aqi is None else str(aqi)
    return StoredFact("c", YEAR_START + day * 24 * HOUR_MS, value, detail)


def test_days_are_counted_by_class_with_the_borders_inside() -> None:
    facts = [day_fact(n, aqi) for n, aqi in enumerate((50, 51, 100, 101, 200, 201, None))]
    found = agree_year(
        bulletin(good_days="3", excellent_days="1", moderate_days="2", heavily_polluted_days="1"),
        facts,
        [],
    )
    assert [s.agree for s in found.shares[:4]] == [1, 1, 1, 1]
    assert found.notes[:3] == [
        "6 valid days of 366",
        "1 days without enough data: 2016-01-07",
        "359 days that the recording does not end: 2016-12-29, 2016-12-30, 2016-12-31",
    ]


def test_an_annual_mean_needs_its_days() -> None:
    full = [day_fact(n, 50, 40 + n % 2) for n in range(366)]
    found = agree_year(bulletin(mean_pm25="40"), full, [])
    assert found.share("mean_pm25").note == "published 40, ours 40"  # 40.5, half to even
    few = agree_year(bulletin(mean_pm25="40"), full[:300], [])
    assert few.share("mean_pm25").note == "published 40, ours not enough days"


def test_a_share_is_cut_off_never_rounded_up_to_a_hundred() -> None:
    assert Share("x", 99_999, 100_000).percent() == "99.99 %"
    assert Share("x", 0, 0).percent() == "-"
    assert quantiles([], "min") == "nothing to compare"
    with pytest.raises(KeyError):
        Agreement().share("x")


@pytest.mark.parametrize(
    ("ledger", "closes"),
    [
        (LedgerSums(10, 1, 1, 2, 6, 4, 2, 3), True),
        (LedgerSums(11, 1, 1, 2, 6, 4, 2, 3), False),
        (LedgerSums(10, 1, 1, 2, 6, 4, 1, 3), False),
        (LedgerSums(10, 1, 1, 2, 6, 4, 2, 7), False),
    ],
)
def test_the_law_of_the_ledger(ledger: LedgerSums, closes: bool) -> None:
    assert ledger.closes() is closes
    tally = Tally(readings=10)
    assert Account("f", "n", tally, ledger, {}, {}).complete is closes


def test_an_account_that_lost_readings_is_not_complete() -> None:
    account = Account("f", "n", Tally(readings=11), LedgerSums(10, 0, 0, 0, 10, 10, 0, 0), {}, {})
    assert not account.complete
    assert account.to_dict()["every_reading_received"] is False


def test_refused_lines_are_all_counted_and_the_first_named() -> None:
    found = RefusedLines()
    for line in range(100):
        found.add(Path("a/rows.csv"), Refused(line, Fault.BAD_TIME, "no time"))
    assert found.count == 100
    assert found.first[0] == "rows.csv:0: no time"
    assert len(found.first) == 20


def test_a_period_holds_its_start_and_not_its_end() -> None:
    period = Period(10, 20)
    assert [period.holds(t) for t in (9, 10, 19, 20)] == [False, True, True, False]
    assert Period().holds(-1)
