"""The record of what people changed: who, what, when, and the details that may be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from streams.storage.connect import Connection

RECORD = """
insert into audit (who, what, detail, address)
values (%s, %s, %s, nullif(current_setting('citybrain.address', true), ''))
"""


def act_from(connection: Connection, address: str) -> None:
    """From where what this connection changes is asked for; empty = from the command line."""
    connection.execute("select set_config('citybrain.address', %s, false)", (address,))


def record(connection: Connection, who: str, what: str, detail: Mapping[str, Any]) -> None:
    """Adds a line, in the caller's transaction: it stands when the change does."""
    connection.execute(RECORD, (who, what, Jsonb(detail)))
