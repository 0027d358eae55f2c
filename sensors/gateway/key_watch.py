"""The keys in force: read again and again from the store, and closed when they grow too old.

Any door asks `admit`. Fails closed: while keys could not be read for longer than
`keys_stale_s`, nobody is admitted by a key, because a revocation may have been missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from sensors.gateway.keys import Denial, Key, KeySource, NotAdmitted, find
from sensors.gateway.settings import GatewaySettings, KeyRule
from streams.errors import Unavailable

_log = logging.getLogger(__name__)


class KeyWatch:
    """What is known of the keys; `clock_ms` tells the wall time, by which keys expire."""

    def __init__(
        self, source: KeySource | None, settings: GatewaySettings, clock_ms: Callable[[], int]
    ) -> None:
        self._source = source
        self._settings = settings
        self._clock_ms = clock_ms
        self._keys: Mapping[str, Key] = {}
        self._read_ms: int | None = None
        self._missing = False

    def admit(self, text: str | None) -> Key | None:
        """The sender's key; None when it shows none and none is needed. Raises `NotAdmitted`."""
        if text is None:
            if self._settings.keys is KeyRule.OPTIONAL:
                return None
            raise NotAdmitted(Denial.MISSING)
        now_ms = self._clock_ms()
        longest_ms = self._settings.keys_stale_s * 1000
        if self._read_ms is None or now_ms - self._read_ms > longest_ms:
            raise NotAdmitted(Denial.UNKNOWN_STATE)
        return find(self._keys, text, now_ms)

    async def refresh(self) -> None:
        """Reads all keys once; keeps the old ones when the store does not answer."""
        if self._source is None:
            return
        asked_ms = self._clock_ms()
        try:
            found = await asyncio.to_thread(self._source.stored_keys)
        except Unavailable as error:
            if not self._missing:
                _log.warning("the keys cannot be read: %s", error)
            self._missing = True
            return
        if self._missing:
            _log.info("the keys can be read again")
        self._missing = False
        self._keys = {key.id: key for key in found}
        self._read_ms = asked_ms

    async def run(self) -> None:
        """Reads again and again until cancelled."""
        while True:
            await asyncio.sleep(self._settings.registry_s)
            await self.refresh()
