"""A point's day as timelines: push at a time, want a change between two times (domain.md §2.2).

The pipeline with the real waterlogging domain; frames arrive one second after their event time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.contracts.domain import Point
from streams.contracts.reason import Change, Origin, Severity
from tests.support.small_city import registry
from tests.support.timeline import COUNTY, DEPTH, RISE, Timeline, moment

pytestmark = pytest.mark.acceptance


def dry_then(*depths: tuple[str, float]) -> Timeline:
    """A point that was dry from 09:50, so that nothing is its first reading; steady rain."""
    city = Timeline()
    for minute in range(50, 60):
        city.rain(f"9:{minute}", 0.5)
        city.depth(f"9:{minute}", p0=0.0)
    for at, depth_m in depths:
        city.depth(at, p0=depth_m)
    return city


def test_orange_fires_with_the_second_reading() -> None:
    city = dry_then(("10:00", 0.31), ("10:01", 0.31))
    assert city.story() == [
        "10:00:00 onset orange",
        "10:00:00 confirmed blue",  # one reading >= 5 cm above blue
        "10:01:00 raised orange",
    ]
    (raised,) = [t for t in city.of() if t.change is Change.RAISED]
    assert moment("10:01") <= raised.decided_ms <= moment("10:02")
    assert city.store.risks[COUNTY].severity is Severity.ORANGE
    assert city.store.risks[COUNTY].led_by == "waterlogging"


@pytest.mark.parametrize(
    ("depth_m", "severity"),
    [
        (0.149, None),
        (0.15, "blue"),
        (0.269, "blue"),
        (0.27, "yellow"),
        (0.299, "yellow"),
        (0.3, "orange"),
        (0.499, "orange"),
        (0.5, "red"),
    ],
)
def test_the_edges_of_the_tiers(depth_m: float, severity: str | None) -> None:
    """Decimals such as 0.3 that a double cannot hold meet their threshold exactly."""
    city = dry_then(("10:00", depth_m), ("10:01", depth_m), ("10:02", depth_m))
    last = city.story()[-1:]
    assert [line.split()[-1] for line in last] == ([severity] if severity else [])
    if severity is not None:
        assert last[0].split()[1] in ("confirmed", "raised")


def test_it_clears_ten_minutes_after_the_water_left_the_hysteresis() -> None:
    city = dry_then(("10:00", 0.16), ("10:01", 0.16), ("10:02", 0.13))
    for minute in range(3, 21):
        city.depth(f"10:{minute}", p0=0.12)
    assert city.story() == [
        "10:00:00 onset blue",
        "10:01:00 confirmed blue",
        "10:13:00 cleared blue",
    ]


def test_it_falls_to_the_tier_that_still_holds() -> None:
    city = dry_then(("10:00", 0.52), ("10:01", 0.52))
    for minute in range(2, 15):
        city.depth(f"10:{minute:02d}", p0=0.28)
    assert city.story()[-1] == "10:12:00 lowered orange", "28 cm is not below 30 - 2"


def test_a_rise_of_five_centimetres_in_a_minute_alarms_yellow() -> None:
    city = dry_then(("10:00", 0.05), ("10:01", 0.10))
    assert city.story(rule=RISE) == ["10:01:00 onset yellow", "10:01:00 confirmed yellow"]
    assert city.story(rule=DEPTH) == []


@pytest.mark.parametrize(
    ("first", "at", "second"),
    [
        (0.05, "10:01:00", 0.0999),  # just under 10 cm deep
        (0.0501, "10:01:00", 0.10),  # just under 5 cm
        (0.05, "10:01:01", 0.10),  # a second too long
    ],
)
def test_just_under_a_rise_is_silent(first: float, at: str, second: float) -> None:
    assert dry_then(("10:00", first), (at, second)).story(rule=RISE) == []


def test_the_rise_alarm_ends_ten_minutes_after_the_last_rise() -> None:
    city = dry_then(("10:00", 0.05), ("10:01", 0.11))
    for minute in range(2, 15):
        city.depth(f"10:{minute:02d}", p0=0.11)
    assert city.story(rule=RISE)[-1] == "10:12:00 cleared yellow"


def test_a_jump_without_rain_alerts_unverified_and_opens_a_ticket() -> None:
    city = Timeline()
    for minute in range(40, 60):
        city.depth(f"9:{minute}", p0=0.0, p1=0.0)
    city.depth("10:00", p0=0.51)
    assert city.flag("10:00") == 3
    assert ("jump", False) in city.tickets()
    assert city.story()[-1] == "10:00:00 confirmed orange"  # 51 cm: 5 above orange, not above red
    assert city.of()[-1].unverified


def test_a_jump_of_exactly_fifty_centimetres_is_believed() -> None:
    city = Timeline()
    city.depth("9:59:30", p0=0.0)
    city.depth("10:00", p0=0.5)
    assert city.flag("10:00") == 1
    assert not city.of()[-1].unverified


def test_the_same_jump_in_the_rain_is_believed() -> None:
    city = dry_then(("10:00", 0.51))
    assert city.flag("10:00") == 1
    assert city.tickets() == []
    assert not city.of()[-1].unverified


def test_more_than_three_metres_alerts_unverified_with_a_ticket() -> None:
    city = dry_then(("10:00", 3.001))
    assert city.flag("10:00") == 3
    assert ("range", False) in city.tickets()
    assert city.story()[-1] == "10:00:00 confirmed red"
    assert city.of()[-1].unverified


def test_exactly_three_metres_is_inside_the_range() -> None:
    assert ("range", False) not in dry_then(("10:00", 3.0)).tickets()


def test_less_than_nothing_fails_and_alerts_nobody() -> None:
    city = dry_then(("10:00", -0.001))
    assert city.flag("10:00") == 4
    assert city.story() == []


def test_a_spike_is_withdrawn_when_the_next_reading_unmasks_it() -> None:
    city = dry_then(("10:00", 0.4), ("10:00:30", 0.0))
    assert city.flag("10:00") == 3
    assert ("spike", False) in city.tickets()
    assert city.story()[-1].split()[1] == "withdrawn"
    assert city.story(rule=RISE)[-1].split()[1] == "withdrawn", "the rise was the spike's too"
    city.depth("10:01", p0=0.0)
    assert ("spike", True) in city.tickets(), "the next good reading closes the ticket"


def test_silence_makes_the_alert_stale_and_keeps_it() -> None:
    city = dry_then(("10:00", 0.31), ("10:01", 0.31))
    city.tick("10:03:00")
    assert city.story()[-1] == "10:01:00 raised orange", "120 s after 10:01:01 have not passed"
    city.tick("10:03:01")
    assert city.story()[-1] == "10:03:01 stale orange"
    city.tick("12:00")
    assert city.story()[-1] == "10:03:01 stale orange", "silence never drains a street"
    risk = city.store.risks[COUNTY]
    assert (risk.severity, risk.unknown) == (Severity.ORANGE, True)
    assert risk.stale_alerts == risk.open_alerts == 2, "the depth and the rise"
    assert ("silent", False) in city.tickets()


def test_a_sensor_that_speaks_again_makes_it_fresh() -> None:
    city = dry_then(("10:00", 0.31), ("10:01", 0.31))
    city.tick("10:30")
    city.depth("10:31", p0=0.31)
    assert city.story()[-1] == "10:31:00 fresh orange"
    assert not city.store.risks[COUNTY].unknown
    assert ("silent", True) in city.tickets()


def test_a_reading_older_than_the_newest_moves_no_alert() -> None:
    city = dry_then(("10:05", 0.0))
    city.depth("10:00", ingest="10:06", p0=0.6)
    city.depth("10:01", ingest="10:06:01", p0=0.6)
    assert city.story() == []


def test_a_revision_moves_no_alert_and_is_kept() -> None:
    city = dry_then(("10:00", 0.0), ("10:01", 0.0))
    city.depth("10:01", ingest="10:02", p0=0.6)
    assert city.story() == []
    assert [row[3:] for row in city.store.revisions] == [(0, 600_000)]


def test_a_duplicate_is_counted_and_does_not_confirm() -> None:
    city = dry_then(("10:00", 0.16))
    city.depth("10:00", ingest="10:00:30", p0=0.16)
    assert city.story() == ["10:00:00 onset blue"]
    assert sum(row["duplicate"] for row in city.store.ledger.values()) == 1


def test_a_clock_ahead_is_set_apart_and_ages_nobody() -> None:
    city = dry_then(("10:00", 0.16), ("10:01", 0.16))
    before = len(city.transitions)
    city.depth("10:10", ingest="10:02", p0=0.0)
    assert len(city.transitions) == before
    assert sum(row["quarantined"] for row in city.store.ledger.values()) == 1
    city.depth("10:02:30", p0=0.16)
    assert city.story()[-1] == "10:01:00 confirmed blue"


def test_a_clock_ahead_by_the_tolerance_is_taken() -> None:
    city = dry_then()
    city.depth("10:05", ingest="10:00", p0=0.1)
    city.depth("10:05:00", ingest="10:00:01", p1=0.1)
    assert sum(row["quarantined"] for row in city.store.ledger.values()) == 0


def test_an_episode_has_start_peak_drain_and_end() -> None:
    city = dry_then(("10:00", 0.0), ("10:01", 0.01), ("10:02", 0.4), ("10:03", 0.4))
    city.depth("10:04", p0=0.2)
    for minute in range(5, 20):
        city.depth(f"10:{minute:02d}", p0=0.009)
    city.tick("10:40")
    (episode,) = city.store.episodes.values()
    assert episode["start_ms"] == moment("10:01"), "the first depth >= 1 cm"
    assert episode["end_ms"] == moment("10:05"), "below 1 cm from here on, for ten minutes"
    payload = episode["payload"]
    assert (payload["peak_m"], payload["peak_ms"]) == ("0.4", moment("10:02"))
    assert payload["drain_start_ms"] == moment("10:03")
    assert payload["duration_s"] == 240
    assert payload["above_ponding_s"] == 180
    assert payload["rain"]["rain_mm"] == "5"


def relapse(depth_m: float, minutes: int, *rain_mm: float) -> bool:
    """Whether a signed-off point that stood in water so long is proposed as a relapse.

    It has rained 5 mm before ten o'clock; `rain_mm` falls in the minutes from ten on.
    """
    city = dry_then()
    for minute, fallen in enumerate(rain_mm):
        city.rain(f"10:{minute:02d}", fallen)
    for minute in range(minutes):
        city.depth(f"10:{minute:02d}", p0=depth_m)
    for minute in range(minutes, minutes + 12):
        city.depth(f"{10 + minute // 60}:{minute % 60:02d}", p0=0.0)
    city.tick("11:50")
    proposed = [
        m.payload["relapse_proposed"]
        for m in city.messages
        if m.kind == "partial" and m.period == "state"
    ]
    assert proposed
    return bool(proposed[-1] == [f"{COUNTY}-p0"])


@pytest.mark.parametrize("rain_mm", [(10.0,), (30.0, 25.0)])
def test_a_relapse_is_proposed_after_more_than_half_an_hour_above_fifteen(
    rain_mm: tuple[float, ...],
) -> None:
    """Also with exactly the design rain of 60 mm in an hour."""
    assert relapse(0.151, 31, *rain_mm)


@pytest.mark.parametrize(
    ("depth_m", "minutes", "rain_mm"),
    [
        (0.15, 40, (10.0,)),  # exactly 15 cm is not above it
        (0.151, 30, (10.0,)),  # exactly half an hour is not longer
        (0.151, 40, (30.0, 25.1)),  # 60.1 mm in the hardest hour: beyond the design
    ],
)
def test_no_relapse_is_proposed(depth_m: float, minutes: int, rain_mm: tuple[float, ...]) -> None:
    assert not relapse(depth_m, minutes, *rain_mm)


def test_a_point_that_is_not_signed_off_cannot_relapse() -> None:
    held = registry()
    name = f"{COUNTY}-p0"
    old = held.points[name]
    building = Point(
        old.id, old.type, old.area, old.name, None, None, {**old.attributes, "signoff": "整治中"}
    )
    city = Timeline(replace(held, points={**held.points, name: building}))
    for minute in range(50):
        city.rain(f"10:{minute:02d}", 0.1)
        city.depth(f"10:{minute:02d}", p0=0.2)
    city.tick("11:20")
    payloads = [e["payload"] for e in city.store.episodes.values()]
    assert payloads
    assert not any(p["relapse_proposed"] for p in payloads)


def test_the_origin_of_the_reading_is_the_origin_of_the_alert() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.6)
    assert {t.origin for t in city.transitions} == {Origin.LIVE}
