"""Episodes and their evidence for all points of an area: the state behind `close`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from streams.contracts.domain import AreaView, Closing, Episode, Outputs, Payload, Point, Rows
from streams.contracts.exact import to_text
from streams.contracts.reason import Flag
from streams.domains.waterlogging import parameters as key
from streams.domains.waterlogging.episode import NONE, Limits, Machine, feed, feed_wet, finish
from streams.domains.waterlogging.rise import (
    DEPTH,
    DEPTH_SCALE,
    RAIN,
    micrometres,
    milliseconds,
)
from streams.domains.waterlogging.storm import FIVE_MIN_MS, KEEP_MS, RainSums, evidence

SETTLE_MS = 30 * 60_000  # how far behind the watermark the settled machine stays
SIGNED_OFF = "销号"
BULK = 8  # from so many readings on, columns are quicker than one by one


@dataclass(slots=True)
class Watch:
    """One depth series that is, or lately was, wet."""

    settled: Machine
    settled_ms: int
    current: Machine
    told: list[str] = field(default_factory=list)  # episodes told since `settled_ms`


@dataclass(slots=True)
class WetState:
    watches: dict[int, Watch] = field(default_factory=dict)  # by series
    rain: dict[int, RainSums] = field(default_factory=dict)  # by gauge series
    proposed: dict[str, int] = field(default_factory=dict)  # point -> onset of a proposed relapse


def close(state: WetState, view: AreaView, closing: Closing, gauge: dict[int, int]) -> Outputs:
    """The readings of one closed minute, in event order (or that minute again, revised)."""
    out, rows = Outputs(), closing.rows
    of = view.series_property[rows.series]
    _add_rain(state, closing, rows, of == RAIN)
    limits = _limits(view)
    if closing.revised:
        touched = set(np.unique(rows.series[of == DEPTH]).tolist())
        for series in sorted(touched):
            _again(state, view, closing, series, limits, gauge, out)
        return out
    wet = (of == DEPTH) & (rows.value >= limits.wet)
    active = {s for s, w in state.watches.items() if w.current.open}
    wanted = active | set(np.unique(rows.series[wet]).tolist())
    for series in sorted(wanted):
        watch = state.watches.get(series)
        if watch is None:
            watch = state.watches[series] = _begin(closing, series, limits)
        before = replace(watch.current)
        mine = np.flatnonzero(rows.series == series)
        done = _run(watch.current, limits, rows, mine, closing.end_ms)
        for machine in done:
            _tell(state, view, series, machine, watch, gauge, out, ended=True)
        if watch.current.open and _moved(before, watch.current):
            _tell(state, view, series, watch.current, watch, gauge, out, ended=False)
    _settle(state, closing, limits)
    return out


def _begin(closing: Closing, series: int, limits: Limits) -> Watch:
    """A dry point gets wet: its last dry reading comes from the history."""
    back = closing.start_ms - limits.dry_ms
    known = closing.history.between(np.array([series], np.int32), back, closing.start_ms)
    machine = Machine()
    for time_ms, value, good in _readings(known, np.arange(len(known))):
        feed(machine, limits, time_ms, value, good)
    return Watch(replace(machine), closing.start_ms, machine)


def _run(
    machine: Machine,
    limits: Limits,
    rows: Rows,
    index: np.ndarray[tuple[int], np.dtype[np.intp]],
    end_ms: int,
) -> list[Machine]:
    done = []
    depth = rows.value[index]
    wet = len(index) >= BULK and bool((depth >= limits.wet).all())
    if wet and bool((rows.flag[index] < int(Flag.SUSPECT)).all()):
        finished = feed_wet(machine, limits, rows.time_ms[index], depth)
        index = index[:0]
        if finished is not None:
            done.append(finished)
    for time_ms, value, good in _readings(rows, index):
        finished = feed(machine, limits, time_ms, value, good)
        if finished is not None:
            done.append(finished)
    finished = finish(machine, limits, end_ms)
    return done if finished is None else [*done, finished]


def _readings(
    rows: Rows, index: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[tuple[int, int, bool]]:
    good = rows.flag[index] < int(Flag.SUSPECT)
    return list(
        zip(rows.time_ms[index].tolist(), rows.value[index].tolist(), good.tolist(), strict=True)
    )


def _moved(before: Machine, now: Machine) -> bool:
    return (before.start_ms, before.peak_ms, before.below_ms) != (
        now.start_ms,
        now.peak_ms,
        now.below_ms,
    )


def _again(
    state: WetState,
    view: AreaView,
    closing: Closing,
    series: int,
    limits: Limits,
    gauge: dict[int, int],
    out: Outputs,
) -> None:
    """A revision: the settled machine runs over everything since, and what was told is mended."""
    watch = state.watches.get(series)
    one = np.array([series], np.int32)
    until = max(_closed_until(closing), closing.end_ms)
    if watch is None:
        begin = closing.start_ms - limits.dry_ms
        known = closing.history.between(one, begin, until)
        if not len(known) or not (known.value >= limits.wet).any():
            return
        watch = state.watches[series] = Watch(Machine(), begin, Machine())
    rows = closing.history.between(one, watch.settled_ms, until)
    told, watch.told = watch.told, []
    watch.current = replace(watch.settled)
    for machine in _run(watch.current, limits, rows, np.arange(len(rows)), until):
        _tell(state, view, series, machine, watch, gauge, out, ended=True)
    if watch.current.open:
        _tell(state, view, series, watch.current, watch, gauge, out, ended=False)
    point = view.points[int(view.series_point[series])]
    for gone in sorted(set(told) - set(watch.told)):
        out.episodes.append(
            Episode(gone, "waterlogging", point.id, closing.start_ms, None, {}, removed=True)
        )


def _closed_until(closing: Closing) -> int:
    """Event time up to which the current machines have run: the end of the last closed minute."""
    return closing.closed_ms // 60_000 * 60_000


def _settle(state: WetState, closing: Closing, limits: Limits) -> None:
    """Moves settled machines on, and forgets points that have long been dry."""
    for series in list(state.watches):
        watch = state.watches[series]
        border = closing.end_ms - SETTLE_MS
        if border - watch.settled_ms < limits.dry_ms:
            continue
        one = np.array([series], np.int32)
        rows = closing.history.between(one, watch.settled_ms, border)
        _run(watch.settled, limits, rows, np.arange(len(rows)), border)
        watch.settled_ms = border
        if not watch.settled.open:
            if not watch.current.open:
                del state.watches[series]
            else:
                watch.told = watch.told[-1:]


def _add_rain(
    state: WetState,
    closing: Closing,
    rows: Rows,
    is_rain: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> None:
    """The five-minute sum of every gauge that this minute belongs to, from the history."""
    begin = closing.start_ms // FIVE_MIN_MS * FIVE_MIN_MS
    gauges = np.unique(rows.series[is_rain])
    if not len(gauges):
        return
    dry = not (rows.value[is_rain] > 0).any() and not closing.revised
    if dry and all(str(begin) not in state.rain.get(g, {}) for g in gauges.tolist()):
        return
    known = closing.history.between(gauges, begin, begin + FIVE_MIN_MS)
    use = (known.flag < int(Flag.SUSPECT)) & (
        known.time_ms < max(closing.end_ms, closing.closed_ms)
    )
    for series in gauges.tolist():
        total = int(known.value[use & (known.series == series)].sum())
        sums = state.rain.setdefault(series, {})
        if total:
            sums[str(begin)] = total
        else:
            sums.pop(str(begin), None)
        for old in [t for t in sums if int(t) < begin - KEEP_MS]:
            del sums[old]


def _limits(view: AreaView) -> Limits:
    return Limits(
        wet=micrometres(view, key.WET_CM),
        dry_ms=milliseconds(view, key.DRY_MIN),
        ponded=micrometres(view, key.PONDED_CM),
        relapse=micrometres(view, key.RELAPSE_CM),
    )


def _tell(
    state: WetState,
    view: AreaView,
    series: int,
    machine: Machine,
    watch: Watch,
    gauge: dict[int, int],
    out: Outputs,
    *,
    ended: bool,
) -> None:
    point = view.points[int(view.series_point[series])]
    identity = _identity(point, machine.start_ms)
    if identity not in watch.told:
        watch.told.append(identity)
    rain_series = gauge.get(int(view.series_point[series]))
    sums = None if rain_series is None else state.rain.get(rain_series, {})
    until = machine.below_ms if machine.below_ms != NONE else machine.last_ms
    rain = evidence(point, sums, machine.start_ms, until, machine.ponded_until_ms)
    payload = _payload(view, point, machine, rain)
    end_ms = machine.below_ms if ended else None
    out.episodes.append(
        Episode(identity, "waterlogging", point.id, machine.start_ms, end_ms, payload)
    )
    if payload["relapse_proposed"] and point.id not in state.proposed:
        state.proposed[point.id] = machine.start_ms
        out.inventory_changed = True


def _payload(view: AreaView, point: Point, machine: Machine, rain: Payload) -> Payload:
    drained = machine.below_ms if machine.below_ms != NONE else None
    ponded_after = rain.get("ponded_after_rain_s") or 0
    long_after = ponded_after * 1000 > milliseconds(view, key.PONDED_MIN)
    long_enough = machine.relapse_ms > milliseconds(view, key.RELAPSE_MIN)
    signed = point.attributes.get("signoff") == SIGNED_OFF
    return {
        "dry_before_ms": None if machine.dry_before_ms == NONE else machine.dry_before_ms,
        "peak_m": to_text(machine.peak, DEPTH_SCALE),
        "peak_ms": machine.peak_ms,
        "drain_start_ms": machine.drain_ms,
        "drained_ms": drained,
        "zero_ms": None if machine.zero_ms == NONE else machine.zero_ms,
        "duration_s": None if drained is None else (drained - machine.start_ms) // 1000,
        "above_ponding_s": machine.ponded_ms // 1000,
        "is_ponded_after_rain": long_after,
        "tidal": point.attributes.get("tidal") == "yes",
        "readings": machine.readings,
        "doubtful_readings": machine.doubtful,
        "rain": rain,
        "relapse_proposed": signed and long_enough and rain.get("within_design") is True,
    }


def _identity(point: Point, start_ms: int) -> str:
    text = f"waterlogging|{point.id}|{start_ms}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
