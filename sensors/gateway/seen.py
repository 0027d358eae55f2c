"""Who was heard when: gathered in memory, written at most once in some seconds, in one upsert.

What waits to be written is bounded by the registry: callers name registered gateways and devices
only. While the store is away the newest word of each is kept, and written when it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sensors.gateway.status import State, Status
from streams.errors import Unavailable
from streams.storage.gateway_seen import DeviceRow, SeenRow

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SeenStore(Protocol):
    """Where the rows go. Each method may raise `Unavailable`."""

    def save_seen(self, rows: Sequence[SeenRow], devices: Sequence[DeviceRow]) -> None:
        """Upserts all rows in one transaction."""

    def read_seen(self, gateway: str | None) -> list[SeenRow]:
        """The stored rows, of one gateway or all."""

    def read_devices(self, gateway: str) -> list[DeviceRow]:
        """The stored devices of a gateway."""


class SeenBook:
    """Without a store everything is kept for the process's life and read from here."""

    def __init__(self, store: SeenStore | None, every_s: float) -> None:
        self._store = store
        self._every_s = every_s
        self._rows: dict[str, SeenRow] = {}
        self._devices: dict[tuple[str, str], DeviceRow] = {}
        # What is being written: not in the store yet, and no longer among what waits.
        self._leaving: dict[str, SeenRow] = {}
        self._leaving_devices: dict[tuple[str, str], DeviceRow] = {}
        self._missing = False

    def heard(self, gateway: str, at_ms: int) -> None:
        """The gateway sent something."""
        at = moment(at_ms)
        row = self._rows.get(gateway)
        self._rows[gateway] = SeenRow(gateway, at) if row is None else replace(row, seen_at=at)

    def say(
        self,
        gateway: str,
        status: Status,
        devices: Sequence[tuple[str, State, int | None]],
        at_ms: int,
        *,
        heard: bool = True,
    ) -> None:
        """What the gateway says; `heard` is False for a will, which a broker speaks for it."""
        at = moment(at_ms)
        row = self._rows.get(gateway)
        seen_at = at if heard else (row.seen_at if row else None)
        self._rows[gateway] = SeenRow(
            gateway, seen_at, status.state.value, at, status.version, status.queue, status.detail
        )
        self.say_devices(gateway, devices, at_ms)

    def say_devices(
        self, gateway: str, devices: Sequence[tuple[str, State, int | None]], at_ms: int
    ) -> None:
        """What is said of devices alone: (device, state, seen ms)."""
        for name, state, seen_ms in devices:
            device_seen = None if seen_ms is None else moment(seen_ms)
            self._devices[gateway, name] = DeviceRow(
                gateway, name, state.value, moment(at_ms), device_seen
            )

    async def read(self, gateway: str | None) -> list[SeenRow]:
        """All gateways ever heard, or one: what is stored, under what waits here."""
        stored: list[SeenRow] = []
        if self._store is not None:
            stored = await asyncio.to_thread(self._store.read_seen, gateway)
        found = {row.gateway: row for row in stored}
        for row in (*self._leaving.values(), *self._rows.values()):
            if gateway in (None, row.gateway):
                found[row.gateway] = _merged(found.get(row.gateway), row)
        return [found[name] for name in sorted(found)]

    async def read_devices(self, gateway: str) -> list[DeviceRow]:
        """The devices of a gateway, likewise."""
        stored: list[DeviceRow] = []
        if self._store is not None:
            stored = await asyncio.to_thread(self._store.read_devices, gateway)
        found = {row.device: row for row in stored}
        waiting = (*self._leaving_devices.values(), *self._devices.values())
        found |= {row.device: row for row in waiting if row.gateway == gateway}
        return [found[name] for name in sorted(found)]

    async def flush(self) -> None:
        """Writes what waits; keeps it when the store does not answer."""
        if self._store is None or not (self._rows or self._devices):
            return
        self._leaving, self._rows = self._rows, {}
        self._leaving_devices, self._devices = self._devices, {}
        rows, devices = list(self._leaving.values()), list(self._leaving_devices.values())
        try:
            await asyncio.to_thread(self._store.save_seen, rows, devices)
        except Unavailable as error:
            self._keep()
            if not self._missing:
                _log.warning("last-seen times cannot be written: %s", error)
            self._missing = True
        else:
            if self._missing:
                _log.info("last-seen times are written again")
            self._missing = False
        self._leaving, self._leaving_devices = {}, {}

    async def run(self) -> None:
        """Writes every `every_s` until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    def _keep(self) -> None:
        """Puts back what was not written, under what came meanwhile."""
        newer, self._rows = self._rows, self._leaving
        for row in newer.values():
            self._rows[row.gateway] = _merged(self._rows.get(row.gateway), row)
        self._devices = self._leaving_devices | self._devices


def moment(time_ms: int) -> datetime:
    """Epoch ms as an instant."""
    return _EPOCH + timedelta(milliseconds=time_ms)


def is_quiet(row: SeenRow, before: datetime) -> bool:
    """Not heard since `before`, or offline by its own or its broker's word."""
    return row.seen_at is None or row.seen_at < before or row.state == "offline"


def _merged(older: SeenRow | None, newer: SeenRow) -> SeenRow:
    """Both words as one: the newest time it was heard, the newest thing it said."""
    if older is None:
        return newer
    said = newer if newer.said_at is not None else older
    times = [at for at in (older.seen_at, newer.seen_at) if at is not None]
    return replace(said, seen_at=max(times, default=None))
