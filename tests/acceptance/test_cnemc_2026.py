"""The hour in which the national index changed its standard: each row by its own hour's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from deploy.postgres import EmbeddedPostgres
from tests.support.shared_data import shared_data
from tests.support.verification import Verified, verified

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

SWITCH_MS = int(datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp()) * 1000  # 03-01 00:00 Shanghai


@pytest.fixture(scope="module")
def switch(postgres: EmbeddedPostgres) -> Iterator[Verified]:
    folder = shared_data("aqi-cnemc-2026-switch")
    with verified(
        postgres.conninfo, postgres.home.var_dir, "cnemc_2026", tuple(folder.glob("*.csv"))
    ) as found:
        yield found


def test_every_published_index_and_primary_pollutant_is_ours(switch: Verified) -> None:
    agreement = switch.verdict.agreement
    assert agreement.disagreements == []
    assert [(s.what, s.agree, s.of) for s in agreement.shares] == [
        ("AQI", 63, 63),
        ("primary", 63, 63),
    ]


def test_each_row_follows_the_standard_of_its_own_hour(switch: Verified) -> None:
    results = switch.run.results("air.station.hour")
    by_standard = {
        (result.start_ms >= SWITCH_MS, result.payload["standard_version"]) for result in results
    }
    assert by_standard == {(False, "HJ 633-2012"), (True, "HJ 633-2026")}


def test_a_pollutant_outside_the_plan_does_not_block_publication(switch: Verified) -> None:
    (row,) = [
        r
        for r in switch.run.results("air.station.hour")
        if r.point == "air-2483A" and r.start_ms == SWITCH_MS
    ]
    assert row.payload["aqi"] == 8


def test_the_account_closes(switch: Verified) -> None:
    assert switch.verdict.account.complete
    ledger = switch.verdict.account.ledger
    assert ledger is not None
    assert (ledger.received, ledger.stored) == (382, 382)
