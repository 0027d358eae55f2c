"""Asks every query of a dashboard as Grafana would, choices included, and judges the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

from dashboards.grafana.macros import TimeRange, interpolate
from dashboards.grafana.model import Board, Kind, Panel, Rows
from streams.storage.boards import Answer, Reading

Choices = dict[str, str | Sequence[str]]
NEEDED = {
    Kind.SERIES: ("time", "metric", "value"),
    Kind.MAP: ("longitude", "latitude"),
    Kind.STAT: ("value",),
}
SHOWN = (Kind.TABLE, Kind.BARS)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query and what came back."""

    board: Board
    panel: Panel
    answer: Answer
    ms: float

    def mistakes(self, *, busy: bool) -> list[str]:
        """What is wrong with the answer; `busy`: rows must be where a panel says so."""
        who = f"{self.board.slug}: panel {self.panel.title.en}"
        if self.answer.error is not None:
            return [f"{who}: {self.answer.error}"]
        wanted = {*NEEDED.get(self.panel.kind, ()), *(f.column for f in self.panel.fields)}
        missing = sorted(wanted - set(self.answer.columns))
        found = [f"{who}: no column {column}" for column in missing]
        if self.panel.kind in SHOWN:  # Grafana would show it, without title and unit
            beside = sorted(set(self.answer.columns) - wanted)
            found += [f"{who}: column {column} is no field" for column in beside]
        if busy and self.panel.rows is Rows.MUST and not self.answer.rows:
            found.append(f"{who}: no rows")
        return found


def choose(board: Board, reading: Reading, seen: TimeRange) -> Choices:
    """Every choice at "All", as a reader finds it. `ValueError` when its query fails."""
    choices: Choices = {}
    for variable in board.variables:
        answer = reading.ask(interpolate(variable.sql, seen, 60, choices))
        if answer.error is not None:
            raise ValueError(f"{board.slug}: choice {variable.name}: {answer.error}")
        values = [str(row[answer.columns.index("__value")]) for row in answer.rows]
        choices[variable.name] = values if variable.many else (values or [""])[0]
    return choices


def ask_all(board: Board, reading: Reading, seen: TimeRange) -> Iterator[Asked]:
    """The answers of all panels in order."""
    choices = choose(board, reading, seen)
    for panel in board.panels:
        shown = _range(panel, seen)
        step = shown.interval_s(least_s=panel.least_s or 1)
        query = interpolate(panel.sql, shown, step, choices)
        began = perf_counter()
        answer = reading.ask(query)
        yield Asked(board, panel, answer, (perf_counter() - began) * 1000)


def _range(panel: Panel, seen: TimeRange) -> TimeRange:
    """A panel's own time range ends where the reader's does (in Grafana: now)."""
    if not panel.back_days:
        return seen
    return TimeRange(seen.until - timedelta(days=panel.back_days), seen.until)


def note_mistakes(board: Board, reading: Reading, seen: TimeRange) -> list[str]:
    """What is wrong with the marks on the curves."""
    choices = choose(board, reading, seen)
    answers = [
        (notes, reading.ask(interpolate(notes.sql, seen, 60, choices))) for notes in board.notes
    ]
    return [
        f"{board.slug}: marks {notes.name.en}: {answer.error}"
        for notes, answer in answers
        if answer.error is not None
    ]
