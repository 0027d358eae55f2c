"""Aarhus, one week: the stored states against the source, the area's index over the day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction

import pytest

from deploy.postgres import EmbeddedPostgres
from sensors.feeds.published_speeds import WHAT
from streams.domains.traffic.grade import clamp_dtp, grade_of
from tests.support.shared_data import shared_data
from tests.support.verification import Verified, verified

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

ROWS = 74_037
LINKS = 40
HOUR_MS = 3_600_000
ZONE_MS = 2 * HOUR_MS
CITY = "983100"


@pytest.fixture(scope="module")
def week(postgres: EmbeddedPostgres) -> Iterator[Verified]:
    folder = shared_data("traffic-aarhus-2014-08")
    names = ("traffic_40segments_2014-08-04_08-10.csv.gz", "segments.csv")
    with verified(
        postgres.conninfo, postgres.home.var_dir, "aarhus", tuple(folder / n for n in names)
    ) as found:
        yield found


def test_every_speed_but_that_of_a_zero_time_is_length_over_time(week: Verified) -> None:
    share = week.verdict.agreement.share(WHAT)
    assert (share.agree, share.of) == (ROWS - 1, ROWS)
    (missed,) = week.verdict.agreement.disagreements
    assert missed.published == "0"
    assert "no travel time" in missed.why


def test_what_domain_md_says_of_the_recording_is_so(week: Verified) -> None:
    notes = week.verdict.agreement.notes
    assert any(note.startswith("31388 of 74037 intervals are faster") for note in notes), notes
    assert any(note.startswith("31628 intervals have a speed and no vehicle") for note in notes)


def test_every_reading_is_stored_once_and_on_time(week: Verified) -> None:
    ledger = week.verdict.account.ledger
    assert ledger is not None
    assert week.verdict.account.complete
    assert ledger.on_time == ledger.stored == ledger.received == 3 * ROWS


def test_every_link_state_is_the_grade_of_its_own_speed(week: Verified) -> None:
    results = week.run.results("traffic.link.5min")
    assert len(results) == ROWS
    for result in results:
        told = result.payload
        ratio = Fraction(told["speed_kmh"]) / Fraction(told["free_flow_kmh"])
        off = abs(clamp_dtp(1 - ratio) - Fraction(told["dtp"]))
        assert off <= Fraction(1, 10_000), result
        assert told["grade"] in {
            grade_of(Fraction(told["dtp"]) + step) for step in (0, -Fraction(1, 10_000))
        }
        assert told["free_flow_origin"] == "registry"


def test_every_hour_of_the_week_has_its_index(week: Verified) -> None:
    facts = [f for f in week.run.facts("traffic.dtp.hour", "hour") if f.area == CITY]
    assert len(facts) == 7 * 24
    assert all(f.value is not None and f.detail["links"] == LINKS for f in facts)
    days = [f for f in week.run.facts("traffic.dtp.day", "day") if f.area == CITY]
    assert [f.start_ms for f in days] == sorted(f.start_ms for f in days)
    assert len(days) == 7
    assert all((f.start_ms + ZONE_MS) % (24 * HOUR_MS) == 0 for f in days)


def test_the_index_of_an_area_lies_between_its_links(week: Verified) -> None:
    links: dict[int, list[Fraction]] = defaultdict(list)
    for result in week.run.results("traffic.link.5min"):
        links[result.start_ms].append(Fraction(result.payload["dtp"]))
    for area in week.run.results("traffic.area.5min"):
        own, told = links[area.start_ms], Fraction(area.payload["dtp"])
        slack = Fraction(1, 10_000)
        assert min(own) - slack <= told <= max(own) + slack


def test_days_are_busier_than_nights(week: Verified) -> None:
    """By length, which no count can empty: 9 to 15 h of the stamps against 0 to 5 h."""
    hours: dict[int, list[Fraction]] = defaultdict(list)
    for fact in week.run.facts("traffic.dtp.hour", "hour"):
        if fact.area == CITY:
            hour = (fact.start_ms + ZONE_MS) // HOUR_MS % 24
            hours[hour].append(Fraction(fact.detail["by_length"]["dtp"]))
    mean = {hour: sum(own) / len(own) for hour, own in hours.items()}
    assert min(mean[h] for h in range(9, 15)) > max(mean[h] for h in range(6))


def test_no_alert_is_red_without_a_flood_and_none_on_a_short_link(week: Verified) -> None:
    lengths = {name: int(own["length_m"]) for name, own in week.run.points().items()}
    alerts = [a for a in week.run.alerts() if a.rule.startswith("traffic.")]
    assert Counter(a.rule for a in alerts).keys() == {"traffic.link", "traffic.area"}
    assert max(a.peak_severity for a in alerts) == 3
    assert all(lengths[a.subject] >= 500 for a in alerts if a.rule == "traffic.link")


def test_episodes_last_at_least_fifteen_minutes_and_end(week: Verified) -> None:
    episodes = week.run.episodes("traffic.congestion")
    assert len(episodes) > 300
    ended = [e for e in episodes if e.end_ms is not None]
    assert len(episodes) - len(ended) <= 1
    assert all(e.end_ms is not None and e.end_ms - e.start_ms >= 900_000 for e in ended)
    assert all(Fraction(e.payload["worst_dtp"]) >= Fraction(1, 2) for e in episodes)
