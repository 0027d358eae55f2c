"""Rows of the national list of warnings: issuer, region, type and colour as the titles say them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sensors.warnings.places import Places
from sensors.warnings.reading import Refused, read_warnings
from sensors.warnings.title import Region, parse_title
from streams.contracts.area_code import city_of
from streams.contracts.reason import Reason, Severity
from streams.contracts.warning import Kind, OfficialWarning
from streams.errors import InvalidEvent
from tests.support.shared_data import shared_data

ROW = {
    "alertid": "33000033200000_20260807181838",
    "issuetime": "2026/08/07 18:18",
    "title": "浙江省水利厅、浙江省气象台发布山洪灾害蓝色预警",
    "pic": "https://image.nmc.cn/assets/img/alarm/p0024004.png",
}
HUNAN = Region("湖南省", "株洲市", "醴陵市")
GUANGXI = Region("广西壮族自治区", "防城港市", "东兴市")
INNER_MONGOLIA = Region("内蒙古自治区", "兴安盟", "阿尔山市")
TITLES: tuple[tuple[str, tuple[str, ...], Region, str, Severity], ...] = (
    ("湖南省株洲市醴陵市气象台发布暴雨黄色预警信号", ("湖南省株洲市醴陵市气象台",),
     HUNAN, "暴雨", Severity.YELLOW),
    ("广西壮族自治区防城港市东兴市气象台发布雷雨大风黄色预警信号",
     ("广西壮族自治区防城港市东兴市气象台",), GUANGXI, "雷雨大风", Severity.YELLOW),
    ("内蒙古自治区兴安盟阿尔山市气象台发布冰雹橙色预警信号", ("内蒙古自治区兴安盟阿尔山市气象台",),
     INNER_MONGOLIA, "冰雹", Severity.ORANGE),
    ("云南省昆明市晋宁区气象台发布雷电黄色预警信号", ("云南省昆明市晋宁区气象台",),
     Region("云南省", "昆明市", "晋宁区"), "雷电", Severity.YELLOW),
    ("河南省濮阳市南乐县气象台发布暴雨橙色预警信号", ("河南省濮阳市南乐县气象台",),
     Region("河南省", "濮阳市", "南乐县"), "暴雨", Severity.ORANGE),
    ("山西省水利厅和山西省气象台发布山洪灾害气象风险蓝色预警", ("山西省水利厅", "山西省气象台"),
     Region("山西省"), "山洪灾害气象风险", Severity.BLUE),
    ("安徽省黄山市黄山区气象台发布强对流黄色预警信号", ("安徽省黄山市黄山区气象台",),
     Region("安徽省", "黄山市", "黄山区"), "强对流", Severity.YELLOW),
    ("贵州省安顺市关岭县气象台发布大风蓝色预警信号", ("贵州省安顺市关岭县气象台",),
     Region("贵州省", "安顺市", "关岭县"), "大风", Severity.BLUE),
    ("浙江省自然资源厅、浙江省气象台发布地质灾害黄色预警", ("浙江省自然资源厅", "浙江省气象台"),
     Region("浙江省"), "地质灾害", Severity.YELLOW),
    ("辽宁省气象台发布其它气象灾害黄色预警", ("辽宁省气象台",),
     Region("辽宁省"), "其它气象灾害", Severity.YELLOW),
    ("浙江省水利厅、浙江省气象台发布山洪灾害蓝色预警", ("浙江省水利厅", "浙江省气象台"),
     Region("浙江省"), "山洪灾害", Severity.BLUE),
    ("山西省自然资源厅和山西省气象台发布地质灾害黄色预警", ("山西省自然资源厅", "山西省气象台"),
     Region("山西省"), "地质灾害", Severity.YELLOW),
    ("海淀区气象台发布大风蓝色预警[IV/一般]", ("海淀区气象台",),
     Region("", "", "海淀区"), "大风", Severity.BLUE),
)  # fmt: skip


def recorded() -> dict[str, Any]:
    path = shared_data("warnings-cn") / "nmc_warnings.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def read_one(**changes: object) -> OfficialWarning | Refused:
    content = json.dumps(ROW | changes).encode()
    (found,) = read_warnings(content, "application/json; charset=utf-8", Places())
    return found


@pytest.mark.parametrize(("text", "issuers", "region", "event", "severity"), TITLES)
def test_a_title_says_who_where_what_and_how_bad(
    text: str, issuers: tuple[str, ...], region: Region, event: str, severity: Severity
) -> None:
    title = parse_title(text)
    assert (title.issuers, title.region, title.event) == (issuers, region, event)
    assert title.severity is severity
    assert not title.ends


def test_every_recorded_title_is_among_them() -> None:
    held = recorded()
    titles = [*held["titles_captured_2026-08-18"], *(row["title"] for row in held["rows"])]
    assert {*titles, held["national_release_row"]["title"]} == {row[0] for row in TITLES}


def test_every_recorded_row_becomes_a_warning() -> None:
    path = shared_data("warnings-cn") / "nmc_warnings.json"
    first, second, third = read_warnings(path.read_bytes(), "application/json", Places())
    assert isinstance(first, OfficialWarning)
    assert isinstance(second, OfficialWarning)
    assert isinstance(third, OfficialWarning)
    assert (first.areas, first.severity, first.type) == (("330000",), Severity.BLUE, "山洪灾害")
    assert (second.areas, second.severity) == (("140000",), Severity.YELLOW)
    assert third.identifier == "11010841600000_20240321165947"
    assert (third.areas, third.type, third.severity) == (("110108",), "大风", Severity.BLUE)
    assert third.geometry == {"type": "Point", "coordinates": [116.2977, 39.959893]}
    assert moment(third) == datetime(2024, 3, 21, 9, 0, tzinfo=UTC)
    assert city_of(third.areas[0]) == "110100"
    assert moment(first) == datetime(2026, 8, 7, 10, 18, 38, tzinfo=UTC)


def moment(warning: OfficialWarning) -> datetime:
    return datetime.fromtimestamp(warning.sent_ms / 1000, UTC)


def test_a_county_is_rolled_up_to_its_city() -> None:
    assert HUNAN.above_county == "株洲市"
    assert Region("北京市", "", "海淀区").above_county == "北京市"
    assert city_of("430281") == "430200"


@pytest.mark.parametrize(
    ("path", "region"),
    [
        ("荆州市沙市区", Region("", "荆州市", "沙市区")),
        ("湖南省常德市津市市", Region("湖南省", "常德市", "津市市")),
        ("北京市海淀区", Region("北京市", "", "海淀区")),
        ("新疆维吾尔自治区和田地区和田县", Region("新疆维吾尔自治区", "和田地区", "和田县")),
    ],
)
def test_names_that_hold_the_word_for_a_city(path: str, region: Region) -> None:
    title = parse_title(f"{path}气象台发布大雾黄色预警")
    assert (title.region, title.issuers) == (region, (f"{path}气象台",))


def test_a_joint_issuer_is_split_behind_an_office_only() -> None:
    title = parse_title("内蒙古自治区呼和浩特市水利局和呼和浩特市气象台发布暴雨红色预警信号")
    assert title.issuers == ("内蒙古自治区呼和浩特市水利局", "呼和浩特市气象台")
    assert title.region == Region("内蒙古自治区", "呼和浩特市")


@pytest.mark.parametrize(
    ("text", "issuers"),
    [
        ("中央气象台发布台风红色预警", ("中央气象台",)),
        ("中央气象台继续发布暴雨橙色预警", ("中央气象台",)),
        ("水利部和中国气象局联合发布山洪灾害气象风险橙色预警", ("水利部", "中国气象局")),
    ],
)
def test_an_office_of_the_whole_country_has_no_region(text: str, issuers: tuple[str, ...]) -> None:
    title = parse_title(text)
    assert (title.issuers, title.region) == (issuers, Region())


def test_lifting_a_warning_ends_the_series() -> None:
    raised, lifted = (
        read_one(),
        read_one(
            alertid="33000033200000_20260807213000",
            issuetime="2026/08/07 21:30",
            title="浙江省水利厅、浙江省气象台解除山洪灾害蓝色预警",
        ),
    )
    assert isinstance(raised, OfficialWarning)
    assert isinstance(lifted, OfficialWarning)
    assert lifted.kind is Kind.CANCEL
    assert raised.series == lifted.series != ""


@pytest.mark.parametrize("text", ["浙江省气象台发布天气预报", "今日多云", "", "气象台红色预警"])
def test_another_title_is_refused(text: str) -> None:
    with pytest.raises(InvalidEvent, match="rule title"):
        parse_title(text)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"pic": "p0024001.png"}, "colour"),
        ({"code": "0504"}, "colour"),
        ({"alertid": "330000_1"}, "alertid"),
        ({"adcode": "330100"}, "adcode"),
        ({"issuetime": "2026/08/08 18:18"}, "time"),
        ({"issuetime": "yesterday"}, "time"),
        ({"pubtimestamp": 1711011600}, "time"),
        ({"latlon": [116.3, 39.9]}, "latlon"),
        ({"title": "某单位发布暴雨蓝色预警"}, "issuer"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_by_its_rule(
    changes: dict[str, object], rule: str
) -> None:
    found = read_one(**changes)
    assert isinstance(found, Refused)
    assert found.detail.startswith(f"rule {rule}: ")
    assert found.reason is Reason.INVALID_WARNING


def test_one_bad_row_does_not_spoil_the_others() -> None:
    content = json.dumps([ROW | {"pic": "p0024002.png"}, {"deep": [ROW]}]).encode()
    found = list(read_warnings(content, "application/json", Places()))
    assert [type(one) for one in found] == [Refused, OfficialWarning]


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"{", "application/json", Reason.MALFORMED),
        (b"[]", "application/json", Reason.INVALID_WARNING),
        (b"[" * 100_000, "application/json", Reason.MALFORMED),
        (b" " * (1 << 23), "application/json", Reason.OVERSIZED),
        (b"hello", "text/plain", Reason.UNKNOWN_ENCODING),
    ],
)
def test_what_is_no_list_of_rows_is_refused(content: bytes, kind: str, reason: Reason) -> None:
    (found,) = read_warnings(content, kind, Places())
    assert isinstance(found, Refused)
    assert found.reason is reason
