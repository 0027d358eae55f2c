"""What the gateway asks of the store, by a connection that is made again when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sensors.gateway.keys import Key, Quota
from sensors.warnings.places import Places
from sensors.warnings.types import event_codes
from streams.catalog import Area, Registry
from streams.errors import Unavailable
from streams.storage.connect import Connection, connect, translated
from streams.storage.gateway_key import KeyRow, list_keys
from streams.storage.gateway_seen import (
    DeviceRow,
    SeenRow,
    read_devices,
    read_seen,
    save_seen,
)
from streams.storage.registry import active_versions, load_version, newest
from streams.storage.shapes import load_sketches

T = TypeVar("T")


class StoredRegistry:
    """A `RegistrySource`, a `KeySource`, a `SeenStore` and a `PlaceSource`.

    A version is in force when the workers have passed its activation.
    While partitions disagree, the newest saved one that any of them has passed; before any
    activation (nothing has run yet), the newest saved one.
    """

    def __init__(self, conninfo: str, namespace: str) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def active(self) -> str | None:
        return self._ask(_active)

    def load(self, version: str) -> Registry:
        return self._ask(lambda connection: Registry.from_dict(load_version(connection, version)))

    def places(self, areas: Mapping[str, Area]) -> Places:
        """What official warnings are placed by: these areas, their sketches, the profile."""

        def ask(connection: Connection) -> Places:
            profile = newest(connection, "profile")
            values = profile[1].get("values", {}) if profile else {}
            return Places(areas, load_sketches(connection), event_codes(values))

        return self._ask(ask)

    def stored_keys(self) -> list[Key]:
        return self._ask(lambda connection: [_key(row) for row in list_keys(connection)])

    def save_seen(self, rows: Sequence[SeenRow], devices: Sequence[DeviceRow]) -> None:
        self._ask(lambda connection: save_seen(connection, rows, devices))

    def read_seen(self, gateway: str | None) -> list[SeenRow]:
        return self._ask(lambda connection: read_seen(connection, gateway))

    def read_devices(self, gateway: str) -> list[DeviceRow]:
        return self._ask(lambda connection: read_devices(connection, gateway))

    def close(self) -> None:
        """Gives the connection back."""
        with self._lock:
            self._drop()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with self._lock:
            try:
                with translated():
                    if self._connection is None:
                        self._connection = connect(
                            self._conninfo,
                            self._namespace,
                            "citybrain gateway registry",
                            autocommit=True,
                        )
                    return question(self._connection)
            except Unavailable:
                self._drop()
                raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _active(connection: Connection) -> str | None:
    active = active_versions(connection, "registry")
    saved = newest(connection, "registry")
    if saved is None or not active or saved[0] in active:
        return None if saved is None else saved[0]
    return min(active)


def _key(row: KeyRow) -> Key:
    quota = Quota(row.readings_s, row.readings_burst, row.bytes_s, row.bytes_burst)
    expires_ms = None if row.expires_at is None else int(row.expires_at.timestamp() * 1000)
    return Key(
        row.id,
        row.gateway,
        tuple(row.areas),
        row.digest,
        expires_ms,
        row.revoked_at is not None,
        quota,
    )
