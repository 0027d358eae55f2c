"""A declared backfill: years of recordings into the live log, a chunk of rows at a time.

It reads, appends and waits for the workers, never further ahead of them than a bound, and holds one
chunk in memory. The same files and period give the same frames, so that a backfill which broke off
is run again: what came is recognised. Processing is the workers' matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sensors.feeds.arrival import Arrival, in_order
from sensors.feeds.feed import Entries, Row
from sensors.feeds.framing import Routing, backfill_frames
from sensors.feeds.lines import count_lines, sort_files
from sensors.feeds.playing import Appender, Stamped
from sensors.feeds.replay import Request, encode_sent, feed_domain, interval_ms, route
from sensors.feeds.tally import Tally, read_rows
from streams.catalog import Registry
from streams.contracts.codec import encode_control
from streams.contracts.domain import Domain
from streams.contracts.reason import NamespaceKind
from streams.errors import Misconfigured, Unavailable
from streams.log import Log
from streams.storage.connect import connect, translated
from streams.storage.migrate import namespace_kind
from streams.storage.registry import newest, passed_versions, replace_newest

CHUNK_ROWS = 20_000  # held in memory; a hundred thousand readings of hourly air
AHEAD_RECORDS = 200  # that no worker has committed; some hundred thousand readings
PATIENCE_S = 20.0  # without any progress of the workers
POLL_S = 0.1


@dataclass(slots=True)
class Reach:
    """How far the log has the rows: the last one appended, and all lines up to it."""

    file: str = ""
    line: int = 0
    time_ms: int | None = None
    lines: int = 0


@dataclass(frozen=True)
class Backfill:
    """Files told apart and stations known; rows are not read yet."""

    request: Request
    domain: Domain
    files: Mapping[str, Sequence[Path]]
    entries: Entries
    lengths: Mapping[Path, int]  # physical lines of the readings
    tally: Tally = field(default_factory=Tally)
    reach: Reach = field(default_factory=Reach)

    @property
    def lines(self) -> int:
        """Physical lines of all files."""
        return sum(self.lengths.values())


@dataclass(frozen=True, slots=True)
class Hold:
    """How the workers are waited for; `behind` are records whose outputs are not committed."""

    behind: Callable[[], int]
    clock_s: Callable[[], float]
    sleep: Callable[[float], None]
    ahead: int = AHEAD_RECORDS
    patience_s: float = PATIENCE_S

    def wait(self, tell: Callable[[int], None]) -> None:
        """Until no more than `ahead` records wait. Raises `Unavailable` when nothing goes on."""
        least, since = self.behind(), self.clock_s()
        while (now := self.behind()) > self.ahead:
            tell(now)
            if now < least:
                least, since = now, self.clock_s()
            elif self.clock_s() - since > self.patience_s:
                raise Unavailable(
                    f"{now:,} records wait and no worker takes them in: start `citybrain worker`"
                )
            self.sleep(POLL_S)


@dataclass(frozen=True)
class Teller:
    """Told after every chunk, and while the workers are waited for."""

    appended: Callable[[Backfill], None] = lambda _: None
    waiting: Callable[[int], None] = lambda _: None


def open_backfill(request: Request) -> Backfill:
    """Finds out what the files are, how long, and which stations they name (one pass).

    Raises `Misconfigured` for recordings from elsewhere and for files that the feed does not read.
    """
    feed = request.feed
    if feed.elsewhere:
        raise Misconfigured(
            [f"feed {feed.name} is a recording from elsewhere: it may not enter a live namespace"]
        )
    domain = feed_domain(feed)
    files = sort_files(feed, request.paths)
    lengths = {path: count_lines(path) for path in files["readings"]}
    return Backfill(request, domain, files, feed.registry(files, request.gazetteer), lengths)


def append_backfill(
    backfill: Backfill,
    conninfo: str,
    namespace: str,
    log: Log,
    clock_ms: Callable[[], int],
    hold: Hold,
    teller: Teller | None = None,
) -> None:
    """Appends everything: first the control that activates the stations that the city lacks.

    `backfill.reach` says at any time how far the log has the rows. Raises `Misconfigured` when the
    namespace is no live one, has no registry, or lacks an area of the rows; `Unavailable`: run the
    same again.
    """
    told = teller or Teller()
    parts = chunks(backfill)
    first = next(parts, None)
    if first is None:
        raise Misconfigured(
            [f"feed {backfill.request.feed.name}: no usable row in the files and period given"]
        )
    live, behind = join_live(backfill, conninfo, namespace)
    now = clock_ms()
    for partition in behind:
        log.append(partition, [encode_control("registry", live.version, now)])
    routing = route(backfill.request.feed, backfill.domain, live)
    chunk: Chunk | None = first
    while chunk is not None:
        hold.wait(told.waiting)
        appender = Appender(log)
        for record in _records(chunk, backfill, routing, clock_ms):
            appender.add(record)
        appender.flush()
        chunk.reached(backfill.reach)
        told.appended(backfill)
        chunk = next(parts, None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows in their order of arrival; `last` is the last one read, `lines` all lines up to it."""

    arrivals: list[Arrival]
    file: Path
    last: Row
    lines: int

    def reached(self, reach: Reach) -> None:
        reach.file, reach.line, reach.lines = self.file.name, self.last.line, self.lines
        reach.time_ms = self.last.time_ms


def chunks(backfill: Backfill) -> Iterator[Chunk]:
    """The rows of the period, `CHUNK_ROWS` at a time, file after file; the tally goes along."""
    request, tally = backfill.request, backfill.tally
    length = interval_ms(request.feed, backfill.domain)
    before = 0
    for path in backfill.files["readings"]:
        rows: list[Row] = []
        for row in read_rows(request.feed, [path], request.period, tally):
            rows.append(row)
            if len(rows) >= CHUNK_ROWS:
                yield _chunk(rows, path, before, length, backfill)
                rows = []
        if rows:
            yield _chunk(rows, path, before, length, backfill)
        before += backfill.lengths[path]


def join_live(
    backfill: Backfill, conninfo: str, namespace: str
) -> tuple[Registry, tuple[int, ...]]:
    """The live registry with the stations that it lacked, and the partitions to be told of it.

    A partition that has not passed the version is told, perhaps twice, which does no harm: the
    backfill before may have broken off after it had saved the version.
    """
    with translated(), connect(conninfo, namespace, "citybrain backfill") as connection:
        found = newest(connection, "registry")
        if found is None:
            raise Misconfigured([f"namespace {namespace} has no registry: run `citybrain up` once"])
        live = Registry.from_dict(found[1])
        mistakes = [
            f"area {area.code} {area.name} of the rows is unknown in namespace {namespace}"
            for area in backfill.entries.areas
            if area.code not in live.areas
        ]
        if namespace_kind(connection) is not NamespaceKind.LIVE:
            mistakes.append(f"namespace {namespace} is not a live one")
        if mistakes:
            raise Misconfigured(mistakes)
        joined = _joined(live, backfill.entries)
        if joined is not live:
            joined = replace_newest(connection, found[0], joined)
        passed = passed_versions(connection, "registry")
    count = joined.partition_count
    return joined, tuple(n for n in range(count) if passed.get(n) != joined.version)


def _records(
    chunk: Chunk, backfill: Backfill, routing: Routing, clock_ms: Callable[[], int]
) -> Iterator[Stamped]:
    sent = backfill_frames(chunk.arrivals, routing, clock_ms)
    return encode_sent(sent, backfill.tally, backfill.request.encoding)


def _chunk(rows: list[Row], path: Path, before: int, length_ms: int, backfill: Backfill) -> Chunk:
    backfill.tally.readings += sum(len(row.values) for row in rows)
    delay_ms = backfill.request.feed.delay_s * 1000
    arrivals = in_order(rows, length_ms, delay_ms)
    return Chunk(arrivals, path, rows[-1], before + rows[-1].line)


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
