"""The scenarios: which sky, from when on, and what is scripted to go wrong."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from sensors.simulation.cold import ColdWave
from sensors.simulation.drift import DriftPlayer
from sensors.simulation.heat import HeatWave
from sensors.simulation.player import Player
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Sky
from sensors.simulation.smog import Smog
from sensors.simulation.typhoon import Typhoon
from sensors.simulation.world import World
from streams.catalog import Registry
from streams.contracts.domain import SHANGHAI_OFFSET_MS, Domain
from streams.errors import Misconfigured

MINUTE_MS = 60_000
SHANGHAI = timezone(timedelta(milliseconds=SHANGHAI_OFFSET_MS))


@dataclass(frozen=True, slots=True)
class Scenario:
    """`sky` makes the weather from seed and start; `start` is the usual first moment
    (Asia/Shanghai); `faults` come before those asked for."""

    name: str
    title: str
    start: str
    sky: Callable[[int, int], Sky]
    faults: tuple[str, ...] = ()

    def start_ms(self) -> int:
        return parse_start(self.start)

    def world(self, registry: Registry, seed: int, start_ms: int) -> World:
        """The city under this sky, before its first step."""
        return World(registry, self.sky(seed, start_ms), seed, start_ms)


def players(world: World, domains: Iterable[Domain]) -> Sequence[Player]:
    """One player per domain: the module that `Domain.simulated` names, else slow waves.

    Raises `Misconfigured` for a domain that names no module of this room.
    """
    return tuple(
        (DriftPlayer if domain.simulated is None else _physics(domain))(world, domain)
        for domain in sorted(domains, key=lambda d: d.name)
    )


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        s.name: s
        for s in (
            Scenario(
                "ordinary",
                "an ordinary summer day with light showers",
                "2026-08-06T05:30",
                Showers,
            ),
            Scenario(
                "typhoon",
                "a typhoon lands near Wenling; 24 hours, then showers",
                "2026-08-11T13:25",
                lambda seed, start_ms: Typhoon(seed, Showers(seed, start_ms)),
                ("gateway-down:worst@200+45",),
            ),
            Scenario(
                "smog",
                "three and a half days of winter smog, then a front clears it",
                "2026-12-08T17:50",
                lambda seed, start_ms: Smog(seed, Showers(seed, start_ms)),
            ),
            Scenario(
                "heat-wave",
                "five days from 37 to above 40 degrees, ended by thunderstorms",
                "2026-07-20T11:30",
                lambda seed, start_ms: HeatWave(Showers(seed, start_ms)),
            ),
            Scenario(
                "cold-wave",
                "a cold front with storm and snow, then two days of frost on icy roads",
                "2027-01-18T05:30",
                lambda seed, start_ms: ColdWave(seed, Showers(seed, start_ms)),
            ),
        )
    }
)


def parse_start(text: str) -> int:
    """Epoch ms of an ISO 8601 moment, Asia/Shanghai unless it names an offset.

    Raises `ValueError` unless it is a whole minute.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    start_ms = round(moment.timestamp() * 1000)
    if start_ms % MINUTE_MS:
        raise ValueError(f"{text} is not a whole minute")
    return start_ms


def _physics(domain: Domain) -> Callable[[World, Domain], Player]:
    """`PLAYER` of the module `sensors.simulation.<simulated>`."""
    name = f"{__package__}.{domain.simulated}"
    try:
        found: Callable[[World, Domain], Player] = importlib.import_module(name).PLAYER
    except (ModuleNotFoundError, AttributeError) as error:
        raise Misconfigured([f"domain {domain.name}: {name} exports no PLAYER"]) from error
    return found
