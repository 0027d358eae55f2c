"""Events by cursor: one consistent point with the list of alerts, each event once."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from api.events.cursor import Cursor, parse
from api.routers.events import EventItem, EventPage
from streams.storage.connect import connect
from streams.storage.sequencer import number_outbox
from tests.support.api_client import get, walk
from tests.support.told import COMPLETE, State, followed, life, of_item, tell

if TYPE_CHECKING:
    from tests.support.event_bench import Bench

pytest_plugins = ["tests.support.event_bench"]
pytestmark = pytest.mark.integration

WRITERS = 8
ALERTS = 6  # of each writer
LONGEST = 7
PATIENCE_S = 20.0


def snapshot(bench: Bench, limit: int = 1000) -> tuple[State, str]:
    """All alerts, and the cursor of the first page."""
    first = get(bench.client, "/v1/alerts", state="any", limit=limit)
    items = first["items"]
    if first["next"] is not None:
        items = walk(bench.client, "/v1/alerts", limit, state="any")
    return {item["id"]: of_item(item) for item in items}, first["cursor"]


def test_eight_writers_with_delayed_commits_and_readers_lose_nothing(bench: Bench) -> None:
    stop = threading.Event()
    begin = snapshot(bench)[1]
    exact: list[tuple[State, str]] = []
    paged: list[tuple[State, str]] = []
    seen: list[list[dict[str, Any]]] = [[], [], []]

    def write(writer: int) -> None:
        chance = random.Random(writer)
        lives = [
            life(writer * 100 + n, chance.randint(2, LONGEST), seed=writer) for n in range(ALERTS)
        ]
        with connect(bench.url, bench.namespace) as connection:
            for step in range(LONGEST):
                tell(connection, [each[step] for each in lives if step < len(each)], writer)
                time.sleep(chance.uniform(0, 0.06))  # the commit is late: others come before
                connection.commit()
                if writer == 0:  # a list or two in between, however slow the machine is
                    known, until = len(exact), time.monotonic() + PATIENCE_S
                    while len(exact) < known + 2 and time.monotonic() < until:
                        time.sleep(0.01)

    def number() -> None:
        with connect(bench.url, bench.namespace) as connection:
            while not stop.is_set():
                number_outbox(connection)
                time.sleep(0.004)

    def look(limit: int, kept: list[tuple[State, str]]) -> None:
        while not stop.is_set():
            kept.append(snapshot(bench, limit))

    def read(kept: list[dict[str, Any]], limit: int) -> None:
        after, over = begin, False
        while not over:
            over = stop.is_set()  # once more after the end
            found, after = bench.follow(after, limit=limit, wait=0.05)
            kept += found

    with ThreadPoolExecutor(16) as pool:
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        others = [pool.submit(number), pool.submit(look, 1000, exact), pool.submit(look, 7, paged)]
        readers = [
            pool.submit(read, kept, limit) for kept, limit in zip(seen, (1, 5, 100), strict=True)
        ]
        for writer in writers:
            writer.result()
        bench.number()
        stop.set()
        for other in [*others, *readers]:
            other.result()

    total = len(bench.query("select from outbox"))
    overtaken = bench.query(
        "select count(*) from (select sequence - lag(sequence)"
        " over (order by id) as step from outbox) o where step < 0"
    )
    assert overtaken[0][0] > 0, "no commit came late: the test proves nothing"
    for kept in seen:
        assert [one["sequence"] for one in kept] == list(range(total)), "skipped, or twice"
    events, truth = seen[0], bench.truth()
    assert followed({}, events) == truth
    assert len({cursor for _, cursor in exact}) > 5
    for state, cursor in exact:
        at = parse(cursor).next
        assert state == followed({}, events[:at]), f"the list is not the state at {at}"
        assert followed(state, bench.follow(cursor, limit=1000)[0]) == truth
    for state, cursor in paged:
        assert followed(state, bench.follow(cursor, limit=1000)[0]) == truth


def test_an_alert_without_numbers_is_shown_as_it_was_told(bench: Bench) -> None:
    known, new = life(1, 4), life(2, 2)
    bench.write(known[:2])
    bench.number()
    bench.write(known[2:], new)
    state, cursor = snapshot(bench)
    assert {alert: held[0] for alert, held in state.items()} == {known[0].alert: 2}
    assert bench.events(after=cursor)["events"] == []
    bench.number()
    after, _ = bench.follow(cursor)
    assert [(one["alert"]["alert"], one["alert"]["sequence"]) for one in after] == [
        (known[2].alert, 3), (new[0].alert, 1), (known[3].alert, 4), (new[1].alert, 2)
    ]  # fmt: skip
    assert followed(state, after) == bench.truth() == snapshot(bench)[0]


def test_an_event_says_everything(bench: Bench) -> None:
    bench.write(life(1, 2))
    bench.number()
    page = bench.events(after=Cursor(parse(bench.events()["next"]).log, 0).text())
    EventPage.model_validate(page)
    first, second = (EventItem.model_validate(one) for one in page["events"])
    assert (first.sequence, second.sequence) == (0, 1)
    assert first.status == "Test", "replayed input warns nobody"
    assert first.origin == "replayed"
    (written,) = life(1, 2)[:1]
    assert first.suppressed_by == written.suppressed_by
    assert page["events"][0]["completeness"] == COMPLETE.to_dict()
    kept = bench.query("select completeness from alert_transition where sequence = 1")
    assert kept == [(COMPLETE.to_dict(),)]
    assert first.valid_until > first.decided_at
    assert page["kept_days"] == 30
    assert page["hint"] is None
    assert bench.follow(first.cursor)[0][0]["sequence"] == 1


def test_without_a_cursor_it_begins_now_and_says_so(bench: Bench) -> None:
    bench.write(life(1, 2))
    bench.number()
    page = bench.events()
    assert page["events"] == []
    assert "/v1/alerts" in page["hint"]
    bench.write(life(2, 1))
    bench.number()
    assert len(bench.follow(page["next"])[0]) == 1


def test_filters_hide_events_but_never_the_way_on(bench: Bench) -> None:
    lives = [life(number, 5) for number in range(12)]
    begin = bench.events()["next"]
    bench.write(*lives)
    bench.number()
    everything, end = bench.follow(begin)
    for given, fits in (
        ({"change": "raised"}, lambda one, _: one["alert"]["change"] == "raised"),
        ({"domain": "waterlogging"}, lambda one, _: False),
        ({"severity": "red"}, lambda one, peak: peak >= 4),
    ):
        found, after = bench.follow(begin, limit=2, **given)
        assert found == [one for one in everything if fits(one, _peak(one, everything))]
        assert after == end


def _peak(one: dict[str, Any], everything: list[dict[str, Any]]) -> int:
    return max(
        int(other["alert"]["severity"])
        for other in everything
        if other["alert"]["alert"] == one["alert"]["alert"] and other["sequence"] <= one["sequence"]
    )


def test_waiting_ends_with_the_first_event_and_holds_no_connection(bench: Bench) -> None:
    after = bench.events()["next"]
    began = time.monotonic()
    assert bench.events(after=after, wait=0.3)["events"] == []
    assert time.monotonic() - began >= 0.3
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(bench.events, after=after, wait=PATIENCE_S) for _ in range(20)]
        get(bench.client, "/v1/alerts")  # all connections of the pool are free for others
        bench.write(life(1, 1))
        bench.number()
        began = time.monotonic()
        for one in waiting:
            assert len(one.result()["events"]) == 1
        assert time.monotonic() - began < PATIENCE_S / 2


def test_a_batch_of_cloudevents(bench: Bench) -> None:
    begin = bench.events()["next"]
    bench.write(life(1, 2))
    bench.number()
    answer = bench.client.get(
        "/v1/events",
        params={"after": begin},
        headers={"accept": "application/cloudevents-batch+json"},
    )
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    batch = answer.json()
    assert [one["specversion"] for one in batch] == ["1.0", "1.0"]
    assert batch[0]["id"] != batch[1]["id"]
    assert batch[0]["subject"] == batch[0]["data"]["alert"]
    assert batch[0]["sequence"] < batch[1]["sequence"]
    assert bench.events(after=answer.headers["citybrain-next"])["events"] == []
    assert bench.events(after=batch[0]["cursor"])["events"][0]["sequence"] == 1


def refused(bench: Bench, after: str, **given: str) -> httpx.Response:
    return bench.client.get("/v1/events", params={"after": after, **given})


def test_a_cursor_that_is_none_is_refused(bench: Bench) -> None:
    good = bench.events()["next"]
    for bad in ("", "x", good[:-1], good[:-1] + ("A" if good[-1] != "A" else "B"), "ä", good * 2):
        answer = refused(bench, bad)
        assert answer.status_code == 422, bad
        assert answer.json()["errors"][0]["parameter"] == "query.after"


def test_a_cursor_that_cannot_go_on_shows_the_way_back(bench: Bench) -> None:
    log = parse(bench.events()["next"]).log
    bench.write(life(1, 3))
    bench.number()
    for bad in (Cursor(log, 99), Cursor(UUID(int=1), 0)):
        answer = refused(bench, bad.text(), domain="waterlogging")
        assert answer.status_code == 410
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["snapshot"] == "/v1/alerts?domain=waterlogging"
        begin = bench.client.get(answer.json()["snapshot"])
        assert bench.events(after=begin.json()["cursor"])["events"] == []
