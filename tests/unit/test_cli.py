"""The command: verbs are found, errors become exit codes, nothing heavy is imported for help."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from deploy import cli, commands
from streams.errors import Misconfigured, Unavailable


def _app(verb: Callable[[], None]) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    app.command("verb")(verb)
    return app


def _raise(error: BaseException) -> Callable[[], None]:
    def verb() -> None:
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misconfigured(["first", "second"]), 2),
        (Unavailable("the database is away"), 3),
        (RuntimeError("surprise"), 1),
        (KeyboardInterrupt(), 130),
        (typer.Exit(7), 7),
        (SystemExit("words"), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verb"], _app(_raise(error))) == code
    capsys.readouterr()


def test_all_mistakes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["verb"], _app(_raise(Misconfigured(["first", "second"]))))
    assert capsys.readouterr().err == "error: first\nerror: second\n"


def test_a_bug_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["verb"], _app(_raise(RuntimeError("surprise"))))
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "RuntimeError: surprise" in told


def test_success_and_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verb"], _app(lambda: None)) == 0
    assert cli.run(["nonsense"], _app(lambda: None)) == 2
    capsys.readouterr()


def test_every_module_in_commands_registers_a_verb() -> None:
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    app = cli.build()
    registered = {
        command.name or (command.callback.__name__ if command.callback else "")
        for command in app.registered_commands
    } | {group.name or "" for group in app.registered_groups}
    assert modules <= {name.replace("-", "_") for name in registered}
    assert {"up", "down", "status", "doctor"} <= modules


HEAVY = ("numpy", "psycopg", "fastapi", "pydantic", "shapely", "uvicorn", "psutil", "structlog")


def test_help_imports_nothing_heavy() -> None:
    """`citybrain --help` answers in less than half a second only without these."""
    source = (
        "import json, sys; from deploy import cli; cli.run(['--help'], cli.build());"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", source],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "CITYBRAIN_LOG_LEVEL": "INFO"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(finished.stderr.splitlines()[-1]))
    assert [name for name in HEAVY if name in loaded] == []
    assert "up" in finished.stdout


def test_wrong_settings_are_all_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYBRAIN_API_PORT", "many")
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", "No Name")
    assert cli.run(["status"]) == 2
    told = capsys.readouterr().err
    assert "CITYBRAIN_API_PORT" in told
    assert "CITYBRAIN_NAMESPACE" in told


def test_up_refuses_with_every_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path / "var"))
    assert cli.run(["up", "--infra", "moon", "--play", "earthquake"]) == 2
    told = capsys.readouterr().err
    assert "--infra moon" in told
    assert "--play earthquake" in told
    assert not (tmp_path / "var").exists()
