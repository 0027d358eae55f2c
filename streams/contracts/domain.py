"""What a domain folder exports: `DOMAIN`, a value of the type `Domain` below.

A domain is pure: it never asks the clock, does no I/O and imports no other domain. The pipeline
gives it columns and takes outputs. Only `name`, `title`, `properties` and `points` are required;
a domain with nothing but properties and rules already gets storage, windows, alerts and pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contracts.frame import Bool, Int8, Int16, Int32, Int64
from streams.contracts.reason import Change, Severity

if TYPE_CHECKING:
    from streams.contracts.surroundings import Surroundings

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHANGHAI_OFFSET_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Title:
    """A name for people, Chinese first."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Checks:
    """Quality checks of one property, in the property's canonical unit; None = not checked."""

    spike: Decimal | None = None  # a single value off both neighbours in time by more than this
    flat_s: int | None = None  # unchanged to the last digit so long while others change
    rise_alerts: bool = False  # an implausible rise still alerts, marked unverified (safety)
    neighbour: Decimal | None = None  # a window's mean may be so far off its neighbours' median
    neighbour_s: int = 3600  # that window; one of the property's `windows_s`
    drift: Decimal | None = None  # days may be so far off the sensor's own level
    drift_low: bool = False  # of its own daily low on calm days, not of its neighbours' median
    unit: bool = False  # its usual level is steady enough to tell another unit by
    health: bool = True  # it reports regularly: its sensors have a health by day


@dataclass(frozen=True, slots=True)
class Property:
    """An observed property: one canonical unit and one decimal scale.

    A stored value is the int64 `value * 10**scale`, rounded half to even at the border.
    `low`/`high` are physical limits (outside → QARTOD fail). `interval_s` > 0 means a value covers
    the interval that STARTS at its event time. `report_s` is the usual reporting interval.
    """

    name: str
    unit: str
    scale: int
    title: Title
    low: Decimal
    high: Decimal
    interval_s: int = 0
    report_s: int = 60
    windows_s: tuple[int, ...] = (60, 300, 3600)
    checks: Checks = Checks()


@dataclass(frozen=True, slots=True)
class PointType:
    name: str  # e.g. "flood_point"
    title: Title
    attributes: tuple[str, ...] = ()  # registry attributes that the domain reads
    references: tuple[str, ...] = ()  # those of them that hold the id of another point


@dataclass(frozen=True, slots=True)
class Parameter:
    """A house number: configurable, echoed beside the result it produced (domain.md §10)."""

    key: str
    default: str  # decimal or text; parsed by who uses it
    unit: str
    tag: str  # V, K, H, C, Plan
    source: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How a domain treats lateness, in seconds."""

    delay_s: int = 60  # watermark delay
    horizon_s: int = 1800  # exact state; older rows go through the store
    bucket_s: int = 60  # how the history is cut; divides every window size


@dataclass(frozen=True, slots=True)
class TierRule:
    """An alert rule over tiers of one value, with hysteresis (thresholds are parameters).

    The value is a raw property (`property` names it) or one that the domain derives and sends as
    a `Judgement` (`property` None). A tier is met at `value >= threshold`. Raised after
    `consecutive` observations at or above it, or by one that exceeds it by `jump_over`.
    Cleared after `clear_s` seconds below `threshold - hysteresis`, or, when `clear_count` > 0,
    after so many consecutive observations below. `hidden_by`: rules whose alerts at the same point,
    or about the area itself, say it all: while they fire as badly, this one's are left out of
    people's lists.
    """

    name: str  # "<domain>.<rule>", unique
    title: Title
    levels: tuple[tuple[str, Severity], ...]  # (parameter key, severity), ascending
    unit_scale: int  # scaled value = parameter * 10**unit_scale
    property: str | None = None
    consecutive: str = "1"  # parameter key, or a plain number
    jump_over: str | None = None  # parameter key
    hysteresis: str | None = None  # parameter key
    clear_minutes: str | None = None  # parameter key
    clear_count: str | None = None  # parameter key
    unit: str = ""  # of the parameters, for people
    version: str = "1"
    over: tuple[str, ...] = ()  # parameter keys of `levels` that are met only above
    raise_minutes: str | None = None  # parameter key
    covers_area: bool = False
    hidden_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """A thing that is watched."""

    id: str
    type: str
    area: str
    name: str
    lon: float | None
    lat: float | None
    attributes: Mapping[str, str]
    external_ids: Mapping[str, str] = field(default_factory=dict)  # scheme → id, others' names


@dataclass(frozen=True, slots=True, eq=False)
class AreaView:
    """What a domain sees of the registry for one area.

    Series (a sensor's property) are numbered 0..S-1 and keep their number while the area lives;
    `series_property` indexes `Domain.properties` and, behind them, `Domain.reads`; `series_point`
    indexes `points`. `learnt`: for `hourly` and `daily` only, by point what the domain had told
    (`Domain.learns`) and is in force for the day asked about.
    """

    area: str
    points: tuple[Point, ...]
    series_sensor: Int32
    series_property: Int16
    series_point: Int32
    series_report_s: Int32
    series_active: Bool
    parameters: Mapping[str, str]
    series_name: tuple[str, ...] = ()  # the sensor's name of every series
    series_source: tuple[str, ...] = ()  # its gateway; "" when the registry does not know it
    learnt: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def number(self, key: str) -> Decimal:
        """The parameter as an exact decimal."""
        return Decimal(self.parameters[key])


class HistoryReader(Protocol):
    """Accepted readings of the area and domain within the horizon."""

    def between(self, series: Int32, start_ms: int, end_ms: int) -> Rows:
        """Rows of these series with start <= time < end, sorted by (series, time)."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Columns of accepted readings; values scaled."""

    series: Int32
    time_ms: Int64
    value: Int64
    flag: Int8

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The accepted rows of one frame, sorted by (series, time), after the quality checks.

    `fresh` marks rows newer than everything known of their series before this frame: only these
    may move an alert. `position` is the log offset of the frame.
    """

    ingest_ms: int
    position: int
    rows: Rows
    fresh: Bool
    history: HistoryReader


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The accepted rows of several frames at once, sorted by (series, time); all are fresh.

    `frame` numbers the frame of each row in the order of the log: within a series it never goes
    down. `history` ends before the first of these frames.
    """

    rows: Rows
    frame: Int64
    history: HistoryReader


@dataclass(frozen=True, slots=True, eq=False)
class HourMatrix:
    """Hour windows of one area-day (Asia/Shanghai): arrays of shape (S, 24), by hour start.

    Only readings with a flag of at most 2 count. `n` 0 = nothing. `bad` counts the others.
    `total`, `low`, `high` are scaled. Hours that are not closed yet have n = 0.
    """

    day_start_ms: int
    n: Int64
    bad: Int64
    total: Int64
    low: Int64
    high: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Closing:
    """A window of the domain's smallest size that the watermark has passed, in order, once each.

    `rows` are what the history holds of it. A later change inside the horizon comes as a call
    with `revised` true for the same period.
    """

    start_ms: int
    end_ms: int
    decided_ms: int  # processing time
    position: int
    rows: Rows
    history: HistoryReader
    revised: bool
    day: HourMatrix | None  # only when windows begin at an hour: the day so far, this hour included
    closed_ms: int = 0  # how far windows are closed, this period included


@dataclass(frozen=True, slots=True)
class Judgement:
    """A derived value for a rule, in event order, at one point (index into AreaView.points) or,
    with the point `surroundings.AREA`, of the area as a whole."""

    rule: str
    point: int
    time_ms: int
    value: int  # scaled by the rule's unit_scale
    unverified: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Ends the open alert of a rule at a point (or of the area) without a measurement."""

    rule: str
    point: int
    time_ms: int
    change: Change
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A quality flag found later than its reading."""

    series: int
    time_ms: int
    flag: int


@dataclass(frozen=True, slots=True)
class Result:
    """A derived value of one point, e.g. a station's hourly AQI; by (kind, point, time)."""

    kind: str  # "<domain>.<what>"
    point: str
    start_ms: int
    period_s: int
    payload: Mapping[str, Any]  # JSON: ints, strings, None, lists; no floats


@dataclass(frozen=True, slots=True)
class Episode:
    """One continuous hazard at one point. Upserted by id; `removed` when a revision undid it."""

    id: str
    kind: str
    point: str
    start_ms: int
    end_ms: int | None
    payload: Mapping[str, Any]
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """A maintenance matter (never a hazard): opened by evidence, closed by evidence.

    It is of a sensor, or (sensor 0) of the `subject`, e.g. "source:gw-7". Saying that an open one
    is open adds to its evidence.
    """

    sensor: int  # catalogue id
    property: str
    kind: str  # spike, flat_line, range, jump, frozen, silent, neighbour, drift, unit
    time_ms: int
    closed: bool
    evidence: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""


@dataclass(slots=True)
class Outputs:
    """What a domain answers; everything optional."""

    judgements: list[Judgement] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    flags: list[FlagChange] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    inventory_changed: bool = False  # the area's "state" partial must be told again


Many: TypeAlias = tuple[Any, Mapping[int, Outputs]]  # a domain's new state; outputs by frame
Payload = Mapping[str, Any]  # JSON without floats


@dataclass(frozen=True, slots=True)
class Derived:
    """What hour windows of one area say: results of points, the partial for the region."""

    results: Sequence[Result]
    partial: Payload | None


@dataclass(frozen=True, slots=True)
class FactValue:
    """A value of an indicator. All exact: value = numerator / denominator when both are given.

    `value` is a decimal text as it is to be shown, or None when it cannot be stated.
    `complete` is (have, want); `detail` echoes method, standard, parameters, members.
    """

    value: str | None
    numerator: str | None = None
    denominator: str | None = None
    have: int = 0
    want: int = 0
    lower: str | None = None
    upper: str | None = None
    detail: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactSpec:
    """A fact computed from partials of the same period.

    `compute(level, members, parameters)` gets the partials by area code (absent = no data), for
    level "county" one member, "city" its counties and the city's own points, "province" all.
    `rule` names a TierRule (property None) that judges `alert_value` of the fact at city level.
    """

    indicator: str
    title: Title
    unit: str
    period: str  # "hour" | "day" | "state"
    levels: tuple[str, ...]
    compute: Callable[[str, Mapping[str, Payload], Mapping[str, str]], FactValue | None]
    rule: str | None = None
    alert_value: Callable[[FactValue], int | None] | None = None
    plan_row: int | None = None
    method: str = "1"


@dataclass(frozen=True, slots=True)
class RollUp:
    """A fact over a longer period (month, year) from daily facts of the same area, or, at the
    province, from the cities' facts of the same period.

    `over_days(days, wanted, parameters)`: daily fact values by day start (ms); `wanted` = days of
    the period that have passed. `over_cities(cities, parameters)`: the cities' values by code.
    """

    indicator: str
    title: Title
    unit: str
    source: str  # indicator of the daily facts
    periods: tuple[str, ...]  # "month", "year"
    over_days: Callable[[Mapping[int, FactValue], int, Mapping[str, str]], FactValue | None]
    over_cities: Callable[[Mapping[str, FactValue], Mapping[str, str]], FactValue | None]
    plan_row: int | None = None
    method: str = "1"


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain. `initial(view, previous)` makes or adapts the state (registry changed);
    `step`, `close` and `heed` own the state they are given and return it.

    `step_many` answers for several frames, by their numbers, exactly what `step` would have said
    one by one, with a new state; None asks for `step` one by one. It leaves the state that it is
    given as it is, sets no flags and opens no tickets. A domain that steps without it is never
    given several frames at once.

    `mistakes` tells what of a profile's parameters the domain cannot compute with; such a profile
    never comes into force. `reads` names properties of other domains: their accepted rows come in
    `step` and `close` too, with `series_property` behind the domain's own, in the order of `reads`.
    They are stored and judged only by the domain that owns them; rows later than the reader's
    horizon do not come.
    `learns` is the kind of those results of `close` that say what was learnt of a point, so that
    `hourly` and `daily`, which see no state, know it too: one per point, `period_s` a day, from a
    day start on. Tell it for a day that has not begun by the closed window's time: in force for a
    day is what was learnt up to the end of the day before. For a day, the result with the newest
    start at or before it counts, point by point, both in the stream and when the day is made again
    from the store; a payload that takes back what was learnt is told like any other.
    `heed` is called when the firing alerts of the area's other domains or the official warnings
    in force have changed, when a registry or profile version comes into force, and at the
    processing time that `due` gives.
    """

    name: str
    title: Title
    properties: tuple[Property, ...]
    points: tuple[PointType, ...]
    timing: Timing = Timing()
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[TierRule, ...] = ()
    facts: tuple[FactSpec, ...] = ()
    rollups: tuple[RollUp, ...] = ()
    state_type: type[Any] | None = None
    initial: Callable[[AreaView, Any], Any] | None = None
    step: Callable[[Any, AreaView, Batch], tuple[Any, Outputs]] | None = None
    step_many: Callable[[Any, AreaView, Stretch], Many | None] | None = None
    close: Callable[[Any, AreaView, Closing], tuple[Any, Outputs]] | None = None
    hourly: Callable[[AreaView, HourMatrix, int], Derived] | None = None
    daily: Callable[[AreaView, HourMatrix], Derived] | None = None
    inventory: Callable[[AreaView, Any], Payload | None] | None = None  # partial of period "state"
    mistakes: Callable[[Mapping[str, str]], list[str]] | None = None  # in filled-in parameters
    reads: tuple[str, ...] = ()
    heed: Callable[[Any, AreaView, Surroundings], tuple[Any, Outputs]] | None = None
    due: Callable[[Any], int | None] | None = None
    learns: str | None = None
    simulated: str | None = None  # module in sensors.simulation that plays it, when there is one
    warned: tuple[str, ...] = ()  # types of official warnings about what it measures

    def property_index(self, name: str) -> int:
        return next(i for i, p in enumerate(self.properties) if p.name == name)


def day_start(time_ms: int, zone_ms: int = SHANGHAI_OFFSET_MS) -> int:
    """Start of the day that contains the time, epoch ms; Asia/Shanghai (no DST) unless told."""
    return (time_ms + zone_ms) // DAY_MS * DAY_MS - zone_ms


def empty_matrix(series: int, day_start_ms: int) -> HourMatrix:
    """A day without a reading."""

    def zeros() -> NDArray[np.int64]:
        return np.zeros((series, 24), np.int64)

    return HourMatrix(day_start_ms, zeros(), zeros(), zeros(), zeros(), zeros())
