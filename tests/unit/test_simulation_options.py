"""The options of a play: what they mean, and all mistakes at once."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.city.simulation import ENDLESS_HOURS, Options
from streams.contracts.domain import HOUR_MS
from streams.errors import Misconfigured


def options(scenario: str = "typhoon", **changes: Any) -> Options:
    given: dict[str, Any] = {
        "namespace": "play",
        "seed": 7,
        "points": 20,
        "speed": "60",
        "hours": None,
        "faults": (),
        "start": None,
        "ahead": 100,
        "fresh": False,
        "dry_run": False,
    }
    return Options.parse(scenario, **(given | changes))


def test_a_play_in_real_time_is_endless_and_one_at_full_speed_lasts_a_day() -> None:
    assert options().end_ms - options().start_ms == ENDLESS_HOURS * HOUR_MS
    full = options(speed="max")
    assert full.speed is None
    assert full.end_ms - full.start_ms == 24 * HOUR_MS


def test_the_faults_of_the_scenario_come_before_those_asked_for() -> None:
    assert options(faults=("dead",)).faults == ("gateway-down:worst@200+45", "dead")
    assert options("ordinary", faults=("dead",)).faults == ("dead",)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Misconfigured) as caught:
        options("storm", speed="0", hours=-1.0, start="soon", faults=("melting", "dead:7"))
    assert len(caught.value.mistakes) == 6


@pytest.mark.parametrize("speed", ["nan", "inf", "-1", "fast", ""])
def test_a_senseless_speed_is_refused(speed: str) -> None:
    with pytest.raises(Misconfigured, match="--speed"):
        options(speed=speed)
