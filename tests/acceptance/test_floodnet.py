"""New York, 2025-10-30: the network's own events found from its depth stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.postgres import EmbeddedPostgres
from tests.support.shared_data import shared_data
from tests.support.verification import Verified, verified

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

EVENTS = 130


@pytest.fixture(scope="module")
def storm(postgres: EmbeddedPostgres) -> Iterator[Verified]:
    folder = shared_data("flood-floodnet-2025-10-30")
    names = ("depth_readings.csv.gz", "sensors.csv", "flood_events.csv.gz")
    with verified(
        postgres.conninfo, postgres.home.var_dir, "floodnet", tuple(folder / n for n in names)
    ) as found:
        yield found


@pytest.mark.parametrize(
    ("what", "least"),
    [
        ("event found", 130),
        ("start within 1 min (last reading at rest)", 124),
        ("start within 1 min (first depth of 1 cm)", 83),
        ("peak within 1.5 cm", 130),
        ("time of the peak within 1 min", 120),
        ("duration within 1 min (rest to rest)", 101),
    ],
)
def test_the_share_of_events_within_a_minute_and_15_mm(
    storm: Verified, what: str, least: int
) -> None:
    share = storm.verdict.agreement.share(what)
    assert share.of == EVENTS
    assert share.agree >= least


def test_no_episode_of_ours_lies_outside_the_published_events(storm: Verified) -> None:
    notes = storm.verdict.agreement.notes
    assert any(note.startswith("0 of our ") for note in notes), notes


def test_tidal_points_are_marked_in_their_episodes(storm: Verified) -> None:
    tidal = {p.id for p in storm.prepared.entries.points if p.attributes["tidal"] == "yes"}
    assert tidal
    episodes = storm.run.episodes("waterlogging")
    assert all(e.payload["tidal"] is (e.point in tidal) for e in episodes)


def test_every_reading_is_stored_on_time(storm: Verified) -> None:
    ledger = storm.verdict.account.ledger
    assert ledger is not None
    assert storm.verdict.account.complete
    assert ledger.on_time == ledger.stored == ledger.received == 10_131
