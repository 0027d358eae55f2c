"""The formats of the gateway: what each says becomes the same reading, and refusals say where."""

from __future__ import annotations

import json

import pytest

from sensors.gateway.checking import Row, check
from sensors.gateway.decoding import CONTENT_TYPES, NDJSON, SENML, claim_all, decode
from sensors.gateway.directory import compile_directory
from sensors.gateway.formats.events import BATCH
from sensors.gateway.reading import BadRequest, Claim, Refused, Request, UnknownFormat
from streams.contracts.cloudevents import STRUCTURED
from streams.contracts.frame import JSON
from tests.support.gateway_bench import NOW_MS, bench, play, toy_domains, toy_registry

DIRECTORY = compile_directory(toy_registry(), toy_domains())
TIME = "2026-07-01T08:00:00+08:00"


def read(kind: str, body: object, gateway: str | None = "gw", **headers: str) -> Request:
    """The request in a body that is bytes already or becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode(kind, named, raw, most=100, now_ms=NOW_MS, gateway=gateway)


def judge(request: Request) -> tuple[list[Row], list[tuple[int, str]]]:
    """(rows, refusals) against the toy registry: s1 in 330106 and s2 in 330108 of gateway gw."""
    pieces, refused = check(request, DIRECTORY)
    assert sum(len(p.rows) for p in pieces) + len(refused) == len(request.readings)
    rows = [row for piece in pieces for row in piece.rows]
    return rows, [(one.index, one.reason) for one in refused]


def test_a_line_is_a_reading_and_a_bad_one_is_told_by_its_number() -> None:
    good = f'{{"sensor":"s1","property":"depth","time":{NOW_MS},"value":0.31}}'
    body = (
        f"{good}\r\n\n{{oops\n{good[:-1]}\n  \n".encode()
        + b'{"sensor":"\xff"}\n[]\n'
        + good.encode()
    )
    request = read(NDJSON, body)
    rows, refused = judge(request)
    assert rows == [("s1", "depth", NOW_MS, 0.31, None)] * 2
    assert refused == [(1, "malformed"), (2, "malformed"), (3, "malformed"), (4, "wrong_type")]
    told = [request.describe(one) for one in request.readings if isinstance(one, Refused)]
    assert [one["line"] for one in told] == [3, 4, 6, 7]


def test_lines_without_a_gateway_are_no_batch() -> None:
    with pytest.raises(BadRequest, match="which gateway"):
        read(NDJSON, b"{}", None)


def test_a_body_that_names_its_gateway_goes_before_the_door() -> None:
    assert read(JSON, {"gateway": "other", "readings": []}).gateway == "other"
    assert read(JSON, {"readings": []}).gateway == "gw"


@pytest.mark.parametrize("kind", [JSON, NDJSON, BATCH, SENML])
def test_more_than_the_most_is_no_batch(kind: str) -> None:
    many: dict[str, object] = {
        JSON: {"readings": [{}] * 101},
        NDJSON: b"{}\n" * 101,
        BATCH: [{}] * 101,
        SENML: [{}] * 101,
    }
    with pytest.raises(BadRequest, match="100"):
        read(kind, many[kind])


@pytest.mark.parametrize(
    "kind", ["text/csv", "", "application/json; charset=gbk", "application/senml+xml", ";;;"]
)
def test_other_content_types_are_told_what_is_read(kind: str) -> None:
    with pytest.raises(UnknownFormat) as refused:
        read(kind, b"{}")
    assert all(known in str(refused.value) for known in CONTENT_TYPES)


def event(**more: object) -> dict[str, object]:
    """One event of sensor s1, by the house rules."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/zj/330106/s1",
        "type": "cn.gov.zj.citybrain.water.observation.v1",
        "time": TIME,
        "data": {"property": "depth", "value": 0.31},
    } | more


def test_an_event_names_sensor_and_time_for_its_reading() -> None:
    request = read(STRUCTURED, event(subject="p0"))
    assert judge(request) == ([("s1", "depth", NOW_MS, 0.31, None)], [])
    assert request.id is not None
    assert read(STRUCTURED, event(subject="p0")).id == request.id
    assert read(STRUCTURED, event(id="2")).id != request.id
    assert read(STRUCTURED, event(source="/zj/330106/s2")).id != request.id


@pytest.mark.parametrize("kind", [f"{STRUCTURED}; charset=utf-8", STRUCTURED])
def test_an_event_may_hold_many_readings(kind: str) -> None:
    many = [{"property": "depth", "value": i / 10, "time": NOW_MS + i} for i in range(3)]
    for data in (many, {"readings": many}):
        rows, refused = judge(read(kind, event(data=data)))
        assert [row[3] for row in rows] == [0.0, 0.1, 0.2]
        assert refused == []


EVENT_REFUSALS: list[tuple[dict[str, object], str]] = [
    ({"specversion": "0.3"}, "unknown_version"),
    ({"specversion": None}, "bad_headers"),
    ({"id": ""}, "bad_headers"),
    ({"id": "x" * 201}, "bad_headers"),
    ({"source": "/zj/330106"}, "bad_headers"),
    ({"source": "/zj/3301/s1"}, "bad_headers"),
    ({"source": "urn:uuid:1"}, "bad_headers"),
    ({"type": "com.example.someevent"}, "unknown_type"),
    ({"type": "cn.gov.zj.citybrain.water.event.v1"}, "unknown_type"),
    ({"type": "cn.gov.zj.citybrain.weather.observation.v1"}, "unknown_domain"),
    ({"source": "/zj/330108/s1"}, "foreign_area"),
    ({"source": "/zj/330106/nobody"}, "unknown_sensor"),
    ({"subject": "p1"}, "foreign_point"),
    ({"subject": "330108"}, "foreign_point"),
    ({"subject": ""}, "bad_headers"),
    ({"time": "yesterday"}, "bad_time"),
    ({"time": None}, "bad_time"),
    ({"data": []}, "wrong_shape"),
    ({"data": None}, "wrong_type"),
    ({"data": "text"}, "wrong_type"),
    ({"data": {"readings": 1}}, "wrong_type"),
    ({"data": {"property": "depth", "value": 1, "colour": "red"}}, "wrong_type"),
    ({"data": {"property": "depth", "value": 1, "unit": "cm"}}, "unknown_unit"),
    ({"datacontenttype": "text/xml"}, "unknown_encoding"),
    ({"data_base64": "e30="}, "bad_headers"),
    ({"Bad-Name": "1"}, "bad_headers"),
]


@pytest.mark.parametrize(("change", "reason"), EVENT_REFUSALS)
def test_an_event_against_the_house_rules_is_refused_with_its_reason(
    change: dict[str, object], reason: str
) -> None:
    assert judge(read(STRUCTURED, event(**change))) == ([], [(0, reason)])


@pytest.mark.parametrize("subject", ["330106", "330100", "330000", "p0"])
def test_the_subject_is_the_point_or_an_area_around_it(subject: str) -> None:
    assert judge(read(STRUCTURED, event(subject=subject)))[1] == []


def test_a_batch_refuses_event_by_event() -> None:
    bad, two = event(type="x"), event(id="2", data=[{"property": "depth", "value": 1}, {}])
    request = read(BATCH, [event(), bad, two, 7])
    rows, refused = judge(request)
    assert len(rows) == 2
    assert refused == [(1, "unknown_type"), (3, "wrong_type"), (4, "wrong_type")]
    places = [
        request.describe(one)["event"] for one in request.readings if isinstance(one, Refused)
    ]
    assert places == [1, 2, 3]


def test_binary_mode_reads_the_attributes_from_headers() -> None:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "/zj/330106/s%31",
        "ce_type": "cn.gov.zj.citybrain.water.observation.v1",
        "ce_time": TIME,
        "ce_subject": "p0",
    }
    data = {"property": "depth", "value": 0.31}
    request = read(JSON, data, **headers)
    assert judge(request) == ([("s1", "depth", NOW_MS, 0.31, None)], [])
    assert request.id == read(STRUCTURED, event()).id
    assert judge(read("text/plain", b"x", **headers))[1] == [(0, "unknown_encoding")]
    assert judge(read(JSON, data, ce_id="1"))[1] == [(0, "bad_headers")]


def test_a_door_may_claim_what_its_envelope_says() -> None:
    body = {"readings": [{"sensor": "s1", "property": "depth", "time": NOW_MS, "value": 1}, 7]}
    request = read(JSON, body)
    assert judge(claim_all(request, Claim("330106", "water")))[1] == [(1, "wrong_type")]
    assert judge(claim_all(request, Claim("330108", "water")))[1][0] == (0, "foreign_area")
    assert judge(claim_all(request, Claim("330106", "weather")))[1][0] == (0, "unknown_domain")


@pytest.mark.parametrize(
    ("areas", "taken"),
    [
        (["330106"], [0]),
        (["330100"], [0, 1]),
        (["330000"], [0, 1]),
        (["331000", "330108"], [1]),
        ([], []),
    ],
)
def test_a_key_covers_its_areas_and_what_lies_in_them(areas: list[str], taken: list[int]) -> None:
    rows = [{"sensor": s, "property": "depth", "time": NOW_MS, "value": 1} for s in ("s1", "s2")]
    _, refused = check(read(JSON, {"readings": rows}), DIRECTORY, tuple(areas))
    assert [one.index for one in refused] == [i for i in (0, 1) if i not in taken]
    assert {one.reason for one in refused} <= {"foreign_area"}


NASTY = [
    b"",
    b"null",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"\xff\xfe\x00",
    b'[{"n":"\\ud800","v":1}]',
    b'{"gateway":"gw","readings":[{"sensor":"\\ud800"},1e999,{"sensor":"s1"}]}',
    b'{"sensor":"s1","property":"depth","time":1e999,"value":' + b"9" * 400 + b"}",
    b'{"specversion":"1.0","id":"1","source":"/zj/330106/%ff%00","type":"\\u0000"}',
    b'[{"specversion":"1.0","id":"1","source":"/zj/330106/s1","data_base64":"###"}]',
]


@pytest.mark.parametrize("kind", CONTENT_TYPES)
@pytest.mark.parametrize("body", NASTY)
def test_nothing_that_is_sent_makes_the_gateway_fail(kind: str, body: bytes) -> None:
    async def story() -> None:
        async with bench(request_bytes=500_000) as b:
            answer = await b.client.post(
                "/v1/readings?gateway=gw", content=body, headers={"content-type": kind}
            )
            content = answer.json()
            match answer.status_code:
                case 400:
                    assert content["detail"]
                case 200 | 422:
                    assert content["refused"] or not body
                    assert all(one["reason"] and one["detail"] for one in content["refused"])
                case other:
                    raise AssertionError(other)

    play(story)


@pytest.mark.parametrize("query", ["gateway=other", "gateway=", "gateway=gw&id=%00", "gateway=%FF"])
def test_what_the_call_names_is_checked_like_what_the_body_names(query: str) -> None:
    async def story() -> None:
        async with bench() as b:
            body = {"gateway": "gw", "readings": []}
            assert (await b.client.post(f"/v1/readings?{query}", json=body)).status_code == 400

    play(story)


def test_a_retried_event_makes_the_same_frame_and_a_new_one_another() -> None:
    async def story() -> None:
        async with bench() as b:
            for one in (event(), event(), event(id="2")):
                answer = await b.client.post(
                    "/v1/readings?gateway=gw", json=one, headers={"content-type": STRUCTURED}
                )
                assert answer.json() == {"accepted": 1, "refused": []}
            first, again, other = (frame.id for frame in b.frames())
            assert first == again
            assert first != other

    play(story)
