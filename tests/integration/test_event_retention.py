"""Events go when their time is over; a cursor from before says where to begin anew."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from api.app import create_app
from api.events.cursor import Cursor, parse
from streams.contracts.domain import DAY_MS
from streams.storage import outbox_expiry
from streams.storage.keeping import Keeping
from streams.storage.upkeep import Upkeep
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.seed_domains import DOMAINS
from tests.support.served import served
from tests.support.told import followed, life

if TYPE_CHECKING:
    from tests.support.event_bench import Bench

pytest_plugins = ["tests.support.event_bench"]
pytestmark = pytest.mark.integration

DAYS = 30
NOW = 1_900_000_000_000
LIVES = [life(number, 4) for number in range(10)]


@pytest.fixture
def old(bench: Bench) -> Bench:
    """40 messages, numbered 31, 30, 29 … days ago, ten a day; and ten that have no number."""
    bench.write(*LIVES)
    bench.number()
    for day in range(4):
        bench.execute(
            "update outbox set numbered_at = at_ms(%s) where sequence / 10 = %s",
            NOW - (31 - day) * DAY_MS,
            day,
        )
    bench.write(*[life(100 + number, 1) for number in range(10)])
    bench.execute("update acting_position set sequence = 39")
    bench.execute("update incident_position set sequence = 39")
    bench.execute("update namespace set kind = 'live'")
    return bench


def keep(bench: Bench, days: int = DAYS) -> int:
    worker = Upkeep(
        bench.url, bench.namespace, DOMAINS, Keeping(events_days=days), now_ms=lambda: NOW
    )
    with closing(worker):
        return worker.run().gone


def test_what_is_older_goes_and_its_cursors_say_where_to_begin(
    old: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_expiry, "NUMBERS", 3)
    log = parse(old.events()["next"]).log
    assert keep(old) == 10, "30 days to the millisecond stay"
    assert old.query("select min(sequence), count(*), count(sequence) from outbox") == [
        (10, 40, 30)
    ]
    answer = old.client.get("/v1/events", params={"after": Cursor(log, 9).text()})
    assert answer.status_code == 410
    assert "kept for 30 days" in answer.json()["detail"]
    found, _ = old.follow(Cursor(log, 10).text())
    assert [one["sequence"] for one in found] == list(range(10, 40))
    back = get(old.client, answer.json()["snapshot"], state="any")
    assert len(back["items"]) == len(LIVES), "the list needs no old messages"
    assert old.follow(back["cursor"])[0] == []
    assert keep(old) == 0


def test_the_newest_stays_and_numbers_go_on_after_it(old: Bench) -> None:
    before = old.events()["next"]
    assert keep(old, days=1) == 39
    assert old.query("select sequence from outbox where sequence is not null") == [(39,)]
    assert old.number() == 10
    with served(
        create_app(old.url, old.namespace, DOMAINS, settings=OPEN)
    ) as client:  # another process
        page = get(client, "/v1/events", after=before)
    assert [one["sequence"] for one in page["events"]] == list(range(40, 50))
    assert followed({}, page["events"]).items() <= old.truth().items()


@pytest.mark.parametrize(
    "needs",
    [
        "insert into delivery_position (name, sequence) values ('fan-out', 3)",
        "insert into delivery (subscription, sequence, alert, queued_at)"
        " values ('s', 4, 'a', now())",
        "update acting_position set sequence = 3",
    ],
)
def test_what_somebody_still_needs_stays(old: Bench, needs: str) -> None:
    old.execute(needs)
    assert keep(old) == 4
    assert old.query("select min(sequence) from outbox") == [(4,)]


def test_zero_keeps_for_ever(old: Bench) -> None:
    assert keep(old, days=0) == 0
