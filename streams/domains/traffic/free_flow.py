"""Free flow where the registry states none: learnt from quiet hours, exactly and in event order.

The 85th percentile of speeds 23:00–05:00 over the last 14 days, from at least 100 values (house
numbers, domain.md §8.3). A value enters the night's histogram, cut to 0.1 km/h, once no revision
can reach it; the speed is stated anew once a day, when the night has settled, and holds for
intervals from then on. So it does not depend on the order in which readings came. Hours and days
know what was stated up to the end of the day before (`Domain.learns`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from streams.contracts.domain import DAY_MS, AreaView, Result, day_start
from streams.domains.traffic.link import Link
from streams.domains.traffic.measure import LEARNT, FreeFlow, registered
from streams.domains.traffic.parameters import M_H, Quiet
from streams.domains.traffic.payload import SPEED_DIGITS, show

STEP_MH = 100  # histogram step: 0.1 km/h
UNKNOWN = 0
KIND = "traffic.free_flow"


@dataclass(slots=True)
class Learnt:
    """Of one link. `nights`: histogram (steps → count) by night; the stated speed (m/h, UNKNOWN =
    none) with its number of values, and those before the last statement."""

    nights: dict[int, dict[int, int]] = field(default_factory=dict)
    speed_mh: int = UNKNOWN
    n: int = 0
    before_mh: int = UNKNOWN
    before_n: int = 0


@dataclass(slots=True)
class Learning:
    """Of an area: links by id; since when the present statement holds, and of which night."""

    links: dict[str, Learnt] = field(default_factory=dict)
    night: int = -1
    since_ms: int = 0


def is_quiet(time_ms: int, quiet: Quiet) -> bool:
    """The local time of day lies in [from, to), over midnight when from > to."""
    clock = (time_ms + quiet.zone_ms) % DAY_MS
    if quiet.from_ms > quiet.to_ms:
        return clock >= quiet.from_ms or clock < quiet.to_ms
    return quiet.from_ms <= clock < quiet.to_ms


def learn(learning: Learning, link: str, time_ms: int, speed_mh: int, quiet: Quiet) -> None:
    """Takes a settled value of a link; outside quiet hours it teaches nothing."""
    if not is_quiet(time_ms, quiet):
        return
    nights = learning.links.setdefault(link, Learnt()).nights
    night = nights.setdefault(_night(time_ms, quiet), {})
    step = speed_mh // STEP_MH
    night[step] = night.get(step, 0) + 1


def state_anew(learning: Learning, time_ms: int, settle_ms: int, quiet: Quiet) -> bool:
    """States the free flow of every link when the newest night has settled before `time_ms`.

    Call it with every value older than `time_ms` − `settle_ms` learnt. Older nights than the
    last `days` are forgotten. True when the night was stated, in whatever words.
    """
    night = _night(time_ms - settle_ms, quiet) - 1
    if night <= learning.night:
        return False
    learning.night = night
    learning.since_ms = (night + 1) * DAY_MS - quiet.zone_ms + quiet.to_ms + settle_ms
    for known in learning.links.values():
        known.nights = {n: h for n, h in known.nights.items() if n > night - quiet.days}
        known.before_mh, known.before_n = known.speed_mh, known.n
        known.speed_mh, known.n = _percentile(known.nights, night, quiet)
    return True


def has_changed(learning: Learning) -> bool:
    """The last statement gives some link another free flow than the one before."""
    return any(known.speed_mh != known.before_mh for known in learning.links.values())


def told(learning: Learning, time_ms: int, quiet: Quiet) -> list[Result]:
    """The statement that was made at this time, for the hours and days from tomorrow on.

    Every link that learns, also when it knows nothing (any more): the last word counts.
    """
    tomorrow = day_start(time_ms, quiet.zone_ms) + DAY_MS
    return [
        Result(KIND, link, tomorrow, DAY_MS // 1000, _payload(known))
        for link, known in sorted(learning.links.items())
    ]


def _payload(known: Learnt) -> dict[str, int | str | None]:
    speed = None if known.speed_mh == UNKNOWN else known.speed_mh
    shown = None if speed is None else show(Fraction(speed, M_H), SPEED_DIGITS)
    return {"free_flow_mh": speed, "free_flow_kmh": shown, "free_flow_n": known.n}


def for_day(view: AreaView, link: Link) -> FreeFlow | None:
    """What counts in the view's hours and day: the registry, else what was learnt, else None."""
    known = view.learnt.get(link.id)
    if link.free_mh is not None or known is None or known["free_flow_mh"] is None:
        return registered(link)
    return FreeFlow(int(known["free_flow_mh"]), LEARNT, int(known["free_flow_n"]))


def learnt_at(learning: Learning, link: str, time_ms: int) -> FreeFlow | None:
    """What was known for an interval that starts at this time; None = nothing."""
    known = learning.links.get(link)
    if known is None:
        return None
    now = time_ms >= learning.since_ms
    speed, n = (known.speed_mh, known.n) if now else (known.before_mh, known.before_n)
    return None if speed == UNKNOWN else FreeFlow(speed, LEARNT, n)


def _percentile(nights: dict[int, dict[int, int]], newest: int, quiet: Quiet) -> tuple[int, int]:
    """Linear percentile k = 1 + (n−1)·p over the nights up to `newest`, in whole m/h, and n."""
    pooled: dict[int, int] = {}
    for night, histogram in nights.items():
        if night <= newest:
            for step, count in histogram.items():
                pooled[step] = pooled.get(step, 0) + count
    n = sum(pooled.values())
    if n == 0 or n < quiet.least:
        return UNKNOWN, n
    whole, rest = divmod((n - 1) * quiet.percentile, 1)
    low = _ranked(pooled, int(whole))
    high = _ranked(pooled, min(int(whole) + 1, n - 1))
    return int((low + (high - low) * rest) * STEP_MH), n


def _ranked(pooled: dict[int, int], rank: int) -> int:
    """The value of this rank, from 0, in ascending order."""
    passed = 0
    for step in sorted(pooled):
        passed += pooled[step]
        if rank < passed:
            return step
    raise ValueError(f"rank {rank} beyond {passed} values")


def _night(time_ms: int, quiet: Quiet) -> int:
    """A night's number: the local day on whose evening it begins (days turn at `to`)."""
    return (time_ms + quiet.zone_ms - quiet.to_ms) // DAY_MS
