"""Which alerts are one incident: ideal alerts whose grouping can be said aloud."""

from __future__ import annotations

from typing import Any

import pytest

from api.actions.incident import GAP_MS, Grouping, Held, Incident, Phase, Step, Told

MINUTE = 60_000
KEY = ("Actual", "waterlogging", "330106")


class Run:
    """A grouping that is fed by the minute."""

    def __init__(self) -> None:
        self.grouping = Grouping()
        self.numbers: dict[str, int] = {}
        self.number = -1

    def tell(self, minute: float, alert: str, severity: int = 3, **given: Any) -> None:
        self.number += 1
        self.numbers[alert] = self.numbers.get(alert, 0) + 1
        values: dict[str, Any] = {"status": "Actual", "domain": "waterlogging", "area": "330106"}
        values |= {"phase": Phase.FIRING} | given
        self.grouping.take(
            Told(
                number=self.number,
                alert=alert,
                sequence=self.numbers[alert],
                at_ms=round(minute * MINUTE),
                severity=severity,
                **values,
            )
        )

    def end(self, minute: float, alert: str, **given: Any) -> None:
        self.tell(minute, alert, 1, phase=Phase.RESOLVED, **given)

    @property
    def all(self) -> list[Incident]:
        return list(self.grouping.incidents.values())

    @property
    def one(self) -> Incident:
        (found,) = self.all
        return found

    def steps(self) -> list[tuple[str, float, int]]:
        return [
            (each.step.value, each.at_ms / MINUTE, each.severity) for each in self.grouping.steps
        ]


@pytest.fixture
def run() -> Run:
    return Run()


def test_alerts_that_overlap_are_one_incident_and_the_worst_is_its_colour(run: Run) -> None:
    run.tell(0, "a", 2)
    run.tell(1, "b", 4)
    run.tell(2, "c", 3)
    assert run.one.key == KEY
    assert (run.one.severity, run.one.peak, run.one.by_severity) == (4, 4, [0, 0, 1, 1, 1])
    run.end(5, "b")
    assert (run.one.severity, run.one.peak, run.one.open, run.one.ended) == (3, 4, 2, 1)
    assert run.steps() == [("opened", 0, 2), ("raised", 1, 4), ("lowered", 5, 3)]


def test_a_pending_alert_opens_nothing_and_one_that_never_fired_ends_nothing(run: Run) -> None:
    run.tell(0, "a", phase=Phase.PENDING)
    run.end(1, "a")
    assert run.all == []


@pytest.mark.parametrize(("minute", "incidents"), [(39.9, 1), (40, 1), (40.1, 2)])
def test_what_follows_within_the_gap_joins(run: Run, minute: float, incidents: int) -> None:
    run.tell(0, "a")
    run.end(10, "a")
    run.tell(minute, "b")
    assert len(run.all) == incidents


def test_it_is_over_when_the_quiet_has_lasted_and_that_is_when_it_ended(run: Run) -> None:
    run.tell(0, "a")
    run.end(10, "a")
    run.grouping.pass_time(40 * MINUTE)
    assert run.one.closed_ms is None, "an alert of this very minute would join"
    run.grouping.pass_time(500 * MINUTE)
    assert run.one.closed_ms == 40 * MINUTE
    assert run.steps() == [("opened", 0, 3), ("lowered", 10, 0), ("closed", 40, 0)]


def test_a_late_alert_of_before_the_end_opens_it_again(run: Run) -> None:
    run.tell(0, "a")
    run.end(10, "a")
    run.grouping.pass_time(500 * MINUTE)
    run.tell(35, "b", 2)
    assert (run.one.closed_ms, run.one.severity) == (None, 2)
    assert [step for step, _, _ in run.steps()] == [
        Step.OPENED, Step.LOWERED, Step.CLOSED, Step.REOPENED, Step.RAISED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [{"status": "Exercise"}, {"domain": "air"}, {"area": "330108"}, {"area": "330100"}],
)
def test_what_is_of_another_kind_or_place_is_another_incident(
    run: Run, other: dict[str, Any]
) -> None:
    run.tell(0, "a")
    run.tell(0, "b", **other)
    assert len(run.all) == 2


def test_a_town_is_of_its_county(run: Run) -> None:
    run.tell(0, "a")
    run.tell(0, "b", area="330106003")
    assert run.one.open == 2


def test_hidden_alerts_are_members_and_give_no_colour(run: Run) -> None:
    run.tell(0, "a", 2)
    run.tell(1, "b", 4, hidden_by="a")
    assert (run.one.severity, run.one.open, run.one.hidden) == (2, 1, 1)
    run.end(2, "a")
    assert (run.one.severity, run.one.quiet_ms) == (0, None)
    run.tell(3, "b", 4)
    assert (run.one.severity, run.one.open, run.one.hidden, run.one.ended) == (4, 1, 0, 1)


def test_one_that_flaps_keeps_the_higher_colour_until_its_time_also_when_it_is_over(
    run: Run,
) -> None:
    run.tell(0, "a", 4)
    run.tell(1, "a", 2, held=Held(4, 20 * MINUTE))
    assert run.one.severity == 4
    run.end(5, "a", held=Held(4, 20 * MINUTE))
    assert (run.one.severity, run.one.ended) == (4, 1)
    run.grouping.pass_time(200 * MINUTE)
    assert (run.one.severity, run.one.closed_ms) == (0, 50 * MINUTE)
    assert run.steps()[-2:] == [("lowered", 20, 0), ("closed", 50, 0)]


def test_the_same_transition_again_changes_nothing(run: Run) -> None:
    run.tell(0, "a")
    run.numbers["a"] = 0
    run.tell(7, "a", 4)
    assert (run.one.severity, run.one.open) == (3, 1)


def test_the_gap_is_a_house_number() -> None:
    assert GAP_MS == 30 * MINUTE
