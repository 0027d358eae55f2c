"""The life of one alert at one subject: pending → firing → up and down → resolved.

Pure steps over a small state. Each step answers what changed and why; who stores it, numbers it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.alerting.rule import Thresholds
from streams.contracts.reason import AlertState, Change

NONE = -1


@dataclass(slots=True)
class Track:
    """`level` is the confirmed tier (0 while pending). Lists have one entry per tier."""

    alert: str
    onset_ms: int
    level: int = 0
    up_count: int = 0  # consecutive observations above the level
    up_tier: int = 0  # the smallest tier among them
    below_since: list[int] = field(default_factory=list)
    below_count: list[int] = field(default_factory=list)
    stale: bool = False
    unverified: bool = False
    sequence: int = 0
    last_ms: int = NONE
    last_value: int = 0
    heard_ms: int = NONE  # processing time of the last observation
    above_since: list[int] = field(default_factory=list)  # event time; only where a tier must last
    tiers: list[int] = field(default_factory=list)  # severities of the tiers it knows
    version: str = ""  # of the thresholds that judge it
    closed: int = 0  # severity at which a person closed it; nothing of it is told since
    colour: int = 0  # severity as told last, 0 while pending
    hidden_by: str | None = None  # in people's lists, as told last

    @property
    def severity(self) -> int:
        """While it fires and is told; else 0."""
        if not self.level or self.closed:
            return 0
        return self.tiers[self.level - 1] if self.tiers else self.colour

    @property
    def state(self) -> AlertState:
        return AlertState.FIRING if self.level else AlertState.PENDING


@dataclass(slots=True)
class Flap:
    """Colour moves of one rule and subject, over episodes: event times, and of each the worse of
    the colours before and after it. `until_ms` (event time): it flaps until then, 0 = it does not.
    `heard_ms`: processing time of the last move."""

    at_ms: list[int] = field(default_factory=list)
    colour: list[int] = field(default_factory=list)
    until_ms: int = 0
    heard_ms: int = 0


@dataclass(slots=True)
class BookState:
    """What a checkpoint keeps: open tracks by `<rule>|<subject key>`, and their points; `onsets` of
    the last alert of each, open or not; `flaps` of those whose colour moved lately, the longest
    quiet ones first."""

    tracks: dict[str, Track] = field(default_factory=dict)
    points: dict[str, str | None] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    onsets: dict[str, int] = field(default_factory=dict)
    flaps: dict[str, Flap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One change: `tier` after it (the one left, for an ending), why, and since when it is true."""

    change: Change
    tier: int
    event_ms: int
    value: int | None
    ended: bool = False


def begin(rule: Thresholds, alert: str, time_ms: int, value: int) -> tuple[Track, Step]:
    """The first observation that meets a tier: the alert is pending."""
    tiers = len(rule.meet)
    track = Track(alert, time_ms, below_since=[NONE] * tiers, below_count=[0] * tiers)
    track.tiers, track.version = [int(s) for s in rule.severities], rule.version
    return track, Step(Change.ONSET, rule.tier(value), time_ms, value)


def observe(
    rule: Thresholds, track: Track, time_ms: int, value: int, unverified: bool = False
) -> list[Step]:
    """One more observation, newer than the last. The track may end (last step `ended`)."""
    steps = expire(rule, track, time_ms)
    if steps and steps[-1].ended:
        return steps
    tier = rule.tier(value)
    track.last_ms, track.last_value = time_ms, value
    _note_above(rule, track, time_ms, value)
    if track.stale:
        track.stale = False
        steps.append(Step(Change.FRESH, track.level, time_ms, value))
    if not track.level and not tier:
        steps.append(Step(Change.NOT_CONFIRMED, 0, time_ms, value, ended=True))
        return steps
    steps += _rise(rule, track, tier, time_ms, value, unverified)
    _note_below(rule, track, time_ms, value)
    if rule.clear_count is not None and track.level:
        steps += _fall(rule, track, time_ms, value)
    return steps


def expire(rule: Thresholds, track: Track, now_ms: int) -> list[Step]:
    """Tiers left for long enough by the time given (event or processing time, whichever came)."""
    steps: list[Step] = []
    while track.level and (at := deadline(rule, track)) is not None and at <= now_ms:
        steps += _fall(rule, track, at, track.last_value)
        if steps[-1].ended:
            break
    return steps


def run_out(
    rule: Thresholds | None, track: Track, season_end_ms: int | None, to_ms: int
) -> list[Step]:
    """What time alone has changed up to then: tiers left for long enough, the season over."""
    until = to_ms if season_end_ms is None else min(season_end_ms, to_ms)
    steps = [] if rule is None else expire(rule, track, until)
    if season_end_ms is not None and season_end_ms <= to_ms and not (steps and steps[-1].ended):
        steps.append(Step(Change.RETIRED, track.level, season_end_ms, None, ended=True))
    return steps


def deadline(rule: Thresholds, track: Track) -> int | None:
    """When the present level ends by time, if nothing else comes; None = it does not."""
    if rule.clear_ms is None or not track.level or track.stale:
        return None
    since = track.below_since[track.level - 1]
    return None if since == NONE else since + rule.clear_ms


def is_steady(track: Track) -> bool:
    """Whether nothing is being counted or timed: only a value off its level can move it."""
    if not track.level or track.stale or track.unverified or track.up_count:
        return False
    if track.below_since[track.level - 1] >= 0:
        return False
    return max(track.above_since[track.level :], default=NONE) == NONE


def stays(rule: Thresholds, track: Track, low: int, high: int) -> bool:
    """Whether values from `low` to `high` leave a steady track as it is."""
    above = rule.meet[track.level] if track.level < len(rule.meet) else None
    # a lower tier's "below" can only be open when the value was under it: not while steady
    return low >= rule.hold[track.level - 1] and (above is None or high < above)


def fall_silent(track: Track, time_ms: int) -> list[Step]:
    """Silence resolves nothing and lowers nothing: the alert becomes stale, its timers stop."""
    if track.stale:
        return []
    track.stale = True
    track.up_count = track.up_tier = 0
    track.above_since = []
    track.below_since = [NONE] * len(track.below_since)
    track.below_count = [0] * len(track.below_count)
    return [Step(Change.STALE, track.level, time_ms, None)]


def adapt(rule: Thresholds, track: Track, time_ms: int) -> list[Step]:
    """Other thresholds judge the alert from now on.

    It keeps its severity; where that has no level any more it goes down to the next one, and ends
    when there is none. What was counted towards a raise counts no more, and time below a level
    goes on only if the last value is below it by the new thresholds as well.
    """
    known = track.tiers or [int(s) for s in rule.severities]
    severity = known[track.level - 1] if track.level else 0
    level = sum(int(s) <= severity for s in rule.severities)
    if track.level and not level:
        return [Step(Change.RETIRED, track.level, time_ms, None, ended=True)]
    place = {s: number for number, s in enumerate(known)}
    old = [place.get(int(s)) for s in rule.severities]
    still = [at is not None and track.last_value < h for at, h in zip(old, rule.hold, strict=True)]
    pairs = list(zip(old, still, strict=True))
    track.below_since = [track.below_since[at or 0] if is_so else NONE for at, is_so in pairs]
    track.below_count = [track.below_count[at or 0] if is_so else 0 for at, is_so in pairs]
    track.up_count = track.up_tier = 0
    track.above_since = []
    track.tiers, track.version = [int(s) for s in rule.severities], rule.version
    track.level = level
    if level and int(rule.severities[level - 1]) < severity:
        return [Step(Change.LOWERED, level, time_ms, None)]
    return []


def _rise(
    rule: Thresholds, track: Track, tier: int, time_ms: int, value: int, unverified: bool
) -> list[Step]:
    if tier <= track.level:
        track.up_count = track.up_tier = 0
        if tier and tier == track.level and track.unverified and not unverified:
            track.unverified = False
            return [Step(Change.CONFIRMED, track.level, time_ms, value)]
        return []
    track.up_tier = tier if not track.up_count else min(track.up_tier, tier)
    track.up_count += 1
    target = track.up_tier if track.up_count >= rule.consecutive else 0
    if rule.raise_ms:
        target = _lasting(rule, track, time_ms) if target else 0
    target = max(target, min(rule.jump_tier(value), tier))
    if target <= track.level:
        return []
    change = Change.RAISED if track.level else Change.CONFIRMED
    track.level = target
    track.unverified = unverified
    track.up_count, track.up_tier = (1, tier) if tier > target else (0, 0)
    return [Step(change, target, time_ms, value)]


def _note_above(rule: Thresholds, track: Track, time_ms: int, value: int) -> None:
    if not rule.raise_ms:
        return
    if not track.above_since:
        track.above_since = [NONE] * len(rule.meet)
    for number, threshold in enumerate(rule.meet):
        if value < threshold:
            track.above_since[number] = NONE
        elif track.above_since[number] == NONE:
            track.above_since[number] = time_ms


def _lasting(rule: Thresholds, track: Track, time_ms: int) -> int:
    """The highest tier that has been met for long enough, 0 = none."""
    lasted = [since != NONE and time_ms - since >= rule.raise_ms for since in track.above_since]
    return max((number for number, long in enumerate(lasted, 1) if long), default=0)


def _note_below(rule: Thresholds, track: Track, time_ms: int, value: int) -> None:
    for number, hold in enumerate(rule.hold):
        if value < hold:
            if track.below_since[number] == NONE:
                track.below_since[number] = time_ms
            track.below_count[number] += 1
        else:
            track.below_since[number] = NONE
            track.below_count[number] = 0


def _fall(rule: Thresholds, track: Track, time_ms: int, value: int) -> list[Step]:
    """Down to the highest tier that still holds at the time; 0 ends the alert."""
    left = track.level
    while track.level and _is_left(rule, track, track.level - 1, time_ms):
        track.level -= 1
    if track.level == left:
        return []
    track.up_count = track.up_tier = 0
    if track.level:
        return [Step(Change.LOWERED, track.level, time_ms, value)]
    return [Step(Change.CLEARED, left, time_ms, value, ended=True)]


def _is_left(rule: Thresholds, track: Track, number: int, time_ms: int) -> bool:
    if rule.clear_count is not None:
        return track.below_count[number] >= rule.clear_count
    since = track.below_since[number]
    return since != NONE and rule.clear_ms is not None and since + rule.clear_ms <= time_ms
