"""Our hourly station results against the published ones, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sensors.feeds.agreement import Agreement, Disagreement, Share
from sensors.feeds.cells import HOUR_MS
from sensors.feeds.feed import Published
from streams.contracts.domain import DAY_MS, SHANGHAI_OFFSET_MS
from streams.domains.air.aqi import Index, hourly_index
from streams.domains.air.parameters import read_numbers
from streams.domains.air.standard import standard_at
from streams.storage.stored import StoredReading, StoredRun

RESULT_KIND = "air.station.hour"
LEVEL_NAMES = ("优", "良", "轻度污染", "中度污染", "重度污染", "严重污染")  # HJ 633 一级 … 六级
RUNNING_HOURS = 8

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What we say about one station and hour; `withheld` = flagged, nothing was published."""

    aqi: int | None
    level: int | None
    primary: tuple[str, ...]
    o3_8h: str | None
    standard: str
    withheld: bool = False


def compare_hours(published: Iterable[Published], run: StoredRun) -> Agreement:
    """AQI, level, primary pollutants and running O3_8h of every distinct published row."""
    stored = {(r.point, r.start_ms): _answer(r.payload) for r in run.results(RESULT_KIND)}
    rows = distinct(published)
    found = agree_hours(rows, stored)
    withheld = {key for key, answer in stored.items() if answer.withheld}
    flagged = recompute(run.flagged_readings(), withheld)
    found.join(agree_withheld(rows, flagged))
    return found


def distinct(published: Iterable[Published]) -> list[Published]:
    """The first row of every station and hour: exact duplicates say nothing new."""
    found: dict[Key, Published] = {}
    for row in published:
        found.setdefault((row.subject, row.start_ms), row)
    return list(found.values())


def agree_hours(rows: Sequence[Published], ours: Mapping[Key, Answer]) -> Agreement:
    """Rows of stations that live; withheld ones are counted apart.

    The running O3_8h is compared where every row of its window is in the file (domain reference
    §1.6): otherwise the source knew hours that we do not.
    """
    there = {(row.subject, row.start_ms) for row in rows}
    counts = _Counts()
    withheld = silent = 0
    for row in rows:
        answer = ours.get((row.subject, row.start_ms))
        if answer is not None and answer.withheld:
            withheld += row.values["aqi"] is not None
            continue
        if row.values["aqi"] is None:
            silent += answer is not None and answer.aqi is not None
        counts.compare_index(row, answer)
        if row.values["o3_8h"] is not None and window_is_there(row, there):
            counts.check(
                "O3_8h", row, row.values["o3_8h"], None if answer is None else answer.o3_8h
            )
    found = counts.agreement()
    found.notes.append(f"{withheld} rows with an AQI are withheld by us: their source is frozen")
    found.notes.append(f"{silent} rows have no published AQI although ours can be stated")
    found.notes += _by_standard(rows, ours)
    return found


def agree_withheld(rows: Sequence[Published], recomputed: Mapping[Key, Index]) -> Agreement:
    """The flagged rows, by the same arithmetic on the raw values that the store kept."""
    counts = _Counts("of frozen sources, from the values kept: ")
    for row in rows:
        index = recomputed.get((row.subject, row.start_ms))
        if index is not None:
            counts.compare_index(row, _of_index(index))
    return counts.agreement()


def recompute(
    readings: Iterable[StoredReading], withheld: set[tuple[str, int]]
) -> dict[Key, Index]:
    """The hourly index of withheld rows from their flagged raw values."""
    values: dict[Key, dict[str, Fraction]] = {}
    for reading in readings:
        key = (reading.point, reading.start_ms)
        if key in withheld:
            values.setdefault(key, {})[reading.property] = reading.value
    numbers = read_numbers({})
    return {
        key: hourly_index(row, frozenset(row), standard_at(key[1]).index, numbers)
        for key, row in values.items()
    }


def window_is_there(row: Published, there: set[Key]) -> bool:
    """Every row of the 8 hours, but none before midnight, is in the file."""
    into_day = (row.start_ms + SHANGHAI_OFFSET_MS) % DAY_MS // HOUR_MS
    hours = min(RUNNING_HOURS, into_day + 1)
    return all((row.subject, row.start_ms - back * HOUR_MS) in there for back in range(hours))


class _Counts:
    """Agreements by name; every miss becomes a disagreement."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._agree: dict[str, int] = {}
        self._of: dict[str, int] = {}
        self._missed: list[Disagreement] = []

    def compare_index(self, row: Published, answer: Answer | None) -> None:
        if row.values["aqi"] is None:
            return
        aqi, level = (None, None) if answer is None else (answer.aqi, answer.level)
        self.check("AQI", row, row.values["aqi"], None if aqi is None else str(aqi))
        if row.values.get("level") is not None:
            name = None if level is None else LEVEL_NAMES[level - 1]
            self.check("level", row, row.values["level"], name)
        self.check("primary", row, row.values["primary"], answer and answer.primary)

    def check(self, what: str, row: Published, published: object, ours: object) -> None:
        name = self._prefix + what
        self._of[name] = self._of.get(name, 0) + 1
        if published == ours:
            self._agree[name] = self._agree.get(name, 0) + 1
        else:
            self._missed.append(
                Disagreement(name, row.subject, row.start_ms, row.line, str(published), str(ours))
            )

    def agreement(self) -> Agreement:
        shares = [Share(name, self._agree.get(name, 0), of) for name, of in self._of.items()]
        return Agreement(shares, self._missed)


def _by_standard(rows: Sequence[Published], ours: Mapping[Key, Answer]) -> list[str]:
    counts: dict[str, int] = {}
    for row in rows:
        answer = ours.get((row.subject, row.start_ms))
        if answer is not None:
            counts[answer.standard] = counts.get(answer.standard, 0) + 1
    return [f"{count} rows judged by {standard}" for standard, count in sorted(counts.items())]


def _answer(payload: Mapping[str, Any]) -> Answer:
    return Answer(
        payload["aqi"],
        payload["level"],
        tuple(sorted(payload["primary"])),
        payload["o3_8h"],
        payload["standard_version"],
        bool(payload["withheld"]),
    )


def _of_index(index: Index) -> Answer:
    return Answer(index.aqi, index.level, tuple(sorted(index.primary)), None, index.standard)
