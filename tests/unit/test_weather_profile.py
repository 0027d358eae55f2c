"""A profile that weather cannot compute with is refused, with every mistake."""

from __future__ import annotations

import pytest

from streams.area.view import profile_mistakes
from streams.catalog import Profile
from streams.domains.weather import DOMAIN
from streams.domains.weather.parameters import PARAMETERS
from streams.domains.weather.profile import mistakes

DEFAULTS = {p.key: p.default for p in PARAMETERS}


def test_the_defaults_are_usable() -> None:
    assert mistakes(DEFAULTS) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("weather.signal.rainstorm.red", "3h rain>100"),
        ("weather.signal.typhoon.blue", "24h wind>=18"),
        ("weather.beaufort_ms", "1 2 3"),
        ("weather.grade.rain_24h", "0.1 x"),
        ("weather.grade.snow_12h", "0.1 1 3 6 10 10"),
        ("weather.grade.rain_1h", "20"),
        ("weather.cyclone_grades_ms", ""),
        ("weather.signal.needed_points", "0"),
        ("weather.signal.needed_points", "half"),
        ("weather.signal.reference_share", "-1"),
        ("weather.signal.reference_share", "1/0"),
        ("weather.signal.fresh_minutes", "NaN"),
        ("weather.clear.observations", "0"),
    ],
)
def test_a_wrong_number_is_named(key: str, text: str) -> None:
    (mistake,) = mistakes(DEFAULTS | {key: text})
    assert mistake.startswith(key)


def test_all_mistakes_come_at_once_and_the_profile_is_refused() -> None:
    wrong = {"weather.beaufort_ms": "1", "weather.signal.heat.red": "40"}
    found = profile_mistakes({"weather": DOMAIN}, Profile("x", wrong))
    assert len(found) == 2
