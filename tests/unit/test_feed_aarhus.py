"""Aarhus: rows, links, and how the stored speed is compared with the published one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from sensors.feeds import feed_named
from sensors.feeds.feed import Entries, Fault, Gazetteer, Published, Refused, Row
from sensors.feeds.lines import sort_files
from sensors.feeds.published_speeds import WHAT, Answer, agree_speeds
from streams.errors import Misconfigured

FEED = feed_named("aarhus")
HEAD = (
    "status,avgMeasuredTime,avgSpeed,extID,medianMeasuredTime,TIMESTAMP,vehicleCount,_id,REPORT_ID"
)
SEGMENTS = (
    "POINT_1_STREET,POINT_2_LNG,POINT_2_STREET,NDT_IN_KMH,POINT_1_LAT,POINT_2_LAT,ROAD_TYPE,"
    "POINT_1_LNG,REPORT_ID,DISTANCE_IN_METERS"
)
SEGMENT = "Nørreport,10.20,Spanien,27,56.16,56.14,MAJOR_ROAD,10.22,190100,1490"
ROW = "OK,85,44,996,85,2014-08-04T00:05:00,3,21076960,190100"


def lines_of(tmp_path: Path, *lines: str) -> list[Row | Refused]:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join((HEAD, *lines)) + "\n", encoding="utf-8")
    return list(FEED.read(path))


def entries(tmp_path: Path, segments: str, *rows: str) -> Entries:
    paths = [tmp_path / "rows.csv", tmp_path / "segments.csv"]
    paths[0].write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    paths[1].write_text(f"{SEGMENTS}\n{segments}\n", encoding="utf-8")
    return FEED.registry(sort_files(FEED, paths), Gazetteer())


def test_a_row_starts_at_its_stamp_in_danish_summer_time(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, ROW)
    assert isinstance(row, Row)
    assert row.sensor == "190100"
    assert row.time_ms == int(datetime(2014, 8, 3, 22, 5, tzinfo=UTC).timestamp()) * 1000
    assert dict(row.values) == {
        "travel_time": Decimal(85),
        "speed": Decimal(44),
        "vehicle_count": Decimal(3),
    }


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (ROW.replace("190100", " "), Fault.NO_STATION),
        (ROW.replace("2014-08-04T00:05:00", "yesterday"), Fault.BAD_TIME),
        (ROW.replace(",85,44,", ",fast,44,"), Fault.BAD_NUMBER),
        ("OK,85,44", Fault.WRONG_COLUMNS),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    tmp_path: Path, line: str, fault: Fault
) -> None:
    (refused, good) = lines_of(tmp_path, line, ROW)
    assert isinstance(refused, Refused)
    assert (refused.line, refused.fault) == (2, fault)
    assert isinstance(good, Row)


def test_a_missing_count_is_no_zero(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, ROW.replace(",3,2107", ",,2107"))
    assert isinstance(row, Row)
    assert "vehicle_count" not in dict(row.values)
    assert row.missing == 1


def test_segments_are_links_of_one_pseudo_area(tmp_path: Path) -> None:
    found = entries(tmp_path, SEGMENT, ROW)
    (point,) = found.points
    assert (point.id, point.type, point.area) == ("190100", "road_link", "983100")
    assert point.name == "Nørreport – Spanien"
    assert point.attributes == {"length_m": "1490", "free_flow_kmh": "27", "road_class": "trunk"}
    assert point.lon == pytest.approx(10.21)
    assert point.lat == pytest.approx(56.15)
    (sensor,) = found.sensors
    assert sensor.properties == ("travel_time", "speed", "vehicle_count")
    assert FEED.elsewhere


def test_a_segment_without_description_has_neither_length_nor_free_flow(tmp_path: Path) -> None:
    (point,) = entries(tmp_path, SEGMENT.replace("190100", "1"), ROW).points
    assert (point.attributes, point.lon) == ({}, None)


def test_a_broken_segments_file_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="line 2"):
        entries(tmp_path, "Nørreport,10.2", ROW)


def published(*speeds: str | None, start_ms: int = 0) -> list[Published]:
    return [
        Published("speed", n, "a", start_ms + n * 300_000, {"speed_kmh": speed})
        for n, speed in enumerate(speeds, 1)
    ]


def answer(kmh: str) -> Answer:
    return Answer(Fraction(kmh), "travel_time")


@pytest.mark.parametrize(
    ("ours", "agree"), [("44", 1), ("44.999", 1), ("43.999", 0), ("45", 0), ("45.0", 0)]
)
def test_speeds_agree_when_ours_is_cut_to_the_published(ours: str, agree: int) -> None:
    found = agree_speeds(published("44"), {("a", 300_000): answer(ours)})
    assert (found.share(WHAT).agree, found.share(WHAT).of) == (agree, 1)
    assert len(found.disagreements) == 1 - agree


def test_what_we_could_not_measure_is_told_with_why() -> None:
    stored = {("a", 600_000): Answer(None, "speed")}
    found = agree_speeds(published("44", "0", None), stored)
    assert [(d.line, d.why[:9]) for d in found.disagreements] == [
        (1, "no result"),
        (2, "no travel"),
    ]
    assert found.share(WHAT).of == 2


def test_a_repeated_stamp_counts_once_with_its_newest_row() -> None:
    rows = [*published("44"), *published("50")]
    found = agree_speeds(rows, {("a", 300_000): answer("50.2")})
    assert (found.share(WHAT).agree, found.share(WHAT).of) == (1, 1)
    assert found.notes[0].startswith("1 rows repeat")
