"""A replay: files → rows → frames → the log of a namespace, then the worker's pipeline over it.

It makes its own namespace with the registry and profile that the rows need. What goes into a live
namespace is `sensors.feeds.backfill`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sensors.feeds.arrival import Arrival, Disorder, in_order, upset
from sensors.feeds.feed import Entries, Feed, Gazetteer
from sensors.feeds.framing import Pulse, Routing, Sent, replay_frames
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
from streams.storage.migrate import drop_namespace, migrate
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
    domain = feed_domain(feed)
    horizon_ms = _horizon_ms(domain, request.settings)
    files = sort_files(feed, request.paths)
    tally = Tally()
    rows = list(read_rows(feed, files["readings"], request.period, tally))
    if not rows:
        raise Misconfigured([f"feed {feed.name}: no usable row in the files and period given"])
    arrivals = in_order(rows, interval_ms(feed, domain), feed.delay_s * 1000)
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
    stored = stored_registry(conninfo, namespace)
    routing = route(prepared.request.feed, prepared.domain, stored)
    sent = replay_frames(prepared.arrivals, routing, prepared.request.pulse)
    start = prepared.arrivals[0].at_ms - CONTROL_LEAD_MS
    # The profile first: an area takes its timing from it when the registry makes the area.
    for kind, version in (("profile", prepared.profile.version), ("registry", stored.version)):
        for partition in range(stored.partition_count):
            yield Stamped(partition, start, encode_control(kind, version, start))
    yield from encode_sent(sent, prepared.tally, prepared.request.encoding)


def encode_sent(sent: Iterable[Sent], tally: Tally, encoding: str) -> Iterator[Stamped]:
    """Frames and ticks as records; frames are counted in the tally."""
    for one in sent:
        if isinstance(one.event, Frame):
            tally.frames += 1
            entry = encode(one.event, encoding)
        else:
            entry = encode_tick(one.event.ingest_ms)
        yield Stamped(one.partition, one.at_ms, entry)


def feed_domain(feed: Feed) -> Domain:
    """The domain whose readings the feed has; `Misconfigured` when it is not installed."""
    domains = find_domains()
    if feed.domain not in domains:
        raise Misconfigured([f"feed {feed.name} needs the domain {feed.domain}, which is missing"])
    return domains[feed.domain]


def interval_ms(feed: Feed, domain: Domain) -> int:
    """The longest interval of the feed's properties: a row is complete at its end."""
    return max(p.interval_s for p in domain.properties if p.name in feed.properties) * 1000


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


def stored_registry(conninfo: str, namespace: str) -> Registry:
    """The newest version; `Misconfigured` when there is none."""
    with translated(), connect(conninfo, namespace, "citybrain replay") as connection:
        found = newest(connection, "registry")
    if found is None:
        raise Misconfigured([f"namespace {namespace} has no registry"])
    return Registry.from_dict(found[1])


def route(feed: Feed, domain: Domain, registry: Registry) -> Routing:
    """Where the feed's rows go under this registry."""
    return Routing(
        source=feed.source,
        domain=domain.name,
        areas={
            sensor.name: registry.points[sensor.point].area for sensor in registry.sensors.values()
        },
        partitions=registry.partitions,
        partition_count=registry.partition_count,
    )
