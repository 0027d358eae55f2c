"""Files of one vendor each, read as registry rows: found by scanning this folder for `FORMAT`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sensors.registry.line import Content
from sensors.registry.source import Reading
from streams.catalog import Area
from streams.contracts.domain import Title
from streams.errors import Misconfigured


@dataclass(frozen=True)
class Format:
    """A vendor's file. `areas` not empty marks a recording from elsewhere: it lives in a throwaway
    namespace with these pseudo-areas and this profile, never in the live one."""

    name: str
    title: Title
    read: Callable[[Path, Reading], Content]
    areas: tuple[Area, ...] = ()
    profile: Mapping[str, str] = field(default_factory=dict)


def formats() -> dict[str, Format]:
    """Every format by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        each: Format = importlib.import_module(f"{__name__}.{module.name}").FORMAT
        found[each.name] = each
    return found


def format_named(name: str) -> Format:
    """The format. Raises `Misconfigured` with the names that there are."""
    known = formats()
    if name not in known:
        raise Misconfigured([f"format {name!r} is none of {', '.join(sorted(known))}"])
    return known[name]
