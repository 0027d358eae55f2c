"""The house's traffic alerts through the pipeline: fifteen minutes, the end, red with a flood."""

from __future__ import annotations

from collections.abc import Sequence

from streams.contracts.domain import Point
from streams.contracts.reason import Severity
from tests.support.small_city import START_MS, Sent, as_records, run
from tests.support.traffic_area import (
    COUNTY,
    FIVE_MIN_MS,
    MIN_MS,
    Reading,
    frame,
    link,
    registry_of,
)

POND = Point("pond", "flood_point", COUNTY, "pond", None, None, {"link": "a"})
Seen = list[tuple[str, str, int]]
FREE, LIGHT, SEVERE = 60.0, 30.0, 10.0


def drive(
    speeds: Sequence[float | None], wet: Sequence[int] = (), length_m: str = "1000"
) -> dict[str, Seen]:
    """By rule what changed: (change, severity, minute of event time). None = no reading."""
    held = registry_of((link("a", length_m=length_m), POND))
    sent: list[Sent] = []
    for number, speed in enumerate(speeds):
        start = START_MS + number * FIVE_MIN_MS
        depth = 0.4 if number in wet else 0.0
        pond = [Reading("pond", "depth", start + part * 30_000, depth) for part in range(10)]
        sent.append(frame(number, start + 275_000, "waterlogging", pond))
        if speed is not None:
            row = Reading("a", "speed", start, speed)
            sent.append(frame(number, start + FIVE_MIN_MS + 5_000, "traffic", [row]))
        sent.append(Sent(None, tick_ms=start + FIVE_MIN_MS + 100_000))
    transitions = run(as_records(sent, held), held).canonical()["transitions"]
    found: dict[str, Seen] = {}
    for own in transitions.values():
        for one in own:
            minute = (one["event_ms"] - START_MS) // MIN_MS
            change = str(one["change"].value), Severity(one["severity"]).name, minute
            found.setdefault(one["rule"], []).append(change)
    return found


def test_light_congestion_is_blue_after_fifteen_minutes_and_ends_after_fifteen() -> None:
    seen = drive([FREE, *[LIGHT] * 4, *[FREE] * 5])
    lists = ("hidden", "shown")
    for rule in ("traffic.link", "traffic.area"):
        assert [one for one in seen[rule] if one[0] not in lists] == [
            ("onset", "BLUE", 5),
            ("confirmed", "BLUE", 20),
            ("cleared", "BLUE", 40),
        ], rule


def test_a_jammed_area_stands_for_its_links() -> None:
    seen = drive([FREE, *[LIGHT] * 4, *[FREE] * 5])
    assert [one for one in seen["traffic.link"] if one[0] in ("hidden", "shown")] == [
        ("hidden", "BLUE", 20),
        ("shown", "BLUE", 40),
    ]
    assert not [one for one in seen["traffic.area"] if one[0] == "hidden"]


def test_ten_minutes_raise_nothing() -> None:
    seen = drive([FREE, *[LIGHT] * 3, *[FREE] * 5])
    assert [change for change, _, _ in seen["traffic.link"]] == ["onset", "not_confirmed"]


def test_severe_congestion_is_orange_and_never_red_alone() -> None:
    seen = drive([FREE, *[SEVERE] * 12])
    assert max(Severity[name] for _, name, _ in seen["traffic.link"]) is Severity.ORANGE


def test_it_is_red_when_its_flood_point_alerts_as_well() -> None:
    seen = drive([FREE, *[SEVERE] * 12], wet=range(3, 13))
    assert ("raised", "RED") in [change[:2] for change in seen["traffic.link"]]
    assert ("raised", "RED") in [change[:2] for change in seen["traffic.area"]]


def test_a_flood_without_congestion_is_no_traffic_alert() -> None:
    assert "traffic.link" not in drive([FREE] * 8, wet=range(8))


def test_a_short_link_speaks_only_for_the_area() -> None:
    seen = drive([FREE, *[SEVERE] * 5], length_m="499")
    assert "traffic.link" not in seen
    assert "traffic.area" in seen
