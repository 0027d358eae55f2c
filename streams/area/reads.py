"""Readings that one domain owns and another reads too: the reader's lane gets the accepted rows.

Only the owner stores, judges and counts them. What is later than the reader's own horizon does
not come; days are rebuilt from the store without them (`Domain.hourly` and `daily` look at the
domain's own properties only).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from streams.area.lane_work import Taken
from streams.area.seat import Seat
from streams.contracts.domain import AreaView, Domain
from streams.contracts.frame import Int32
from streams.errors import Misconfigured
from streams.windows.chunk import Chunk, join


def with_reads(domain: Domain, domains: Mapping[str, Domain]) -> Domain:
    """The domain as its lane sees it: what it reads behind its own properties, with their points.

    Raises `Misconfigured` for a property that no domain owns.
    """
    if not domain.reads:
        return domain
    owners = {p.name: (d, p) for d in domains.values() for p in d.properties}
    missing = sorted(set(domain.reads) - set(owners))
    if missing:
        raise Misconfigured(
            [f"domain {domain.name} reads {name}: nobody owns it" for name in missing]
        )
    found = [owners[name] for name in domain.reads]
    points = {kind.name: kind for owner, _ in found for kind in owner.points}
    return replace(
        domain,
        properties=domain.properties + tuple(prop for _, prop in found),
        points=domain.points + tuple(points.values()),
    )


def connect(seats: Mapping[str, Seat], domains: Mapping[str, Domain]) -> None:
    """Tells every seat who reads its rows, with the reader's series for each of its own."""
    for name, seat in seats.items():
        own = {p.name for p in domains[name].properties}
        readers = sorted(n for n in seats if own & set(domains[n].reads))
        seat.readers = tuple((n, _table(seat.work.view, seats[n], domains[name])) for n in readers)


def translate(rows: Chunk, table: Int32) -> Chunk:
    """The rows that the reader has series for, under its numbers."""
    series = table[rows.series]
    known = np.flatnonzero(series >= 0)
    found = rows.take(known)
    found.series = series[known]
    return found


def accepted(taken: Taken) -> Chunk:
    """New rows with their final flags, and revised ones."""
    return join([replace(taken.sifted.new, flag=taken.flag), taken.sifted.revised])


def _table(view: AreaView, reader: Seat, owner: Domain) -> Int32:
    names = [p.name for p in reader.work.domain.properties]
    known = {
        (int(sensor), names[prop]): series
        for series, (sensor, prop) in enumerate(
            zip(reader.work.view.series_sensor, reader.work.view.series_property, strict=True)
        )
        if prop >= reader.work.own
    }
    keys = zip(view.series_sensor.tolist(), view.series_property.tolist(), strict=True)
    found = [
        known.get((sensor, owner.properties[prop].name), -1) if prop < len(owner.properties) else -1
        for sensor, prop in keys
    ]
    return np.array(found, np.int32)
