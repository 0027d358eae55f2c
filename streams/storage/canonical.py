"""Canonical views: two runs over the same input mean the same when these are equal.

The queries are in `canonical.sql`. From JSON the keys that hold log positions or processing times
are taken away, at any depth; the rest is compared as text with sorted keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any

from psycopg import sql

from streams.storage.alerts import json_text
from streams.storage.connect import Connection

MARK = "-- name: "
HOW_IT_WAS_RUN = frozenset(
    ("position", "old_position", "positions", "decided_ms", "valid_until_ms", "known_ms")
)


def canonical_dump(
    connection: Connection, only: Collection[str] | None = None
) -> dict[str, list[tuple[Any, ...]]]:
    """Sorted rows of every canonical view by name (or of these names only)."""
    names = queries() if only is None else {name: queries()[name] for name in only}
    return {name: _rows(connection, query) for name, query in names.items()}


def canonical_digest(dump: Mapping[str, list[tuple[Any, ...]]]) -> str:
    """One hash of a dump."""
    digest = hashlib.sha256()
    for name in sorted(dump):
        digest.update(f"{name} {len(dump[name])}\n".encode())
        for row in dump[name]:
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def differences(
    one: Mapping[str, list[tuple[Any, ...]]],
    other: Mapping[str, list[tuple[Any, ...]]],
    limit: int = 5,
) -> list[str]:
    """Readable lines about what differs: counts and the first rows of each view."""
    lines = []
    for name in sorted(set(one) | set(other)):
        left, right = one.get(name, []), other.get(name, [])
        if left == right:
            continue
        lines.append(f"{name}: {len(left)} rows against {len(right)}")
        lines += [f"  only in the first: {row}" for row in _missing(left, right)[:limit]]
        lines += [f"  only in the second: {row}" for row in _missing(right, left)[:limit]]
    return lines


@cache
def queries() -> dict[str, str]:
    """The canonical queries by name."""
    text = (resources.files(__package__) / "canonical.sql").read_text(encoding="utf-8")
    parts = [part.split("\n", 1) for part in text.split(MARK)[1:]]
    return {name.strip(): _without_comments(body) for name, body in parts}


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(sql.SQL(query))
    return sorted((tuple(_plain(value) for value in row) for row in rows), key=repr)


def _plain(value: Any) -> Any:
    return json_text(_content(value)) if isinstance(value, dict | list) else value


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _content(v) for k, v in value.items() if k not in HOW_IT_WAS_RUN}
    if isinstance(value, list):
        return [_content(item) for item in value]
    return value


def _missing(rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    known = set(others)
    return [row for row in rows if row not in known]


def _without_comments(body: str) -> str:
    kept = [line for line in body.splitlines() if not line.startswith("--")]
    return "\n".join(kept).strip().rstrip(";")
