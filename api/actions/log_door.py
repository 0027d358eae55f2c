"""The logs of namespaces for what people do: opened when first needed, then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

from streams.errors import Misconfigured, Unavailable
from streams.log import Entry, Log


class LogDoor:
    """Appends to the log of a namespace, wherever it is kept. Safe to share between threads."""

    def __init__(self, opener: Callable[[str], Log] | None) -> None:
        self._opener = opener
        self._logs: dict[str, Log] = {}
        self._opening = threading.Lock()

    def append(self, namespace: str, partition: int, entry: Entry) -> int:
        """Durable when it returns. `Unavailable`: the log does not answer, or nobody said where it
        is; the record may stand there all the same."""
        try:
            return self._log(namespace).append(partition, [entry])
        except Misconfigured as error:
            self._drop(namespace)
            raise Unavailable(f"the log cannot be written: {error}") from error
        except Unavailable as error:
            self._drop(namespace)
            raise Unavailable(f"the log does not answer: {error}") from error

    def close(self) -> None:
        """Gives the connections back."""
        with self._opening:
            logs, self._logs = self._logs, {}
        for log in logs.values():
            log.close()

    def _log(self, namespace: str) -> Log:
        if self._opener is None:
            raise Misconfigured(["this process was started without a way to the log"])
        with self._opening:
            found = self._logs.get(namespace)
            if found is None:
                found = self._logs[namespace] = self._opener(namespace)
            return found

    def _drop(self, namespace: str) -> None:
        with self._opening:
            log = self._logs.pop(namespace, None)
        if log is not None:
            log.close()
