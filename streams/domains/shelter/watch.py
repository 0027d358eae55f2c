"""Alerts of shelters: by arrival, in `step`, and from the surroundings and the time, in `heed`.

Occupancy is judged when a fresh count or event comes, with everything known by then. Two rules rest
on evidence: closed under a red warning, and no report while open; evidence ends them. A late
reading raises and ends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    Batch,
    Judgement,
    Outputs,
    Point,
    Withdrawal,
)
from streams.contracts.frame import Bool, Int16, Int32, Int64
from streams.contracts.reason import Change, Flag, Severity
from streams.contracts.surroundings import OpenAlert, Surroundings
from streams.domains.shelter import parameters as key
from streams.domains.shelter.balance import (
    NONE,
    OPEN,
    PERSONS,
    Balance,
    Reading,
    feed,
    share,
)
from streams.domains.shelter.books import Books, known
from streams.domains.shelter.site import (
    capacity,
    date_of,
    day_ms,
    day_of,
    fit_for,
    hazard_of,
    is_registered,
)

OCCUPANCY_RULE = "shelter.occupancy"
CLOSED_RULE = "shelter.closed"
UNREPORTED_RULE = "shelter.unreported"


@dataclass(slots=True)
class Live:
    """One shelter as far as readings have arrived; `closed` and `unreported`: ranks last judged."""

    able: bool = False  # it has a sensor that can say `open`
    heard_ms: int = NONE  # event time of the newest report, never ahead of its arrival
    open: int = NONE
    open_ms: int = NONE
    judged_ms: int = NONE
    quiet: bool = False  # open, and no report for too long
    closed: int = 0
    unreported: int = 0
    offer: str = ""  # what was last told of it (streams.domains.shelter.stock)


@dataclass(slots=True)
class WatchState:
    """`covering`: rules of the red warnings over the area → hazard ("" = none known);
    `hazards`: what fires in the area now; `day`: today in Shanghai, "" before anything came."""

    live: dict[int, Live] = field(default_factory=dict)
    covering: dict[str, str] = field(default_factory=dict)
    hazards: list[str] = field(default_factory=list)
    day: str = ""
    next_day_ms: int = NONE  # when a date of the registry next comes
    silence_ms: int = 0
    due_ms: int = NONE


def fit(state: WatchState, view: AreaView) -> WatchState:
    """Another registry or profile version."""
    state.silence_ms = int(Decimal(view.parameters[key.SILENCE_HOURS]) * HOUR_MS)
    speaks = view.series_active & (view.series_property == OPEN)
    able = set(view.series_point[speaks].tolist())
    for number in range(len(view.points)):
        state.live.setdefault(number, Live()).able = number in able
    return state


def step(state: WatchState, books: Books, view: AreaView, batch: Batch) -> Outputs:
    """The fresh rows of one frame."""
    out, fresh = Outputs(), np.flatnonzero(batch.fresh)
    if not len(fresh):
        return out
    if day_of(batch.ingest_ms) > state.day:
        _know_day(state, view, batch.ingest_ms)
        out.inventory_changed = True
    rows = batch.rows
    series, time_ms = rows.series[fresh], rows.time_ms[fresh]
    prop, point = view.series_property[series], view.series_point[series]
    good = rows.flag[fresh] < int(Flag.SUSPECT)
    _hear(state, point, np.minimum(time_ms, batch.ingest_ms))
    _note_open(state, point, time_ms, rows.value[fresh], good & (prop == OPEN))
    _judge_occupancy(state, books, view, batch, (point, time_ms, _persons(prop) & good), out)
    for one in np.unique(point).tolist():
        _decide(state, view, one, batch.ingest_ms, out)
    state.due_ms = _next_due(state)
    return out


def heed(state: WatchState, view: AreaView, around: Surroundings) -> Outputs:
    """Other domains' alerts, official warnings, a registry version or a deadline: the rules by
    evidence again."""
    out, before = Outputs(), (state.day, state.hazards)
    _know_day(state, view, around.now_ms)
    official = _official(view, around)
    found = {rule: hazard_of(rule, view.parameters) for rule in {a.rule for a in around.alerts}}
    state.covering = {a.rule: found[a.rule] or "" for a in around.alerts if _covers(a)} | official
    state.hazards = sorted({*official.values(), *(h for h in found.values() if h is not None)})
    out.inventory_changed = before != (state.day, state.hazards)
    for number in state.live:
        _decide(state, view, number, around.now_ms, out)
        if not _can_fill(state, view, number):
            out.withdrawals.append(
                Withdrawal(OCCUPANCY_RULE, number, around.now_ms, Change.RETIRED)
            )
    state.due_ms = _next_due(state)
    return out


def due(state: WatchState) -> int | None:
    """When an open shelter that stays quiet is next overdue, or a date of the registry comes."""
    return None if state.due_ms == NONE else state.due_ms


def _next_due(state: WatchState) -> int:
    waiting = [
        live.heard_ms + state.silence_ms
        for live in state.live.values()
        if live.open == 1 and not live.quiet
    ]
    if state.next_day_ms != NONE:
        waiting.append(state.next_day_ms)
    return min(waiting, default=NONE)


def _know_day(state: WatchState, view: AreaView, now_ms: int) -> None:
    """Before the first record of an area nobody knows the time: its clock stands at 0."""
    if now_ms > 0:
        state.day, state.next_day_ms = day_of(now_ms), _next_day(view, now_ms)


# what has arrived ---------------------------------------------------------------------------------


def _persons(prop: Int16) -> Bool:
    found: Bool = np.isin(prop, PERSONS)
    return found


def _hear(state: WatchState, point: Int32, time_ms: Int64) -> None:
    for one, when in zip(point.tolist(), time_ms.tolist(), strict=True):
        live = state.live[one]
        live.heard_ms = max(live.heard_ms, when)


def _note_open(state: WatchState, point: Int32, time_ms: Int64, value: Int64, use: Bool) -> None:
    """The newest statement counts, whichever sensor of the shelter made it."""
    columns = (point[use].tolist(), time_ms[use].tolist(), value[use].tolist())
    for one, when, said in zip(*columns, strict=True):
        live = state.live[one]
        if when >= live.open_ms:
            live.open, live.open_ms = said, when


def _judge_occupancy(
    state: WatchState,
    books: Books,
    view: AreaView,
    batch: Batch,
    fresh: tuple[Int32, Int64, Bool],
    out: Outputs,
) -> None:
    """The balance at each fresh reading, from all that is known of the shelter by then."""
    point, time_ms, use = fresh[0][fresh[2]], fresh[1][fresh[2]], fresh[2]
    wanted = [p for p in np.unique(point).tolist() if _can_fill(state, view, p)]
    if not use.any() or not wanted:
        return
    newest = max(int(time_ms.max()), *(state.live[p].judged_ms for p in wanted))
    span = int(time_ms.min()), newest + 1
    balances, readings = known(books, view, batch.history, wanted, span)
    for one in wanted:
        live = state.live[one]
        times = {max(t, live.judged_ms) for t in time_ms[point == one].tolist()}
        _judge(view, one, balances[one], readings.get(one, []), sorted(times), out)
        live.judged_ms = max(times)


def _judge(
    view: AreaView,
    point: int,
    balance: Balance,
    readings: list[Reading],
    times: list[int],
    out: Outputs,
) -> None:
    persons = capacity(view.points[point], view.parameters).persons
    waiting = iter(readings)
    reading = next(waiting, None)
    for at_ms in times:
        while reading is not None and reading[0] <= at_ms:
            feed(balance, reading)
            reading = next(waiting, None)
        if persons is not None:
            value = share(balance.occupants, persons)
            evidence = {"occupants": balance.occupants, "capacity": persons}
            out.judgements.append(Judgement(OCCUPANCY_RULE, point, at_ms, value, evidence=evidence))


def _can_fill(state: WatchState, view: AreaView, point: int) -> bool:
    """Whether it is a shelter today, with a capacity to be filled."""
    one = view.points[point]
    return is_registered(one, state.day) and capacity(one, view.parameters).persons is not None


# rules by evidence --------------------------------------------------------------------------------


def _covers(alert: OpenAlert) -> bool:
    return alert.covers_area and alert.severity is Severity.RED


def _official(view: AreaView, around: Surroundings) -> dict[str, str]:
    """Official red warnings of the types that count as ours, by name → hazard."""
    hazards = key.official_hazards(view.parameters)
    return {
        f"official:{w.type}:{w.id}": hazards[w.type]
        for w in around.warnings
        if w.severity is Severity.RED and w.type in hazards
    }


def _decide(state: WatchState, view: AreaView, point: int, now_ms: int, out: Outputs) -> None:
    """Judges both rules when their answer is another one than before.

    A shelter that no sensor can call open is not judged: nobody could tell that it is.
    """
    live, one = state.live[point], view.points[point]
    watched = live.able and is_registered(one, state.day)
    over = _warnings(state, one) if watched and live.open != 1 else []
    closed = key.severity_rank(view.parameters, key.CLOSED_SEVERITY) if over else 0
    if closed != live.closed:
        live.closed = closed
        said = "never" if live.open == NONE else "open" if live.open == 1 else "closed"
        evidence = {"warnings": over, "reported": said}
        out.judgements.append(Judgement(CLOSED_RULE, point, now_ms, closed, evidence=evidence))
    live.quiet = live.open == 1 and now_ms >= live.heard_ms + state.silence_ms
    late = watched and live.quiet
    rank = key.severity_rank(view.parameters, key.UNREPORTED_SEVERITY) if late else 0
    if rank != live.unreported:
        live.unreported = rank
        heard = {"heard_ms": live.heard_ms}
        out.judgements.append(Judgement(UNREPORTED_RULE, point, now_ms, rank, evidence=heard))


def _warnings(state: WatchState, point: Point) -> list[str]:
    """Red warnings over the area that this shelter is meant for.

    Left out are only warnings of a hazard for which the registry says it is not fit: a site in the
    open stays closed in a typhoon. A shelter without `hazards` is meant for all.
    """
    stated = bool(point.attributes.get("hazards", "").strip())
    return sorted(
        rule
        for rule, hazard in state.covering.items()
        if not hazard or not stated or fit_for(point, hazard)
    )


def _next_day(view: AreaView, now_ms: int) -> int:
    names = ("standardised", "deregistered")
    dates = (date_of(p, n) for p in view.points for n in names)
    return min((at for d in dates if d is not None and (at := day_ms(d)) > now_ms), default=NONE)
