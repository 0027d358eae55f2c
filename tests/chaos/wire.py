"""A wire between a worker and PostgreSQL that can be cut, held or slowed at a stated moment.

It forwards bytes and reads the protocol just enough to know two moments: a COPY whose data is half
on its way, and a COMMIT. It changes nothing that it forwards.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK = 1 << 16
PATIENCE_S = 60.0  # a held wire lets go by itself: no thread outlives its test


class Moment(Enum):
    """When a trap shuts."""

    MID_COPY = "mid copy"  # half of a COPY's data was forwarded
    COMMITTED = "committed"  # COMMIT was forwarded and its answer came; the answer is withheld


class Then(Enum):
    """What it does then."""

    CUT = "cut"
    HOLD = "hold"  # until released; only MID_COPY


@dataclass(eq=False)
class Trap:
    """Shuts once, on a connection whose application name begins so."""

    moment: Moment
    then: Then
    application: str
    shut: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class Wire:
    """Listens on a loopback port and forwards every connection to the server."""

    def __init__(self, conninfo: str) -> None:
        given = conninfo_to_dict(conninfo)
        self._upstream = (str(given["host"]), int(given.get("port") or 5432))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.conninfo = make_conninfo(
            conninfo,
            host="127.0.0.1",
            port=self._listener.getsockname()[1],
            sslmode="disable",
            gssencmode="disable",
        )
        self.commit_delay_s = 0.0
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._spawn(self._accept)

    def set_trap(self, trap: Trap) -> Trap:
        """From now on the trap waits for its moment."""
        with self._lock:
            self._traps.append(trap)
        return trap

    def remove_trap(self, trap: Trap) -> None:
        """It does not shut any more, and lets go of what it holds."""
        with self._lock, contextlib.suppress(ValueError):
            self._traps.remove(trap)
        trap.released.set()

    def cut(self) -> None:
        """Cuts every connection, now."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            hang_up(end)

    def close(self) -> None:
        """Cuts everything and listens no more."""
        self._closing.set()
        with self._lock:
            for trap in self._traps:
                trap.released.set()
        hang_up(self._listener)
        self._listener.close()
        self.cut()

    def wait(self, seconds: float) -> None:
        """Lets a COMMIT wait, unless the wire is closed meanwhile."""
        self._closing.wait(seconds)

    def take_trap(self, moment: Moment, application: str) -> Trap | None:
        """The trap that shuts now, which it can only once."""
        with self._lock:
            for trap in self._traps:
                if trap.moment is moment and application.startswith(trap.application):
                    self._traps.remove(trap)
                    return trap
        return None

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            self._connect() as server,
            self._known(client, server),
        ):
            call = Call(self, client, server)
            answers = self._spawn(call.answer)
            try:
                call.ask()
            finally:
                hang_up(client)
                hang_up(server)
                answers.join()

    def _connect(self) -> socket.socket:
        host, port = self._upstream
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(f"{host}/.s.PGSQL.{port}")
            except OSError:
                server.close()
                raise
            return server
        return socket.create_connection((host, port))

    @contextlib.contextmanager
    def _known(self, *ends: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(ends)

    def _spawn(self, work: object, *values: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=values, daemon=True)  # type: ignore[arg-type]
        thread.start()
        return thread


class Call:
    """One connection: two threads, one for each direction."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self._application = ""
        self._withheld: Trap | None = None

    def ask(self) -> None:
        """Forwards what the client says, until it hangs up or a trap cuts."""
        reader = self._client.makefile("rb")
        startup = _sized(reader.read(4), reader)
        if startup is None:
            return
        self._application = _application(startup)
        self._server.sendall(startup)
        while (kind := reader.read(1)) and (rest := _sized(reader.read(4), reader)) is not None:
            message = kind + rest
            if kind == b"d" and (trap := self._take(Moment.MID_COPY)):
                half = len(message) // 2
                self._server.sendall(message[:half])
                if not _goes_on(trap):
                    return
                message = message[half:]
            elif _is_commit(kind, rest):
                self._wire.wait(self._wire.commit_delay_s)
                self._withheld = self._take(Moment.COMMITTED)
            self._server.sendall(message)

    def answer(self) -> None:
        """Forwards what the server says; withholds the answer to a trapped COMMIT.

        A COMMIT is said when everything before it was answered, so its answer begins a chunk.
        """
        told = b""
        with contextlib.suppress(OSError):
            while chunk := self._server.recv(CHUNK):
                trap = self._withheld
                if trap is None:
                    self._client.sendall(chunk)
                    continue
                told += chunk
                if b"COMMIT\0" in told:
                    trap.shut.set()
                    break
        hang_up(self._client)
        hang_up(self._server)

    def _take(self, moment: Moment) -> Trap | None:
        return self._wire.take_trap(moment, self._application)


def hang_up(end: socket.socket) -> None:
    """Wakes whoever reads or writes here; also where the other end is gone already."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _goes_on(trap: Trap) -> bool:
    trap.shut.set()
    if trap.then is Then.CUT:
        return False
    trap.released.wait(PATIENCE_S)
    return True


def _sized(head: bytes, reader: object) -> bytes | None:
    """A message from its length on; None where the connection ended."""
    if len(head) < 4:
        return None
    wanted = struct.unpack("!I", head)[0] - 4
    body: bytes = reader.read(wanted)  # type: ignore[attr-defined]
    return head + body if len(body) == wanted else None


def _application(startup: bytes) -> str:
    words = startup[8:].split(b"\0")
    named = dict(zip(words[::2], words[1::2], strict=False))
    return named.get(b"application_name", b"").decode()


def _is_commit(kind: bytes, rest: bytes) -> bool:
    """A COMMIT as a simple query, or as the first part of an extended one."""
    return kind in (b"Q", b"P") and b"COMMIT\0" in rest[:32]
