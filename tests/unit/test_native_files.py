"""What native servers are told: properties, jars, which Java, which folder. Nothing starts."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from deploy import debian_root, java, kafka_files, kafka_jars, timescale_home
from deploy.finding import Verdict
from deploy.infra_checks import timescale
from deploy.infrastructure import Infra, chosen, in_force, remember, with_addresses
from deploy.native_settings import NativeSettings, load_native_settings
from deploy.process import write_atomically
from deploy.server import quiet
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

JARS = {"one.jar": b"first", "two.jar": b"second"}


def _properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_kafka_listens_on_loopback_only_and_makes_no_topic() -> None:
    settings = NativeSettings(kafka_port=1, kafka_controller_port=2)
    found = _properties(kafka_files.server_properties(Path("/data"), settings))
    for name in ("listeners", "advertised.listeners"):
        assert found[name] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert found["auto.create.topics.enable"] == "false"
    assert found["log.message.timestamp.type"] == "LogAppendTime"
    assert found["log.dirs"] == "/data"


def test_more_properties_override() -> None:
    text = kafka_files.server_properties(Path("/d"), NativeSettings(), {"num.partitions": "9"})
    assert _properties(text)["num.partitions"] == "9"
    assert text.count("\nnum.partitions=") == 1


def test_paths_are_written_as_java_reads_them() -> None:
    text = kafka_files.server_properties(Path("/深/a\\b"), NativeSettings())
    assert _properties(text)["log.dirs"] == "/\\u6df1/a\\\\b"


@pytest.mark.parametrize("heap", ["512", "0m", "many", "1g -Dx=y"])
def test_a_wrong_heap_is_refused(heap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_NATIVE_KAFKA_HEAP", heap)
    with pytest.raises(Misconfigured, match="CITYBRAIN_NATIVE_KAFKA_HEAP"):
        load_native_settings()


def test_two_servers_do_not_get_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_NATIVE_POSTGRES_PORT", "8610")
    with pytest.raises(Misconfigured, match="the same"):
        load_native_settings()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two small jars are listed; the folder where they belong."""
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in JARS.items()}
    content = {"kafka": "0.0", "scala": "0", "log4j": "0", "jars": digests}
    monkeypatch.setattr(kafka_jars, "_listed", lambda: content)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "citybrain" / "kafka-0.0"


def _deliver(bodies: dict[str, bytes]) -> kafka_jars.Fetch:
    def fetch(target: Path, _: bool) -> None:
        target.mkdir(parents=True)
        for name, body in bodies.items():
            (target / name).write_bytes(body)

    return fetch


def _never(target: Path, _: bool) -> None:
    raise AssertionError(f"fetched into {target}")


def test_jars_are_fetched_once(listed: Path) -> None:
    assert kafka_jars.ensure_jars(quiet, _deliver(JARS)) == listed
    assert kafka_jars.ensure_jars(quiet, _never) == listed


@pytest.mark.parametrize("harm", ["cut", "missing", "more"])
def test_a_damaged_jar_is_fetched_again(listed: Path, harm: str) -> None:
    kafka_jars.ensure_jars(quiet, _deliver(JARS))
    if harm == "cut":
        (listed / "one.jar").write_bytes(b"fir")
    elif harm == "missing":
        (listed / "one.jar").unlink()
    else:
        (listed / "three.jar").write_bytes(b"not listed")
    assert kafka_jars.damage(listed)
    kafka_jars.ensure_jars(quiet, _deliver(JARS))
    assert kafka_jars.damage(listed) == []


def test_a_download_that_was_cut_off_is_not_seen(listed: Path) -> None:
    partial = listed.with_name("kafka-0.0.partial")
    partial.mkdir(parents=True)
    (partial / "one.jar").write_bytes(b"fir")

    def cut(target: Path, afresh: bool) -> None:
        _deliver({"one.jar": b"first"})(target, afresh)
        raise Unavailable("the line went dead")

    with pytest.raises(Unavailable, match="dead"):
        kafka_jars.ensure_jars(quiet, cut)
    assert not listed.exists()
    kafka_jars.ensure_jars(quiet, _deliver(JARS))
    assert sorted(path.name for path in listed.iterdir()) == sorted(JARS)


def test_maven_s_own_cache_is_mistrusted_the_second_time(listed: Path) -> None:
    tries: list[bool] = []

    def fetch(target: Path, afresh: bool) -> None:
        tries.append(afresh)
        _deliver(JARS if afresh else {**JARS, "one.jar": b"stale"})(target, afresh)

    kafka_jars.ensure_jars(quiet, fetch)
    assert tries == [False, True]
    assert kafka_jars.damage(listed) == []


def test_jars_that_differ_from_the_list_are_never_used(listed: Path) -> None:
    with pytest.raises(Unavailable, match=r"two\.jar"):
        kafka_jars.ensure_jars(quiet, _deliver({**JARS, "two.jar": b"other"}))
    assert not listed.exists()


def _java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def javas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An 11 in JAVA_HOME, an 21 on the path."""
    _java(tmp_path / "old", "11.0.2")
    _java(tmp_path / "new", "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'new' / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return tmp_path


def test_the_first_java_that_is_new_enough_is_taken(javas: Path) -> None:
    assert java.find_java() == java.Java(str(javas / "new" / "bin" / "java"), "21.0.1")


def test_no_java_says_what_to_install(javas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "OLDEST", 99)
    with pytest.raises(Misconfigured, match=r"found only .*11\.0\.2.*21\.0\.1.*default-jre"):
        java.find_java()


def _programs(root: Path, major: str) -> Path:
    (root / f"usr/lib/postgresql/{major}/bin").mkdir(parents=True)
    (root / f"usr/lib/postgresql/{major}/bin/postgres").touch()
    extension = root / f"usr/share/postgresql/{major}/extension"
    extension.mkdir(parents=True)
    (extension / "timescaledb.control").touch()
    return root / f"usr/lib/postgresql/{major}"


def test_the_newest_postgresql_with_the_extension_counts(tmp_path: Path) -> None:
    assert debian_root.find_programs(tmp_path) is None
    for major in ("9", "16", "17"):
        _programs(tmp_path, major)
    (tmp_path / "usr/share/postgresql/17/extension/timescaledb.control").unlink()
    assert debian_root.find_programs(tmp_path) == tmp_path / "usr/lib/postgresql/16"


def test_the_systems_own_server_is_preferred_unless_a_root_was_made(tmp_path: Path) -> None:
    system, var_dir = tmp_path / "system", tmp_path / "var"
    programs = _programs(system, "17")
    found = timescale_home.find_home(var_dir, system)
    assert found.programs == programs
    assert found.chroot is None
    (var_dir / "timescale" / "root").mkdir(parents=True)
    assert timescale_home.find_home(var_dir, system).chroot == var_dir / "timescale" / "root"


def test_a_server_in_a_root_is_started_by_chroot_as_its_own_account(tmp_path: Path) -> None:
    root = tmp_path / "timescale" / "root"
    _programs(root, "17")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\npostgres:x:100:102::/:/bin/sh\n")
    home = timescale_home.find_home(tmp_path, tmp_path / "nothing")
    command = home.command("postgres", "-D", home.inside(home.data))
    assert command[1:4] == ["--userspec=100:102", "--groups=", str(root)]
    assert command[4:] == ["/usr/lib/postgresql/17/bin/postgres", "-D", "/citybrain/data"]
    assert (home.user, home.group, home.extra_groups) == (None, None, None)


def test_a_half_made_root_is_made_anew(tmp_path: Path) -> None:
    whole, target = tmp_path / "whole", tmp_path / "target"
    _programs(whole, "17")
    (target / "usr/lib/postgresql/17/bin").mkdir(parents=True)
    (tmp_path / "target.partial" / "usr").mkdir(parents=True)
    debian_root.copy_root(whole, target)
    assert debian_root.find_programs(target) == target / "usr/lib/postgresql/17"
    assert not (tmp_path / "target.partial").exists()


@pytest.mark.parametrize(("uid", "program"), [(1000, "/usr/bin/mmdebstrap"), (0, None)])
def test_without_root_or_mmdebstrap_it_is_said_what_to_do(
    uid: int, program: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(shutil, "which", lambda _: program)
    with pytest.raises(Misconfigured, match="needs root" if uid else "apt-get install mmdebstrap"):
        debian_root.ensure_root(NativeSettings(), quiet)


def test_the_choice_of_a_folder_is_remembered(tmp_path: Path) -> None:
    assert chosen(tmp_path) is None
    assert in_force(Settings(var_dir=tmp_path)) is Infra.EMBEDDED
    remember(tmp_path, Infra.NATIVE)
    assert in_force(Settings(var_dir=tmp_path)) is Infra.NATIVE
    assert with_addresses(Settings(var_dir=tmp_path)).kafka == "127.0.0.1:8610"
    given = Settings(var_dir=tmp_path, database="host=elsewhere")
    assert in_force(given) is Infra.EXTERNAL
    assert with_addresses(given).kafka is None


def test_a_damaged_choice_is_told(tmp_path: Path) -> None:
    (tmp_path / "infra.json").write_text('{"infra": "moon"}')
    with pytest.raises(Misconfigured, match="damaged"):
        chosen(tmp_path)


def test_a_secret_is_never_readable_by_others(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    write_atomically(file, "new\n", mode=0o600)
    assert file.read_text() == "new\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("kind", "on", "expected"),
    [
        ("plain", 0, ["off"]),
        ("apache", 0, ["ok", "off", "off", "off", "off"]),
        ("community", 2, ["ok", "ok", "ok", "ok", "ok"]),
        ("community", 0, ["ok", "off", "off", "off", "off"]),
    ],
)
def test_what_timescaledb_has_off_is_no_fault(kind: str, on: int, expected: list[str]) -> None:
    names = ("hypertables", "compression", "policies", "continuous aggregates")
    found = list(timescale(kind, "TimescaleDB 2", dict.fromkeys(names, on)))
    assert [finding.verdict for finding in found] == [Verdict(word) for word in expected]
    assert all(f.detail for f in found)
