"""Reads files of official warnings and appends them to a namespace's log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sensors.gateway.stored import StoredRegistry
from sensors.warnings.entry import ORIGINS, append
from sensors.warnings.places import Places
from sensors.warnings.reading import MOST_JSON, Refused, form_of, read_warnings
from streams.contracts.reason import NamespaceKind
from streams.contracts.warning import OPERATOR, OfficialWarning
from streams.errors import Misconfigured
from streams.log.opening import open_log
from streams.settings import Settings
from streams.storage.connect import Connection, connect, translated
from streams.storage.migrate import namespace_kind

SUFFIXES = (".xml", ".json")
SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCK = "select (extract(epoch from max(decided_at)) * 1000)::bigint from area_latest"


@dataclass(frozen=True, slots=True)
class Found:
    """One warning of a file, or why there is none."""

    path: Path
    content: OfficialWarning | Refused

    @property
    def is_refused(self) -> bool:
        return isinstance(self.content, Refused)

    def in_words(self) -> Iterator[str]:
        """A line for people."""
        one = self.content
        if isinstance(one, Refused):
            yield f"{self.path.name}: refused ({one.reason.value}): {one.detail}"
            return
        colour = one.severity.name.lower() if one.severity else "no colour"
        place = " ".join(one.areas) or f"no area of ours ({one.area_text[:60]})"
        said = f"{'、'.join(one.issuers)}, {one.event or one.headline}, {colour}, {place}"
        yield f"{self.path.name}: {one.kind.value} {one.status.value}: {said}"


def look(settings: Settings, namespace: str, paths: Sequence[Path]) -> list[Found]:
    """Everything in the files; `Misconfigured` when there are none, or no registry is stored."""
    files = list(_files(paths))
    if not files:
        named = ", ".join(str(p) for p in paths)
        raise Misconfigured([f"no file that ends in {' or '.join(SUFFIXES)} in {named}"])
    places = _places(settings, namespace)
    found: list[Found] = []
    for path in files:
        with path.open("rb") as file:
            content = file.read(MOST_JSON + 1)
        found += [Found(path, one) for one in read_warnings(content, form_of(content), places)]
    return found


def bring_in(settings: Settings, namespace: str, found: Sequence[Found], at: str | None) -> None:
    """Appends them. Raises `Unavailable`: import the same again."""
    with translated(), connect(settings.conninfo(), namespace, "citybrain warnings") as connection:
        kind = namespace_kind(connection)
        now_ms = _moment(connection, kind, at)
    log = open_log(settings, namespace)
    try:
        append(log, [one.content for one in found], OPERATOR, ORIGINS[kind], now_ms)
    finally:
        log.close()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        else:
            yield path


def _places(settings: Settings, namespace: str) -> Places:
    stored = StoredRegistry(settings.conninfo(), namespace)
    try:
        version = stored.active()
        areas = {} if version is None else stored.load(version).areas
        return stored.places(areas)
    finally:
        stored.close()


def _moment(connection: Connection, kind: NamespaceKind, at: str | None) -> int:
    """The ingest time: a simulated city must not be aged by the wall clock."""
    if at is not None:
        return _given(at)
    if kind is NamespaceKind.LIVE:
        return time.time_ns() // 1_000_000
    row = connection.execute(CLOCK).fetchone()
    if row is None or row[0] is None:
        raise Misconfigured(
            [f"this {kind.value} namespace has no time yet: say when they come in with --at"]
        )
    return int(row[0])


def _given(at: str) -> int:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise Misconfigured([f"--at {at!r} is no time in ISO 8601"]) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)
