"""Where downloads are kept for every checkout and every var folder of this account.

What is in it can be fetched again; what a city stored never is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/citybrain`, else `.cache/citybrain` in the account's own folder; made."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(said) if Path(said).is_absolute() else Path.home() / ".cache"
    folder = base / "citybrain"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """One caller at a time, over all processes. The lock goes with its holder, however that ends.

    Gives its file descriptor: a child that inherits it holds the lock too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
