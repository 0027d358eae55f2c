"""A gateway that falls silent with all its sensors: ONE alert, however many counties it spans.

Rule (domain.md §8.3, H): at least `share` of its sensors, and at least `min_sensors`, fell silent
within `within_s` of each other. It ends when fewer than `share` are
silent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from streams.contracts.outcome import RegionMessage
from streams.region.parameters import GatewayNumbers

RULE = "region.gateway_silent"


@dataclass(frozen=True, slots=True)
class AreaSilence:
    """What one area says of a gateway: `silent` of `total` sensors, since when (epoch ms)."""

    silent: int
    total: int
    since_ms: int

    @staticmethod
    def of(message: RegionMessage) -> AreaSilence:
        """From a source message; a gateway that speaks has no silent sensors that count."""
        payload = message.payload
        silent = 0 if payload["speaking"] else int(payload["silent"])
        since = payload["since_ms"]
        return AreaSilence(
            silent, int(payload["total"]), message.proc_ms if since is None else since
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A gateway over all its areas: `together` sensors fell silent within the window that ended
    at `onset_ms`; `silent` of `total` are silent now."""

    together: int
    silent: int
    total: int
    onset_ms: int


def sum_silence(
    areas: Mapping[str, AreaSilence], registered: Mapping[str, int], numbers: GatewayNumbers
) -> Silence:
    """Adds up the areas. `registered` = sensors of the gateway by area in the registry.

    An area that has said nothing counts as speaking, unless it has fewer than `min_sensors`: such
    an area tells its sensors one by one and never speaks of the gateway. The onset is the first
    time at which the rule was met, else the end of the largest silence within the window.
    """
    silent = [a for a in areas.values() if a.silent > 0]
    least = numbers.min_sensors
    unheard = sum(n for area, n in registered.items() if area not in areas and n >= least)
    total = unheard + sum(a.total for a in areas.values())
    best = Silence(0, sum(a.silent for a in silent), total, 0)
    for end in sorted({a.since_ms for a in silent}):
        together = sum(a.silent for a in silent if end - numbers.within_ms <= a.since_ms <= end)
        found = Silence(together, best.silent, total, end)
        if is_silent(found, numbers):
            return found
        best = max(best, found, key=lambda s: s.together)
    return best


def is_silent(silence: Silence, numbers: GatewayNumbers) -> bool:
    """Whether the rule is met."""
    return silence.together >= numbers.min_sensors and _share(silence.together, silence) >= (
        numbers.share
    )


def evidence(
    gateway: str, areas: Mapping[str, AreaSilence], silence: Silence, numbers: GatewayNumbers
) -> dict[str, Any]:
    """JSON for the transition: the counts, the areas, and the house numbers in force."""
    return {
        "gateway": gateway,
        "silent": silence.silent,
        "total": silence.total,
        "areas": {a: [s.silent, s.total, s.since_ms] for a, s in sorted(areas.items())},
        "parameters": {
            "silent_share": str(numbers.share),
            "min_sensors": numbers.min_sensors,
            "within_s": numbers.within_ms // 1000,
        },
    }


def scaled_share(part: int, whole: int, scale: int) -> int:
    """The share times 10**scale, rounded down: it meets a threshold exactly when the share does."""
    return 10**scale * part // whole if whole else 0


def _share(count: int, silence: Silence) -> Fraction:
    return Fraction(count, silence.total) if silence.total else Fraction(0)
