"""A replay: files → rows → frames → the log of a namespace, then the worker's pipeline over it.

The throwaway form makes its own namespace with the registry and profile that the rows need. The
backfill form appends to the live one and leaves the processing to the worker there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sensors.feeds.arrival import Arrival, Disorder, in_order, upset
from sensors.feeds.feed import Entries, Feed, Gazetteer
from sensors.feeds.framing import Pulse, Routing, Sent, backfill_frames, replay_frames
from sensors.feeds.lines import sort_files
from sensors.feeds.playing import Stamped
from sensors.feeds.tally import Period, Tally, read_rows
from streams.catalog import Profile, Registry, spread_areas
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Domain
from streams.contracts.frame import MSGPACK, Frame
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.errors import Misconfigured
from streams.storage.connect import connect, translated
from streams.storage.migrate import drop_namespace, migrate, namespace_kind
from streams.storage.registry import newest, save_profile, save_registry

MAX_PARTITIONS = 4
CONTROL_LEAD_MS = 60_000  # controls are stamped before everything that follows


@dataclass(frozen=True)
class Request:
    """What to replay and how. `settings` are profile keys, e.g. `air.timing.horizon_s`."""

    feed: Feed
    paths: tuple[Path, ...]
    period: Period = field(default_factory=Period)
    shuffle: int | None = None
    duplicate: float = 0.0
    settings: Mapping[str, str] = field(default_factory=dict)
    gazetteer: Gazetteer = field(default_factory=Gazetteer)
    encoding: str = MSGPACK
    pulse: Pulse = field(default_factory=Pulse)


@dataclass(frozen=True)
class Prepared:
    """Everything read and ordered, nothing written yet."""

    request: Request
    domain: Domain
    files: Mapping[str, Sequence[Path]]
    entries: Entries
    arrivals: list[Arrival]
    tally: Tally

    @property
    def profile(self) -> Profile:
        """The throwaway profile: the zone of the recording's days, and what was set."""
        zone = {"profile.utc_offset_hours": str(self.request.feed.utc_offset_hours)}
        return Profile(f"replay {self.request.feed.name}", zone | dict(self.request.settings))

    @property
    def registry(self) -> Registry:
        """The registry of the throwaway namespace; sensor ids are the store's matter."""
        weights = {area.code: 0 for area in self.entries.areas}
        for point in self.entries.points:
            weights[point.area] += 1
        watched = sum(weight > 0 for weight in weights.values())
        return _registry(self.entries, weights, max(1, min(MAX_PARTITIONS, watched)))


def prepare(request: Request) -> Prepared:
    """Reads the files and puts the rows into their order of arrival.

    Raises `Misconfigured` for files that the feed does not read, for a file without usable rows
    and for settings that are no numbers.
    """
    feed = request.feed
    domain = _domain(feed)
    horizon_ms = _horizon_ms(domain, request.settings)
    files = sort_files(feed, request.paths)
    tally = Tally()
    rows = list(read_rows(feed, files["readings"], request.period, tally))
    if not rows:
        raise Misconfigured([f"feed {feed.name}: no usable row in the files and period given"])
    interval_ms = max(p.interval_s for p in domain.properties if p.name in feed.properties) * 1000
    arrivals = in_order(rows, interval_ms, feed.delay_s * 1000)
    if request.shuffle is not None or request.duplicate > 0:
        seed = request.shuffle or 0
        shuffled = request.shuffle is not None
        arrivals = upset(arrivals, Disorder(seed, shuffled, request.duplicate, horizon_ms))
    tally.readings = sum(len(a.row.values) for a in arrivals)
    tally.copies = sum(len(a.row.values) for a in arrivals if a.copy)
    entries = feed.registry(files, request.gazetteer)
    return Prepared(request, domain, files, entries, arrivals, tally)


def open_namespace(prepared: Prepared, conninfo: str, namespace: str, kind: NamespaceKind) -> None:
    """Makes the throwaway namespace anew, with registry and profile saved, not yet activated."""
    drop_namespace(conninfo, namespace)
    registry = prepared.registry
    migrate(conninfo, namespace, kind, partitions=registry.partition_count)
    with translated(), connect(conninfo, namespace, "citybrain replay") as connection:
        save_registry(connection, registry)
        save_profile(connection, prepared.profile)


def records(prepared: Prepared, conninfo: str, namespace: str) -> Iterator[Stamped]:
    """The throwaway namespace's whole log in the order of its clock: controls, frames, ticks."""
    stored = _stored_registry(conninfo, namespace)
    routing = _routing(prepared, stored)
    sent = replay_frames(prepared.arrivals, routing, prepared.request.pulse)
    start = prepared.arrivals[0].at_ms - CONTROL_LEAD_MS
    # The profile first: an area takes its timing from it when the registry makes the area.
    for kind, version in (("profile", prepared.profile.version), ("registry", stored.version)):
        for partition in range(stored.partition_count):
            yield Stamped(partition, start, encode_control(kind, version, start))
    yield from _encoded(sent, prepared)


def backfill_records(
    prepared: Prepared, conninfo: str, namespace: str, clock: Callable[[], int]
) -> Iterator[Stamped]:
    """Frames for the live namespace; first the control that activates the stations it lacks.

    Raises `Misconfigured` when the feed's recordings are from elsewhere, the namespace is not a
    live one, it has no registry, or an area of the rows is unknown there.
    """
    live, added = _join_live(prepared, conninfo, namespace)
    if added:
        now = clock()
        for partition in range(live.partition_count):
            yield Stamped(partition, now, encode_control("registry", live.version, now))
    yield from _encoded(
        backfill_frames(prepared.arrivals, _routing(prepared, live), clock), prepared
    )


def _encoded(sent: Iterable[Sent], prepared: Prepared) -> Iterator[Stamped]:
    for one in sent:
        if isinstance(one.event, Frame):
            prepared.tally.frames += 1
            entry = encode(one.event, prepared.request.encoding)
        else:
            entry = encode_tick(one.event.ingest_ms)
        yield Stamped(one.partition, one.at_ms, entry)


def _domain(feed: Feed) -> Domain:
    domains = find_domains()
    if feed.domain not in domains:
        raise Misconfigured([f"feed {feed.name} needs the domain {feed.domain}, which is missing"])
    return domains[feed.domain]


def _horizon_ms(domain: Domain, settings: Mapping[str, str]) -> int:
    text = settings.get(f"{domain.name}.timing.horizon_s", str(domain.timing.horizon_s))
    try:
        return int(Decimal(text) * 1000)
    except InvalidOperation as error:
        raise Misconfigured([f"{domain.name}.timing.horizon_s: {text!r} is no number"]) from error


def _registry(entries: Entries, weights: Mapping[str, int], partitions: int) -> Registry:
    return Registry(
        areas={area.code: area for area in entries.areas},
        points={point.id: point for point in entries.points},
        sensors={sensor.name: sensor for sensor in entries.sensors},
        gateways={gateway.id: gateway for gateway in entries.gateways},
        partitions=spread_areas(weights, partitions),
        partition_count=partitions,
    )


def _stored_registry(conninfo: str, namespace: str) -> Registry:
    with translated(), connect(conninfo, namespace, "citybrain replay") as connection:
        found = newest(connection, "registry")
    if found is None:
        raise Misconfigured([f"namespace {namespace} has no registry"])
    return Registry.from_dict(found[1])


def _routing(prepared: Prepared, registry: Registry) -> Routing:
    return Routing(
        source=prepared.request.feed.source,
        domain=prepared.domain.name,
        areas={
            sensor.name: registry.points[sensor.point].area for sensor in registry.sensors.values()
        },
        partitions=registry.partitions,
        partition_count=registry.partition_count,
    )


def _join_live(prepared: Prepared, conninfo: str, namespace: str) -> tuple[Registry, bool]:
    feed = prepared.request.feed
    if feed.elsewhere:
        raise Misconfigured(
            [f"feed {feed.name} is a recording from elsewhere: it may not enter a live namespace"]
        )
    live = _stored_registry(conninfo, namespace)
    entries = prepared.entries
    mistakes = [
        f"area {area.code} {area.name} of the rows is unknown in namespace {namespace}"
        for area in entries.areas
        if area.code not in live.areas
    ]
    with translated(), connect(conninfo, namespace, "citybrain backfill") as connection:
        if namespace_kind(connection) is not NamespaceKind.LIVE:
            mistakes.append(f"namespace {namespace} is not a live one")
        if mistakes:
            raise Misconfigured(mistakes)
        joined = _joined(live, entries)
        if joined is live:
            return live, False
        return save_registry(connection, joined), True


def _joined(live: Registry, entries: Entries) -> Registry:
    """The live registry with what it lacks; what it has is not touched."""
    if all(s.name in live.sensors for s in entries.sensors):
        return live
    return replace(
        live,
        points={p.id: p for p in entries.points} | dict(live.points),
        sensors={s.name: s for s in entries.sensors} | dict(live.sensors),
        gateways={g.id: g for g in entries.gateways} | dict(live.gateways),
    )
