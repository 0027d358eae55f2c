"""Facts of the region stage: when a period is folded, what revises it, what rolls up."""

from __future__ import annotations

from streams.contracts.domain import DAY_MS, HOUR_MS, day_start
from streams.contracts.outcome import RegionMessage
from streams.region.stage import RegionResult
from tests.support.region_bench import Bench
from tests.support.toy_level import COUNTIES, partial, watermark

A, B, C = COUNTIES  # A and B in one city, C in another
T0 = day_start(1_700_000_000_000)
H = HOUR_MS


def hour_of(result: RegionResult) -> dict[str, str | None]:
    return {f.key.area: f.value.value for f in result.facts if f.key.indicator == "toy.hour"}


def test_city_is_folded_when_its_last_active_member_has_passed() -> None:
    bench = Bench()
    early = bench.apply(
        watermark(A, T0, T0), watermark(B, T0, T0), partial(A, T0 + H, T0, [10, 30]),
        watermark(A, T0 + H, T0 + H),
    )  # fmt: skip
    assert hour_of(early) == {}
    done = bench.apply(partial(B, T0 + H + 5, T0, [20, 40, 50]), watermark(B, T0 + H + 5, T0 + H))
    assert hour_of(done) == {A: "20/1", B: "110/3", "330100": "30/1", "330000": "30/1"}
    fact = bench.fact("toy.hour", "hour", T0, "330100")
    assert (fact.revision, fact.cause, fact.known_from_ms) == (1, "closed", T0 + H + 5)


def test_watermark_exactly_at_the_end_folds_and_one_before_does_not() -> None:
    bench = Bench()
    bench.apply(partial(C, T0 + H, T0, [10]), watermark(C, T0 + H, T0 + H - 1))
    assert bench.pages.history == []
    bench.apply(watermark(C, T0 + H + 1, T0 + H))
    assert bench.value("toy.hour", "hour", T0, "330200") == "10/1"


def test_inactive_member_holds_nobody_up() -> None:
    bench = Bench()
    bench.apply(
        watermark(A, T0, T0), watermark(B, T0, T0), partial(A, T0 + H, T0, [10]),
        watermark(A, T0 + H, T0 + H),
    )  # fmt: skip
    assert hour_of(bench.apply(watermark(B, T0 + H + 9, T0, active=False))) == {
        A: "10/1",
        "330100": "10/1",
        "330000": "10/1",
    }


def test_province_waits_for_every_city() -> None:
    bench = Bench()
    bench.apply(watermark(C, T0, T0), watermark(A, T0, T0))
    first = bench.apply(partial(A, T0 + H, T0, [10]), watermark(A, T0 + H, T0 + H))
    assert hour_of(first) == {A: "10/1", "330100": "10/1"}
    second = bench.apply(partial(C, T0 + H + 1, T0, [30]), watermark(C, T0 + H + 1, T0 + H))
    assert hour_of(second) == {C: "30/1", "330200": "30/1", "330000": "20/1"}


def test_late_partial_revises_all_levels_and_keeps_what_was_known() -> None:
    bench = Bench()
    bench.apply(partial(A, T0 + H, T0, [10]), watermark(A, T0 + H, T0 + H))
    bench.apply(partial(A, T0 + 9 * H, T0, [10, 90], cause="late"))
    history = [f for f in bench.pages.history if f.key.area == "330000"]
    assert [(f.revision, f.value.value, f.cause, f.known_from_ms) for f in history] == [
        (1, "10/1", "closed", T0 + H),
        (2, "50/1", "late", T0 + 9 * H),
    ]


def test_partial_of_a_folded_period_counts_as_late_even_when_it_just_closed() -> None:
    bench = Bench()
    bench.apply(partial(A, T0 + H, T0, [10]), watermark(A, T0 + H, T0 + H))
    bench.apply(partial(B, T0 + 2 * H, T0, [30]), watermark(B, T0 + 2 * H, T0 + H))
    fact = bench.fact("toy.hour", "hour", T0, "330100")
    assert (fact.revision, fact.cause, fact.value.value) == (2, "late", "20/1")


def test_equal_value_makes_no_revision() -> None:
    bench = Bench()
    bench.apply(partial(A, T0 + H, T0, [10, 30]), watermark(A, T0 + H, T0 + H))
    assert bench.apply(partial(A, T0 + 2 * H, T0, [30, 10], cause="late")).facts == []


def test_messages_of_one_processing_time_make_one_revision() -> None:
    bench = Bench()
    bench.apply(partial(A, T0 + H, T0, [10]), watermark(A, T0 + H, T0 + H))
    result = bench.apply(
        partial(A, T0 + 5 * H, T0, [10, 20], cause="revised", sequence=4),
        partial(A, T0 + 5 * H, T0, [10, 20, 60], cause="late", sequence=5),
    )
    assert [(f.key.area, f.revision, f.cause) for f in result.facts] == [
        (A, 2, "late"),
        ("330100", 2, "late"),
        ("330000", 2, "late"),
    ]


def day(area: str, start: int, values: list[int], cause: str = "closed") -> list[RegionMessage]:
    end = start + DAY_MS
    proc = end if cause == "closed" else end + 90 * DAY_MS
    return [
        partial(area, proc, start, values, period="day", cause=cause),
        watermark(area, proc, proc),
    ]


def test_month_and_year_roll_up_the_days_that_have_ended() -> None:
    bench = Bench()
    november = day_start(1_698_768_000_000)  # 2023-11-01 in Asia/Shanghai
    bench.apply(*day(A, november, [10]))
    bench.apply(*day(A, november + 2 * DAY_MS, [30, 50]))
    month = bench.fact("toy.mean", "month", november, "330100")
    assert (month.value.value, month.value.have, month.value.want) == ("30/1", 2, 3)
    assert month.end_ms == november + 30 * DAY_MS
    year = bench.fact("toy.mean", "year", november - 304 * DAY_MS, "330100")
    assert (year.value.value, year.value.have, year.value.want) == ("30/1", 2, 307)
    assert bench.value("toy.mean", "month", november, "330000") == "30/1"


def test_days_without_readings_are_wanted_once_they_have_ended() -> None:
    bench = Bench()
    november = day_start(1_698_768_000_000)
    bench.apply(*day(A, november, [10]))
    bench.apply(watermark(A, november + 9 * DAY_MS, november + 9 * DAY_MS))
    assert bench.fact("toy.mean", "month", november, A).value.want == 9
    bench.apply(watermark(A, november + 70 * DAY_MS, november + 70 * DAY_MS))
    assert bench.fact("toy.mean", "month", november, A).value.want == 30


def test_late_day_revises_its_month_with_its_cause() -> None:
    bench = Bench()
    november = day_start(1_698_768_000_000)
    bench.apply(*day(A, november, [10]))
    bench.apply(*day(A, november, [10, 20], cause="late"))
    month = bench.fact("toy.mean", "month", november, "330000")
    assert (month.value.value, month.cause) == ("15/1", "late")


def test_province_month_is_over_the_cities() -> None:
    bench = Bench()
    november = day_start(1_698_768_000_000)
    bench.apply(*day(A, november, [10]), *day(C, november, [40, 70]))
    assert bench.value("toy.mean", "month", november, "330000") == "40/1"
    assert bench.fact("toy.mean", "month", november, "330000").value.have == 2


def test_inventory_counts_the_newest_state_of_every_area() -> None:
    bench = Bench()
    for area, points in ((A, 2), (B, 3), (C, 4)):
        message = partial(area, T0 + 1, T0, [], period="state", cause="registry")
        bench.apply(_with(message, {"points": points}))
    assert bench.value("toy.points", "state", T0, "330000") == "9"
    newer = _with(partial(B, T0 + 2, T0 + H, [], period="state", cause="registry"), {"points": 1})
    bench.apply(newer)
    assert bench.value("toy.points", "state", T0 + H, "330100") == "3"
    assert bench.value("toy.points", "state", T0, "330100") == "5"


def _with(message: RegionMessage, payload: dict[str, int]) -> RegionMessage:
    return RegionMessage(
        message.area, message.sequence, message.proc_ms, message.kind, message.domain,
        message.period, message.start_ms, payload, message.cause, message.position,
    )  # fmt: skip


def test_unknown_area_is_no_member() -> None:
    bench = Bench()
    assert bench.apply(partial("110000", T0 + H, T0, [1])).facts == []
    assert bench.pages.partial == {}


def test_late_rows_that_come_before_any_watermark_skip_no_earlier_period() -> None:
    """An hour told in time, then a late later one, and only then the first watermark."""
    bench = Bench()
    bench.apply(
        partial(A, T0 + H, T0, [10]),
        partial(A, T0 + H, T0 + H, [20], cause="late"),
    )
    bench.apply(watermark(A, T0 + 2 * H, T0 + 2 * H))
    assert bench.value("toy.hour", "hour", T0, "330100") == "10/1"
    assert bench.value("toy.hour", "hour", T0 + H, "330100") == "20/1"
    assert bench.value("toy.hour", "hour", T0, "330000") == "10/1"
