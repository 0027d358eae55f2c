"""Silence is judged, never assumed: which sensors and gateways of an area have stopped speaking.

Processing time only. A sensor never heard of is not silent but unknown. All sensors of a gateway
at once are one matter, not many: the gateway's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from streams.contracts.frame import Bool, Int32, Int64
from streams.quality.parameters import whole
from streams.windows.watermark import NEVER

FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """House numbers (domain.md §8.3)."""

    factor: int = 3  # × the reporting interval
    least_ms: int = 120_000
    gateway_share_percent: int = 80
    gateway_least: int = 3  # fewer devices than this are told one by one
    within_ms: int = 60_000


def silence_limits(values: Mapping[str, str]) -> SilenceLimits:
    """The limits of a profile; absent keys have their default."""
    return SilenceLimits(
        factor=whole(values, "quality.silence.intervals"),
        least_ms=whole(values, "quality.silence.least_s") * 1000,
        gateway_share_percent=whole(values, "quality.silence.gateway_percent"),
        gateway_least=whole(values, "quality.silence.gateway_sensors"),
        within_ms=whole(values, "quality.silence.within_s") * 1000,
    )


@dataclass(slots=True)
class SilenceState:
    """Per device of the area, in the order of first appearance."""

    devices: list[int]  # catalogue sensor ids
    heard_ms: Int64
    silent_since: Int64  # NEVER = speaking (or never heard)
    ticketed: Bool
    gateways_down: dict[str, int] = field(default_factory=dict)  # gateway -> since


@dataclass(frozen=True, slots=True)
class SilenceEvent:
    """kind: device_silent | device_ticket | gateway_silent (index = gateway number)."""

    kind: str
    index: int
    at_ms: int


class Silence:
    """See the module. New `limits` hold from the next `fit` on."""

    def __init__(self, limits: SilenceLimits) -> None:
        self.limits = limits
        empty = np.empty(0, np.int64)
        self.state = SilenceState([], empty, empty.copy(), np.empty(0, np.bool_))
        self.moves = 0  # grows when a device falls silent or is heard (again); not kept
        self._bound = FAR
        self.timeout_ms: Int64 = empty
        self.shortest_ms = FAR
        self.gateway: Int32 = np.empty(0, np.int32)
        self.gateways: tuple[str, ...] = ()

    def fit(self, devices: list[int], report_s: list[int], gateways: list[str]) -> None:
        """The devices of the area: known ones first, in their old order, then the new ones."""
        self.moves += 1
        state, more = self.state, len(devices) - len(self.state.devices)
        state.devices = devices
        state.heard_ms = np.append(state.heard_ms, np.full(more, NEVER))
        state.silent_since = np.append(state.silent_since, np.full(more, NEVER))
        state.ticketed = np.append(state.ticketed, np.zeros(more, np.bool_))
        spans = [max(self.limits.factor * s * 1000, self.limits.least_ms) for s in report_s]
        self.timeout_ms = np.array(spans, np.int64)
        self.shortest_ms = min(spans, default=FAR)
        self.gateways = tuple(sorted(set(gateways)))
        number = {name: i for i, name in enumerate(self.gateways)}
        self.gateway = np.array([number[g] for g in gateways], np.int32)
        self._bound = NEVER

    def hear(self, devices: Int32, now_ms: int) -> tuple[list[int], list[int], list[str]]:
        """These devices spoke: (devices back from silence, of them ticketed, gateways back)."""
        state = self.state
        self.moves += int((state.heard_ms[devices] == NEVER).any())
        state.heard_ms[devices] = now_ms
        self._bound = min(self._bound, now_ms + int(self.timeout_ms[devices].min()))
        was = devices[state.silent_since[devices] > NEVER]
        if not len(was):
            return [], [], []
        self.moves += 1
        was = np.unique(was)
        ticketed = [int(d) for d in was if state.ticketed[d]]
        state.silent_since[was] = NEVER
        state.ticketed[was] = False
        back = sorted({self.gateways[g] for g in self.gateway[was]} & set(state.gateways_down))
        for name in back:
            del state.gateways_down[name]
            still = self._of(name) & (state.silent_since > NEVER)
            state.silent_since[still] = now_ms  # a matter of their own from now on
        return [int(d) for d in was], ticketed, back

    def due(self) -> tuple[int, str, SilenceEvent] | None:
        """The next deadline as (ms, key, event), the smallest first."""
        best: tuple[int, str, SilenceEvent] | None = None
        state = self.state
        if not len(state.devices):
            return None
        speaking = (state.heard_ms > NEVER) & (state.silent_since == NEVER)
        if speaking.any():
            at = np.where(speaking, state.heard_ms + self.timeout_ms, FAR)
            first = int(at.argmin())
            best = _event(int(at[first]), "device_silent", first)
        waiting = (state.silent_since > NEVER) & ~state.ticketed
        if waiting.any():
            down = [i for i, g in enumerate(self.gateways) if g in state.gateways_down]
            waiting &= ~np.isin(self.gateway, np.array(down, np.int32))
        if waiting.any():
            at = np.where(waiting, state.silent_since + self.limits.within_ms, FAR)
            first = int(at.argmin())
            other = _event(int(at[first]), "device_ticket", first)
            best = other if best is None else min(best, other, key=lambda e: e[:2])
        return best

    def earliest(self, now_ms: int) -> bool:
        """Whether anything can be due by now: a cheap bound, so that most frames skip `due`."""
        if now_ms < self._bound:
            return False
        found = self.due()
        self._bound = FAR if found is None else found[0]
        return now_ms >= self._bound

    def quiet_until(self, to_ms: int) -> int:
        """A time before which nothing falls due; exact when it is at most `to_ms`."""
        self.earliest(to_ms)
        return self._bound

    def is_mute(self) -> Bool:
        """By device: silent, or never heard."""
        mute: Bool = (self.state.silent_since > NEVER) | (self.state.heard_ms == NEVER)
        return mute

    def hear_many(self, devices: Int32, now_ms: Int64) -> None:
        """Devices that were not mute spoke at these times, in the order of the log."""
        np.maximum.at(self.state.heard_ms, devices, now_ms)
        self._bound = min(self._bound, int(now_ms[0]) + int(self.timeout_ms[devices].min()))

    def fire(self, event: SilenceEvent) -> list[SilenceEvent]:
        """A deadline has passed; answers what it means (the event, and a gateway's silence)."""
        state = self.state
        self._bound = NEVER
        if event.kind == "device_ticket":
            state.ticketed[event.index] = True
            return [event]
        self.moves += 1
        state.silent_since[event.index] = event.at_ms
        name = self.gateways[int(self.gateway[event.index])]
        found = [event]
        if name not in state.gateways_down and self._is_down(name, event.at_ms):
            state.gateways_down[name] = event.at_ms
            found.append(SilenceEvent("gateway_silent", self.gateways.index(name), event.at_ms))
        return found

    def counts(self, gateway: str) -> tuple[int, int]:
        """(silent now, ever heard) devices of a gateway in this area."""
        mine = self._of(gateway) & (self.state.heard_ms > NEVER)
        return int((mine & (self.state.silent_since > NEVER)).sum()), int(mine.sum())

    def silent_sensors(self) -> list[int]:
        """Catalogue ids of the devices that are silent now."""
        silent = np.flatnonzero(self.state.silent_since > NEVER).tolist()
        return [self.state.devices[i] for i in silent]

    def _is_down(self, name: str, now_ms: int) -> bool:
        state = self.state
        mine = self._of(name) & (state.heard_ms > NEVER)
        recent = mine & (state.silent_since > now_ms - self.limits.within_ms)
        silent, known = int(recent.sum()), int(mine.sum())
        enough = silent * 100 >= known * self.limits.gateway_share_percent
        return enough and known >= self.limits.gateway_least

    def _of(self, gateway: str) -> Bool:
        found: Bool = self.gateway == self.gateways.index(gateway)
        return found


def _event(at_ms: int, kind: str, index: int) -> tuple[int, str, SilenceEvent]:
    return at_ms, f"{kind}|{index:08d}", SilenceEvent(kind, index, at_ms)
