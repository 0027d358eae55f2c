"""Silence: one sensor, a gateway as one matter, too few devices, back again."""

from __future__ import annotations

import numpy as np

from streams.quality.silence import Silence, SilenceEvent, SilenceLimits

SECOND = 1000


def silence(gateways: list[str], report_s: int = 30) -> Silence:
    made = Silence(SilenceLimits())
    made.fit(list(range(1, len(gateways) + 1)), [report_s] * len(gateways), gateways)
    return made


def hear(held: Silence, at_s: int, *devices: int) -> tuple[list[int], list[int], list[str]]:
    return held.hear(np.array(devices, np.int32), at_s * SECOND)


def until(held: Silence, at_s: int) -> list[tuple[int, str, int]]:
    """Everything that falls due by then: (second, kind, index)."""
    found: list[SilenceEvent] = []
    while (due := held.due()) is not None and due[0] <= at_s * SECOND:
        found += held.fire(due[2])
    return [(event.at_ms // SECOND, event.kind, event.index) for event in found]


def test_a_sensor_never_heard_of_is_not_silent() -> None:
    held = silence(["g"])
    assert held.due() is None
    assert not held.earliest(10**15)


def test_a_sensor_is_silent_after_two_minutes_at_least() -> None:
    held = silence(["g"], report_s=30)
    hear(held, 0, 0)
    assert until(held, 119) == []
    assert until(held, 120) == [(120, "device_silent", 0)]


def test_a_slow_sensor_is_silent_after_three_intervals() -> None:
    held = silence(["g"], report_s=60)
    hear(held, 0, 0)
    assert until(held, 179) == []
    assert until(held, 180) == [(180, "device_silent", 0)]


def test_one_sensor_gets_a_ticket_when_its_gateway_goes_on() -> None:
    held = silence(["g"] * 5)
    hear(held, 0, 0, 1, 2, 3, 4)
    hear(held, 100, 1, 2, 3, 4)
    assert until(held, 200) == [(120, "device_silent", 0), (180, "device_ticket", 0)]
    assert held.counts("g") == (1, 5)


def test_a_gateway_is_one_matter_and_not_many() -> None:
    held = silence(["g"] * 5)
    hear(held, 0, 0, 1, 2, 3, 4)
    found = until(held, 10_000)
    assert [kind for _, kind, _ in found].count("gateway_silent") == 1
    assert [kind for _, kind, _ in found].count("device_silent") == 5
    assert "device_ticket" not in [kind for _, kind, _ in found]
    at_s = next(at for at, kind, _ in found if kind == "gateway_silent")
    assert at_s == 120


def test_four_of_five_are_enough_and_three_are_not() -> None:
    held = silence(["g"] * 5)
    hear(held, 0, 0, 1, 2, 3, 4)
    hear(held, 110, 4)
    assert "gateway_silent" in [kind for _, kind, _ in until(held, 170)]
    held = silence(["g"] * 5)
    hear(held, 0, 0, 1, 2, 3, 4)
    hear(held, 110, 3, 4)
    assert "gateway_silent" not in [kind for _, kind, _ in until(held, 229)]


def test_fewer_than_three_devices_are_told_one_by_one() -> None:
    held = silence(["g"] * 2)
    hear(held, 0, 0, 1)
    assert until(held, 200) == [
        (120, "device_silent", 0),
        (120, "device_silent", 1),
        (180, "device_ticket", 0),
        (180, "device_ticket", 1),
    ]


def test_devices_that_fell_silent_long_ago_do_not_speak_of_the_gateway() -> None:
    held = silence(["g"] * 3)
    hear(held, 0, 0, 1, 2)
    hear(held, 100, 1, 2)
    assert "gateway_silent" not in [kind for _, kind, _ in until(held, 1000)], "220 - 120 > 60"


def test_another_gateway_is_not_touched() -> None:
    held = silence(["g"] * 3 + ["h"] * 3)
    hear(held, 0, 0, 1, 2)
    hear(held, 60, 3, 4, 5)
    until(held, 130)
    assert list(held.state.gateways_down) == ["g"]


def test_back_again_says_who_and_closes_tickets() -> None:
    held = silence(["g"] * 2)
    hear(held, 0, 0, 1)
    until(held, 200)
    assert hear(held, 300, 0) == ([0], [0], [])
    assert hear(held, 301, 0) == ([], [], [])
    assert held.counts("g") == (1, 2)


def test_a_gateway_is_back_with_its_first_sensor_and_the_others_are_their_own_matter() -> None:
    held = silence(["g"] * 4)
    hear(held, 0, 0, 1, 2, 3)
    until(held, 200)
    assert hear(held, 300, 0) == ([0], [], ["g"])
    assert [(at, kind) for at, kind, _ in until(held, 360)] == [(360, "device_ticket")] * 3


def test_the_bound_never_hides_what_is_due() -> None:
    held = silence(["g"] * 2)
    hear(held, 0, 0, 1)
    assert not held.earliest(119 * SECOND)
    hear(held, 60, 0)
    assert held.earliest(120 * SECOND)
