"""The named statements: `.sql` files, each statement led by `-- name: <name>`, found by name.

No SQL is ever built from data; optional filters are parameters that may be null.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

_MARK = "-- name: "


@cache
def statements() -> Mapping[str, bytes]:
    """All statements by name; a name that is used twice is a bug and raises `ValueError`."""
    return statements_of(str(__package__))


@cache
def statements_of(package: str) -> Mapping[str, bytes]:
    """The statements in the folder `sql` of a package."""
    found: dict[str, bytes] = {}
    for file in (resources.files(package) / "sql").iterdir():
        if not file.name.endswith(".sql"):
            continue
        for chunk in file.read_text(encoding="utf-8").split(_MARK)[1:]:
            name, _, text = chunk.partition("\n")
            if name.strip() in found:
                raise ValueError(f"two statements are named {name.strip()!r}")
            found[name.strip()] = text.strip().encode()
    return found
