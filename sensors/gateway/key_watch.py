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
    """What is known of the keys.

    `clock_ms` tells the wall time, by which keys expire; `monotonic_s` how old they are.
    """

    def __init__(
        self,
        source: KeySource | None,
        settings: GatewaySettings,
        clock_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._source = source
        self._settings = settings
        self._clock_ms = clock_ms
        self._monotonic_s = monotonic_s
        self._keys: Mapping[str, Key] = {}
        self._read_s: float | None = None
        self._none = False
        self._missing = False

    def admit(self, text: str | None) -> Key | None:
        """The sender's key; None when it shows none and none is needed. Raises `NotAdmitted`."""
        if text is None:
            if self._settings.keys is KeyRule.OPTIONAL:
                return None
            raise NotAdmitted(Denial.MISSING)
        if self.stale:
            raise NotAdmitted(Denial.UNKNOWN_STATE)
        return find(self._keys, text, self._clock_ms())

    @property
    def stale(self) -> bool:
        """Whether the keys are unknown or too old to trust."""
        if self._read_s is None:
            return True
        return self._monotonic_s() - self._read_s > self._settings.keys_stale_s

    @property
    def failing(self) -> str | None:
        """Why nobody can come in now, where keys are needed."""
        if self._settings.keys is KeyRule.REQUIRED and self.stale:
            return Denial.UNKNOWN_STATE.value
        return None

    async def refresh(self) -> None:
        """Reads all keys once; keeps the old ones when the store does not answer."""
        if self._source is None:
            return
        asked_s = self._monotonic_s()
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
        self._read_s = asked_s
        self._tell_none()

    async def run(self) -> None:
        """Reads again and again until cancelled."""
        while True:
            await asyncio.sleep(self._settings.registry_s)
            await self.refresh()

    def _tell_none(self) -> None:
        none = not self._keys and self._settings.keys is KeyRule.REQUIRED
        if none and not self._none:
            _log.warning("keys are required and none is stored: `citybrain gateway-key create`")
        self._none = none
