"""The pure air functions against figures that the national centre published.

The recordings are read directly here, without the feeds and the pipeline.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from functools import cache

import pytest

from streams.contracts.domain import HOUR_MS, day_start
from streams.domains.air.aqi import hourly_index
from streams.domains.air.level import level_of
from streams.domains.air.ozone import running_8h
from streams.domains.air.parameters import POLLUTANTS, read_numbers
from streams.domains.air.rounding import HALF_UP, round_to
from streams.domains.air.standard import HJ633_2026, standard_at
from streams.domains.air.station import StationState, frozen_hours
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.acceptance

ZONE = timezone(timedelta(hours=8))
NUMBERS = read_numbers({})
MISSING = {"", "NaN", "NA", "—", "/", "-;"}
NAMES = {
    "细颗粒物(PM2.5)": "pm25",
    "颗粒物(PM10)": "pm10",
    "臭氧1小时": "o3",
    "二氧化氮": "no2",
    "二氧化硫": "so2",
    "一氧化碳": "co",
}
COLUMNS_2020 = {"pm25": "PM2.5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "co": "CO"}
COLUMNS_2026 = {"pm25": "pm2_5", **{name: name for name in ("pm10", "so2", "no2", "o3", "co")}}


@dataclass(frozen=True)
class Published:
    """One row as it was published; `start_ms` of the hour that ends at its label."""

    station: str
    start_ms: int
    values: Mapping[str, Fraction]
    planned: frozenset[str]
    aqi: int | None
    level: str
    primary: frozenset[str]
    o3_8h: Fraction | None


def number(text: str) -> Fraction | None:
    return None if text.strip() in MISSING else Fraction(text.strip())


def published(
    station: str, label: datetime, row: Mapping[str, str], columns: Mapping[str, str], names: str
) -> Published:
    values = {p: v for p, c in columns.items() if (v := number(row[c])) is not None}
    aqi = number(row.get("AQI", row.get("aqi", "")))
    return Published(
        station,
        int(label.replace(tzinfo=ZONE).timestamp() * 1000) - HOUR_MS,
        values,
        frozenset(p for p in POLLUTANTS if row[columns[p]].strip() != "/"),
        None if aqi is None else int(aqi),
        row.get("Level", ""),
        frozenset(NAMES[n.strip()] for n in re.split("[,\n]", names) if n.strip() not in MISSING),
        number(row.get("O3_8h", "")),
    )


@cache
def zhejiang() -> dict[tuple[str, int], Published]:
    """Distinct rows by station and hour."""
    folder = shared_data("aqi-cnemc-2020-zhejiang")
    file = folder / "zhejiang_hourly_2020-04-02T08_2020-04-08T03.csv.gz"
    columns = {**COLUMNS_2020, "o3": "O3_1h"}
    found: dict[tuple[str, int], Published] = {}
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            station = f"{row['city']} {row['WatchPoint']}"
            label = datetime.strptime(f"{row['Date']} {row['Hour']}", "%Y%m%d %H")
            one = published(station, label, row, columns, row["PrimaryPollution"])
            assert found.setdefault((station, one.start_ms), one) == one
    return found


def switch() -> Iterator[Published]:
    folder = shared_data("aqi-cnemc-2026-switch")
    file = folder / "cnemc_2026-02-28T23_2026-03-01T01_extract.csv"
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            label = datetime.strptime(row["timepoint"][:13], "%Y-%m-%dT%H")
            yield published(row["stationcode"], label, row, COLUMNS_2026, row["primarypollutant"])


@cache
def frozen() -> dict[str, set[int]]:
    """Frozen hours by station."""
    stations: dict[str, list[tuple[int, tuple[int | None, ...]]]] = {}
    for (station, start), one in sorted(zhejiang().items()):
        scaled = tuple(
            None if p not in one.values else int(one.values[p] * 10_000) for p in POLLUTANTS
        )
        if one.values:
            stations.setdefault(station, []).append((start, scaled))
    found = {s: frozen_hours(rows, 3, StationState()) for s, rows in stations.items()}
    return {station: hours for station, hours in found.items() if hours}


def test_every_published_hourly_aqi_of_zhejiang() -> None:
    rows = [row for row in zhejiang().values() if row.aqi is not None]
    assert len(rows) == 4526
    wrong = []
    for row in rows:
        rule = standard_at(row.start_ms).index
        index = hourly_index(row.values, frozenset(POLLUTANTS), rule, NUMBERS)
        level = None if index.aqi is None else level_of(index.aqi).category
        if (index.aqi, level, frozenset(index.primary)) != (row.aqi, row.level, row.primary):
            wrong.append((row, index))
    assert wrong == []


def test_three_frozen_stations_and_no_other() -> None:
    assert {station: len(hours) for station, hours in frozen().items()} == {
        "湖州 吉山新村": 92,
        "湖州 吴兴区": 92,
        "绍兴 市环保站": 94,
    }


def running_means() -> Iterator[tuple[Fraction, Fraction]]:
    """Ours, unrounded, and the published O3_8h; frozen stations out, whole windows only."""
    rows = zhejiang()
    for (station, start), row in rows.items():
        if row.o3_8h is None or station in frozen():
            continue
        day = day_start(start)
        hour = (start - day) // HOUR_MS
        starts = [day + h * HOUR_MS for h in range(24)]
        window = starts[max(0, hour - 7) : hour + 1]
        if any((station, at) not in rows for at in window):
            continue
        there = [rows.get((station, at)) for at in starts]
        mean = running_8h([None if r is None else r.values.get("o3") for r in there], hour)
        if mean is not None:
            yield mean, row.o3_8h


def test_the_published_running_ozone_mean() -> None:
    pairs = list(running_means())
    assert len(pairs) == 2403
    assert sum(round_to(ours, 0) == theirs for ours, theirs in pairs) == 2402


def test_exact_halves_go_to_even() -> None:
    halves = [(ours, theirs) for ours, theirs in running_means() if ours.denominator == 2]
    assert len(halves) == 286
    assert sum(round_to(ours, 0) == theirs for ours, theirs in halves) == 285
    assert sum(round_to(ours, 0, HALF_UP) != theirs for ours, theirs in halves) == 144


def test_each_row_of_the_switch_by_its_own_hours_standard() -> None:
    rows = list(switch())
    assert len(rows) == 66
    wrong: list[str] = []
    silent: list[str] = []
    for row in rows:
        rule = standard_at(row.start_ms).index
        index = hourly_index(row.values, row.planned, rule, NUMBERS)
        if (index.aqi, frozenset(index.primary)) != (row.aqi, row.primary):
            (wrong if row.aqi is not None else silent).append(row.station)
    assert wrong == []
    assert silent == ["1253A"]  # 嘉兴学院: four pollutants, and no AQI was published


def test_the_switch_is_at_the_first_hour_of_march() -> None:
    by_hour: dict[bool, list[Published]] = {True: [], False: []}
    for row in switch():
        by_hour[standard_at(row.start_ms).index is HJ633_2026].append(row)
    assert len({row.start_ms for row in by_hour[True]}) == 1
    assert len({row.start_ms for row in by_hour[False]}) == 2
    changed = 0
    for row in by_hour[True]:
        before = standard_at(row.start_ms - HOUR_MS).index
        old = hourly_index(row.values, row.planned, before, NUMBERS)
        changed += old.aqi != row.aqi
    assert changed == 14  # these rows prove which rule was used
