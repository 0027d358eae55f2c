"""A storm through the real pipeline: one alert for the county, figures for hour, day and city."""

from __future__ import annotations

from streams.contracts.outcome import Transition
from streams.contracts.reason import Change, Severity
from tests.support.timeline import COUNTY, Timeline, moment, time_of_day

RULE = "weather.rainstorm"


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def rain(city: Timeline, begin: str, *minutes_mm: float) -> None:
    """Rain minute by minute."""
    first = (moment(begin) - moment("0:00")) // 60_000
    for number, mm in enumerate(minutes_mm):
        city.rain(clock(first + number), mm)


def transitions(city: Timeline) -> list[Transition]:
    return [t for t in city.transitions if t.rule == RULE]


def test_a_storm_raises_one_alert_for_the_county_and_ends_by_measurement() -> None:
    city = Timeline()
    rain(city, "6:00", *[0.0] * 10, *[2.5] * 20, *[0.0] * 5)
    told = transitions(city)
    assert [(time_of_day(t.event_ms), t.change, t.severity) for t in told] == [
        ("06:30:00", Change.ONSET, Severity.ORANGE),
        ("06:30:00", Change.CONFIRMED, Severity.ORANGE),
    ]
    assert {(t.area, t.point, t.subject) for t in told} == {(COUNTY, None, f"area:{COUNTY}")}
    assert (told[-1].value, told[-1].threshold) == ("3", "3")
    evidence = told[-1].evidence
    assert evidence["table_version"] == "cma-2007"
    assert evidence["points"][0]["amounts"][-1]["value"] == "50"
    rain(city, "6:35", *[0.0] * (12 * 60 + 10))
    changes = [(time_of_day(t.event_ms), t.change, t.severity) for t in transitions(city)[2:]]
    assert changes == [
        # ten minutes after the first wet minute, 06:10, has left the window
        ("09:20:00", Change.LOWERED, Severity.YELLOW),
        ("12:20:00", Change.LOWERED, Severity.BLUE),
        ("18:20:00", Change.CLEARED, Severity.BLUE),
    ]
    assert all(t.evidence["table_version"] == "cma-2007" for t in transitions(city))


def test_silence_ends_nothing() -> None:
    city = Timeline()
    rain(city, "6:00", *[2.5] * 20)
    city.tick("23:59")
    told = [Change.ONSET, Change.CONFIRMED, Change.STALE]
    assert [t.change for t in transitions(city)] == told, "the county's only gauge is silent"
    rain(city, "23:59", *[0.0] * 30)
    (fresh,) = transitions(city)[3:]
    assert fresh.change is Change.FRESH, "17 silent hours: the storm may have gone on"
    assert fresh.severity is transitions(city)[1].severity


def test_figures_of_hour_and_day_reach_the_region() -> None:
    city = Timeline()
    rain(city, "6:00", *[0.5] * 120)
    rain(city, "24:02", 0.0, 0.0)
    partials = {
        (m.period, time_of_day(m.start_ms)): m.payload
        for m in city.messages
        if m.kind == "partial" and m.domain == "weather"
    }
    gauge = f"{COUNTY}-g"
    assert partials["hour", "06:00:00"]["rain_1h"] == [30_000, gauge, moment("6:00")]
    day = partials["day", "00:00:00"]
    assert day["rain_24h"][:2] == [60_000, gauge]
    assert day["cover"]["rain"] == {"have": 1, "want": 1, "readings": 120, "wanted": 1440}
    hour = city.store.results["weather.point.hour", gauge, moment("7:00"), 3600]
    assert (hour["rain_mm"], hour["rain_grade_1h"]) == ("30", "强对流")
