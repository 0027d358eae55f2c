"""Water that rises fast: the rise alarm, and rises that no weather explains.

A row is looked at only when a cheap lower bound of the last minute's depths leaves a rise
possible; then the history decides exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from streams.contracts.domain import (
    AreaView,
    Batch,
    FlagChange,
    Judgement,
    Outputs,
    Rows,
    Stretch,
    Ticket,
)
from streams.contracts.frame import Bool, Int32, Int64
from streams.contracts.reason import Flag
from streams.domains.waterlogging import parameters as key
from streams.windows.history import identity_key

RULE = "waterlogging.rise"
DEPTH, RAIN = 0, 1  # positions in DOMAIN.properties and, behind them, DOMAIN.reads
DEPTH_SCALE = 6
UM_PER_CM = 10**4


def micrometres(view: AreaView, name: str) -> int:
    """A parameter in cm as a scaled depth (m · 10^6)."""
    return int(Decimal(view.parameters[name]) * UM_PER_CM)


def milliseconds(view: AreaView, name: str, unit_s: int = 60) -> int:
    return int(Decimal(view.parameters[name]) * unit_s * 1000)


@dataclass(slots=True)
class RiseState:
    """Per series: lowest depth of the present and the previous slot of one rise window."""

    slot: Int64
    low: Int64
    low_before: Int64
    rained_ms: Int64  # per series (rain gauges): newest event time with rain
    rising: list[int] = field(default_factory=list)  # series whose last row was a rise


def fit(state: RiseState | None, view: AreaView) -> RiseState:
    """An empty state, or a grown one."""
    count = len(view.series_sensor)
    if state is None:
        none = np.empty(0, np.int64)
        state = RiseState(none, none, none, none)
    more = count - len(state.slot)
    never = np.full(more, -(1 << 60))
    state.slot = np.append(state.slot, never)
    state.low = np.append(state.low, np.zeros(more, np.int64))
    state.low_before = np.append(state.low_before, np.zeros(more, np.int64))
    state.rained_ms = np.append(state.rained_ms, never)
    return state


def watch(state: RiseState, view: AreaView, batch: Batch, gauge: dict[int, int]) -> Outputs:
    """The rise alarm and the jump check for one frame. `gauge`: point index → rain series."""
    rows, out = batch.rows, Outputs()
    of = view.series_property[rows.series]
    _note_rain(state, rows, of == RAIN)
    depth = np.flatnonzero((of == DEPTH) & batch.fresh)
    if not len(depth):
        return out
    series, time_ms, value = rows.series[depth], rows.time_ms[depth], rows.value[depth]
    suspect = rows.flag[depth] >= int(Flag.SUSPECT)
    limits = _limits(view)
    bound = _lower_bound(state, limits.window_ms, series, time_ms, value)
    suspects = (value >= limits.least) & (value - bound >= limits.step)
    if not suspects.any() and not state.rising:
        return out
    wanted = np.unique(np.append(series[suspects], np.array(state.rising, np.int32)))
    wanted = wanted[np.isin(wanted, series)]
    if len(wanted):
        begin = int(time_ms.min()) - limits.window_ms
        known = batch.history.between(wanted.astype(np.int32), begin, int(time_ms.max()) + 1)
        places = (
            np.searchsorted(series, wanted),
            np.searchsorted(series, wanted, "right"),
            np.searchsorted(known.series, wanted),
            np.searchsorted(known.series, wanted, "right"),
        )
        rows_of = zip(wanted.tolist(), *(p.tolist() for p in places), strict=True)
        for one, low, high, first, last in rows_of:
            columns = (time_ms[low:high], value[low:high], suspect[low:high])
            mine = list(zip(*(c.tolist() for c in columns), strict=True))
            use = known.flag[first:last] < int(Flag.SUSPECT)
            before = known.time_ms[first:last][use], known.value[first:last][use]
            _decide(state, view, limits, one, mine, before, gauge, out)
    return out


def watch_many(
    state: RiseState, view: AreaView, stretch: Stretch, gauge: dict[int, int]
) -> tuple[RiseState, dict[int, Outputs]] | None:
    """What `watch` says of several frames one by one; None when a rise may be a jump, which
    flags readings that the next frame is judged by. A new state; the given one stays."""
    rows, limits = stretch.rows, _limits(view)
    after = replace(
        state,
        slot=state.slot.copy(),
        low=state.low.copy(),
        low_before=state.low_before.copy(),
        rising=list(state.rising),
    )
    bound = _lower_bound(after, limits.window_ms, rows.series, rows.time_ms, rows.value)
    wanted = np.zeros(len(state.slot), np.bool_)
    wanted[rows.series[(rows.value >= limits.least) & (rows.value - bound >= limits.step)]] = True
    wanted[state.rising] = True
    look = np.flatnonzero(wanted[rows.series])
    if not len(look):
        return after, {}
    rise = _rises(stretch, look, limits.window_ms)
    if (rise > limits.jump).any():
        return None
    rises = (rise >= limits.step) & (rows.value[look] >= limits.least)
    before = np.append(False, rises[:-1])
    first = np.append(True, np.diff(rows.series[look]) != 0)
    before[first] = np.isin(rows.series[look][first], state.rising)
    return after, _tell(after, view, stretch, look, (rise, rises, before))


def _rises(stretch: Stretch, look: Int64, window_ms: int) -> Int64:
    """How far each of these rows lies above the lowest good depth of the window before it."""
    rows = stretch.rows
    series, time_ms = rows.series[look], rows.time_ms[look]
    known = stretch.history.between(
        np.unique(series), int(time_ms.min()) - window_ms, int(time_ms.max()) + 1
    )
    keys = np.append(identity_key(known.series, known.time_ms), identity_key(series, time_ms))
    good = np.append(known.flag, rows.flag[look]) < int(Flag.SUSPECT)
    order = np.flatnonzero(good)[np.argsort(keys[good], kind="stable")]
    keys, depth = keys[order], np.append(known.value, rows.value[look])[order]
    low = np.searchsorted(keys, identity_key(series, time_ms - window_ms))
    high = np.searchsorted(keys, identity_key(series, time_ms))
    ends = np.stack((low, high), axis=1).ravel()
    lowest = np.minimum.reduceat(np.append(depth, 0), ends)[::2]
    return np.where(high > low, rows.value[look] - lowest, 0)


def _tell(
    state: RiseState,
    view: AreaView,
    stretch: Stretch,
    look: Int64,
    found: tuple[Int64, Bool, Bool],
) -> dict[int, Outputs]:
    """Judgements by frame; `found`: rise of each row, whether it is one, whether the last was."""
    rise, rises, before = found
    told = np.flatnonzero(rises | before)
    told = told[np.argsort(stretch.frame[look[told]], kind="stable")]
    at, outputs = look[told], dict[int, Outputs]()
    rows = stretch.rows
    columns = (stretch.frame[at], rows.series[at], rows.time_ms[at], rows.value[at], rows.flag[at])
    lines = zip(*(c.tolist() for c in (*columns, rise[told], rises[told])), strict=True)
    for frame, series, time, depth, flag, height, is_rise in lines:
        out, point = outputs.setdefault(frame, Outputs()), int(view.series_point[series])
        if not is_rise:
            out.judgements.append(Judgement(RULE, point, time, 0))
            state.rising.remove(series)
            continue
        evidence = {"depth_um": depth, "rise_um": height}
        doubtful = flag >= int(Flag.SUSPECT)
        out.judgements.append(Judgement(RULE, point, time, height, doubtful, evidence))
        if series not in state.rising:
            state.rising.append(series)
    return outputs


@dataclass(frozen=True, slots=True)
class Limits:
    """The parameters as scaled depths and milliseconds."""

    window_ms: int
    step: int
    least: int
    jump: int
    dry_ms: int


def _limits(view: AreaView) -> Limits:
    return Limits(
        milliseconds(view, key.RISE_WINDOW_S, 1),
        micrometres(view, key.RISE_CM),
        micrometres(view, key.RISE_LEAST_CM),
        micrometres(view, key.JUMP_CM),
        milliseconds(view, key.JUMP_DRY_MIN),
    )


def _note_rain(state: RiseState, rows: Rows, is_rain: Bool) -> None:
    wet = np.flatnonzero(is_rain & (rows.value > 0) & (rows.flag < int(Flag.SUSPECT)))
    if len(wet):
        np.maximum.at(state.rained_ms, rows.series[wet], rows.time_ms[wet])


def _lower_bound(
    state: RiseState, window: int, series: Int32, time_ms: Int64, value: Int64
) -> Int64:
    """At most the lowest depth of the rise window before each row; updates the slots."""
    change = np.flatnonzero(series[1:] != series[:-1]) + 1
    first = np.concatenate((np.zeros(1, np.int64), change))
    last = np.append(change, len(series)) - 1
    at = series[first]
    lowest = np.minimum.reduceat(value, first)
    begin, end = time_ms[first] // window, time_ms[last] // window
    slot = state.slot[at]
    bound = lowest.copy()
    recent = slot >= begin - 1
    bound[recent] = np.minimum(bound[recent], state.low[at][recent])
    same = slot >= begin
    bound[same] = np.minimum(bound[same], state.low_before[at][same])
    stays, follows = slot == end, slot == end - 1
    state.low_before[at] = np.where(
        stays, state.low_before[at], np.where(follows, state.low[at], lowest)
    )
    state.low[at] = np.where(stays, np.minimum(state.low[at], lowest), lowest)
    state.slot[at] = end
    return np.repeat(bound, last - first + 1)


def _decide(
    state: RiseState,
    view: AreaView,
    limits: Limits,
    series: int,
    rows: list[tuple[int, int, bool]],
    known: tuple[Int64, Int64],
    gauge: dict[int, int],
    out: Outputs,
) -> None:
    """Fresh (time, depth, suspect) rows of one series against its good readings before."""
    point = int(view.series_point[series])
    times, depths = known
    for time, depth, suspect in rows:
        low, high = np.searchsorted(times, (time - limits.window_ms, time)).tolist()
        rise = depth - int(depths[low:high].min()) if high > low else 0
        doubtful = rise > limits.jump and not _rained(state, limits, gauge.get(point), time)
        if doubtful:
            out.flags.append(FlagChange(series, time, int(Flag.SUSPECT)))
            sensor = int(view.series_sensor[series])
            out.tickets.append(Ticket(sensor, "depth", "jump", time, False, {"rise_um": rise}))
        if rise >= limits.step and depth >= limits.least:
            out.judgements.append(
                Judgement(
                    RULE,
                    point,
                    time,
                    rise,
                    doubtful or suspect,
                    {"depth_um": depth, "rise_um": rise},
                )
            )
            if series not in state.rising:
                state.rising.append(series)
        elif series in state.rising:
            out.judgements.append(Judgement(RULE, point, time, 0))
            state.rising.remove(series)


def _rained(state: RiseState, limits: Limits, gauge: int | None, time_ms: int) -> bool:
    """Rain at the point's gauge lately; without a gauge nobody can say it was dry."""
    if gauge is None:
        return True
    return time_ms - int(state.rained_ms[gauge]) <= limits.dry_ms
