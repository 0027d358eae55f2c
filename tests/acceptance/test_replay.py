"""`citybrain replay` and `citybrain verify` as a user runs them, on files made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli import run
from deploy.postgres import EmbeddedPostgres
from streams.contracts.reason import NamespaceKind
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.stored import StoredRun

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

HEADER = "time_utc,sensor_id,depth_inches"
EVENTS = (
    "sensor_id,flood_start_time,flood_end_time,max_depth_inches,onset_time_mins,"
    "drain_time_mins,duration_mins"
)


@pytest.fixture
def here(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPostgres:
    """The commands find the run's database and var folder by the environment."""
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(postgres.home.var_dir))
    monkeypatch.setenv("CITYBRAIN_DATABASE", postgres.conninfo)
    return postgres


@pytest.fixture
def flood(tmp_path: Path) -> Path:
    """One sensor: dry, up to 20 inches and dry again, with two lines that cannot be read."""
    depths = [0, 0, 5, 10, 20, 15, 8, 2, 0] + [0] * 20
    lines = [HEADER]
    lines += [f"2025-10-30T17:{n:02d}:00Z,Q-a,{depth}.00" for n, depth in enumerate(depths)]
    lines.insert(4, "2025-10-30T17:02:30Z,Q-a,deep")
    lines.insert(9, "yesterday,Q-a,1.00")
    path = tmp_path / "depths.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replay(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = run(["replay", *arguments, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out.strip() else {}


def test_the_account_names_refused_lines_and_the_rest_goes_on(
    here: EmbeddedPostgres, flood: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, account = replay(capsys, "floodnet", str(flood), "--namespace", "replay_test_flood")
    try:
        assert code == 0
        assert account["law_holds"] is True
        assert account["every_reading_received"] is True
        files = account["files"]
        assert isinstance(files, dict)
        assert (files["lines"], files["rows"], files["readings_sent"]) == (31, 29, 29)
        refused = files["lines_refused"]
        assert refused["bad_number"]["first"] == ["depths.csv:5: depth_inches: 'deep' is no number"]
        assert refused["bad_time"]["count"] == 1
        run_ = StoredRun(here.conninfo, "replay_test_flood")
        (episode,) = run_.episodes("waterlogging")
        assert episode.payload["peak_m"] == "0.508"
    finally:
        drop_namespace(here.conninfo, "replay_test_flood")


def test_copies_are_duplicates_and_nothing_is_double(
    here: EmbeddedPostgres, flood: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "replay_test_copies"
    code, account = replay(capsys, "floodnet", str(flood), "--namespace", name, "--duplicate", "1")
    try:
        ledger = account["ledger"]
        assert isinstance(ledger, dict)
        assert code == 0
        assert (ledger["received"], ledger["duplicate"], ledger["stored"]) == (58, 29, 29)
    finally:
        drop_namespace(here.conninfo, name)


def test_a_replay_starts_anew_and_its_messages_are_tests(
    here: EmbeddedPostgres, flood: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "replay_test_again"
    try:
        for _ in range(2):
            code, account = replay(capsys, "floodnet", str(flood), "--namespace", name)
            ledger = account["ledger"]
            assert isinstance(ledger, dict)
            assert (code, ledger["received"]) == (0, 29)
        found = StoredRun(here.conninfo, name)
        assert any(alert.rule == "waterlogging.depth" for alert in found.alerts())
        assert set(found.message_statuses()) == {"Test"}
    finally:
        drop_namespace(here.conninfo, name)


def test_a_dry_run_needs_no_database(
    flood: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path))
    monkeypatch.delenv("CITYBRAIN_DATABASE", raising=False)
    code, account = replay(capsys, "floodnet", str(flood), "--dry-run")
    assert code == 0
    assert account["ledger"] is None
    assert run(["replay", "floodnet", str(flood)]) == 2
    assert "no database" in capsys.readouterr().err


def test_a_period_of_the_file_can_be_taken(flood: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, account = replay(
        capsys,
        "floodnet",
        str(flood),
        "--dry-run",
        "--from",
        "2025-10-30T17:05:00Z",
        "--to",
        "2025-10-30T13:10:00",  # New York
    )
    files = account["files"]
    assert isinstance(files, dict)
    assert (code, files["rows"], files["rows_outside_period"]) == (0, 5, 24)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["floodnet", "FILE", "--speed", "-1"], "--speed"),
        (["floodnet", "FILE", "--from", "soon"], "--from soon"),
        (["floodnet", "FILE", "--set", "x"], "--set x"),
        (["floodnet", "FILE", "--backfill", "--shuffle", "1"], "--shuffle cannot go"),
        (["nothing", "FILE"], "no feed 'nothing'"),
        (["prsa", "FILE"], "none of what feed prsa reads"),
        (["floodnet", "FILE", "--to", "2020-01-01", "--dry-run"], "no usable row"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(
    arguments: list[str], said: str, flood: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["replay", *(str(flood) if a == "FILE" else a for a in arguments)])
    assert code == 2
    assert said in capsys.readouterr().err


def test_a_recording_from_elsewhere_may_not_enter_the_live_namespace(
    here: EmbeddedPostgres,
    flood: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    namespace: str,
) -> None:
    migrate(here.conninfo, namespace, NamespaceKind.LIVE)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    assert run(["replay", "floodnet", str(flood), "--backfill"]) == 2
    assert "from elsewhere" in capsys.readouterr().err


def test_verify_states_shares_and_leaves_nothing_behind(
    here: EmbeddedPostgres, flood: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    events = tmp_path / "events.csv"
    row = "Q-a,2025-10-30T17:01:00.000,2025-10-30T17:08:00.000,20.00,3,4,7"
    events.write_text(f"{EVENTS}\n{row}\n", encoding="utf-8")
    before = schemas(here)
    code = run(["verify", "floodnet", str(flood), str(events), "--least", "100", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0, found
    assert found["disagreements"] == 0
    assert all(s["agree"] == 1 for s in found["shares"] if s["expected"])
    assert schemas(here) == before
    events.write_text(f"{EVENTS}\n{row.replace('20.00', '30.00')}\n", encoding="utf-8")
    assert run(["verify", "floodnet", str(flood), str(events), "--least", "100"]) == 1
    assert "peak within 1.5 cm" in capsys.readouterr().out


def schemas(server: EmbeddedPostgres) -> set[str]:
    import psycopg

    with psycopg.connect(server.conninfo) as connection:
        rows = connection.execute(
            "select nspname from pg_namespace where nspname not like %s", ("pg%",)
        ).fetchall()
    return {row[0] for row in rows}
