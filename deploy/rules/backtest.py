"""Stored readings once more, under the rules in force and under others, each in a namespace of its
own; what differs between their alerts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np

from deploy.registry_store import opened
from deploy.rules.store import InForce
from sensors.feeds.playing import Pace, Stamped, Watcher, play
from streams.alerting.ruleset import RuleSet
from streams.catalog import Profile, Registry
from streams.contracts.area_code import stem_of
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Domain
from streams.contracts.frame import Frame
from streams.contracts.reason import NamespaceKind, Origin
from streams.errors import Misconfigured
from streams.storage.explaining import Fired, fired_alerts
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.registry import replace_rules, save_profile, save_registry
from streams.storage.replaying import Kept, Wish, count_rows, kept_rows

STEP_MS = 60_000  # readings of a minute travel in one frame
TRAVEL_MS = 1000
TICK_MS = 60_000
READ_AT_ONCE = timedelta(hours=1)
AFTER_MS = 2 * 3_600_000  # time that goes on behind the last reading


@dataclass(frozen=True)
class Span:
    """What is compared, and how much before it is played to have a past."""

    since_ms: int
    until_ms: int
    lead_ms: int
    area: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """One alert that is not the same under both: `old` None = gained, `new` None = lost."""

    old: Fired | None
    new: Fired | None
    what: tuple[str, ...]  # gained, lost, earlier, later, severity

    @property
    def one(self) -> Fired:
        """Either of them."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass
class Report:
    """How the two runs compare."""

    readings: int
    old: int
    new: int
    same: int
    shifts: list[Shift] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many of each kind; one alert may be of two (earlier, and of another severity)."""
        kinds = ("gained", "lost", "earlier", "later", "severity")
        return {kind: sum(kind in one.what for one in self.shifts) for kind in kinds}


Told = Callable[[str, int, int], None]  # what is done, how much of how much


def backtest(
    conninfo: str,
    held: InForce,
    rules: RuleSet,
    domains: Mapping[str, Domain],
    span: Span,
    told: Told,
) -> Report:
    """Plays the span twice and compares; the namespaces are dropped whatever happens.

    Raises `Misconfigured` when there is no reading in it.
    """
    wish = Wish(
        _moment(span.since_ms - span.lead_ms),
        _moment(span.until_ms),
        stem_of(span.area) if span.area else "",
        {p.name: p.interval_s * 1000 for d in domains.values() for p in d.properties},
    )
    with opened(conninfo, held.namespace) as connection:
        count = count_rows(connection, wish)
    if not count:
        raise Misconfigured([f"{held.namespace} has no reading of {wish.since} to {wish.until}"])
    sides = {"in force": held.rules if held.version else None, "changed": rules}
    alerts: dict[str, list[Fired]] = {}
    for name, said in sides.items():
        with ExitStack() as stack:
            namespace = f"backtest_{secrets.token_hex(4)}"
            stack.callback(drop_namespace, conninfo, namespace)
            registry, profile = _make(conninfo, namespace, held, said)
            rows = _rows(conninfo, held.namespace, wish)
            records = _records(rows, registry, profile, said, span)
            done = _Counter(name, count, told)
            play(conninfo, namespace, done.through(records), Pace(None), done.watcher())
            with opened(conninfo, namespace) as connection:
                alerts[name] = fired_alerts(connection)
    return compare(alerts["in force"], alerts["changed"], span, count)


def compare(old: Sequence[Fired], new: Sequence[Fired], span: Span, readings: int) -> Report:
    """Alerts of the span by rule, subject and overlapping time."""
    since = _moment(span.since_ms)
    sides = [[one for one in side if _touches(one, since)] for side in (old, new)]
    keys = sorted({(one.rule, one.subject) for side in sides for one in side})
    report = Report(readings, len(sides[0]), len(sides[1]), 0)
    for key in keys:
        before, after = ([one for one in side if (one.rule, one.subject) == key] for side in sides)
        for one, other in _pairs(before, after):
            what = _what(one, other)
            if what:
                report.shifts.append(Shift(one, other, what))
            else:
                report.same += 1
    return report


def _touches(one: Fired, since: datetime) -> bool:
    return one.ended is None or one.ended > since


def _pairs(
    old: Sequence[Fired], new: Sequence[Fired]
) -> Iterator[tuple[Fired | None, Fired | None]]:
    """Each alert with the first that it overlaps on the other side, in order of time."""
    left = list(new)
    for one in old:
        match = next((other for other in left if _overlap(one, other)), None)
        if match is not None:
            left.remove(match)
        yield one, match
    for other in left:
        yield None, other


def _overlap(one: Fired, other: Fired) -> bool:
    far = datetime.max.replace(tzinfo=UTC)
    return one.since <= (other.ended or far) and other.since <= (one.ended or far)


def _what(old: Fired | None, new: Fired | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ("gained",) if old is None else ("lost",)
    when = ("earlier",) if new.since < old.since else ("later",) if new.since > old.since else ()
    return when + (("severity",) if old.peak != new.peak else ())


# the throwaway ------------------------------------------------------------------------------------


def _make(
    conninfo: str, namespace: str, held: InForce, rules: RuleSet | None
) -> tuple[Registry, Profile]:
    profile = Profile("backtest", held.values)
    migrate(conninfo, namespace, NamespaceKind.VERIFY, partitions=held.registry.partition_count)
    with opened(conninfo, namespace) as connection:
        registry = save_registry(connection, held.registry)
        save_profile(connection, profile)
        if rules is not None:
            replace_rules(connection, "", rules)
    return registry, profile


def _rows(conninfo: str, namespace: str, wish: Wish) -> Iterator[Kept]:
    """An hour in a transaction: none lasts as long as the play."""
    since = wish.since
    while since < wish.until:
        part = replace(wish, since=since, until=min(since + READ_AT_ONCE, wish.until))
        with opened(conninfo, namespace) as connection:
            yield from kept_rows(connection, part)
        since = part.until


def _records(
    rows: Iterator[Kept],
    registry: Registry,
    profile: Profile,
    rules: RuleSet | None,
    span: Span,
) -> Iterator[tuple[Stamped, int]]:
    """Controls, then frames a minute at a time with a tick behind each; readings in each."""
    partitions = range(registry.partition_count)
    start = span.since_ms - span.lead_ms - STEP_MS
    versions = {"profile": profile.version, "registry": registry.version}
    if rules is not None:
        versions["rules"] = rules.version
    for kind, version in versions.items():
        for partition in partitions:
            yield Stamped(partition, start, encode_control(kind, version, start)), 0
    now: int = start
    number = 0
    for minute, group in groupby(rows, key=lambda row: row.end_ms // STEP_MS):
        together: dict[tuple[str, str, str], list[Kept]] = {}
        for row in group:
            together.setdefault((row.area, row.domain, row.gateway), []).append(row)
        for (area, domain, gateway), kept in sorted(together.items()):
            number += 1
            now = max(now, (minute + 1) * STEP_MS + TRAVEL_MS)
            frame = _frame(f"b{number}", now, area, domain, gateway, kept)
            place = registry.partitions.get(area)
            if place is not None:
                yield Stamped(place, now, encode(frame)), len(kept)
        yield from ((Stamped(p, now, encode_tick(now)), 0) for p in partitions)
    for at in range(now + TICK_MS, now + AFTER_MS, TICK_MS):
        yield from ((Stamped(p, at, encode_tick(at)), 0) for p in partitions)


def _frame(
    identity: str, at_ms: int, area: str, domain: str, gateway: str, rows: Sequence[Kept]
) -> Frame:
    sensors = sorted({row.sensor for row in rows})
    properties = sorted({row.property for row in rows})
    sensor, prop = ({name: n for n, name in enumerate(of)} for of in (sensors, properties))
    return Frame(
        source=gateway,
        id=identity,
        domain=domain,
        area=area,
        origin=Origin.REPLAYED,
        ingest_ms=at_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensor[row.sensor] for row in rows], np.int32),
        property=np.array([prop[row.property] for row in rows], np.int32),
        time_ms=np.array([row.time_ms for row in rows], np.int64),
        value=np.array([row.value / 10**row.scale for row in rows], np.float64),
    )


@dataclass
class _Counter:
    """Tells how far one of the two runs has come."""

    name: str
    count: int
    told: Told
    sent: int = 0

    def through(self, records: Iterator[tuple[Stamped, int]]) -> Iterator[Stamped]:
        for record, readings in records:
            self.sent += readings
            yield record

    def watcher(self) -> Watcher:
        return Watcher(
            lambda _: self.told(f"{self.name}: to the log", self.sent, self.count),
            lambda done, of: self.told(f"{self.name}: processed", done, of),
        )


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
