"""Official warnings at the gateway's door: taken by every partition, refused by their rule."""

from __future__ import annotations

import json

import httpx

from sensors.gateway.keys import Key, make_key
from streams.contracts.codec import decode
from streams.contracts.frame import Refusal
from streams.contracts.reason import Origin, Reason
from streams.contracts.warning import Announcement
from streams.errors import Unavailable
from tests.support.gateway_bench import NOW_MS, Bench, GatedLog, bench, play

CAP = {"content-type": "application/cap+xml"}
MESSAGE = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>z.2</identifier>
<sender>met@zj.gov.cn</sender><sent>2026-08-07T18:18:00+08:00</sent><status>Actual</status>
<msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language>
<category>Met</category><event>暴雨</event><urgency>Expected</urgency><severity>Severe</severity>
<certainty>Likely</certainty><area><areaDesc>西湖区</areaDesc><geocode>
<valueName>GB/T 2260</valueName><value>330106</value></geocode></area></info></alert>"""
ROW = {
    "alertid": "33000033200000_20260807181838",
    "title": "浙江省水利厅、浙江省气象台发布山洪灾害蓝色预警",
}


def heard(door: Bench) -> list[list[object]]:
    """What each partition of the log holds."""
    return [[decode(record) for record in door.log.read(part, 0)] for part in (0, 1)]


async def post(door: Bench, content: str, gateway: str = "gw", **headers: str) -> httpx.Response:
    return await door.client.post(
        f"/v1/warnings?gateway={gateway}", content=content.encode(), headers=CAP | headers
    )


def test_every_partition_hears_a_warning() -> None:
    async def story() -> None:
        async with bench() as door:
            answer = await post(door, MESSAGE)
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"][0]["areas"] == ["330106"]
            for told in heard(door):
                (one,) = told
                assert isinstance(one, Announcement)
                assert (one.source, one.origin, one.ingest_ms) == ("gw", Origin.LIVE, NOW_MS)
                assert one.warning.original == MESSAGE.encode()
                assert one.warning.type == "暴雨"

    play(story)


def test_what_breaks_a_rule_is_answered_and_laid_down() -> None:
    async def story() -> None:
        async with bench() as door:
            content = MESSAGE.replace("<scope>Public</scope>", "")
            answer = await post(door, content)
            assert answer.status_code == 422
            (refused,) = answer.json()["refused"]
            assert refused["detail"].startswith("rule required: alert/scope")
            assert refused["reason"] == "invalid_warning"
            first, second = heard(door)
            (letter,) = first
            assert isinstance(letter, Refusal)
            assert (letter.reason, letter.content) == (Reason.INVALID_WARNING, content.encode())
            assert second == []

    play(story)


def test_rows_are_taken_one_by_one() -> None:
    async def story() -> None:
        async with bench() as door:
            rows = json.dumps([ROW, ROW | {"pic": "p0024001.png"}])
            answer = await post(door, rows, **{"content-type": "application/json"})
            assert answer.status_code == 200
            assert [len(answer.json()[name]) for name in ("accepted", "refused")] == [1, 1]

    play(story)


def test_a_key_speaks_for_its_areas_only() -> None:
    made = make_key()
    key = Key(made.id, "gw", ("330108",), made.digest)

    async def story() -> None:
        async with bench(keys=[key]) as door:
            assert (await post(door, MESSAGE)).status_code == 401
            shown = {"authorization": f"Bearer {made.text}"}
            answer = await post(door, MESSAGE, **shown)
            assert answer.status_code == 422
            assert answer.json()["refused"][0]["reason"] == "foreign_area"
            own = MESSAGE.replace("330106", "330108")
            assert (await post(door, own, **shown)).status_code == 200
            assert (await post(door, own, "other", **shown)).status_code == 403

    play(story)


def test_who_sends_must_be_known_and_say_what() -> None:
    async def story() -> None:
        async with bench() as door:
            nameless = await door.client.post("/v1/warnings", content=MESSAGE, headers=CAP)
            assert nameless.status_code == 400
            assert (await post(door, MESSAGE, "nobody")).status_code == 422
            kind = {"content-type": "text/csv"}
            assert (await post(door, MESSAGE, **kind)).status_code == 415
            assert heard(door) == [[], []]

    play(story)


def test_a_log_that_is_away_says_come_back() -> None:
    class Away(GatedLog):
        def append(self, partition: int, entries: object) -> int:
            raise Unavailable("the log is away")

    async def story() -> None:
        async with bench(Away()) as door:
            answer = await post(door, MESSAGE)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    play(story)
