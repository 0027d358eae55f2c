"""Watches one server of ours and starts it again when it died; a slow start holds nobody up."""

from __future__ import annotations

import logging
import threading

from deploy.server import Server
from streams.errors import Misconfigured, Unavailable

LOOK_S = 2.0

log = logging.getLogger("citybrain.supervisor")


class ServerKeeper:
    """A thread for the life of the process; trouble is told once, when it starts and ends."""

    def __init__(self, server: Server, look_s: float = LOOK_S) -> None:
        self._server = server
        self._look_s = look_s
        self._told = False
        self._thread = threading.Thread(target=self._watch, name=server.name, daemon=True)

    def begin(self) -> None:
        """Starts watching. A start that the end of this process cuts off heals at the next."""
        self._thread.start()

    def alive(self) -> bool:
        """False when a bug ended the watch."""
        return self._thread.is_alive()

    def look(self) -> bool:
        """Looks once; True when the server had to be started and was."""
        if self._server.process() is not None:
            return False
        try:
            self._server.start()
        except (Unavailable, Misconfigured) as error:
            if not self._told:
                log.error("%s does not start: %s", self._server.name, error)
            self._told = True
            return False
        log.warning("%s was gone: started again", self._server.name)
        self._told = False
        return True

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            self.look()
            pause.wait(self._look_s)
