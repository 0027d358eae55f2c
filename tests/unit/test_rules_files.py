"""Rule sets as files: every mistake with its line, tests that fail when they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy import cli
from deploy.commands.rules import PACKAGED
from deploy.rules.case_reading import read_cases
from deploy.rules.reading import good_rules, read_rules
from deploy.rules.trial import judge_case
from deploy.rules.writing import export
from streams.alerting.rule import fill
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import rulings
from streams.area.view import parameters_of
from streams.contracts.domain import Domain
from streams.domains import find_domains
from streams.errors import Misconfigured

DOMAINS = find_domains()
PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
DEPTH = """\
domain: waterlogging
rules:
  waterlogging.depth:
"""
CASE = """\
domain: waterlogging
tests:
  - name: wet
    points: {p: {}}
    readings:
      - {from: "10:00", to: "10:05", every: 30 s, depth: 0.16}
    expect:
"""


def written(folder: Path, text: str, tests: str = "") -> Path:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "water.yaml").write_text(text, encoding="utf-8")
    if tests:
        (folder / "tests" / "water.yaml").write_text(tests, encoding="utf-8")
    return folder


def mistakes(folder: Path, text: str) -> list[str]:
    """Without the folder in front."""
    found = read_rules(written(folder, text), DOMAINS).mistakes
    return [line.removeprefix(f"{folder}/") for line in found]


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda d: str(d.name))
def test_exported_rules_read_back_are_exactly_the_domains_own(
    domain: Domain, tmp_path: Path
) -> None:
    values = {p.key: p.default for p in domain.parameters}
    (tmp_path / "rules.yaml").write_text(export(domain, values), encoding="utf-8")
    rules = good_rules(tmp_path, DOMAINS)
    parameters = parameters_of(domain, values)
    for name, ruling in rulings(domain, parameters, rules, "330106", (), 0).items():
        plain = next(fill(r, parameters) for r in domain.rules if r.name == name)
        assert ruling.of(None) is not None
        assert ruling.of("p").version == plain.version  # type: ignore[union-attr]
        assert ruling.rule.title == plain.rule.title
        assert ruling.hidden_by == plain.rule.hidden_by


def test_the_packaged_set_has_a_test_for_every_rule_of_every_domain() -> None:
    rules = good_rules(PACKAGED, DOMAINS)
    cases = read_cases(PACKAGED / "tests", DOMAINS)
    verdicts = [judge_case(case, rules, DOMAINS) for case in cases]
    assert [(one.case.name, one.faults) for one in verdicts if not one.passed] == []
    real = {d.name for d in DOMAINS.values()} & {c.name.split(".")[0] for c in rules.rules}
    own = {rule.name for name in real for rule in DOMAINS[name].rules}
    fired = {t.rule for one in verdicts for t in one.came if t.change.value == "confirmed"}
    assert own == {clause.name for clause in rules.rules}
    assert own <= fired


def test_the_page_for_operators_shows_files_that_work(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    rules, *tests = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(tests) == 2
    for number, one in enumerate(tests):
        written(tmp_path, rules, one)
        (tmp_path / "tests" / "water.yaml").rename(tmp_path / "tests" / f"{number}.yaml")
    found = good_rules(tmp_path, DOMAINS)
    for case in read_cases(tmp_path / "tests", DOMAINS):
        assert judge_case(case, found, DOMAINS).faults == []


def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    text = DEPTH + "    levels: {blue: 15.10, red: '>50'}\n    off: false\n"
    (clause,) = good_rules(written(tmp_path, text), DOMAINS).rules
    assert clause.terms.levels == {"blue": "15.10", "red": ">50"}
    assert clause.terms.off is False


def test_a_file_without_rules_is_the_empty_set(tmp_path: Path) -> None:
    assert good_rules(written(tmp_path, "domain: air\n"), DOMAINS) == RuleSet()


@pytest.mark.parametrize(
    ("said", "line", "why"),
    [
        ("    level: {blue: 1}\n", 4, "'level' is not known"),
        ("    levels: {blue: 1, blue: 2}\n", 4, "blue comes twice"),
        ("    levels: [1]\n", 4, "keys and values are wanted"),
        ("    off: maybe\n", 4, "true or false"),
        ("    season: summer\n", 4, "MM-DD..MM-DD"),
        ("    for: {readings: two}\n", 3, "consecutive = 'two' is not a number"),
        ("    overrides:\n      - area: 330106\n        levels: {blue: 90}\n", 5, "do not ascend"),
        ("    overrides:\n      - levels: {blue: 9}\n", 5, "either an area or a point"),
        ("    levels: &a {blue: 1}\n", 4, "anchors and aliases"),
        ("    hidden_by: waterlogging.deep\n", 3, "there is no rule 'waterlogging.deep'"),
        ("    hidden_by: [waterlogging.depth]\n", 3, "cannot hide itself"),
        ("    hidden_by: [none, waterlogging.rise]\n", 3, "either none or rules"),
        (
            "    hidden_by: waterlogging.rise\n",
            3,
            "each other: waterlogging.depth → waterlogging.rise → waterlogging.depth",
        ),
        ("    levels: {blue: 1\n", 5, "no YAML"),
        ("    levels: !!python/name:os.system {}\n", 4, "keys"),
    ],
)
def test_a_mistake_says_file_and_line(tmp_path: Path, said: str, line: int, why: str) -> None:
    found = mistakes(tmp_path, DEPTH + said)
    if "python" in said:
        assert found == []  # a tag means nothing: nothing is ever constructed
        return
    assert [one for one in found if why in one]
    assert [one.startswith(f"water.yaml:{line}:") for one in found if why in one] == [True]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = DEPTH + "    levels: {purple: 1}\n    jump: deep\n  waterlogging.new:\n    watches: x\n"
    assert len(mistakes(tmp_path, text)) >= 5


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ("      - {rule: waterlogging.depth, at: '10:00', change: onset}\n", "not wanted"),
        ("      - {rule: waterlogging.depth, never: true}\n", "not wanted"),
        (
            "      - {rule: waterlogging.depth, at: '10:01', change: confirmed, severity: red}\n",
            "did not come",
        ),
        (
            "      - {rule: waterlogging.depth, at: '10:00:30', change: confirmed}\n"
            "      - {rule: waterlogging.depth, between: ['10:01', '10:06'], change: cleared}\n",
            "did not come: cleared",
        ),
    ],
)
def test_a_test_fails_when_the_alerts_are_others(
    tmp_path: Path, expect: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, "domain: waterlogging\n", CASE + expect)
    assert cli.run(["rules", "test", str(folder)]) == 1
    told = capsys.readouterr().out
    assert fault in told
    assert "· p depth 0.16" in told
    assert "1 tests, 1 failed" in told


def test_a_wrong_test_is_told_with_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (
        CASE.replace("depth: 0.16", "height: 0.16") + "      - {rule: x, at: noon, change: up}\n"
    )
    folder = written(tmp_path, "domain: waterlogging\n", wrong)
    assert cli.run(["rules", "check", str(folder)]) == 1
    told = capsys.readouterr().out
    for why in (":6: reading: 'height'", ':8: time: "HH:MM"', ":8: change: 'up'"):
        assert why in told


def test_a_failing_test_shows_what_was_wanted_beside_what_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect = (
        "      - {rule: waterlogging.depth, at: '10:00:30', change: confirmed, severity: blue}\n"
        "      - {rule: waterlogging.depth, at: '10:02', change: raised, value: 31}\n"
        "      - {rule: waterlogging.depth, between: ['10:06', '10:08'], change: stale,"
        " stale: 'true', completeness: 1 of 1}\n"
    )
    text = CASE.replace("every: 30 s", "every: 30 s, point: p") + expect + '    until: "10:08"\n'
    folder = written(tmp_path, "domain: waterlogging\n", text)
    assert cli.run(["rules", "test", str(folder)]) == 1
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (strip,) = [line for line in told if line.startswith("waterlogging.depth at p   ")]
    assert re.search(r" \?+B+b+ ", strip), "pending, blue, blue and stale"
    table = [re.split(r" {2,}", line) for line in told if line[:1] in ("✓", "✗")]
    assert table == [
        ["✓ 10:00:30", "confirmed blue", "10:00:30 confirmed blue"],
        ["✗ 10:02:00", "raised, value 31", "–"],
        ["✗ 10:07:01", "–", "stale blue, value none, stale true, completeness 0 of 1 unknown"],
        ["✗ 10:06:00–10:08:00", "stale, stale true, completeness 1 of 1", "–"],
    ]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("{at: '10:00'}", "`at` and one of rules, gone, warning, close"),
        ("{at: '10:00', close: {rule: x}}", "`rule` and `as` are wanted"),
        ("{at: '10:00', close: {rule: x, as: over}}", "as: 'over': one of false_alarm"),
        ("{at: '10:00', gone: q}", "no point 'q' among `points`"),
        ("{at: '10:00', warning: {type: 暴雨}}", "`type` and `severity` are wanted"),
        ("{at: '10:00', rules: {waterlogging.depth: {levels: {blue: 90}}}}", "do not ascend"),
        ("{at: '10:00', rules: {no.such: {off: true}}}", "no.such"),
    ],
)
def test_what_cannot_happen_is_told(tmp_path: Path, then: str, why: str) -> None:
    text = CASE.replace("    expect:\n", f"    then: [{then}]\n    expect:\n")
    text += "      - {rule: waterlogging.depth, never: true}\n"
    folder = written(tmp_path, "domain: waterlogging\n", text)
    with pytest.raises(Misconfigured) as refused:
        read_cases(folder / "tests", DOMAINS)
    assert [one for one in refused.value.mistakes if ":7: " in one and why in one]


def test_check_and_test_need_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["rules", "check"]) == 0
    assert "0 mistakes sha256:" in capsys.readouterr().out


def test_export_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["rules", "export", str(tmp_path / "mine")]) == 0
    assert cli.run(["rules", "check", str(tmp_path / "mine")]) == 0
    assert cli.run(["rules", "export", str(tmp_path / "mine")]) == 2
    assert "nothing was written" in capsys.readouterr().err
