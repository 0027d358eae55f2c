"""Queries of the panels, each named and explained in a .sql file of this folder.

They speak Grafana's dialect: `$county` and its like are the reader's choices, `$__timeFilter(…)`
and its like Grafana's macros. "Now" is always the end of the chosen time range. What stands in
braces is filled in when the dashboards are built; every value but the schema becomes a literal,
and `{@name}` another query of the file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PART = re.compile(r"\{@(\w+)\}")
_SLOT = re.compile(r"\{(\w+)\}")
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,40}")


@lru_cache
def load(file: str) -> dict[str, str]:
    """The queries of one file by name, with their slots."""
    text = (resources.files(__package__) / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    found = {name: _bare(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}
    return {name: _PART.sub(lambda part: found[part[1]], text) for name, text in found.items()}


class Queries:
    """The queries of one file for one namespace."""

    def __init__(self, file: str, namespace: str) -> None:
        if not _SCHEMA.fullmatch(namespace):
            raise ValueError(f"{namespace!r} is no namespace")
        self._texts = load(file)
        self._namespace = namespace

    def get(self, name: str, **values: str | int) -> str:
        """The query with its slots filled. A slot without a value is a `KeyError`."""
        filled = {key: literal(value) for key, value in values.items()} | {"ns": self._namespace}
        return _SLOT.sub(lambda slot: filled[slot[1]], self._texts[name])


def literal(value: str | int) -> str:
    """A constant of SQL. `ValueError` for text that Grafana would take for a macro or a choice."""
    if isinstance(value, int):
        return str(value)
    if "$" in value or "\\" in value or "[[" in value:
        raise ValueError(f"{value!r} cannot stand in a query")
    return "'" + value.replace("'", "''") + "'"


def _bare(body: str) -> str:
    """Without comments: what Grafana shows in its editor is the query."""
    lines = [line.rstrip() for line in body.splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(line for line in lines if line)
