"""Rows of registry files: what is taken, what is refused and why, how places are resolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sensors.registry.columns import CHINESE, COLUMNS, column_named
from sensors.registry.crs import Crs
from sensors.registry.line import ADVICE, Fault, Note
from sensors.registry.source import crs_named, decode
from streams.contracts.domain import Point
from streams.errors import Misconfigured
from tests.support.registry_files import LINPING, QIANTANG, WEST_LAKE, draft_of, rules

HEAD = "id,type,area,name,lon,lat"
ROW = "p1,flood_point,330106,桥下,120.13,30.26"
SENSORS = f"{HEAD},sensor,gateway,properties,report_s"


def faults(folder: Path, text: str, **how: Any) -> list[tuple[int, str, Fault]]:
    return [(r.row, r.column, r.fault) for r in draft_of(folder, text, **how).refused]


def test_a_row_becomes_a_point(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, f"{HEAD},attr.gauge,id.bureau\r\n{ROW},g1,7\r\n")
    assert draft.points == {
        "p1": Point(
            "p1", "flood_point", "330106", "桥下", 120.13, 30.26, {"gauge": "g1"}, {"bureau": "7"}
        )
    }
    assert (draft.rows, draft.taken, draft.refused, draft.remarks) == (1, 1, [], [])


def test_several_sensors_stand_at_one_point(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        f"{SENSORS},sensor.id.vendor\n{ROW},s1,gw,depth,30,X\np1,,,,,,s2,gw,depth;rain,,\n",
    )
    assert set(draft.points) == {"p1"}
    assert draft.sensors["s1"].report_s == 30
    assert draft.sensors["s1"].external_ids == {"vendor": "X"}
    assert draft.sensors["s2"].properties == ("depth", "rain")
    assert draft.gateways["gw"].near == "330106"
    assert draft.taken == 2


def test_a_sensor_may_join_a_point_of_the_registry(tmp_path: Path) -> None:
    held = Point("old", "flood_point", "330106", "旧", None, None, {})
    text = "id,sensor,gateway,properties\nold,s1,gw,depth\nnew,s2,gw,depth\n"
    draft = draft_of(tmp_path, text, against=rules({"old": held}))
    assert draft.sensors["s1"].point == "old"
    assert draft.points == {}
    assert [(r.row, r.fault) for r in draft.refused] == [(3, Fault.NO_POINT)]


def test_defaults_fill_what_rows_leave_open(tmp_path: Path) -> None:
    against = rules(type="flood_point", gateway="gw", properties="depth")
    draft = draft_of(tmp_path, "id,name,area,sensor\np,点,西湖区,s\n", against=against)
    assert draft.points["p"].type == "flood_point"
    assert draft.points["p"].area == "330106"
    assert draft.sensors["s"].properties == ("depth",)


def test_a_gateway_may_stand_alone(tmp_path: Path) -> None:
    text = f"{HEAD},gateway,gateway_area,gateway_name\n,,,,,,gw9,330106,河边\n"
    draft = draft_of(tmp_path, text)
    assert draft.gateways["gw9"].name == "河边"


@pytest.mark.parametrize(
    ("row", "column", "fault"),
    [
        (",flood_point,330106,桥下,120.13,30.26", "id", Fault.NO_ID),
        ("p/1,flood_point,330106,桥下,120.13,30.26", "id", Fault.BAD_VALUE),
        ("p1,,330106,桥下,120.13,30.26", "type", Fault.NO_TYPE),
        ("p1,flood_point,330106,,120.13,30.26", "name", Fault.NO_NAME),
        ("p1,flood_point,330106,桥下,abc,30.26", "lon", Fault.BAD_NUMBER),
        ("p1,flood_point,330106,桥下,nan,30.26", "lon", Fault.BAD_NUMBER),
        ("p1,flood_point,330106,桥下,120.13,1e99", "lat", Fault.BAD_NUMBER),
        ("p1,flood_point,330106,桥下,120.13,", "lat", Fault.HALF_POSITION),
        ("p1,flood_point,330106,桥下,30.26,120.13", "lon", Fault.SWAPPED),
        ("p1,flood_point,330106,桥下,117.9,30.26", "lon", Fault.OUTSIDE_BOX),
        ("p1,flood_point,339999,桥下,120.13,30.26", "area", Fault.UNKNOWN_AREA),
        ("p1,flood_point,330000,桥下,120.13,30.26", "area", Fault.WRONG_LEVEL),
        ("p1,flood_point,,桥下,122.9,28.0", "area", Fault.NO_AREA),
        ("p1,flood_point,,桥下,,", "area", Fault.NO_AREA),
        ("p1,flood_point,330106,桥\x01下,120.13,30.26", "name", Fault.BAD_TEXT),
        ("p1,flood_point,330106,桥下,120.13", "", Fault.WRONG_COLUMNS),
        ('p1,flood_point,330106,"桥"下,120.13,30.26', "", Fault.DAMAGED),
    ],
)
def test_a_bad_row_is_refused_and_the_others_go_on(
    tmp_path: Path, row: str, column: str, fault: Fault
) -> None:
    text = f"{HEAD}\n{row}\nq,flood_point,330106,好,120.13,30.26\n"
    draft = draft_of(tmp_path, text)
    assert [(r.row, r.column, r.fault) for r in draft.refused] == [(2, column, fault)]
    assert set(draft.points) == {"q"}
    assert draft.refused[0].advice


@pytest.mark.parametrize(
    ("cells", "column", "fault"),
    [
        ("s1,,depth,", "gateway", Fault.NO_GATEWAY),
        ("s1,gw,,", "properties", Fault.NO_PROPERTY),
        ("s1,gw,depth;depth,", "properties", Fault.BAD_VALUE),
        ("s1,gw,depth,-1", "report_s", Fault.BAD_VALUE),
        ("s1,gw,depth,99999999", "report_s", Fault.BAD_VALUE),
        ("s1,g w,depth,", "gateway", Fault.BAD_VALUE),
        (",gw,,30", "report_s", Fault.BAD_VALUE),
    ],
)
def test_a_bad_sensor_takes_its_row_with_it(
    tmp_path: Path, cells: str, column: str, fault: Fault
) -> None:
    draft = draft_of(tmp_path, f"{SENSORS}\n{ROW},{cells}\n")
    assert [(r.column, r.fault) for r in draft.refused] == [(column, fault)]
    assert (draft.points, draft.sensors) == ({}, {})


def test_rows_of_one_point_must_agree(tmp_path: Path) -> None:
    again = ROW.replace("桥下", "桥上")
    text = f"{SENSORS}\n{ROW},s1,gw,depth,\n{again},s2,gw,depth,\n{ROW},s1,gw,depth,\n{ROW},,,,\n"
    assert faults(tmp_path, text) == [
        (3, "name", Fault.CONTRADICTS),
        (4, "sensor", Fault.REPEATED),
        (5, "id", Fault.REPEATED),
    ]


def test_an_unclosed_quote_is_one_refusal_that_says_how_far_it_goes(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, f'{HEAD}\n{ROW}\np2,flood_point,330106,"桥\nx\ny\n')
    (refused,) = draft.refused
    assert (refused.row, refused.fault) == (3, Fault.DAMAGED)
    assert "line 5" in refused.detail


def test_a_row_is_named_by_the_line_on_which_it_begins(tmp_path: Path) -> None:
    text = f'{HEAD}\np1,flood_point,330106,"两\n行",120.13,30.26\n\np2,,,,,\n'
    draft = draft_of(tmp_path, text)
    assert draft.points["p1"].name == "两\n行"
    assert [r.row for r in draft.refused] == [5]
    assert draft.blank == 1


def test_chinese_headers_are_understood(tmp_path: Path) -> None:
    text = "编号,类型,行政区,名称,经度,纬度\n" + ROW
    draft = draft_of(tmp_path, text.encode("gb18030"), encoding="gb18030")
    assert draft.points["p1"].name == "桥下"
    assert set(CHINESE.values()) <= set(COLUMNS)


def test_unknown_types_and_properties_are_taken_and_remarked(tmp_path: Path) -> None:
    row = ROW.replace("flood_point", "flod_point")
    draft = draft_of(tmp_path, f"{SENSORS}\n{row},s1,gw,dept,\n")
    assert {(r.note, r.subject) for r in draft.remarks} == {
        (Note.UNKNOWN_TYPE, "p1"),
        (Note.UNKNOWN_PROPERTY, "s1"),
    }
    assert draft.taken == 1


# places -----------------------------------------------------------------------------------------


def area_of(folder: Path, area: str, where: tuple[float, float] | None) -> tuple[str, list[Note]]:
    lon, lat = where or ("", "")
    draft = draft_of(folder, f"{HEAD}\np,flood_point,{area},点,{lon},{lat}\n")
    assert draft.refused == []
    return draft.points["p"].area, [r.note for r in draft.remarks]


@pytest.mark.parametrize(
    ("area", "where", "code", "notes"),
    [
        ("330106", WEST_LAKE, "330106", []),
        ("330106", None, "330106", []),
        ("330100", WEST_LAKE, "330100", []),
        ("西湖区", WEST_LAKE, "330106", []),
        ("杭州市西湖区", WEST_LAKE, "330106", [Note.AREA_MAPPED]),
        ("", WEST_LAKE, "330106", [Note.AREA_BY_POSITION]),
        ("", QIANTANG, "330114", [Note.AREA_BY_POSITION]),
        ("156330106", WEST_LAKE, "330106", [Note.AREA_MAPPED]),
        ("330106001", WEST_LAKE, "330106", [Note.AREA_MAPPED]),
        ("330103", None, "330105", [Note.AREA_MAPPED]),
        ("下城区", None, "330105", [Note.AREA_MAPPED]),
        ("330104", QIANTANG, "330114", [Note.AREA_MAPPED]),
        ("330104", (120.17, 30.25), "330102", [Note.AREA_MAPPED]),
        ("330104", None, "330100", [Note.AREA_UNDECIDED]),
        ("330104", WEST_LAKE, "330100", [Note.AREA_UNDECIDED]),
        ("钱塘新区", QIANTANG, "330114", [Note.AREA_MAPPED]),
        ("钱塘新区", None, "330114", [Note.AREA_MAPPED]),
        ("330110", LINPING, "330113", [Note.AREA_MAPPED]),
        ("330110", (119.95, 30.35), "330110", []),
        ("330110", None, "330110", []),
        ("330110", WEST_LAKE, "330110", [Note.OUTSIDE_AREA]),
        ("330105", WEST_LAKE, "330105", [Note.OUTSIDE_AREA]),
        ("330200", WEST_LAKE, "330200", [Note.OUTSIDE_AREA]),
        ("330106", (122.9, 28.0), "330106", [Note.OUTSIDE_AREA]),
    ],
)
def test_areas_are_mapped_decided_or_flagged(
    tmp_path: Path,
    area: str,
    where: tuple[float, float] | None,
    code: str,
    notes: list[Note],
) -> None:
    assert area_of(tmp_path, area, where) == (code, notes)


def test_a_point_outside_its_area_is_kept_and_says_where_it_lies(tmp_path: Path) -> None:
    text = (
        f"{HEAD},attr.outside_area\na,flood_point,330105,点,120.13,30.26,\n"
        "b,flood_point,330106,点,122.9,28.0,\nc,flood_point,330106,点,120.13,30.26,330105\n"
    )
    draft = draft_of(tmp_path, text)
    attributes = {id: dict(p.attributes) for id, p in draft.points.items()}
    assert attributes == {
        "a": {"outside_area": "330106"},
        "b": {"outside_area": "nowhere"},
        "c": {},  # ours to say, not the file's
    }


def test_every_mapping_is_reported_with_its_codes(tmp_path: Path) -> None:
    text = f"{HEAD}\n" + "".join(f"p{i},flood_point,330103,点,,\n" for i in range(3))
    draft = draft_of(tmp_path, text)
    assert [(r.row, r.detail) for r in draft.remarks] == [(n, "330103 → 330105") for n in (2, 3, 4)]


def test_gcj_positions_are_converted(tmp_path: Path) -> None:
    text = f"{HEAD}\np,flood_point,,点,120.2090,30.2471\n"
    point = draft_of(tmp_path, text, crs=Crs.GCJ02).points["p"]
    assert point.lon == pytest.approx(120.2044, abs=5e-5)
    assert point.lat == pytest.approx(30.2495, abs=5e-5)


# files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no header"),
        ("name,lon\n", "column id is missing"),
        ("id;name;lon\n", "separator"),
        (f"{HEAD},colour\n", "'colour' is unknown"),
        (f"{HEAD},id\n", "more than once"),
        (f"{HEAD},编号\n", "more than once"),
    ],
)
def test_a_header_that_does_not_do_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        draft_of(tmp_path, text)


def test_a_file_must_say_what_its_positions_are(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"--crs .*wgs84, cgcs2000, gcj02 .* or bd09"):
        draft_of(tmp_path, f"{HEAD}\n{ROW}\n", crs=None)
    assert draft_of(tmp_path, f"{HEAD}\np,flood_point,330106,点,,\n", crs=None).taken == 1
    with pytest.raises(Misconfigured, match="says crs gcj02, --crs says wgs84"):
        draft_of(tmp_path, f"{HEAD},crs\n{ROW},gcj02\n")
    with pytest.raises(Misconfigured, match="one file has one crs"):
        draft_of(tmp_path, f"{HEAD},crs\n{ROW},gcj02\n{ROW},bd09\n", crs=None)


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", Crs.WGS84),
        ("EPSG:4326", Crs.WGS84),
        ("urn:ogc:def:crs:EPSG::4490", Crs.CGCS2000),
        ("CGCS2000", Crs.CGCS2000),
        ("GCJ-02", Crs.GCJ02),
        ("bd09", Crs.BD09),
        ("BD-09MC", None),
        ("CGCS2000 / 3-degree Gauss-Kruger CM 120E", None),
        ("EPSG:3857", None),
    ],
)
def test_names_of_crs(name: str, crs: Crs | None) -> None:
    assert crs_named(name) is crs


def test_encodings_are_declared_or_marked_never_guessed() -> None:
    text = "编号,名称"
    assert decode("f", text.encode(), None) == text
    assert decode("f", text.encode("utf-8-sig"), None) == text
    assert decode("f", text.encode("gb18030"), "gb18030") == text
    with pytest.raises(Misconfigured, match=r"line 1: byte 0x.. is not utf-8.*--encoding gb18030"):
        decode("f", text.encode("gb18030"), None)
    with pytest.raises(Misconfigured, match="mark says UTF-8"):
        decode("f", text.encode("utf-8-sig"), "gb18030")
    with pytest.raises(Misconfigured, match="UTF-16"):
        decode("f", text.encode("utf-16"), None)
    with pytest.raises(Misconfigured, match="none of utf-8, gb18030"):
        decode("f", b"", "latin-1")


@pytest.mark.parametrize("name", ["points.xlsx", "points", "points.txt.gz"])
def test_other_kinds_of_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured):
        draft_of(tmp_path, HEAD, name=name)


# GeoJSON ----------------------------------------------------------------------------------------


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": "p1", "geometry": geometry, "properties": properties}


def point(*coordinates: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(coordinates)}


def collection(*features: Any, **more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


def test_a_feature_becomes_a_point_with_its_sensors(tmp_path: Path) -> None:
    text = collection(
        feature(
            point(*WEST_LAKE, 12.5),
            type="flood_point",
            name="桥下",
            capacity=300,
            tidal=True,
            external_ids={"bureau": 7},
            sensors=[
                {"sensor": "s1", "gateway": "gw", "properties": ["depth"], "report_s": 30},
                {"sensor": "s2", "gateway": "gw", "properties": "rain", "external_ids": {"v": "X"}},
            ],
        ),
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}},
        gateways=[{"id": "gw", "area": "330106", "name": "河边"}],
    )
    draft = draft_of(tmp_path, text, name="p.geojson", crs=None)
    assert draft.refused == []
    held = draft.points["p1"]
    assert (held.area, held.lon, held.lat) == ("330106", *WEST_LAKE)
    assert held.attributes == {"capacity": "300", "tidal": "yes"}
    assert held.external_ids == {"bureau": "7"}
    assert draft.sensors["s2"].external_ids == {"v": "X"}
    assert draft.gateways["gw"].name == "河边"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (feature({"type": "LineString", "coordinates": []}, type="t", name="n"), Fault.GEOMETRY),
        (feature({"type": "Point", "coordinates": ["a", 1]}, name="n"), Fault.GEOMETRY),
        (feature({"type": "Point", "coordinates": [120]}, name="n"), Fault.GEOMETRY),
        (feature({"type": "Point"}, name="n"), Fault.GEOMETRY),
        (feature([120, 30], name="n"), Fault.GEOMETRY),
        (feature(None, name={"a": 1}), Fault.BAD_VALUE),
        (feature(None, name="n", sensors="s"), Fault.BAD_VALUE),
        (feature(None, name="n", sensors=[{"gateway": "g"}]), Fault.BAD_VALUE),
        (feature(None, name="n", sensors=[{"sensor": "s", "colour": "red"}]), Fault.BAD_VALUE),
        (feature(None, name="n", id="other"), Fault.CONTRADICTS),
        ({"type": "Feature", "properties": []}, Fault.DAMAGED),
        ([], Fault.DAMAGED),
        (None, Fault.DAMAGED),
        (feature(point(30.26, 120.13), type="flood_point", name="n"), Fault.SWAPPED),
    ],
)
def test_a_bad_feature_is_refused_with_its_number(tmp_path: Path, given: Any, fault: Fault) -> None:
    good = {"type": "Feature", "id": "q", "geometry": point(*WEST_LAKE)}
    good["properties"] = {"type": "flood_point", "name": "好"}
    draft = draft_of(tmp_path, collection(good, given), name="p.geojson")
    assert [(r.row, r.fault) for r in draft.refused] == [(2, fault)]
    assert set(draft.points) == {"q"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": "Feature"}', "null", "{", '"x"'])
def test_what_is_no_feature_collection_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured):
        draft_of(tmp_path, text, name="p.geojson")


def test_every_fault_has_advice_and_every_prefix_a_name() -> None:
    assert set(ADVICE) == set(Fault)
    assert column_named("attr.") is None
    assert column_named("id.a:b") is None
    assert column_named(" sensor.id.vendor ") == "sensor.id.vendor"
