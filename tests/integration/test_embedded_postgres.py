"""The embedded server: what was committed survives everything, and a start heals everything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy import postgres_home
from deploy.postgres import EmbeddedPostgres
from deploy.process import wait_until
from streams.errors import Misconfigured
from tests.support.postgres import own_process, sweep

pytestmark = pytest.mark.integration


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of its own for one test, not started."""
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-test-"))
    own_process().save(var_dir / "owner.json")
    server = EmbeddedPostgres(var_dir)
    yield server
    server.purge()
    shutil.rmtree(var_dir)


def _execute(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


def _one(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _kill(server: EmbeddedPostgres) -> None:
    running = server.process()
    assert running is not None
    running.signal(signal.SIGKILL)
    assert wait_until(lambda: not running.alive(), 10.0)


def test_commits_survive_kill(server: EmbeddedPostgres) -> None:
    conninfo = server.start()
    _execute(conninfo, "create table kept (i int)")
    for number in range(3):
        _execute(conninfo, f"insert into kept values ({number})")
        _kill(server)
        assert server.start() == conninfo
    assert _one(conninfo, "select count(*) from kept") == 3


def test_data_survives_stop_and_start(server: EmbeddedPostgres) -> None:
    conninfo = server.start()
    _execute(conninfo, "create table kept as select 7 as i")
    server.stop()
    assert server.process() is None
    assert not server.home.socket.exists()
    server.start()
    assert _one(conninfo, "select i from kept") == 7


def test_start_and_stop_can_be_repeated(server: EmbeddedPostgres) -> None:
    server.stop()
    server.start()
    first = server.process()
    server.start()
    assert server.process() == first
    server.stop()
    server.stop()
    assert server.process() is None


def test_connection_string_is_there_while_it_runs(server: EmbeddedPostgres) -> None:
    file = server.home.var_dir / "database.conninfo"
    conninfo = server.start()
    assert file.read_text(encoding="utf-8").strip() == conninfo
    server.stop()
    assert not file.exists()


def test_settings_that_keep_commits(database_url: str) -> None:
    for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert _one(database_url, f"show {name}") == "on", name
    assert _one(database_url, "show server_encoding") == "UTF8"
    assert _one(database_url, "show listen_addresses") == ""
    assert _one(database_url, "select '杭州' > '上海'") is True


def test_nobody_else_may_enter_socket_and_data(server: EmbeddedPostgres) -> None:
    server.start()
    for folder in (server.home.socket, server.home.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert server.home.data.stat().st_uid != 0


def test_stale_pid_file_with_a_reused_id(server: EmbeddedPostgres) -> None:
    """The old id now belongs to another process of the same account: PostgreSQL alone refuses."""
    conninfo = server.start()
    _kill(server)
    with subprocess.Popen(["sleep", "60"], user=server.home.user) as stranger:
        pid_file = server.home.data / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n", encoding="utf-8")
        assert server.process() is None
        server.start()
        stranger.terminate()
    assert _one(conninfo, "select 1") == 1


def test_half_made_cluster_is_made_anew(server: EmbeddedPostgres) -> None:
    postgres_home.prepare(server.home)
    for name in ("data.partial", "data"):
        (server.home.root / name).mkdir()
        (server.home.root / name / "base").mkdir()
    assert _one(server.start(), "select 1") == 1


def test_data_of_another_version_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.home.data / "PG_VERSION").write_text("11\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match="written by PostgreSQL 11"):
        server.start()


def test_purge_leaves_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    server.purge()
    assert not server.home.root.exists()
    assert not server.home.socket.exists()


def test_long_paths(tmp_path: Path) -> None:
    """A socket's path holds 107 bytes; a longer var folder gets a short socket folder."""
    var_dir = tmp_path / ("深" * 30) / ("long" * 20)
    var_dir.mkdir(parents=True)
    server = EmbeddedPostgres(var_dir)
    try:
        assert _one(server.start(), "select 1") == 1
    finally:
        server.purge()
    assert not server.home.socket.exists()


def test_killed_test_run_is_swept() -> None:
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-test-"))
    (var_dir / "owner.json").write_text(json.dumps({"pid": 1, "started": 1.0}), encoding="utf-8")
    server = EmbeddedPostgres(var_dir)
    server.start()
    sweep()
    assert server.process() is None
    assert not var_dir.exists()


_AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from deploy.postgres import EmbeddedPostgres
assert os.getuid() != 0
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
first = server.process()
os.kill(first.pid, 9)
while first.alive():  # the signal is on its way
    pass
server.start()
assert server.ready() and server.process() != first
assert server.home.root.is_relative_to(server.home.var_dir)
server.purge()
print("fine")
"""


_NOBODY = 65534


def _interpreter_for_nobody() -> str:
    """An interpreter of our version that another account may run; the test skips without one."""
    same_version = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, same_version):
        try:
            subprocess.run(
                [program, "-c", "pass"],
                cwd="/",
                check=True,
                user=_NOBODY,
                group=_NOBODY,
                extra_groups=[],
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return program
    pytest.skip(f"no Python {same_version[-4:]} that another account may run")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_ordinary_user() -> None:
    """The same start as somebody without rights, where that account may read the programs."""
    program = _interpreter_for_nobody()
    readable = [str(Path(__file__).parents[2]), *(p for p in sys.path if "-packages" in p)]
    home = Path(tempfile.mkdtemp(prefix="citybrain-other-"))
    os.chown(home, _NOBODY, _NOBODY)
    try:
        finished = subprocess.run(
            [program, "-c", _AS_ORDINARY_USER, str(home / "var"), *readable],
            capture_output=True,
            text=True,
            cwd="/",
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            check=False,
            user=_NOBODY,
            group=_NOBODY,
            extra_groups=[],
        )
    finally:
        shutil.rmtree(home)
    assert finished.stdout == "fine\n", finished.stderr
