"""The record of what people changed: who, what, when, and the details that may be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from streams.storage.connect import Connection


def record(connection: Connection, who: str, what: str, detail: Mapping[str, Any]) -> None:
    """Adds a line, in the caller's transaction: it stands when the change does."""
    connection.execute(
        "insert into audit (who, what, detail) values (%s, %s, %s)", (who, what, Jsonb(detail))
    )
