"""Short plays over a small registry, for tests of the simulation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sensors.simulation import city, faults
from sensors.simulation.city import Step
from sensors.simulation.scenario import SCENARIOS, players
from streams.catalog import Registry
from streams.contracts.codec import encode
from streams.contracts.frame import Float64, Frame, Int64
from streams.domains import find_domains
from tests.support.zhejiang import SEED, registry_of

HOUR_MS = 3_600_000
START_MS = SCENARIOS["typhoon"].start_ms()


def steps(
    minutes: float,
    scenario: str = "typhoon",
    spoil: Sequence[str] = (),
    registry: Registry | None = None,
    seed: int = SEED,
    start_ms: int = START_MS,
    only: str | None = None,
) -> Iterator[Step]:
    """A play from the typhoon's usual start (unless told), 40 points unless a registry is given;
    of one domain if `only` names it."""
    world = SCENARIOS[scenario].world(registry or registry_of(40), seed, start_ms)
    spoilt = faults.parse(spoil, seed, start_ms)
    end_ms = start_ms + round(minutes * 60_000)
    domains = [d for name, d in find_domains().items() if only in (None, name)]
    return city.run(world, players(world, domains), spoilt, end_ms)


def frames(played: Iterable[Step]) -> list[Frame]:
    """All frames in the order of sending."""
    return [frame for step in played for frame in step.frames]


def series(found: Iterable[Frame], property_name: str) -> dict[str, tuple[Int64, Float64]]:
    """Times and values by sensor, in the order of sending."""
    rows: dict[str, list[tuple[int, float]]] = {}
    for frame in found:
        if property_name not in frame.properties:
            continue
        number = frame.properties.index(property_name)
        for i in np.flatnonzero(frame.property == number).tolist():
            name = frame.sensors[frame.sensor[i]]
            rows.setdefault(name, []).append((int(frame.time_ms[i]), float(frame.value[i])))
    return {
        name: (np.array([t for t, _ in r], np.int64), np.array([v for _, v in r]))
        for name, r in rows.items()
    }


def digest(found: Iterable[Frame]) -> str:
    """A short hash of the frames' bytes on the wire."""
    whole = hashlib.sha256()
    for frame in found:
        headers, body = encode(frame)
        whole.update(repr(sorted(headers.items())).encode())
        whole.update(body)
    return whole.hexdigest()[:16]
