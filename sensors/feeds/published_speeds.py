"""Our links' five-minute results against the speed that the source published with each row.

The source states length ÷ travel time × 3.6 cut to whole km/h. Ours rests on the registry's length
and the reading of the travel time alone, is stored to the metre per hour and cut here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sensors.feeds.agreement import Agreement, Disagreement, Share
from sensors.feeds.feed import Published
from streams.storage.stored import StoredRun

RESULT_KIND = "traffic.link.5min"
WHAT = "speed = length / time, cut to whole km/h"

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What we stored of a link's five minutes; `speed` (km/h) only by travel time."""

    speed: Fraction | None
    by: str
    clamped: bool = False
    vehicles: int | None = None


def compare_speeds(published: Iterable[Published], run: StoredRun) -> Agreement:
    """Every distinct published row; rows whose speed alone is left are told, not compared."""
    stored = {(r.point, r.start_ms): _answer(r.payload) for r in run.results(RESULT_KIND)}
    return agree_speeds(list(published), stored)


def agree_speeds(rows: Sequence[Published], ours: Mapping[Key, Answer]) -> Agreement:
    """The newest row of every segment and time: a repeated stamp is a revision."""
    newest = {(row.subject, row.start_ms): row for row in rows}
    found, agree = Agreement(), 0
    for key, row in newest.items():
        answer = ours.get(key)
        told = row.values["speed_kmh"]
        if told is None:
            continue
        shown = _shown(answer)
        if shown == told:
            agree += 1
        else:
            why = _why(answer)
            found.disagreements.append(
                Disagreement(WHAT, row.subject, row.start_ms, row.line, str(told), str(shown), why)
            )
    of = agree + len(found.disagreements)
    found.shares.append(Share(WHAT, agree, of))
    found.notes += _notes(rows, newest, ours)
    return found


def _notes(
    rows: Sequence[Published], newest: Mapping[Key, Published], ours: Mapping[Key, Answer]
) -> list[str]:
    answers = [ours[key] for key in newest if key in ours]
    clamped = sum(a.clamped for a in answers)
    empty = sum(a.vehicles == 0 and a.speed is not None for a in answers)
    return [
        f"{len(rows) - len(newest)} rows repeat a segment and time: the newest counts",
        f"{clamped} of {len(answers)} intervals are faster than the registered free flow: clamped",
        f"{empty} intervals have a speed and no vehicle: no weight by vehicle-km",
    ]


def _answer(payload: Mapping[str, Any]) -> Answer:
    by, free = payload["measured_by"], payload["free_flow_kmh"]
    speed = Fraction(payload["speed_kmh"]) if by == "travel_time" else None
    clamped = speed is not None and free is not None and speed > Fraction(free)
    return Answer(speed, by, clamped, payload["vehicles"])


def _shown(answer: Answer | None) -> str | None:
    return None if answer is None or answer.speed is None else str(int(answer.speed))


def _why(answer: Answer | None) -> str:
    if answer is None:
        return "no result: the row failed the checks, or the link has no length"
    if answer.speed is None:
        return f"no travel time: measured by {answer.by}"
    return ""
