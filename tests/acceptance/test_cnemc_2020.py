"""Zhejiang, April 2020: our stored hourly results against the published ones.

The rows are replayed out of order: shuffled within the horizon, a tenth of them beyond it, and with
duplicates. The recording covers six days, so the profile shortens the horizon of air to one day:
only then can a row come later than it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.postgres import EmbeddedPostgres
from tests.support.shared_data import shared_data
from tests.support.verification import Verified, verified

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

DAY_S = "86400"
ROWS_WITH_AQI = 4526
LIVING_ROWS_WITH_AQI = 4248
WINDOWS = 2403  # of living stations, every row of the window in the file
FROZEN = {"air-湖州-吉山新村", "air-湖州-吴兴区", "air-绍兴-市环保站"}


@pytest.fixture(scope="module")
def upset(postgres: EmbeddedPostgres) -> Iterator[Verified]:
    folder = shared_data("aqi-cnemc-2020-zhejiang")
    with verified(
        postgres.conninfo,
        postgres.home.var_dir,
        "cnemc_2020",
        tuple(sorted(folder.glob("*.csv*"))),
        shuffle=20200402,
        duplicate=0.05,
        settings={"air.timing.horizon_s": DAY_S},
    ) as found:
        yield found


def test_aqi_level_and_primary_equal_the_published_in_every_row(upset: Verified) -> None:
    agreement = upset.verdict.agreement
    for what in ("AQI", "level", "primary"):
        living = agreement.share(what)
        frozen = agreement.share(f"of frozen sources, from the values kept: {what}")
        assert living.agree == living.of
        assert frozen.agree == frozen.of
        assert living.of + frozen.of == ROWS_WITH_AQI


def test_the_published_running_ozone_is_reproduced(upset: Verified) -> None:
    missed = [d for d in upset.verdict.agreement.disagreements if d.what == "O3_8h"]
    living = [d for d in missed if d.subject not in FROZEN]
    assert [(d.subject, d.published, d.ours) for d in living if d.ours != "None"] == [
        ("air-宁波-万里国际学校", "3", "4")
    ]
    assert len(living) == WINDOWS - 2402


def test_frozen_stations_are_flagged(upset: Verified) -> None:
    assert {ticket.sensor for ticket in upset.run.tickets("frozen")} == FROZEN
    assert {reading.point for reading in upset.run.flagged_readings()} == FROZEN


def test_no_alert_comes_from_a_frozen_station(upset: Verified) -> None:
    assert not [alert for alert in upset.run.alerts() if alert.subject in FROZEN]


def test_the_ledger_closes_over_every_reading_sent(upset: Verified) -> None:
    account = upset.verdict.account
    ledger = account.ledger
    assert ledger is not None
    assert ledger.closes()
    assert ledger.received == account.tally.readings
    assert ledger.late > 1000
    assert ledger.duplicate >= 1032 + account.tally.copies
    assert ledger.stored == 27_004
    assert (ledger.rejected, ledger.quarantined, ledger.revised) == (0, 0, 0)


def test_located_stations_are_in_a_county_and_the_others_in_their_city(upset: Verified) -> None:
    areas = {area.code: area for area in upset.prepared.entries.areas}
    points = upset.prepared.entries.points
    located = [p for p in points if p.lon is not None]
    assert (len(points), len(located)) == (54, 47)
    assert {areas[p.area].level for p in located} == {"county"}
    assert {areas[p.area].level for p in points if p.lon is None} == {"city"}
    for point in points:
        city = areas[point.area] if point.lon is None else areas[areas[point.area].parent or ""]
        assert city.name.removesuffix("市") == point.id.split("-")[1]
