"""Log files of the child processes: opened for appending, kept small by copying and cutting.

Children write through a file descriptor of their own, so a file is rotated by copying it away and
cutting it to nothing; lines written in between the two (microseconds) may be lost.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 16 * 1024 * 1024
KEEP = 3


def rotate(folder: Path, limit_bytes: int = LIMIT_BYTES, keep: int = KEEP) -> list[Path]:
    """Cuts every `*.log` in the folder that outgrew the limit; returns those. Oldest copies go."""
    grown = [path for path in sorted(folder.glob("*.log")) if path.stat().st_size > limit_bytes]
    for path in grown:
        for number in range(keep - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)
    return grown


def last_lines(path: Path, count: int, within_bytes: int = 20_000) -> list[str]:
    """The end of a log; empty when there is no such file."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - within_bytes))
        return file.read().decode("utf-8", "replace").splitlines()[-count:]
