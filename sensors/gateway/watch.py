"""Keeps the directory in step with the active registry version."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from sensors.gateway.directory import Directory, RegistrySource, compile_directory
from streams.contracts.domain import Domain
from streams.errors import Unavailable

_log = logging.getLogger(__name__)


class RegistryWatch:
    """The directory in force; the last known one while the store does not answer."""

    def __init__(
        self, source: RegistrySource, domains: Mapping[str, Domain], interval_s: float
    ) -> None:
        self._source = source
        self._domains = domains
        self._interval_s = interval_s
        self._missing = False
        self.directory: Directory | None = None

    async def refresh(self) -> None:
        """Looks once; loads a version that is not the one in force."""
        try:
            found = await asyncio.to_thread(self._changed)
        except Unavailable as error:
            if not self._missing:
                _log.warning("the registry cannot be read: %s", error)
            self._missing = True
            return
        self._missing = False
        if found is not None:
            self.directory = found
            _log.info("registry %s: %d sensors", found.version, len(found.devices))

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.refresh()

    def _changed(self) -> Directory | None:
        version = self._source.active()
        known = None if self.directory is None else self.directory.version
        if version is None or version == known:
            return None
        return compile_directory(self._source.load(version), self._domains)
