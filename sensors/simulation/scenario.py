"""The scenarios: which sky, from when on, and what is scripted to go wrong."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from sensors.simulation.drift import DriftPlayer
from sensors.simulation.player import Player
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Sky
from sensors.simulation.typhoon import Typhoon
from streams.catalog import Registry
from streams.contracts.domain import HOUR_MS, SHANGHAI_OFFSET_MS, Domain
from streams.errors import Misconfigured

MINUTE_MS = 60_000
SHANGHAI = timezone(timedelta(milliseconds=SHANGHAI_OFFSET_MS))


@dataclass(frozen=True, slots=True)
class Scenario:
    """`start` is the usual first moment (Asia/Shanghai); `faults` come before those asked for."""

    name: str
    title: str
    start: str
    faults: tuple[str, ...] = ()

    def start_ms(self) -> int:
        return parse_start(self.start)

    def sky(self, seed: int, start_ms: int) -> Sky:
        """The weather from the start on."""
        showers = Showers(seed, (start_ms + SHANGHAI_OFFSET_MS) / HOUR_MS % 24)
        return Typhoon(seed, showers) if self.name == "typhoon" else showers

    def players(
        self, registry: Registry, domains: Iterable[Domain], seed: int, start_ms: int
    ) -> Sequence[Player]:
        """One player per domain: the module that `Domain.simulated` names, else slow waves.

        Raises `Misconfigured` for a domain that names no module of this room.
        """
        sky = self.sky(seed, start_ms)
        return tuple(
            DriftPlayer(registry, domain, seed)
            if domain.simulated is None
            else _physics(domain)(registry, sky, seed, start_ms)
            for domain in sorted(domains, key=lambda d: d.name)
        )


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        s.name: s
        for s in (
            Scenario("ordinary", "an ordinary summer day with light showers", "2026-08-06T05:30"),
            Scenario(
                "typhoon",
                "a typhoon lands near Wenling; 24 hours, then showers",
                "2026-08-11T13:25",
                ("gateway-down:worst@200+45",),
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


def _physics(domain: Domain) -> Callable[[Registry, Sky, int, int], Player]:
    """`PLAYER` of the module `sensors.simulation.<simulated>`."""
    name = f"{__package__}.{domain.simulated}"
    try:
        found: Callable[[Registry, Sky, int, int], Player] = importlib.import_module(name).PLAYER
    except (ModuleNotFoundError, AttributeError) as error:
        raise Misconfigured([f"domain {domain.name}: {name} exports no PLAYER"]) from error
    return found
