"""Frames of one area, a run at a time: many are taken as one set of columns.

A run is a stretch of an area's frames and ticks of which it is known beforehand that taking them
together is taking them one by one (docs/adr/0014): no source or sensor falls due, no window ends
before its last frame, every row is new, newer than all before of its series, and unremarkable.
What depends on the frame all the same (time, alerts, watermark, messages) is done frame by frame,
in order, behind the columns. Everything else is taken by `Area.take`, one frame at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streams.alerting.book import LookedRows
from streams.area import intake, judging, stretch
from streams.area.seat import Seat
from streams.area.stretch import Columns, Placed
from streams.area.timers import alert_or_heed_is_due, quiet_until
from streams.contracts.domain import Many, Outputs
from streams.contracts.frame import Frame
from streams.contracts.outcome import Outcome
from streams.contracts.warning import Announcement

if TYPE_CHECKING:
    from streams.area.process import Area

LONGEST = 256  # items or frames of a run: bounds what is copied together
MOST_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Item:
    """What happens to an area: a frame or a warning at its place in the log, or (both None) a
    tick."""

    ingest_ms: int
    frame: Frame | None = None
    position: int = -1
    warning: Announcement | None = None


@dataclass(slots=True)
class Line:
    """What of one frame is done in its turn."""

    seat: Seat
    placed: Placed
    newest_end_ms: int
    newest_ms: int
    looked: list[tuple[str, LookedRows]] = field(default_factory=list)
    outputs: Outputs | None = None


class Runs:
    """Takes an area's items. `_reach` is a guess at how many frames fit together: it decides how
    much is looked at in vain, never what comes out."""

    def __init__(self, area: Area) -> None:
        self._area = area
        self._reach = LONGEST

    def take(self, items: Sequence[Item], outcome: Outcome) -> None:
        """All items, in order."""
        begin = 0
        while begin < len(items):
            end = _behind_frame(items, begin, self._reach)
            taken = self._take_run(items[begin:end], outcome)
            begin = begin + taken if taken else self._take_first(items, begin, outcome)

    def _take_first(self, items: Sequence[Item], begin: int, outcome: Outcome) -> int:
        """Takes the first frame from there on alone, with the ticks before it; where it ends."""
        end = _behind_frame(items, begin, 1)
        for item in items[begin:end]:
            self._take_one(item, outcome)
        return end

    def _take_one(self, item: Item, outcome: Outcome) -> None:
        if item.warning is not None:
            self._area.take_warning(item.warning, item.position, outcome)
        elif item.frame is None:
            self._area.advance(item.ingest_ms, outcome)
        else:
            self._area.take(item.frame, item.position, outcome)

    def _take_run(self, items: Sequence[Item], outcome: Outcome) -> int:
        """Takes as many as fit together, at least two frames; gives how many items that were."""
        placed, end = self._fitting(items)
        if sum(len(of) for of in placed.values()) < 2:
            return 0
        taken = self._take_together(items, placed, end, outcome)
        self._reach = min(LONGEST, 2 * self._reach) if taken else max(2, self._reach // 2)
        return taken

    def _take_together(
        self, items: Sequence[Item], placed: Mapping[str, list[Placed]], end: int, outcome: Outcome
    ) -> int:
        """As `_take_run`, of frames that may fit together if their rows do."""
        found = self._columns(placed, end)
        if found is None:
            return 0
        columns, ordered, end = found
        answers = _ask(ordered)
        if answers is None:
            return 0
        lines: dict[int, Line] = {}
        for raw, rows, answer in zip(columns, ordered, answers, strict=True):
            self._take_columns(raw, rows, answer, lines, outcome)
        self._go_through(items[:end], lines, outcome)
        return end

    # what fits together -----------------------------------------------------------------------

    def _fitting(self, items: Sequence[Item]) -> tuple[dict[str, list[Placed]], int]:
        """Frames by domain, up to the first item at which something may fall due or that must be
        taken alone whatever its rows are."""
        area, seen, rows = self._area, set[int](), 0
        proc_ms = area.proc_ms
        newest_ms = max(i.ingest_ms for i in items)
        quiet_ms = quiet_until(area.seats, area.silence, area.warnings, newest_ms)
        placed: dict[str, list[Placed]] = {}
        for number, item in enumerate(items):
            proc_ms = max(proc_ms, item.ingest_ms)
            if proc_ms >= quiet_ms or item.warning is not None:
                return placed, number
            if item.frame is None:
                continue
            seat, rows = area.seats.get(item.frame.domain), rows + len(item.frame)
            identity = intake.identity_of(item.frame)
            if (
                seat is None
                or not _takes(seat, item.frame)
                or rows > MOST_ROWS
                or identity in seen
                or intake.is_known(area.frames, identity)
            ):
                return placed, number
            seen.add(identity)
            one = Placed(number, item.frame, item.position, proc_ms, identity)
            placed.setdefault(item.frame.domain, []).append(one)
            soonest = min(seat.work.lane.state.watermark.delay_ms, area.silence.shortest_ms)
            quiet_ms = min(quiet_ms, proc_ms + soonest)
        return placed, len(items)

    def _columns(
        self, placed: Mapping[str, list[Placed]], end: int
    ) -> tuple[list[Columns], list[Columns], int] | None:
        """The columns of each domain, as they came and by (series, time), and where the run ends;
        None when fewer than two frames are left."""
        area = self._area
        groups = [stretch.gather(area.seats[n], of, area.future_ms) for n, of in placed.items()]
        mute = area.silence.is_mute()
        end = min([end, *(stretch.first_refused(c, mute) for c in groups)])
        groups = _before(groups, end)
        end = min([end, *(stretch.first_past(c) for c in groups)])
        groups = _before(groups, end)
        ordered, known = [c.sorted() for c in groups], True
        while known:
            known_at = min([end, *(stretch.first_known(c) for c in ordered)])
            known, end = known_at < end, known_at
            ordered = _before(ordered, end)
        end = min([end, *(stretch.first_remarkable(c) for c in ordered)])
        groups, ordered = _before(groups, end), _before(ordered, end)
        return (groups, ordered, end) if sum(len(c.placed) for c in groups) > 1 else None

    # taking it --------------------------------------------------------------------------------

    def _take_columns(
        self,
        raw: Columns,
        ordered: Columns,
        answer: Many,
        lines: dict[int, Line],
        outcome: Outcome,
    ) -> None:
        """One domain's rows; what is left to do frame by frame goes into `lines`."""
        area, seat, rows = self._area, raw.seat, ordered.rows
        state, outputs = answer
        seat.work.take_many(rows, state)
        area.silence.hear_many(seat.devices[raw.rows.series], raw.proc_ms())
        intake.record_many(seat, [one.frame for one in raw.placed], rows, outcome)
        for one, end_ms, time_ms in stretch.newest_of(raw):
            lines[one.number] = Line(seat, one, end_ms, time_ms, [], outputs.get(one.number))
        for number, rule, looked in judging.look(area.book, seat, rows, ordered.number):
            lines[number].looked.append((rule, looked))

    def _go_through(
        self, items: Sequence[Item], lines: Mapping[int, Line], outcome: Outcome
    ) -> None:
        """Time, alerts, watermark and messages of every item, in order."""
        area = self._area
        area.touched = area.stale_view = True
        for number, item in enumerate(items):
            line = lines.get(number)
            if line is None:
                self._advance(item.ingest_ms, outcome)
                continue
            intake.remember(area.frames, line.placed.identity, area.proc_ms, item.ingest_ms)
            self._advance(item.ingest_ms, outcome)
            area.position, area.origin = item.position, line.placed.frame.origin
            self._judge(line, outcome)
            line.seat.work.note_newest(line.newest_ms)
            area.go_on(line.seat, line.placed.frame.source, line.newest_end_ms, outcome)
            self._advance(area.proc_ms, outcome)

    def _judge(self, line: Line, outcome: Outcome) -> None:
        area, moment = self._area, None
        if line.looked or line.outputs is not None:
            moment = area.moment()
            for rule, looked in line.looked:
                subjects = judging.subjects_of(line.seat, rule)
                outcome.transitions += area.book.judge_looked(rule, subjects, looked, moment)
            if line.outputs is not None:
                judging.obey(area.book, line.seat, line.outputs, moment, outcome)

    def _advance(self, to_ms: int, outcome: Outcome) -> None:
        """As `Area.advance`, where no source and no sensor is due."""
        area = self._area
        if alert_or_heed_is_due(area.heeding_seats, area.book, to_ms):
            area.advance(to_ms, outcome)
        elif to_ms > area.proc_ms:
            area.proc_ms = to_ms


def _behind_frame(items: Sequence[Item], begin: int, number: int) -> int:
    """Where the items from `begin` on hold that many frames, or there are no more of them, or as
    many items as a run may have."""
    last = min(len(items), begin + LONGEST)
    for place in range(begin, last):
        number -= items[place].frame is not None
        if not number:
            return place + 1
    return last


def _takes(seat: Seat, frame: Frame) -> bool:
    return (
        seat.many
        and len(frame) > 0
        and not frame.backfill
        and not seat.resolver.has_wrong_units(frame)
    )


def _before(columns: Iterable[Columns], end: int) -> list[Columns]:
    left = (one.before(end) for one in columns)
    return [one for one in left if one.placed]


def _ask(columns: Iterable[Columns]) -> list[Many] | None:
    """What the domains say of their rows; None when one wants them frame by frame."""
    found: list[Many] = []
    for one in columns:
        answer = one.seat.work.ask_many(one.rows, one.number)
        if answer is None:
            return None
        found.append(answer)
    return found
