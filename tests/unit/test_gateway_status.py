"""Status and last-seen: what a gateway says, what is written of it and how seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from sensors.gateway.reading import BadRequest
from sensors.gateway.seen import SeenBook, moment
from sensors.gateway.status import State, Status, parse_status
from streams.contracts.timestamp import to_rfc3339
from streams.errors import Unavailable
from streams.storage.gateway_seen import DeviceRow, SeenRow
from tests.support.gateway_bench import NOW_MS, Bench, bench, play, reading
from tests.unit.test_gateway_keys import bearer, stored


@dataclass
class FakeSeen:
    """A `SeenStore` that remembers what was written."""

    writes: list[tuple[list[SeenRow], list[DeviceRow]]] = field(default_factory=list)
    away: bool = False

    def save_seen(self, rows: Sequence[SeenRow], devices: Sequence[DeviceRow]) -> None:
        if self.away:
            raise Unavailable("the store is away")
        self.writes.append((list(rows), list(devices)))

    def read_seen(self, gateway: str | None) -> list[SeenRow]:
        if self.away:
            raise Unavailable("the store is away")
        return [row for rows, _ in self.writes[-1:] for row in rows]

    def read_devices(self, gateway: str) -> list[DeviceRow]:
        return []


async def post(b: Bench, **status: Any) -> tuple[int, dict[str, Any]]:
    answer = await b.client.post("/v1/status", json=status)
    return answer.status_code, answer.json()


async def get(b: Bench, query: str = "", **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = (await b.client.get(f"/v1/status{query}", headers=headers)).json()
    return found


def test_what_a_gateway_says_is_shown_with_when_it_was_heard() -> None:
    async def story() -> None:
        async with bench() as b:
            devices = [{"device": "s1", "state": "offline", "seen": NOW_MS - 1}]
            more = {
                "version": "1.4",
                "queue": 3,
                "detail": "4G",
                "time": NOW_MS,
                "devices": devices,
            }
            status, content = await post(b, gateway="gw", state="degraded", **more)
            assert (status, content) == (202, {"gateway": "gw", "devices": 1, "refused": []})
            shown = await get(b, "?gateway=gw")
            now = to_rfc3339(NOW_MS)
            assert shown["gateways"] == [
                {
                    "gateway": "gw",
                    "seen": now,
                    "quiet": False,
                    "state": "degraded",
                    "said": now,
                    "version": "1.4",
                    "queue": 3,
                    "detail": "4G",
                }
            ]
            told = {"device": "s1", "state": "offline", "said": now}
            assert shown["devices"] == [told | {"seen": to_rfc3339(NOW_MS - 1)}]

    play(story)


def test_readings_count_as_being_heard_and_say_nothing_of_the_state() -> None:
    async def story() -> None:
        async with bench() as b:
            assert (await get(b))["gateways"] == []
            await post(b, gateway="gw", state="online")
            b.clocks.pass_s(10)
            await b.post(reading())
            (row,) = (await get(b))["gateways"]
            assert (row["state"], row["said"]) == ("online", to_rfc3339(NOW_MS))
            assert row["seen"] == to_rfc3339(NOW_MS + 10_000)

    play(story)


@pytest.mark.parametrize(
    ("state", "pause_s", "quiet"),
    [("online", 300, False), ("online", 301, True), ("offline", 0, True), ("degraded", 0, False)],
)
def test_quiet_is_who_was_not_heard_or_said_offline(state: str, pause_s: int, quiet: bool) -> None:
    async def story() -> None:
        async with bench(quiet_s=300) as b:
            await post(b, gateway="gw", state=state)
            b.clocks.pass_s(pause_s)
            (row,) = (await get(b))["gateways"]
            assert row["quiet"] is quiet

    play(story)


def test_devices_of_others_are_refused_one_by_one() -> None:
    async def story() -> None:
        async with bench() as b:
            devices = [
                {"device": "s1", "state": "online"},
                {"device": "foreign", "state": "online"},
                {"device": "nobody", "state": "online"},
                {"device": "s2", "state": "online", "seen": "noon"},
            ]
            _, content = await post(b, gateway="gw", state="online", devices=devices)
            assert content["devices"] == 1
            reasons = [(one["index"], one["reason"]) for one in content["refused"]]
            assert reasons == [(1, "unknown_sensor"), (2, "unknown_sensor"), (3, "bad_time")]

    play(story)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"state":"fine"}',
        b'{"state":"online","colour":"red"}',
        b'{"state":"online","queue":-1}',
        b'{"state":"online","queue":99999999999999999999}',
        b'{"state":"online","version":"' + b"x" * 201 + b'"}',
        b'{"state":"online","detail":"a\\u0000b"}',
        b'{"state":"online","time":"noon"}',
        b'{"state":"online","gateway":""}',
        b'{"state":"online","detail":"\\ud800"}',
        b"\xff",
    ],
)
def test_what_is_no_status_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_status(body)


def test_the_least_that_a_gateway_can_say() -> None:
    """Also what an MQTT will says: the topic names the device."""
    assert parse_status(b'{"state":"offline"}') == Status(State.OFFLINE)


def test_statuses_need_the_gateways_own_key() -> None:
    text, key = stored()
    foreign, other = stored("other")

    async def story() -> None:
        async with bench(keys=[key, other]) as b:
            b.client.headers["authorization"] = f"Bearer {text}"
            assert (await post(b, state="online"))[0] == 202
            assert (await post(b, state="online", gateway="other"))[0] == 403
            b.client.headers["authorization"] = f"Bearer {foreign}"
            assert (await post(b, state="online"))[0] == 202
            shown = await get(b)
            assert [row["gateway"] for row in shown["gateways"]] == ["other"]
            answer = await b.client.get("/v1/status?gateway=gw", headers=bearer(foreign))
            assert answer.status_code == 403
            del b.client.headers["authorization"]
            assert (await b.client.get("/v1/status")).status_code == 401
            assert (await post(b, state="online"))[0] == 401

    play(story)


def test_a_status_must_name_one_registered_gateway() -> None:
    async def story() -> None:
        async with bench() as b:
            assert (await post(b, state="online"))[0] == 400
            assert (await post(b, state="online", gateway="stranger"))[0] == 422
            answer = await b.client.post("/v1/status?gateway=gw", json={"state": "online"})
            assert answer.status_code == 202
            both = {"state": "online", "gateway": "other"}
            assert (await b.client.post("/v1/status?gateway=gw", json=both)).status_code == 400

    play(story)


def test_much_is_heard_and_little_is_written() -> None:
    async def story() -> None:
        store = FakeSeen()
        book = SeenBook(store, 5)
        for i in range(1000):
            book.heard("gw", NOW_MS + i)
        book.say("gw", Status(State.ONLINE, queue=1), [("s1", State.ONLINE, None)], NOW_MS)
        book.heard("other", NOW_MS)
        await book.flush()
        await book.flush()
        ((rows, devices),) = store.writes
        assert [(row.gateway, row.state) for row in rows] == [("gw", "online"), ("other", None)]
        assert [row.device for row in devices] == ["s1"]

    asyncio.run(story())


def test_while_the_store_is_away_the_newest_word_of_each_is_kept() -> None:
    async def story() -> None:
        store = FakeSeen(away=True)
        book = SeenBook(store, 5)
        book.say("gw", Status(State.DEGRADED), [], NOW_MS)
        await book.flush()
        book.heard("gw", NOW_MS + 1)
        await book.flush()
        with pytest.raises(Unavailable):
            await book.read(None)
        store.away = False
        await book.flush()
        ((rows, _),) = store.writes
        (row,) = rows
        assert (row.state, row.seen_at, row.said_at) == (
            "degraded",
            moment(NOW_MS + 1),
            moment(NOW_MS),
        )

    asyncio.run(story())


def test_a_will_says_offline_and_is_no_sign_of_life() -> None:
    async def story() -> None:
        book = SeenBook(None, 5)
        book.heard("gw", NOW_MS)
        book.say("gw", Status(State.OFFLINE), [], NOW_MS + 9, heard=False)
        (row,) = await book.read(None)
        assert (row.seen_at, row.said_at) == (moment(NOW_MS), moment(NOW_MS + 9))
        book.say("never", Status(State.OFFLINE), [], NOW_MS, heard=False)
        (row,) = await book.read("never")
        assert row.seen_at is None

    asyncio.run(story())


def test_no_store_is_503_for_the_list() -> None:
    async def story() -> None:
        async with bench() as b:
            b.gateway.seen = SeenBook(FakeSeen(away=True), 5)
            answer = await b.client.get("/v1/status")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    play(story)
