"""Whatever is sent in whatever format: each reading is accepted or refused, once, with a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensors.gateway.checking import check
from sensors.gateway.decoding import CONTENT_TYPES, NDJSON, SENML, decode
from sensors.gateway.directory import compile_directory
from sensors.gateway.formats.events import BATCH
from sensors.gateway.framing import frame_pieces
from sensors.gateway.reading import BadRequest, Request, UnknownFormat
from streams.contracts.cloudevents import STRUCTURED
from streams.contracts.codec import encode
from streams.contracts.frame import JSON
from streams.contracts.reason import Reason
from tests.support.gateway_bench import NOW_MS, toy_domains, toy_registry

DIRECTORY = compile_directory(toy_registry(), toy_domains())
MOST = 50
REASONS = {reason.value for reason in Reason}
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/zj/330106/s1",
    "ce-type": "cn.gov.zj.citybrain.water.observation.v1",
    "ce-time": "2026-07-01T00:00:00Z",
}

ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()  # NaN and infinities as Python writes them: no JSON
    | st.text(max_size=6)
    | st.sampled_from(["\ud800", "\x00", "9" * 400, "s1/depth", "s1", "1e999", "²"])
)
ANY = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def one_of(*likely: object) -> st.SearchStrategy[object]:
    """Mostly what belongs there, sometimes anything."""
    return st.sampled_from(likely) | st.sampled_from(likely) | ANY


READING = st.fixed_dictionaries(
    {
        "sensor": one_of("s1", "s2", "foreign"),
        "property": one_of("depth", "heat"),
        "time": one_of(NOW_MS, "2026-07-01T08:00:00+08:00"),
        "value": one_of(0.31, 2, -1e308),
    },
    optional={"unit": one_of("m", "°C"), "flag": one_of(1, 9), "extra": ANY},
)
RECORD = st.fixed_dictionaries(
    {},
    optional={
        "n": one_of("s1/depth", "depth", "s1:heat"),
        "v": one_of(0.31, 294.65, 1e308),
        "u": one_of("mm", "m", "K", "Cel", "km"),
        "t": one_of(0, -5, 1_782_864_000, 2**28, 1e300),
        "bn": one_of("s1/", "s2/", ""),
        "bt": one_of(0, 1_782_864_000.5),
        "bu": one_of("cm", "K"),
        "bv": one_of(0.1, 1e308),
        "bs": one_of(1),
        "bver": one_of(10, 26),
        "s": ANY,
        "vs": ANY,
        "vb": ANY,
        "vd": ANY,
        "ut": one_of(5),
        "x": ANY,
        "x_": ANY,
        "e": ANY,
    },
)
EVENT = st.fixed_dictionaries(
    {
        "specversion": one_of("1.0", "0.3"),
        "id": one_of("1", "2"),
        "source": one_of("/zj/330106/s1", "/zj/330108/s2"),
        "type": one_of("cn.gov.zj.citybrain.water.observation.v1"),
    },
    optional={
        "time": one_of("2026-07-01T00:00:00Z"),
        "subject": one_of("p0", "330106", "330100"),
        "datacontenttype": one_of("application/json"),
        "data": st.lists(READING, max_size=3) | READING | one_of({"property": "depth", "value": 1}),
        "data_base64": ANY,
        "ext": ANY,
    },
)
NATIVE = st.fixed_dictionaries(
    {"readings": st.lists(READING | ANY, max_size=8) | ANY},
    optional={"gateway": one_of("gw", "other"), "id": one_of("b-1"), "extra": ANY},
)


def written(value: object) -> bytes:
    """JSON as careless programs write it: NaN, lone surrogates escaped or raw."""
    return json.dumps(value).encode()


BODIES: Mapping[str, st.SearchStrategy[bytes]] = {
    JSON: NATIVE.map(written),
    NDJSON: st.lists((READING | ANY).map(written) | st.binary(max_size=20), max_size=8).map(
        b"\n".join
    ),
    SENML: st.lists(RECORD | ANY, max_size=8).map(written),
    STRUCTURED: EVENT.map(written),
    BATCH: st.lists(EVENT | ANY, max_size=5).map(written),
}


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A body, sometimes damaged: cut, another encoding, bytes changed, a key twice, nested deep."""
    kind = draw(st.sampled_from(CONTENT_TYPES))
    body = draw(BODIES[draw(st.sampled_from(CONTENT_TYPES))] | BODIES[kind])
    match draw(st.integers(0, 7)):
        case 0:
            body = body[: draw(st.integers(0, len(body)))]
        case 1:
            encoding = draw(st.sampled_from(["utf-16", "utf-8-sig", "utf-32"]))
            body = body.decode("latin-1").encode(encoding)
        case 2:
            at = draw(st.integers(0, len(body)))
            body = body[:at] + draw(st.binary(min_size=1, max_size=4)) + body[at:]
        case 3:
            body = body.replace(b'"value"', b'"value":1,"value"').replace(b'"v":', b'"v":1,"v":')
        case 4:
            body = body.replace(b"1", b"1" * 500, 1).replace(b"0.31", b"NaN", 1)
        case 5:
            body = body.replace(b"null", b"[" * 3000 + b"]" * 3000, 1) or b"[" * 100_000
        case _:
            pass
    return kind, body


def account(kind: str, headers: Mapping[str, str], body: bytes) -> Request | None:
    """Decodes and checks; fails unless every reading is accounted for. None = no batch at all."""
    try:
        request = decode(kind, headers, body, most=MOST, now_ms=NOW_MS, gateway="gw")
    except (BadRequest, UnknownFormat):
        return None
    pieces, refused = check(request, DIRECTORY)
    rows = sum(len(piece.rows) for piece in pieces)
    assert rows + len(refused) == len(request.readings) <= MOST
    indices = [one.index for one in refused]
    assert indices == sorted(set(indices))
    assert all(one.reason in REASONS and one.detail for one in refused)
    told = [request.describe(one) for one in refused]
    json.dumps(told, ensure_ascii=False).encode("utf-8")  # the answer can be written
    frames = [frame for _, frame in frame_pieces(pieces, 100, NOW_MS, lambda: "n")]
    assert sum(map(len, frames)) == rows
    for frame in frames:
        encode(frame)  # the log takes it
    return request


@settings(max_examples=250)
@given(mangled())
@example((SENML, b'[{"n":"s1/depth","v":1,"x\\ud800_":1}]'))
@example((NDJSON, b'{"sensor":"\\ud800","property":"depth","time":0,"value":1}'))
@example((JSON, b'{"gateway":"\\ud800","readings":[]}'))
@example((STRUCTURED, b'{"specversion":"1.0","id":"1","source":"\\ud800","type":"t"}'))
def test_no_body_is_lost_or_breaks_the_gateway(sent: tuple[str, bytes]) -> None:
    account(sent[0], {}, sent[1])


@given(st.binary(max_size=60), st.sampled_from(CONTENT_TYPES) | st.text(max_size=30))
def test_random_bytes_are_refused(body: bytes, kind: str) -> None:
    account(kind, {}, body)


@given(
    st.dictionaries(
        st.sampled_from([*BINARY, "ce-subject", "ce-é", "ce-", "ce-x-y"]), st.text(max_size=20)
    ),
    (READING | st.lists(READING, max_size=3) | ANY).map(written) | st.binary(max_size=20),
)
def test_binary_mode_accounts_for_every_reading(headers: dict[str, str], body: bytes) -> None:
    request = account(JSON, BINARY | headers, body)
    assert request is not None
    assert request.readings


@given(st.lists(READING | ANY, max_size=MOST), st.lists(EVENT | ANY, max_size=8))
def test_nothing_that_was_sent_is_missing_from_the_account(
    readings: list[object], events: list[object]
) -> None:
    lines = account(NDJSON, {}, b"\n\n".join(map(written, readings)))
    assert lines is not None
    assert len(lines.readings) == len(readings)
    pack = account(SENML, {}, written([{"n": "s1/depth", "v": 1}] * len(readings)))
    assert pack is not None
    assert len(pack.readings) == len(readings)
    batch = account(BATCH, {}, json.dumps(events, allow_nan=True).encode())
    if batch is not None:
        assert batch.places is not None
        assert sorted(set(batch.places.numbers)) == list(range(len(events)))


@given(st.lists(RECORD | ANY, max_size=MOST))
def test_each_record_of_a_pack_is_a_reading_or_a_refusal(records: list[object]) -> None:
    request = account(SENML, {}, written(records))
    if request is not None:
        assert len(request.readings) == len(records)
