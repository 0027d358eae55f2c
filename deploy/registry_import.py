"""An import from files to a stored version: read, check, compare; only then change something."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.registry_store import Standing, elsewhere, standing
from deploy.registry_words import refused_text
from sensors.registry.assemble import Draft, Rules, assemble
from sensors.registry.crs import Ellipsoid
from sensors.registry.formats import Format, format_named
from sensors.registry.line import Content
from sensors.registry.merge import Change, Mode, difference, join
from sensors.registry.source import Reading, read_content
from streams.errors import Misconfigured

if TYPE_CHECKING:
    from streams.catalog import Registry
    from streams.contracts.domain import Domain
    from streams.settings import Settings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is to be read, and how. `namespace` None = the setting, or the format's own."""

    files: Sequence[Path]
    reading: Reading
    mode: Mode = Mode.MERGE
    namespace: str | None = None
    format: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """An import that is ready: what was read, and the registry that it would make."""

    before: Standing
    draft: Draft
    registry: Registry
    changes: tuple[Change, ...]
    throwaway: bool


def prepare(request: Request, settings: Settings, progress: Progress) -> Prepared:
    """Reads and checks everything; changes nothing.

    Raises `Misconfigured` when a whole file cannot be used: with every mistake of every file, the
    refused rows of the others too.
    """
    chosen = format_named(request.format) if request.format else None
    before = _standing(request, chosen, settings)
    contents, mistakes = _read(request, chosen, progress)
    progress("checking rows")
    draft = assemble(contents, _rules(request, before, settings))
    if mistakes:
        raise Misconfigured([*mistakes, *map(refused_text, draft.refused)])
    progress("comparing")
    registry = join(before.registry, draft, request.mode)
    changes = difference(before.registry, registry)
    return Prepared(before, draft, registry, changes, bool(chosen and chosen.areas))


def carry_out(prepared: Prepared, settings: Settings) -> tuple[str, int]:
    """Stores and activates; (version, partitions that were told)."""
    from deploy.registry_store import store, store_elsewhere

    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    if not prepared.throwaway:
        return store(settings, prepared.before, prepared.registry, now_ms)
    version = store_elsewhere(settings, prepared.before, prepared.registry, now_ms)
    return version, prepared.registry.partition_count


def found_domains(settings: Settings) -> Mapping[str, Domain]:
    """The domains that types and properties are checked against."""
    from streams.domains import find_domains

    return find_domains(settings.domain_path)


def _standing(request: Request, chosen: Format | None, settings: Settings) -> Standing:
    if chosen is None or not chosen.areas:
        return standing(settings.conninfo(), request.namespace or settings.namespace)
    fresh = elsewhere(chosen, 1)
    if request.namespace in (None, fresh.namespace):
        return fresh
    raise Misconfigured(
        [
            f"format {chosen.name} is a recording from elsewhere: it lives in the throwaway "
            f"namespace {fresh.namespace}, made anew by every import; leave --namespace away"
        ]
    )


def _read(
    request: Request, chosen: Format | None, progress: Progress
) -> tuple[list[Content], list[str]]:
    """The files that could be read, and what is wrong with the others."""
    contents: list[Content] = []
    mistakes: list[str] = []
    for path in request.files:
        progress(f"reading {path.name}")
        try:
            read = chosen.read if chosen else read_content
            contents.append(read(path, request.reading))
        except Misconfigured as error:
            mistakes += error.mistakes
    return contents, mistakes


def _rules(request: Request, before: Standing, settings: Settings) -> Rules:
    return Rules(
        before.geography,
        found_domains(settings),
        Ellipsoid.of(before.profile),
        dict(request.defaults),
        before.registry.points if request.mode is Mode.MERGE else {},
    )
