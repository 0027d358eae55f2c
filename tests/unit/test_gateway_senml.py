"""SenML packs (RFC 8428): base fields, relative times, units by exact arithmetic, refusals."""

from __future__ import annotations

import json

import pytest

from sensors.gateway.decoding import SENML
from sensors.gateway.reading import BadRequest, Refused
from sensors.gateway.units import convert
from tests.support.gateway_bench import NOW_MS
from tests.support.shared_data import shared_data
from tests.unit.test_gateway_formats import judge, read

NOW_S = NOW_MS // 1000


def times(*records: object) -> list[object]:
    """The event times of the readings, all of which must be taken."""
    rows, refused = judge(read(SENML, list(records)))
    assert refused == []
    return [row[2] for row in rows]


def values(*records: object) -> list[object]:
    rows, refused = judge(read(SENML, list(records)))
    assert refused == []
    return [row[3] for row in rows]


def reason(*records: object) -> str:
    """Why the last record is refused."""
    request = read(SENML, list(records))
    return dict(judge(request)[1])[len(records) - 1]


def test_base_fields_hold_until_they_are_set_again() -> None:
    pack = [
        {"bn": "s1/", "bt": NOW_S, "bu": "cm", "bv": 10, "n": "depth", "v": 21},
        {"n": "depth", "t": 0.25, "v": 0.5},
        {"n": "depth", "t": 60, "u": "m", "v": -9.5},
        {"bn": "s2:", "bv": 0, "bu": "m", "bt": NOW_S + 1, "n": "depth", "v": 1},
    ]
    rows, refused = judge(read(SENML, pack))
    assert refused == []
    assert rows == [
        ("s1", "depth", NOW_MS, 0.31, None),
        ("s1", "depth", NOW_MS + 250, 0.105, None),
        ("s1", "depth", NOW_MS + 60_000, 0.5, None),
        ("s2", "depth", NOW_MS + 1000, 1.0, None),
    ]


def test_times_below_2_to_the_28_are_relative_to_now() -> None:
    name = {"n": "s1/depth", "v": 1}
    assert times(name, name | {"t": -5}, name | {"t": 3}) == [NOW_MS, NOW_MS - 5000, NOW_MS + 3000]
    assert times(name | {"bt": NOW_S}, name | {"t": -0.001}) == [NOW_MS, NOW_MS - 1]
    assert times(name | {"t": 1.782864e9}) == [NOW_MS]
    assert reason(name | {"t": 2**28}) == "bad_time"  # absolute: 1978


def test_a_value_and_its_base_are_added_as_they_are_written() -> None:
    assert values({"bv": 0.1, "n": "s1/depth", "v": 0.2}) == [0.3]
    assert values({"bv": 0.1, "n": "s1/depth"}, {"n": "s1/depth"}) == [0.1, 0.1]
    assert times({"bt": 1782864000.1, "n": "s1/depth", "t": 0.2, "v": 1}) == [NOW_MS + 300]


def test_no_unit_is_the_propertys_own() -> None:
    """RFC 8428 §4.5.2 leaves it to the application's context: here the registry."""
    assert values({"n": "s1/depth", "v": 0.31}) == [0.31]


REFUSED: list[tuple[object, str]] = [
    ({"v": 1}, "wrong_shape"),
    ({"n": "/depth", "v": 1}, "wrong_shape"),
    ({"n": "s1/深", "v": 1}, "wrong_shape"),
    ({"n": "depth", "v": 1}, "unknown_property"),
    ({"n": "s1/", "v": 1}, "unknown_property"),
    ({"n": "s1/speed", "v": 1}, "unknown_property"),
    ({"n": "nobody/depth", "v": 1}, "unknown_sensor"),
    ({"n": "s1/depth"}, "wrong_shape"),
    ({"n": "s1/depth", "vs": "x"}, "wrong_type"),
    ({"n": "s1/depth", "vb": True}, "wrong_type"),
    ({"n": "s1/depth", "vd": "aGk"}, "wrong_type"),
    ({"n": "s1/depth", "v": 1, "vs": "x"}, "wrong_type"),
    ({"n": "s1/depth", "s": 1}, "unknown_property"),
    ({"n": "s1/depth", "v": 1, "bs": 2}, "unknown_property"),
    ({"n": "s1/depth", "v": "1"}, "wrong_type"),
    ({"n": "s1/depth", "v": None}, "wrong_type"),
    ({"n": "s1/depth", "v": 1, "u": "Cel"}, "unknown_unit"),
    ({"n": "s1/depth", "v": 1, "u": "ft"}, "unknown_unit"),
    ({"n": "s1/depth", "v": 1, "ut": "often"}, "wrong_type"),
    ({"n": "s1/depth", "v": 1, "t": 1e300}, "bad_time"),
    ({"n": "s1/depth", "v": 1, "bver": 11}, "unknown_version"),
    ({"n": "s1/depth", "v": 1, "bver": 5}, "unknown_version"),
    ({"n": "s1/depth", "v": 1, "bver": "10"}, "unknown_version"),
    ({"n": "s1/depth", "v": 1, "must_": 1}, "wrong_shape"),
    (7, "wrong_type"),
    (None, "wrong_type"),
    ([], "wrong_type"),
]


@pytest.mark.parametrize(("record", "expected"), REFUSED)
def test_a_record_is_refused_with_its_reason(record: object, expected: str) -> None:
    assert reason(record) == expected


def test_a_field_that_must_be_understood_or_an_unknown_version_refuses_the_pack() -> None:
    good = {"n": "s1/depth", "v": 1}
    for bad in ({"x_": 0}, {"bver": 99}):
        _, refused = judge(read(SENML, [good, good | bad, good]))
        assert [index for index, _ in refused] == [0, 1, 2]
    _, refused = judge(read(SENML, [good | {"bver": 10}, good | {"bver": 26}]))
    assert {why for _, why in refused} == {"unknown_version"}
    assert judge(read(SENML, b'[{"n":"s1/depth","v":1,"x\\u005f":0}]'))[1] == [(0, "wrong_shape")]


def test_unknown_fields_are_ignored_and_both_versions_read() -> None:
    for bver in (10, 26):
        assert values({"n": "s1/depth", "v": 1, "ct": "60", "x_y": 0, "bver": bver}) == [1.0]


def test_a_base_that_cannot_be_read_refuses_those_who_need_it_until_it_is_set_again() -> None:
    good = {"n": "depth", "v": 1}
    pack = [{"bn": "s1/", "bt": "noon"}, good, good | {"bt": NOW_S}, {"bn": 7}, good]
    rows, refused = judge(read(SENML, pack))
    assert len(rows) == 1
    assert refused == [(0, "wrong_type"), (1, "wrong_type"), (3, "wrong_type"), (4, "wrong_type")]


@pytest.mark.parametrize("body", [b"{", b"7", b'"x"', b"[1", b"\xff\xfe", b"", b"[" * 5000])
def test_what_is_no_pack_is_no_batch(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read(SENML, body)


def test_the_older_senml_is_refused_by_its_name() -> None:
    old = {"e": [{"u": "per", "n": "humidity", "v": "53.7"}], "bt": 1422748800000}
    with pytest.raises(BadRequest, match="not RFC 8428"):
        read(SENML, old)
    (refused,) = read(SENML, [old]).readings
    assert isinstance(refused, Refused)
    assert "not RFC 8428" in refused.detail


def test_riotbench_is_the_older_senml() -> None:
    lines = (shared_data("riotbench") / "SYS_sample_data_senml.csv").read_bytes().splitlines()
    for line in lines[:20]:
        _, _, body = line.partition(b",")
        assert json.loads(body)["e"]
        with pytest.raises(BadRequest, match="not RFC 8428"):
            read(SENML, body)


def test_where_a_record_stood_is_told() -> None:
    request = read(SENML, [{"n": "s1/depth", "v": 1}, {"n": "x", "v": 1}])
    (refused,) = [one for one in request.readings if isinstance(one, Refused)]
    assert request.describe(refused)["record"] == 1
    assert refused.sensor == "x"


@pytest.mark.parametrize(
    ("value", "unit", "canonical", "expected"),
    [
        (31.0, "mm", "m", 0.031),
        (285.0, "mm", "cm", 28.5),
        (0.1, "km", "m", 100.0),
        (1.1, "m/s", "km/h", 3.96),
        (3.96, "km/h", "m/s", None),  # 5/18 has no decimal
        (294.65, "K", "°C", 21.5),
        (21.5, "Cel", "°C", 21.5),
        (0.1, "Cel", "K", 273.25),
        (101325.0, "Pa", "hPa", 1013.25),
        (35.0, "ug/m3", "µg/m³", 35.0),
        (35.0, "ug/m3", "mg/m³", 0.035),
        (1e-9, "kg/m3", "µg/m³", 1.0),
        (0.57, "/", "%", 57.0),
        (57.0, "%RH", "%", 57.0),
        (1500.0, "l/s", "m³/s", 1.5),
        (1.5, "m/h", "mm/h", 1500.0),
        (1.0, "mm", "hPa", None),
        (1.0, "%RH", "AQI", None),
        (1.0, "furlong", "m", None),
        (1e308, "km", "mm", float("inf")),
        (5e-324, "mm", "m", 0.0),
        (42.0, "AQI", "AQI", 42.0),
    ],
)
def test_units_convert_exactly_or_not_at_all(
    value: float, unit: str, canonical: str, expected: float | None
) -> None:
    assert convert(value, unit, canonical) == expected


def test_a_unit_of_the_pack_is_converted_for_the_property() -> None:
    assert values({"n": "s1/depth", "u": "mm", "v": 310}) == [0.31]
    assert values({"n": "s1:heat", "u": "K", "v": 294.65}) == [21.5]
    assert reason({"n": "s1/depth", "u": "km", "v": 1.7e308}) == "not_finite"
