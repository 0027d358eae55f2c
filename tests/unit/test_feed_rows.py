"""Rows of every feed: units, missing marks, hour labels, refused lines, stations."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sensors.feeds import feed_named
from sensors.feeds.cells import BadCell, number
from sensors.feeds.feed import Entries, Fault, Feed, Gazetteer, Published, Refused, Row
from sensors.feeds.lines import sort_files
from sensors.feeds.national_air import primary_set
from streams.catalog import Area

HEAD_2020 = "city,Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2"
HEAD_2026 = (
    "timepoint,stationcode,longitude,latitude,area,positionname,primarypollutant,aqi,pm10,pm10_24h,"
    "pm2_5,pm2_5_24h,o3,o3_24h,o3_8h,o3_8h_24h,no2,no2_24h,so2,so2_24h,co,co_24h"
)
HEAD_PRSA = '"No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3","station"'
HEAD_FLOOD = "time_utc,sensor_id,depth_inches"
ZHEJIANG = {
    "330000": Area("330000", "province", None, "浙江省", ""),
    "330100": Area("330100", "city", "330000", "杭州市", ""),
    "330108": Area("330108", "county", "330100", "滨江区", ""),
}


def lines_of(feed: str, tmp_path: Path, *lines: str) -> list[Row | Refused]:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(feed_named(feed).read(path))


def only_row(feed: str, tmp_path: Path, *lines: str) -> Row:
    (row,) = lines_of(feed, tmp_path, *lines)
    assert isinstance(row, Row)
    return row


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type,misc]


def opened(feed: Feed, tmp_path: Path, **texts: str) -> dict[str, list[Path]]:
    paths = []
    for name, text in texts.items():
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    return sort_files(feed, paths)


def test_an_hour_of_2020_starts_one_hour_before_its_label(tmp_path: Path) -> None:
    row = only_row(
        "cnemc_2020",
        tmp_path,
        HEAD_2020,
        "杭州,20200402,08,滨江,57,良,颗粒物(PM10),33,63,0.8,50,44,44,6",
    )
    assert row.time_ms == utc(2020, 4, 1, 23)  # 07:00 in Shanghai
    assert row.sensor == "air-杭州-滨江"
    assert dict(row.values) == {
        "pm25": Decimal(33),
        "pm10": Decimal(63),
        "so2": Decimal(6),
        "no2": Decimal(50),
        "o3": Decimal(44),
        "co": Decimal("0.8"),
    }


@pytest.mark.parametrize(
    ("feed", "lines"),
    [
        ("cnemc_2020", (HEAD_2020, "杭州,20200402,00,滨江,57,良,NaN,33,63,0.8,50,44,44,6")),
        (
            "prsa",
            (HEAD_PRSA, '1,2020,4,2,0,209,268,47,123,5300,13,"Dingling"'),
        ),
    ],
)
def test_label_00_belongs_to_the_day_before(
    feed: str, lines: tuple[str, ...], tmp_path: Path
) -> None:
    assert only_row(feed, tmp_path, *lines).time_ms == utc(2020, 4, 1, 15)  # 04-01 23:00 Shanghai


def test_the_first_hour_of_march_2026_is_the_label_01(tmp_path: Path) -> None:
    row = only_row(
        "cnemc_2026",
        tmp_path,
        HEAD_2026,
        "2026-03-01T0100,1250A,120.075,30.867,湖州市,城西水厂,颗粒物(PM10),56,58,39,31,24,84,84,NA,NA,"
        "16,17,5,6,0.3,0.4",
    )
    assert row.time_ms == utc(2026, 2, 28, 16)  # 03-01 00:00 Shanghai
    assert dict(row.values)["pm10"] == 58
    assert dict(row.values)["o3"] == 84


@pytest.mark.parametrize("mark", ["", "NaN", "NA", "—", "/", "-;", " NA "])
def test_marks_of_absence_are_neither_values_nor_errors(mark: str, tmp_path: Path) -> None:
    row = only_row(
        "cnemc_2020",
        tmp_path,
        HEAD_2020,
        f"杭州,20200402,08,滨江,57,良,NaN,{mark},63,0.8,50,44,44,6",
    )
    assert row.missing == 1
    assert "pm25" not in dict(row.values)
    assert len(row.values) == 5


@pytest.mark.parametrize("text", ["1e3", "inf", "0x1F", "1,5", "１２", "--1", "1.", ".5", "五"])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(BadCell):
        number("PM10", text)


def test_carbon_monoxide_of_beijing_becomes_milligrams_exactly(tmp_path: Path) -> None:
    row = only_row("prsa", tmp_path, HEAD_PRSA, "1,2016,1,1,8,209,268,47,123,5301,13,Aotizhongxin")
    assert dict(row.values)["co"] == Decimal("5.301")
    assert dict(row.values)["pm25"] == Decimal(209)


def test_inches_become_metres_exactly(tmp_path: Path) -> None:
    row = only_row("floodnet", tmp_path, HEAD_FLOOD, "2025-10-30T17:24:54Z,SI-a,0.98")
    assert row.values == (("depth", Decimal("0.024892")),)
    assert row.time_ms == utc(2025, 10, 30, 17, 24, 54)


@pytest.mark.parametrize(
    ("feed", "header", "line", "fault"),
    [
        ("floodnet", HEAD_FLOOD, "2025-10-30 17:24,SI-a,0.98", Fault.BAD_TIME),
        ("floodnet", HEAD_FLOOD, "2025-10-30T17:24:54Z,SI-a,deep", Fault.BAD_NUMBER),
        ("floodnet", HEAD_FLOOD, "2025-10-30T17:24:54Z,,0.98", Fault.NO_STATION),
        ("floodnet", HEAD_FLOOD, "2025-10-30T17:24:54Z,SI-a", Fault.WRONG_COLUMNS),
        (
            "cnemc_2020",
            HEAD_2020,
            "杭州,20200402,24,滨江,57,良,NaN,33,63,0.8,50,44,44,6",
            Fault.BAD_TIME,
        ),
        (
            "prsa",
            HEAD_PRSA,
            "1,2016,2,30,8,209,268,47,123,5301,13,Aotizhongxin",
            Fault.BAD_TIME,
        ),
    ],
)
def test_a_bad_line_is_refused_and_the_rest_goes_on(
    feed: str, header: str, line: str, fault: Fault, tmp_path: Path
) -> None:
    good = {
        "floodnet": "2025-10-30T17:24:54Z,SI-a,0.98",
        "cnemc_2020": "杭州,20200402,08,滨江,57,良,NaN,33,63,0.8,50,44,44,6",
        "prsa": "1,2016,1,1,8,209,268,47,123,5301,13,Aotizhongxin",
    }[feed]
    first, bad, last = lines_of(feed, tmp_path, header, good, line, good)
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert isinstance(bad, Refused)
    assert (bad.line, bad.fault) == (3, fault)
    assert bad.detail


def test_exact_duplicates_stay_for_the_ledger(tmp_path: Path) -> None:
    line = "杭州,20200402,08,滨江,57,良,NaN,33,63,0.8,50,44,44,6"
    found = lines_of("cnemc_2020", tmp_path, HEAD_2020, line, line)
    assert [f.line for f in found] == [2, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("颗粒物(PM10)", ("pm10",)),
        ("颗粒物(PM10),细颗粒物(PM2.5)", ("pm10", "pm25")),
        ("\n    二氧化氮\n    \n    颗粒物(PM10)\n", ("no2", "pm10")),
        ("臭氧1小时", ("o3",)),
        ("NA", ()),
        ("", ()),
        ("新污染物", ("新污染物",)),
    ],
)
def test_primary_pollutants_are_a_set(text: str, expected: tuple[str, ...]) -> None:
    assert primary_set(text, "57") == expected


def test_without_an_aqi_nothing_is_said_about_primary_pollutants() -> None:
    assert primary_set("NaN", None) is None


def test_what_was_published_keeps_the_identity_of_its_row(tmp_path: Path) -> None:
    feed = feed_named("cnemc_2020")
    text = f"{HEAD_2020}\n杭州,20200402,08,滨江,NaN,—,NaN,33,63,0.8,50,44,44,6\n"
    files = opened(feed, tmp_path, rows=text)
    assert list(feed.published(files)) == [
        Published(
            "hour",
            2,
            "air-杭州-滨江",
            utc(2020, 4, 1, 23),
            {"aqi": None, "level": None, "primary": None, "o3_8h": "44"},
        )
    ]


def entries_2020(tmp_path: Path, gazetteer: Gazetteer) -> Entries:
    feed = feed_named("cnemc_2020")
    rows = "\n".join(
        [
            HEAD_2020,
            "杭州,20200402,08,滨江,57,良,NaN,33,63,0.8,50,44,44,6",
            "杭州,20200402,08,无名站,57,良,NaN,33,63,0.8,50,44,44,6",
            "上饶,20200402,08,甲,57,良,NaN,33,63,0.8,50,44,44,6",
            "",
        ]
    )
    stations = "stationcode,area,positionname,longitude,latitude\n1223A,杭州市,滨江,120.211,30.21\n"
    return feed.registry(opened(feed, tmp_path, rows=rows, stations=stations), gazetteer)


def test_stations_are_placed_by_polygon_then_city_then_outside(tmp_path: Path) -> None:
    def locate(lon: float, lat: float) -> str | None:
        return "330108" if (lon, lat) == (120.211, 30.21) else None

    found = entries_2020(tmp_path, Gazetteer(ZHEJIANG, locate))
    placed = {point.name: point for point in found.points}
    assert placed["滨江"].area == "330108"
    assert placed["滨江"].attributes == {"code": "1223A"}
    assert placed["无名站"].area == "330100"
    assert placed["无名站"].lon is None
    outside = {area.code: area for area in found.areas}[placed["甲"].area]
    assert (outside.level, outside.name, outside.parent) == ("city", "上饶", "900000")
    assert {area.code for area in found.areas} == {
        "330000",
        "330100",
        "330108",
        "900000",
        outside.code,
    }


def test_without_a_gazetteer_every_city_is_a_pseudo_area(tmp_path: Path) -> None:
    found = entries_2020(tmp_path, Gazetteer())
    assert {a.name for a in found.areas if a.level == "city"} == {"杭州", "上饶"}
    assert {s.name for s in found.sensors} == {p.id for p in found.points}


def test_tidal_points_are_marked(tmp_path: Path) -> None:
    feed = feed_named("floodnet")
    files = opened(
        feed,
        tmp_path,
        rows=f"{HEAD_FLOOD}\n2025-10-30T17:24:54Z,SI-a,0.98\n2025-10-30T17:24:54Z,SI-b,0\n"
        "2025-10-30T17:24:54Z,SI-c,0\n",
        sensors="sensor_name,sensor_id,tidally_influenced,latitude,longitude\n"
        "A street,SI-a,Yes,40.5,-74.1\nB street,SI-b,No,40.6,-74.2\nD,SI-d,No,40.6,-74.2\n",
    )
    points = {p.id: p for p in feed.registry(files, Gazetteer()).points}
    assert points["SI-a"].attributes == {"tidal": "yes"}
    assert (points["SI-a"].lon, points["SI-a"].lat) == (-74.1, 40.5)
    assert points["SI-b"].attributes == {"tidal": "no"}
    assert points["SI-c"].lon is None
    assert "SI-d" not in points
