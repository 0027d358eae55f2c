"""Pushing dashboards to a Grafana: into our folder, once, and never over anybody else's work."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.grafana.assemble import Place, assemble
from dashboards.grafana.boards import boards
from dashboards.grafana.push import What, carry_out, differences, plan
from dashboards.grafana.remote import TRIES, Remote
from dashboards.grafana.settings import GrafanaSettings, address_of
from deploy.cli import run
from streams.domains import find_domains
from streams.errors import Misconfigured, Unavailable
from tests.support.grafana import TOKEN, Fault, Grafana, grafana_served

pytestmark = pytest.mark.integration
MODELS = [assemble(b, Place()) for b in boards(find_domains(), "citybrain")][:3]
UIDS = [model["uid"] for model in MODELS]
FOLDER, SOURCE = "citybrain", "citybrain"


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with grafana_served() as grafana:
        yield grafana


def remote(grafana: Grafana, token: str = TOKEN, waits: list[float] | None = None) -> Remote:
    return Remote(grafana.url, token, 5.0, (waits if waits is not None else []).append)


def push(grafana: Grafana, models: list[dict[str, Any]] = MODELS) -> list[What]:
    there = remote(grafana)
    steps, _ = plan(there, models, FOLDER, SOURCE)
    carry_out(there, steps, models, FOLDER)
    return [step.what for step in steps]


def test_the_first_push_makes_everything_and_the_second_nothing(grafana: Grafana) -> None:
    assert push(grafana) == [What.MAKE_FOLDER, What.MAKE, What.MAKE, What.MAKE]
    assert list(grafana.dashboards) == UIDS
    assert {meta["folderUid"] for meta in grafana.metas.values()} == {FOLDER}
    grafana.asked.clear()
    assert push(grafana) == [What.SAME] * 3
    assert grafana.writes == []


def test_what_was_changed_there_is_set_right(grafana: Grafana) -> None:
    push(grafana)
    grafana.dashboards[UIDS[1]]["title"] = "somebody's title"
    grafana.dashboards[UIDS[2]]["panels"].append({"id": 99})
    grafana.dashboards[UIDS[0]]["added by Grafana"] = True
    steps, _ = plan(remote(grafana), MODELS, FOLDER, SOURCE)
    assert [step.what for step in steps] == [What.SAME, What.CHANGE, What.CHANGE]
    assert steps[1].parts == ("/title",)
    assert push(grafana) == [What.SAME, What.CHANGE, What.CHANGE]
    assert push(grafana) == [What.SAME] * 3


def test_others_dashboards_are_never_written(grafana: Grafana) -> None:
    theirs = {"uid": "theirs", "title": "theirs"}
    grafana.put(theirs, "their-folder")
    grafana.put(copy.deepcopy(MODELS[0]), "their-folder")
    grafana.put(copy.deepcopy(MODELS[1]), FOLDER, provisioned=True)
    with pytest.raises(Misconfigured) as refused:
        push(grafana)
    assert [UIDS[0] in refused.value.mistakes[0], UIDS[1] in refused.value.mistakes[1]] == [
        True
    ] * 2
    assert "left alone" in refused.value.mistakes[0]
    assert "provisioned" in refused.value.mistakes[1]
    assert grafana.writes == []


GONE = {"uid": "citybrain-domain-noise", "title": "noise", "tags": ["citybrain"]}
OTHERS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "of no tag of ours": ({"uid": "citybrain-domain-a", "title": "a"}, FOLDER, False),
    "in another folder": ({**GONE, "uid": "citybrain-domain-b"}, "their-folder", False),
    "from a file": ({**GONE, "uid": "citybrain-domain-c"}, FOLDER, True),
    "of another namespace": ({**GONE, "uid": "drill-domain-d"}, FOLDER, False),
    "of no domain": ({**GONE, "uid": "citybrain-notes"}, FOLDER, False),
}


def test_dashboards_of_domains_that_are_gone_are_named_and_removed_when_asked(
    grafana: Grafana,
) -> None:
    push(grafana)
    grafana.put(GONE, FOLDER)
    for model, folder, provisioned in OTHERS.values():
        grafana.put(model, folder, provisioned=provisioned)
    grafana.asked.clear()
    steps, _ = plan(remote(grafana), MODELS, FOLDER, SOURCE)
    assert [(s.what, s.uid) for s in steps[3:]] == [(What.GONE, GONE["uid"])]
    carry_out(remote(grafana), steps, MODELS, FOLDER)
    assert grafana.writes == []
    steps, _ = plan(remote(grafana), MODELS, FOLDER, SOURCE, prune=True)
    assert [(s.what, s.uid) for s in steps[3:]] == [(What.REMOVE, GONE["uid"])]
    assert grafana.writes == []
    carry_out(remote(grafana), steps, MODELS, FOLDER)
    assert grafana.writes == [("DELETE", f"/api/dashboards/uid/{GONE['uid']}")]
    assert {*grafana.dashboards} == {*UIDS, *(model["uid"] for model, _, _ in OTHERS.values())}


def test_one_that_somebody_saved_or_moved_meanwhile_is_not_removed(grafana: Grafana) -> None:
    push(grafana)
    for meanwhile in ("saved", "moved"):
        grafana.put(GONE, FOLDER)
        steps, _ = plan(remote(grafana), MODELS, FOLDER, SOURCE, prune=True)
        if meanwhile == "saved":
            grafana.dashboards[str(GONE["uid"])]["version"] = 9
        else:
            grafana.metas[str(GONE["uid"])]["folderUid"] = "their-folder"
        with pytest.raises(Unavailable, match="not removed"):
            carry_out(remote(grafana), steps, MODELS, FOLDER)
        assert GONE["uid"] in grafana.dashboards


def test_a_removal_whose_answer_was_lost_or_that_is_forbidden(grafana: Grafana) -> None:
    push(grafana)
    grafana.put(GONE, FOLDER)
    steps, _ = plan(remote(grafana), MODELS, FOLDER, SOURCE, prune=True)
    path = "/api/dashboards/uid/"
    grafana.faults.append(Fault("DELETE", path, (403, {"message": "no"})))
    with pytest.raises(Misconfigured, match="may not remove dashboards"):
        carry_out(remote(grafana), steps, MODELS, FOLDER)
    grafana.faults.append(Fault("DELETE", path, (502, {"message": "gateway"}), after=True))
    carry_out(remote(grafana), steps, MODELS, FOLDER)
    carry_out(remote(grafana), steps, MODELS, FOLDER)
    assert GONE["uid"] not in grafana.dashboards


def test_a_wrong_token_an_old_grafana_and_a_missing_source_are_told(grafana: Grafana) -> None:
    with pytest.raises(Misconfigured, match="refuses the token"):
        plan(remote(grafana, "wrong"), MODELS, FOLDER, SOURCE)
    with pytest.raises(Misconfigured, match="no data source nowhere"):
        plan(remote(grafana), MODELS, FOLDER, "nowhere")
    for version in ("9.5.2", "10.4.0-pre"):
        grafana.version = version
        with pytest.raises(Misconfigured, match="too old"):
            plan(remote(grafana), MODELS, FOLDER, SOURCE)
    assert grafana.writes == []
    grafana.version = "12.0.1+security-01"
    plan(remote(grafana), MODELS, FOLDER, SOURCE)


def test_what_could_not_be_looked_at_is_said(grafana: Grafana) -> None:
    grafana.version = None
    grafana.faults.append(Fault("GET", "/api/datasources", (403, {"message": "no"})))
    _, notes = plan(remote(grafana), MODELS, FOLDER, SOURCE)
    assert ["version" in notes[0], "data sources" in notes[1]] == [True, True]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/folders"), ("POST", "/api/dashboards")]
)
def test_a_token_that_may_not_is_told_what_it_needs(
    grafana: Grafana, method: str, path: str
) -> None:
    grafana.faults.append(Fault(method, path, (403, {"message": "no"})))
    with pytest.raises(Misconfigured, match="role Editor"):
        push(grafana)


def test_busy_answers_are_tried_again_with_longer_waits(grafana: Grafana) -> None:
    grafana.faults.append(Fault("GET", "/api/folders", (503, {"message": "busy"}), times=TRIES - 1))
    waits: list[float] = []
    plan(remote(grafana, waits=waits), MODELS, FOLDER, SOURCE)
    assert waits == [0.5, 1.0, 2.0]
    grafana.faults.append(Fault("GET", "/api/folders", (503, {"message": "busy"}), times=TRIES))
    with pytest.raises(Unavailable, match="busy"):
        plan(remote(grafana), MODELS, FOLDER, SOURCE)


def test_a_save_whose_answer_was_lost_is_no_conflict(grafana: Grafana) -> None:
    grafana.faults += [
        Fault("POST", "/api/folders", (502, {"message": "gateway"}), after=True),
        Fault("POST", "/api/dashboards", (502, {"message": "gateway"}), after=True),
    ]
    push(grafana)
    assert push(grafana) == [What.SAME] * 3
    assert {board["version"] for board in grafana.dashboards.values()} == {1}


def test_somebody_who_saves_meanwhile_loses_nothing(grafana: Grafana) -> None:
    push(grafana)
    grafana.dashboards[UIDS[0]]["title"] = "old"
    there = remote(grafana)
    steps, _ = plan(there, MODELS, FOLDER, SOURCE)
    grafana.dashboards[UIDS[0]] |= {"title": "theirs", "version": 9}
    with pytest.raises(Unavailable, match="meanwhile"):
        carry_out(there, steps, MODELS, FOLDER)
    assert grafana.dashboards[UIDS[0]]["title"] == "theirs"


def test_nobody_there_is_told(grafana: Grafana) -> None:
    gone = Remote("http://127.0.0.1:9", TOKEN, 1.0, lambda _: None)
    with pytest.raises(Unavailable, match="did not answer"):
        plan(gone, MODELS, FOLDER, SOURCE)


def test_the_token_is_not_sent_readable_over_a_network() -> None:
    def settings(url: str | None, token: str | None) -> GrafanaSettings:
        return GrafanaSettings.model_validate({"url": url, "token": token})

    assert address_of(settings("http://127.0.0.1:3000", "t"))[0] == "http://127.0.0.1:3000"
    assert address_of(settings("https://grafana.example/sub/", "t"))[1] == "t"
    for url in ("http://grafana.example", "ftp://127.0.0.1", "https://u:p@grafana.example"):
        with pytest.raises(Misconfigured, match="must be https"):
            address_of(settings(url, "t"))
    with pytest.raises(Misconfigured) as refused:
        address_of(settings(None, None))
    assert len(refused.value.mistakes) == 2


def test_differences_name_the_place() -> None:
    ours = {"a": 1, "b": [1, {"c": 2}], "d": [1]}
    assert differences(ours, {"a": 1, "b": [1, {"c": 3, "x": 0}], "d": [1, 2], "y": 0}) == [
        "/b/1/c",
        "/d: 2 are there, 1 are ours",
    ]
    assert differences(ours, {}) == ["/a", "/b", "/d"]


def test_the_command_dry_runs_pushes_and_compares(
    grafana: Grafana, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYBRAIN_GRAFANA_URL", grafana.url)
    monkeypatch.setenv("CITYBRAIN_GRAFANA_TOKEN", TOKEN)
    assert run(["dashboards", "push", "--dry-run"]) == 0
    assert grafana.writes == []
    assert "make citybrain-situation" in capsys.readouterr().out
    assert run(["dashboards", "diff"]) == 1
    assert run(["dashboards", "push"]) == 0
    assert run(["dashboards", "diff"]) == 0
    grafana.dashboards["citybrain-ledger"]["refresh"] = "5s"
    capsys.readouterr()
    assert run(["dashboards", "diff"]) == 1
    assert "    /refresh" in capsys.readouterr().out
    run(["dashboards", "push"])
    grafana.put(GONE, FOLDER)
    capsys.readouterr()
    assert run(["dashboards", "diff"]) == 0
    assert "domain is gone: citybrain-domain-noise" in capsys.readouterr().out
    assert run(["dashboards", "push", "--prune", "--dry-run"]) == 0
    assert "remove citybrain-domain-noise" in capsys.readouterr().out
    assert GONE["uid"] in grafana.dashboards
    assert run(["dashboards", "push", "--prune"]) == 0
    assert GONE["uid"] not in grafana.dashboards
    monkeypatch.setenv("CITYBRAIN_GRAFANA_TOKEN", "wrong")
    assert run(["dashboards", "push"]) == 2
    told = capsys.readouterr()
    assert "refuses the token" in told.err
    assert "wrong\n" not in told.err + told.out
