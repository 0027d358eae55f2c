"""Late readings beside alerts: what each would have changed, by what the alerts were when it came.

A reading is compared with the transitions that had been decided before it at its place in the log,
so that it does not matter how the log is cut into commits. What is kept is bounded: one row for an
alert or an hour and each kind of change, with the first, the worst and how many there were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from streams.contracts.late_reading import LateReading
from streams.contracts.reason import AlertState, Change
from streams.storage.connect import Cursor

HOUR_MS = 3_600_000
# The alerts of these subjects that were open at some moment around the readings, or that were open
# still when the first of these came.
HISTORY = """
select a.rule, a.subject, a.id, ms_of(t.event_time), t.state, t.severity, t.change,
    ms_of(t.decided_at), case when t.topic = %(topic)s and t.partition = %(partition)s
        then t.position else -1 end
from unnest(%(rule)s::text[], %(subject)s::text[], %(low)s::bigint[], %(high)s::bigint[],
    %(came)s::bigint[]) as wanted (rule, subject, low, high, came)
join alert a on a.rule = wanted.rule and a.subject = wanted.subject
    and a.onset <= at_ms(wanted.high)
    and (a.ended is null or a.ended >= at_ms(wanted.low) or exists (
        select from alert_transition e where e.alert = a.id and e.decided_at >= at_ms(wanted.came)))
join alert_transition t on t.alert = a.id
order by a.rule, a.subject, a.onset, a.id, t.sequence
"""
ADD = """
insert into alert_late as held (rule, subject, episode, kind, alert, area, readings, first_time,
    first_value, worst_time, worst_value, worst_scaled, unit, threshold, severity, sensor, property,
    topic, partition, position, decided_at)
values (%s, %s, %s, %s, %s, %s, %s, at_ms(%s), %s, at_ms(%s), %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, at_ms(%s))
on conflict (rule, subject, episode, kind) do update set
    readings = held.readings + excluded.readings,
    first_value = case when excluded.first_time < held.first_time
        then excluded.first_value else held.first_value end,
    first_time = least(held.first_time, excluded.first_time),
    position = least(held.position, excluded.position),
    decided_at = least(held.decided_at, excluded.decided_at)
"""
# Where the new worst is worse: the same, and all that belongs to it.
WORSE = """
update alert_late set worst_time = at_ms(%s), worst_value = %s, worst_scaled = %s, unit = %s,
    threshold = %s, severity = %s, sensor = %s, property = %s
where rule = %s and subject = %s and episode = %s and kind = %s
    and (worst_scaled < %s or worst_scaled = %s and worst_time > at_ms(%s))
"""


class Kind(StrEnum):
    """What a late reading would have changed."""

    EARLIER = "earlier"  # the alert would have begun earlier
    HIGHER = "higher"  # it would have been worse at that time
    LONGER = "longer"  # it would not have ended then
    RAISED = "raised"  # there would have been an alert that never was


@dataclass(frozen=True, slots=True)
class Move:
    """A transition, as far as it matters here; `position` -1: of another part of the log."""

    event_ms: int
    state: str
    severity: int
    change: str
    decided_ms: int
    position: int


@dataclass(frozen=True, slots=True)
class Past:
    """An alert with its transitions in order."""

    id: str
    moves: tuple[Move, ...]

    def as_of(self, reading: LateReading) -> tuple[Move, ...]:
        """What had been decided when the reading came."""
        return tuple(move for move in self.moves if _was_before(move, reading))


@dataclass(slots=True)
class Beside:
    """A row in the making."""

    alert: str | None
    first: LateReading
    worst: LateReading
    came: tuple[int, int]  # position and time of the first that came
    readings: int = 0


@dataclass(slots=True)
class Gathered:
    """Rows by rule, subject, episode and kind."""

    rows: dict[tuple[str, str, str, Kind], Beside] = field(default_factory=dict)

    def add(self, reading: LateReading, kind: Kind, alert: str | None) -> None:
        episode = alert or str(reading.time_ms // HOUR_MS * HOUR_MS // 1000)
        key = (reading.rule, reading.subject, episode, kind)
        came = (reading.position, reading.decided_ms)
        row = self.rows.setdefault(key, Beside(alert, reading, reading, came))
        row.readings += 1
        row.first = min(row.first, reading, key=lambda one: one.time_ms)
        row.worst = min(row.worst, reading, key=lambda one: (-one.scaled, one.time_ms))
        row.came = min(row.came, came)


def write_late_readings(
    cursor: Cursor,
    topic: str,
    partition: int,
    readings: Sequence[LateReading],
    is_news: Callable[[LateReading], bool],
) -> None:
    """Records those that are news, in the caller's transaction, after its transitions."""
    news = [one for one in readings if one.accepted or is_news(one)]
    if not news:
        return
    news.sort(key=_subject)
    by_subject = {key: list(group) for key, group in groupby(news, _subject)}
    pasts = _read(cursor, topic, partition, by_subject)
    gathered = Gathered()
    for key, group in by_subject.items():
        for reading in group:
            found = judge(reading, pasts.get(key, ()))
            if found is not None:
                gathered.add(reading, *found)
    for (rule, subject, episode, kind), row in sorted(gathered.rows.items()):
        first, worst = row.first, row.worst
        name = (rule, subject, episode, kind.value)
        least = (first.time_ms, first.value)
        most = (worst.time_ms, worst.value, worst.scaled, worst.unit, worst.threshold,
                int(worst.severity), worst.sensor, worst.property)  # fmt: skip
        where = (topic, partition, *row.came)
        cursor.execute(ADD, (*name, row.alert, first.area, row.readings, *least, *most, *where))
        cursor.execute(WORSE, (*most, *name, worst.scaled, worst.scaled, worst.time_ms))


def judge(reading: LateReading, pasts: Iterable[Past]) -> tuple[Kind, str | None] | None:
    """What it would have changed of which alert; None: nothing that was not so anyway.

    It counts by itself: whether a second reading would have confirmed it is not asked.
    """
    after: tuple[int, str] | None = None
    near_ms = reading.clear_ms or HOUR_MS
    for past in pasts:
        moves = past.as_of(reading)
        if not moves:
            continue
        begin, last = moves[0].event_ms, moves[-1]
        ended = last.event_ms if last.state == AlertState.RESOLVED else None
        if begin <= reading.time_ms and (ended is None or reading.time_ms <= ended):
            return _inside(reading, past.id, moves)
        if reading.time_ms < begin <= reading.time_ms + near_ms:
            after = min(after or (begin, past.id), (begin, past.id))
    return (Kind.RAISED, None) if after is None else (Kind.EARLIER, after[1])


def _inside(
    reading: LateReading, alert: str, moves: Sequence[Move]
) -> tuple[Kind, str | None] | None:
    last = moves[-1]
    clear_ms = reading.clear_ms if last.change == Change.CLEARED else None
    if clear_ms is not None and last.event_ms - clear_ms < reading.time_ms:
        return Kind.LONGER, alert
    held = [m for m in moves if m.event_ms <= reading.time_ms and m.state == AlertState.FIRING]
    if reading.severity > (held[-1].severity if held else 0):
        return Kind.HIGHER, alert
    return None


def _was_before(move: Move, reading: LateReading) -> bool:
    """Of the same moment: by position. An alert that a registry or rule set retires has the
    position of the frame before it, and so counts as later."""
    if move.decided_ms != reading.decided_ms:
        return move.decided_ms < reading.decided_ms
    return move.position <= reading.position and move.change != Change.RETIRED


def _read(
    cursor: Cursor,
    topic: str,
    partition: int,
    by_subject: Mapping[tuple[str, str], Sequence[LateReading]],
) -> dict[tuple[str, str], list[Past]]:
    times = [[one.time_ms for one in group] for group in by_subject.values()]
    margin = [max(one.clear_ms or HOUR_MS for one in group) for group in by_subject.values()]
    given = {
        "topic": topic,
        "partition": partition,
        "rule": [rule for rule, _ in by_subject],
        "subject": [subject for _, subject in by_subject],
        "low": [min(one) for one in times],
        "high": [max(one) + more for one, more in zip(times, margin, strict=True)],
        "came": [min(one.decided_ms for one in group) for group in by_subject.values()],
    }
    found: dict[tuple[str, str], list[Past]] = {}
    rows = cursor.execute(HISTORY, given).fetchall()
    for (rule, subject, alert), group in groupby(rows, lambda row: row[:3]):
        moves = tuple(Move(*row[3:]) for row in group)
        found.setdefault((rule, subject), []).append(Past(alert, moves))
    return found


def _subject(reading: LateReading) -> tuple[str, str]:
    return reading.rule, reading.subject
