"""TimescaleDB from Debian's packages in a directory of its own, made by mmdebstrap; needs root.

It is made once in the cache and given to each var folder as hard links, so it costs its half
gigabyte once. A build that was cut off is never seen: it happens beside and is renamed at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.cache_dir import cache_dir, locked
from deploy.native_settings import NativeSettings
from deploy.server import Say
from streams.errors import Misconfigured, Unavailable

SUITE = "trixie"
PACKAGE = "postgresql-17-timescaledb"
_UNREAD = ("doc", "man", "locale", "info", "lintian")


def ensure_root(settings: NativeSettings, say: Say) -> Path:
    """The directory in the cache with the server's programs, whole.

    Raises `Misconfigured` when not root or without mmdebstrap, `Unavailable` when packages do not
    come.
    """
    target = cache_dir() / f"timescale-{SUITE}"
    with locked(target.with_name(f"{target.name}.lock")) as lock:
        if find_programs(target) is None:
            _build(target, settings, say, lock)
    return target


def copy_root(source: Path, target: Path) -> None:
    """Gives a var folder its own tree: hard links where the file system can, else copies."""
    if find_programs(target) is not None:
        return
    remove_tree(target)
    partial = target.with_name(f"{target.name}.partial")
    for how in ("-al", "-a"):
        remove_tree(partial)
        done = subprocess.run(
            ["/bin/cp", how, str(source), str(partial)], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            break
    else:
        raise Unavailable(f"{source} could not be copied to {partial}: {done.stderr[-1000:]}")
    partial.rename(target)


def find_programs(root: Path) -> Path | None:
    """The folder below which `bin/postgres` is, for the newest PostgreSQL with TimescaleDB."""
    for programs in sorted(root.glob("usr/lib/postgresql/*"), key=_major, reverse=True):
        control = root / f"usr/share/postgresql/{programs.name}/extension/timescaledb.control"
        if (programs / "bin" / "postgres").exists() and control.exists():
            return programs
    return None


def remove_tree(folder: Path) -> None:
    """Removes a tree of ours and nothing that is mounted in it."""
    if folder.exists():
        subprocess.run(["/bin/rm", "-rf", "--one-file-system", "--", str(folder)], check=True)


def _build(target: Path, settings: NativeSettings, say: Say, lock: int) -> None:
    program = _mmdebstrap()
    say(f"making TimescaleDB from the packages of Debian {SUITE} (about a minute, once)")
    for leftover in target.parent.glob(f"{target.name}.partial-*"):
        remove_tree(leftover)
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.partial-", dir=target.parent))
    root = partial / "root"
    _bootstrap([program, *_arguments(), SUITE, str(root), *_mirror(settings)], say, lock)
    if find_programs(root) is None:
        raise Unavailable(f"{PACKAGE} of Debian {SUITE} has no PostgreSQL with TimescaleDB in it")
    remove_tree(target)
    root.rename(target)
    remove_tree(partial)


def _arguments() -> list[str]:
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNREAD]
    return ["--mode=root", "--variant=minbase", f"--include={PACKAGE}", *excluded]


def _mirror(settings: NativeSettings) -> list[str]:
    return [] if settings.debian_mirror is None else [settings.debian_mirror]


def _bootstrap(command: list[str], say: Say, lock: int) -> None:
    """It holds our lock too: should we be killed, the next start waits for its end."""
    said: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        pass_fds=(lock,),
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            said.append(line)
            if line.startswith("I: ") and "..." in line:
                say(f"  {line[3:].strip()}")
    if running.returncode != 0:
        raise Unavailable(f"mmdebstrap failed:\n{''.join(said)[-2000:]}")


def _mmdebstrap() -> str:
    program = shutil.which("mmdebstrap")
    mistakes = []
    if os.getuid() != 0:
        mistakes.append(
            "TimescaleDB from Debian's packages needs root: run `citybrain up --infra native` as "
            f"root, or let an administrator install {PACKAGE} and try again"
        )
    if program is None:
        mistakes.append(
            "there is no mmdebstrap: `apt-get install mmdebstrap`, or install a PostgreSQL with "
            "TimescaleDB, or name one in CITYBRAIN_DATABASE and use --infra external"
        )
    if program is None or mistakes:
        raise Misconfigured(mistakes)
    return program


def _major(programs: Path) -> int:
    return int(programs.name) if programs.name.isdigit() else 0
