"""A screen of so many lines: the mildest first put together, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from api.screen import LEAST_LINES, Spot, screen

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
AREAS = [f"33{city:02}{county:02}" for city in range(1, 12) for county in (0, 1, 2, 6, 8)]


def spot(number: int, area: str, severity: int, domain: str = "waterlogging") -> Spot:
    counts = [0] * 5
    counts[severity] = 1
    return Spot(str(number), "Actual", domain, area, severity, counts, 1, 0, 0, NOON, NOON)


def test_what_fits_stays_as_it_is_worst_first() -> None:
    found = screen([spot(0, "330106", 1), spot(1, "330108", 4)], 25)
    assert [(line.area, line.severity, len(line.spots)) for line in found] == [
        ("330108", 4, 1),
        ("330106", 1, 1),
    ]


def test_a_storm_keeps_the_red_counties_and_puts_the_blue_ones_together() -> None:
    counties = [area for area in AREAS if not area.endswith("00")]
    spots = [spot(n, area, 4 if n < 10 else 1) for n, area in enumerate(counties)]
    found = screen(spots, 25)
    assert len(found) <= 25
    red = [line for line in found if line.severity == 4]
    assert [line.area for line in red] == sorted(counties[:10])
    assert sum(line.counties for line in found) == len(counties)
    assert {line.area[4:] for line in found if len(line.spots) > 1} == {"00"}


def test_when_all_are_red_they_are_put_together_as_well() -> None:
    spots = [spot(n, area, 4) for n, area in enumerate(AREAS)]
    found = screen(spots, 5)
    assert [(line.area, len(line.spots)) for line in found] == [("330000", len(AREAS))]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(AREAS),
            st.integers(0, 4),
            st.sampled_from(("air", "waterlogging", "traffic", "weather")),
        ),
        max_size=120,
        unique_by=lambda each: (each[0], each[2]),
    ),
    st.integers(LEAST_LINES, 60),
)
def test_every_incident_is_on_one_line_that_says_how_to_open_it(
    given: list[tuple[str, int, str]], most: int
) -> None:
    spots = [spot(n, area, severity, domain) for n, (area, severity, domain) in enumerate(given)]
    found = screen(spots, most)
    assert len(found) <= most
    shown = [each.id for line in found for each in line.spots]
    assert sorted(shown) == sorted(each.id for each in spots)
    for line in found:
        if len(line.spots) > 1:
            stem = line.area[:4] if not line.area.endswith("0000") else line.area[:2]
            opened = {
                each.id
                for each in spots
                if each.area.startswith(stem)
                and line.domain in (None, each.domain)
                and line.mildest <= each.severity <= line.severity
            }
            assert opened == {each.id for each in line.spots}
