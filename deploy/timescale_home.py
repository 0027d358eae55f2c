"""Where PostgreSQL with TimescaleDB comes from and keeps its data, for `--infra native`.

The system's own, where it has one; else Debian's packages in a directory of their own, which the
server enters by chroot and which needs root. What was chosen first for a var folder stays.
"""

from __future__ import annotations

from pathlib import Path

from deploy import debian_root, postgres_home
from deploy.native_settings import NativeSettings
from deploy.postgres_home import Account, Home
from deploy.server import Say

_OURS = "citybrain"  # the folder inside the chroot that is not Debian's


def find_home(var_dir: Path, system: Path = Path("/")) -> Home:
    """The folders for this var folder; makes none. `Misconfigured` when there can be none."""
    var_dir = var_dir.resolve()
    folder = var_dir / "timescale"
    chroot = folder / "root"
    programs = debian_root.find_programs(system)
    if programs is None or chroot.exists():
        return _chrooted(var_dir, chroot)
    account = postgres_home.server_account()
    root = folder if account is None else postgres_home.system_root(folder)
    return Home(var_dir, root, programs, root / "data", root / "socket", account)


def prepare(home: Home, settings: NativeSettings, say: Say) -> Home:
    """Makes the folders and gets the programs; the home as it is then. Safe to repeat."""
    if home.chroot is None:
        postgres_home.make_root(home)
        return home
    if debian_root.find_programs(home.chroot) is None:
        source = debian_root.ensure_root(settings, say)
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        debian_root.copy_root(source, home.chroot)
    (home.chroot / _OURS).mkdir(mode=0o755, exist_ok=True)
    return _chrooted(home.var_dir, home.chroot)


def remove(home: Home) -> None:
    """Removes everything that `prepare` and the server made, and nothing else."""
    if home.chroot is None:
        postgres_home.remove(home)
    else:
        debian_root.remove_tree(home.root)


def _chrooted(var_dir: Path, chroot: Path) -> Home:
    programs = debian_root.find_programs(chroot) or chroot / "usr/lib/postgresql/none"
    ours = chroot / _OURS
    return Home(
        var_dir,
        chroot.parent,
        programs,
        ours / "data",
        ours / "socket",
        _account(chroot),
        chroot,
    )


def _account(chroot: Path) -> Account | None:
    """The account that Debian's package made, by the numbers it has in there."""
    try:
        lines = (chroot / "etc" / "passwd").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        name, _, uid, gid, *_ = line.split(":")
        if name == "postgres":
            return Account(name, int(uid), int(gid))
    return None
