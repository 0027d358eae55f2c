"""Puts the blocks of one step into frames: one per gateway, area and domain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation import noise
from sensors.simulation.player import STEP_MS, Block, Channel, Player
from streams.contracts.frame import Frame, Int32
from streams.contracts.reason import Origin

LATENCY_MS = (200, 4_200)


class Packer:
    """Knows the gateways of a player's channels. A gateway sends a fixed time after the step."""

    def __init__(self, player: Player) -> None:
        self._player = player
        channels = player.channels
        groups = sorted({(c.gateway, c.area) for c in channels})
        number = {group: i for i, group in enumerate(groups)}
        self._groups = groups
        self._group = np.array([number[c.gateway, c.area] for c in channels], np.int32)
        self._sensors, self._local = _dictionaries(channels, self._group, len(groups))
        self._properties = tuple(sorted({c.property for c in channels}))
        self._property = np.array([self._properties.index(c.property) for c in channels], np.int32)
        keys = noise.name_keys(tuple(gateway for gateway, _ in groups))
        low, high = LATENCY_MS
        self._latency = [low + int(u * (high - low)) for u in noise.uniform(0, keys)]

    def pack(self, blocks: Sequence[Block], start_ms: int) -> list[Frame]:
        """The frames of the step; a gateway without readings sends none."""
        if not blocks:
            return []
        channel = np.concatenate([b.channel for b in blocks])
        time_ms = np.concatenate([b.time_ms for b in blocks])
        value = np.concatenate([b.value for b in blocks])
        order = np.argsort(self._group[channel], kind="stable")
        channel, time_ms, value = channel[order], time_ms[order], value[order]
        bounds = np.searchsorted(self._group[channel], np.arange(len(self._groups) + 1))
        units = tuple(self._player.units[p] for p in self._properties)
        frames = []
        for i, (gateway, area) in enumerate(self._groups):
            rows = slice(int(bounds[i]), int(bounds[i + 1]))
            if rows.start == rows.stop:
                continue
            frames.append(
                Frame(
                    source=gateway,
                    id=f"{area}-{self._player.domain}-{start_ms}",
                    domain=self._player.domain,
                    area=area,
                    origin=Origin.SIMULATED,
                    ingest_ms=start_ms + STEP_MS + self._latency[i],
                    sensors=self._sensors[i],
                    properties=self._properties,
                    units=units,
                    sensor=self._local[channel[rows]],
                    property=self._property[channel[rows]],
                    time_ms=time_ms[rows],
                    value=value[rows],
                )
            )
        return frames


def _dictionaries(
    channels: Sequence[Channel], group: Int32, count: int
) -> tuple[list[tuple[str, ...]], Int32]:
    """The sensors' names by group, and every channel's number in its group's names."""
    names: list[dict[str, int]] = [{} for _ in range(count)]
    local = np.array(
        [
            names[g].setdefault(c.sensor, len(names[g]))
            for g, c in zip(group.tolist(), channels, strict=True)
        ],
        np.int32,
    )
    return [tuple(n) for n in names], local
