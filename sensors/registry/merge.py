"""A draft joined to the registry in force, and what that would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from sensors.registry.assemble import Draft, GatewayDraft
from streams.catalog import Gateway, Registry


class Mode(StrEnum):
    """`merge`: what the files name is added or replaced, the rest stays. `replace`: the files are
    all points, sensors and gateways that there are; areas and partitions stay."""

    MERGE = "merge"
    REPLACE = "replace"


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two versions. `fields` maps what changed to (old, new) as texts."""

    kind: str  # area | point | sensor | gateway
    id: str
    how: How
    fields: Mapping[str, tuple[str, str]]


def join(base: Registry, draft: Draft, mode: Mode) -> Registry:
    """The registry after the import. A sensor's number comes from the store; an area that gets its
    first point and has no partition yet gets the one with the fewest areas."""
    merging = mode is Mode.MERGE
    points = {**(base.points if merging else {}), **draft.points}
    sensors = {**(base.sensors if merging else {}), **draft.sensors}
    gateways = {g.id: _gateway(g, base) for g in draft.gateways.values()}
    return replace(
        base,
        points=points,
        sensors=sensors,
        gateways={**(base.gateways if merging else {}), **gateways},
        partitions=seated(base.partitions, {p.area for p in points.values()}, base.partition_count),
    )


def _gateway(draft: GatewayDraft, base: Registry) -> Gateway:
    """What the files leave open stays as it was, else follows from the first point."""
    held = base.gateways.get(draft.id)
    area = draft.area or (held.area if held else None) or draft.near or ""
    return Gateway(draft.id, area, draft.name or (held.name if held else "") or "")


def seated(partitions: Mapping[str, int], areas: set[str], count: int) -> dict[str, int]:
    """The table with a place for each of the areas; no area ever moves."""
    table = dict(partitions)
    load = Counter(table.values())
    for area in sorted(areas - table.keys()):
        lightest = min(range(count), key=lambda number: (load[number], number))
        table[area] = lightest
        load[lightest] += 1
    return table


def difference(old: Registry, new: Registry) -> tuple[Change, ...]:
    """What differs, by kind and id. Numbers of sensors are the catalogue's, no difference."""
    found: list[Change] = []
    found += _compared("area", old.areas, new.areas)
    found += _compared("point", old.points, new.points)
    found += _compared("sensor", old.sensors, new.sensors, ignored="id")
    found += _compared("gateway", old.gateways, new.gateways)
    return tuple(found)


def _compared(
    kind: str, old: Mapping[str, Any], new: Mapping[str, Any], ignored: str = ""
) -> list[Change]:
    found = [Change(kind, key, How.REMOVED, {}) for key in sorted(old.keys() - new.keys())]
    found += [Change(kind, key, How.ADDED, {}) for key in sorted(new.keys() - old.keys())]
    for key in sorted(old.keys() & new.keys()):
        changed = _fields(old[key], new[key], ignored)
        if changed:
            found.append(Change(kind, key, How.CHANGED, changed))
    return found


def _fields(old: Any, new: Any, ignored: str) -> dict[str, tuple[str, str]]:
    if old == new:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for field in fields(old):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if field.name == ignored or was == now:
            continue
        if isinstance(was, Mapping):
            keys = sorted(was.keys() | now.keys())
            pairs = {k: (was.get(k, ""), now.get(k, "")) for k in keys if was.get(k) != now.get(k)}
            found |= {f"{field.name}.{key}": pair for key, pair in pairs.items()}
        else:
            found[field.name] = (_text(was), _text(now))
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ";".join(value) if isinstance(value, tuple) else str(value)
