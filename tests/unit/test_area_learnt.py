"""What a domain told by day: which payload is in force, for how long it is kept."""

from __future__ import annotations

from streams.area.learnt import Learnt, in_force
from streams.contracts.domain import DAY_MS, Result
from tests.support.traffic_area import link, view_of

KIND = "toy.usual"
VIEW = view_of([link("a"), link("b")])
DAY = 20_000 * DAY_MS


def told(point: str, day: int, value: int | None, kind: str = KIND) -> Result:
    return Result(kind, point, DAY + day * DAY_MS, 86_400, {"value": value})


def held(*results: Result) -> Learnt:
    learnt = Learnt(KIND)
    learnt.note(results)
    return learnt


def values(learnt: Learnt, day: int) -> dict[str, object]:
    view = learnt.view_for(VIEW, DAY + day * DAY_MS)
    return {point: payload["value"] for point, payload in view.learnt.items()}


def test_the_newest_for_that_day_or_one_before_holds_point_by_point() -> None:
    learnt = held(told("a", 1, 10), told("a", 3, 30), told("b", 2, 20))
    assert [values(learnt, day) for day in range(5)] == [
        {},
        {"a": 10},
        {"a": 10, "b": 20},
        {"a": 30, "b": 20},
        {"a": 30, "b": 20},
    ]


def test_what_is_taken_back_is_told_and_does_not_fall_back_to_older_words() -> None:
    learnt = held(told("a", 1, 10), told("a", 2, None))
    assert values(learnt, 2) == {"a": None}


def test_told_again_for_the_same_day_the_later_one_counts() -> None:
    learnt = held(told("a", 1, 10))
    assert values(learnt, 1) == {"a": 10}
    learnt.note([told("a", 1, 11)])
    assert values(learnt, 1) == {"a": 11}


def test_other_kinds_and_domains_that_learn_nothing_are_not_kept() -> None:
    assert held(told("a", 1, 10, kind="toy.other")).told == {}
    nothing = Learnt(None)
    nothing.note([told("a", 1, 10)])
    assert nothing.view_for(VIEW, DAY + DAY_MS) is VIEW


def test_the_view_is_the_same_object_until_something_changes() -> None:
    learnt = held(told("a", 1, 10))
    first = learnt.view_for(VIEW, DAY + DAY_MS)
    assert learnt.view_for(VIEW, DAY + DAY_MS) is first
    assert learnt.view_for(VIEW, DAY + 2 * DAY_MS) is not first
    other = view_of([link("a")])
    assert learnt.view_for(other, DAY + DAY_MS).points == other.points


def test_it_forgets_with_the_days_and_keeps_what_is_in_force() -> None:
    learnt = held(*(told("a", day, day) for day in range(10)), told("b", 2, 2))
    learnt.forget(DAY + 8 * DAY_MS)
    kept = {p: [(s - DAY) // DAY_MS for s in days] for p, days in learnt.told.items()}
    assert kept == {"a": [8, 9], "b": [2]}
    assert values(learnt, 8) == {"a": 8, "b": 2}
    assert values(learnt, 12) == {"a": 9, "b": 2}


def test_nothing_is_in_force_before_the_first_word() -> None:
    assert in_force(held(told("a", 1, 10)).told, DAY) == {}
