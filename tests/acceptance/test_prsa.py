"""Beijing 2016: good days and annual means against the city's bulletin, and a month by hand."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from deploy.postgres import EmbeddedPostgres
from sensors.feeds import prsa
from sensors.feeds.feed import Row
from sensors.feeds.tally import Period
from tests.support.shared_data import shared_data
from tests.support.verification import verified

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START = 1_451_577_600_000  # 2016-01-01 00:00 in Shanghai
DAYS = 10


def daily_means(rows: list[Row]) -> Mapping[tuple[int, str], Fraction]:
    """City means of the stations' daily means of PM2.5 and CO, at least 20 hours each."""
    hours: dict[tuple[int, str, str], list[Fraction]] = {}
    for row in rows:
        day = (row.time_ms - START) // DAY_MS
        for name, value in row.values:
            hours.setdefault((day, row.sensor, name), []).append(Fraction(value))
    stations: dict[tuple[int, str], list[Fraction]] = {}
    for (day, _sensor, name), values in hours.items():
        if len(values) >= 20:
            mean = sum(values, Fraction(0)) / len(values)
            stations.setdefault((day, name), []).append(mean)
    return {key: sum(values, Fraction(0)) / len(values) for key, values in stations.items()}


def test_city_days_come_from_daily_means_over_all_stations(postgres: EmbeddedPostgres) -> None:
    folder = shared_data("aqi-beijing-prsa-2016")
    period = Period(START, START + DAYS * DAY_MS)
    (path,) = folder.glob("*.csv.gz")
    rows = [r for r in prsa.read(path) if isinstance(r, Row) and period.holds(r.time_ms)]
    by_hand = daily_means(rows)
    files = (path, folder / "official_2016.json")
    with verified(postgres.conninfo, postgres.home.var_dir, "prsa", files, period=period) as found:
        assert found.verdict.account.complete
        facts = {(f.start_ms - START) // DAY_MS: f for f in found.run.facts("air.aqi.day", "day")}
    compared = 0
    for day in range(DAYS - 1):
        means = facts[day].detail["concentration"]
        for name in ("pm25", "co"):
            ours = Fraction(int(means[name]["mean"][0]), int(means[name]["mean"][1]))
            assert ours == by_hand[day, name]
            compared += 1
    assert compared == 2 * (DAYS - 1)


@pytest.mark.long
def test_the_year_against_the_bulletin(postgres: EmbeddedPostgres) -> None:
    folder = shared_data("aqi-beijing-prsa-2016")
    files = (*folder.glob("*.csv.gz"), folder / "official_2016.json")
    with verified(postgres.conninfo, postgres.home.var_dir, "prsa", files) as found:
        agreement = found.verdict.agreement
        assert found.verdict.account.complete
    ours = {s.what: s.note.split("ours ")[1] for s in agreement.shares}
    assert 195 <= int(ours["good_days"]) <= 198  # published 198
    assert abs(int(ours["excellent_days"]) - 68) <= 3
    assert abs(int(ours["heavily_polluted_days"]) - 39) <= 1
    assert ours["CO_24h_p95_mg_m3"] in ("3.1", "3.2")
    assert ours["O3_MDA8_p90_ug_m3"] in ("199", "200")
    assert abs(int(ours["mean_pm25"]) - 73) <= 1
