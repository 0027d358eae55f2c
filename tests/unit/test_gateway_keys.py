"""Keys of gateways: what is stored of them, who comes in, what each covers, and failing closed."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from sensors.gateway.keys import Denial, Key, NotAdmitted, Quota, digest, find, make_key
from tests.support.gateway_bench import NOW_MS, Bench, bench, play, reading


def stored(gateway: str = "gw", **more: Any) -> tuple[str, Key]:
    """(text, row) of a new key of this gateway that covers the whole city."""
    made = make_key()
    fields: dict[str, Any] = {"areas": ("330100",)} | more
    return made.text, Key(made.id, gateway, digest=made.digest, **fields)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


async def send(b: Bench, headers: dict[str, str], *rows: object, gateway: str = "gw") -> int:
    body = {"gateway": gateway, "readings": list(rows) or [reading()]}
    return (await b.client.post("/v1/readings", json=body, headers=headers)).status_code


def test_a_key_is_random_and_only_its_digest_is_kept() -> None:
    one, other = make_key(), make_key()
    assert re.fullmatch(r"cb1_[0-9a-f]{12}_[\w-]{43}", one.text, re.ASCII)
    assert one.text != other.text
    assert one.digest == digest(one.text)
    assert one.text.split("_", 2)[2] not in repr((one.id, one.digest))


@pytest.mark.parametrize(
    ("more", "at_ms", "denial"),
    [
        ({}, NOW_MS, None),
        ({"expires_ms": NOW_MS + 1}, NOW_MS, None),
        ({"expires_ms": NOW_MS}, NOW_MS, Denial.EXPIRED),
        ({"revoked": True}, NOW_MS, Denial.REVOKED),
        ({"revoked": True, "expires_ms": 0}, NOW_MS, Denial.REVOKED),
    ],
)
def test_who_holds_the_key_learns_that_it_ended(
    more: dict[str, Any], at_ms: int, denial: Denial | None
) -> None:
    text, key = stored(**more)
    if denial is None:
        assert find({key.id: key}, text, at_ms) is key
        return
    with pytest.raises(NotAdmitted) as refused:
        find({key.id: key}, text, at_ms)
    assert refused.value.denial is denial


@pytest.mark.parametrize(
    "change", ["", "x", "cb1__", "cb1_000000000000_" + "A" * 43, "\ud800", "密"]
)
def test_who_does_not_hold_it_learns_nothing(change: str) -> None:
    text, key = stored(revoked=True)
    for wrong in (change, text[:-1], text + "A", text[:-1] + ("A" if text[-1] != "A" else "B")):
        with pytest.raises(NotAdmitted) as refused:
            find({key.id: key}, wrong, NOW_MS)
        assert refused.value.denial is Denial.WRONG


def test_no_key_or_a_wrong_one_is_401_and_another_gateways_403() -> None:
    text, key = stored()
    foreign, other = stored("other")

    async def story() -> None:
        async with bench(keys=[key, other]) as b:
            assert await send(b, bearer(text)) == 200
            assert await send(b, {}) == 401
            assert await send(b, bearer("cb1_nonsense")) == 401
            assert await send(b, {"authorization": f"Basic {text}"}) == 401
            assert await send(b, bearer(foreign)) == 403
            answer = await b.client.post("/v1/readings", json={})
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"
            named = await b.client.post(
                "/v1/readings?gateway=other", json={"readings": []}, headers=bearer(text)
            )
            assert named.status_code == 403

    play(story)


def test_the_key_says_which_gateway_sends() -> None:
    text, key = stored()

    async def story() -> None:
        async with bench(keys=[key]) as b:
            line = b'{"sensor":"s1","property":"depth","time":%d,"value":1}' % NOW_MS
            headers = bearer(text) | {"content-type": "application/x-ndjson"}
            answer = await b.client.post("/v1/readings", content=line, headers=headers)
            assert answer.json()["accepted"] == 1
            assert b.frames()[0].source == "gw"

    play(story)


def test_readings_outside_the_keys_areas_are_refused_one_by_one() -> None:
    text, key = stored(areas=("330108",))

    async def story() -> None:
        async with bench(keys=[key]) as b:
            body = {"gateway": "gw", "readings": [reading("s1"), reading("s2")]}
            answer = await b.client.post("/v1/readings", json=body, headers=bearer(text))
            assert answer.json()["accepted"] == 1
            (refused,) = answer.json()["refused"]
            assert (refused["index"], refused["reason"]) == (0, "foreign_area")

    play(story)


def test_a_revoked_key_ends_with_the_next_look_and_two_may_be_valid_at_once() -> None:
    text, key = stored()
    second, new = stored()

    async def story() -> None:
        async with bench(keys=[key]) as b:
            b.registry.known = [key, new]
            await b.gateway.keys.refresh()
            assert [await send(b, bearer(t)) for t in (text, second)] == [200, 200]
            b.registry.known = [Key(key.id, "gw", key.areas, key.digest, revoked=True), new]
            await b.gateway.keys.refresh()
            assert [await send(b, bearer(t)) for t in (text, second)] == [401, 200]

    play(story)


def test_a_key_expires_between_two_looks() -> None:
    text, key = stored(expires_ms=NOW_MS + 5_000)

    async def story() -> None:
        async with bench(keys=[key]) as b:
            assert await send(b, bearer(text)) == 200
            b.clocks.pass_s(5)
            assert await send(b, bearer(text)) == 401

    play(story)


def test_keys_that_cannot_be_checked_admit_nobody() -> None:
    text, key = stored()

    async def story() -> None:
        async with bench(keys=[key], keys_stale_s=60) as b:
            b.registry.away = True
            b.clocks.pass_s(60)
            await b.gateway.keys.refresh()
            assert await send(b, bearer(text)) == 200
            b.clocks.pass_s(1)
            assert await send(b, bearer(text)) == 503
            assert (await b.client.get("/health")).status_code == 503
            b.registry.away = False
            await b.gateway.keys.refresh()
            assert await send(b, bearer(text)) == 200
            assert (await b.client.get("/health")).status_code == 200

    play(story)


def test_required_keys_of_which_none_is_stored_are_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, key = stored()

    async def story() -> None:
        async with bench(keys=[key]) as b:
            b.registry.known = []
            for _ in range(3):
                await b.gateway.keys.refresh()

    with caplog.at_level(logging.WARNING):
        play(story)
    assert caplog.text.count("citybrain gateway-key create") == 1


def test_where_no_key_is_needed_a_key_that_is_shown_is_checked_all_the_same() -> None:
    async def story() -> None:
        async with bench() as b:
            assert await send(b, {}) == 200
            assert await send(b, bearer("cb1_nonsense")) == 401

    play(story)


def test_no_key_stands_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    text, key = stored(revoked=True)

    async def story() -> None:
        async with bench(keys=[key]) as b:
            assert await send(b, bearer(text)) == 401
            metrics = (await b.client.get("/metrics")).text
            assert 'citybrain_gateway_denied_total{reason="revoked"} 1.0' in metrics
            assert text not in metrics

    with caplog.at_level(logging.DEBUG):
        play(story)
    assert key.id in caplog.text
    assert text not in caplog.text


def test_a_quota_of_the_key_goes_before_the_settings() -> None:
    text, key = stored(quota=Quota(readings_s=10, readings_burst=20))

    async def story() -> None:
        async with bench(keys=[key]) as b:
            rows = [reading("s1", i) for i in range(15)]
            assert await send(b, bearer(text), *rows) == 200
            body = {"gateway": "gw", "readings": rows}
            answer = await b.client.post("/v1/readings", json=body, headers=bearer(text))
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
            b.clocks.pass_s(1)
            assert await send(b, bearer(text), *rows) == 200
            metrics = (await b.client.get("/metrics")).text
            name = "citybrain_gateway_source_throttled_total"
            assert f'{name}{{gateway="gw",limit="readings"}} 1.0' in metrics
            name = "citybrain_gateway_source_readings_total"
            assert f'{name}{{gateway="gw",outcome="accepted"}} 30.0' in metrics

    play(story)
