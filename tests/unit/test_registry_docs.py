"""The operator's page on the registry names every column, reason, finding, format and option."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from deploy.commands.registry import CrsChoice, EncodingChoice, verbs
from sensors.registry.check import Kind
from sensors.registry.columns import CHINESE, COLUMNS, PREFIXES
from sensors.registry.crs import Crs
from sensors.registry.formats import formats
from sensors.registry.line import Fault
from sensors.registry.source import ENCODINGS

PAGE = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))


def test_columns_are_described_with_their_chinese_names() -> None:
    assert not [c for c in COLUMNS if c not in NAMED]
    assert not [p for p in PREFIXES if not any(n.startswith(p + "{") for n in NAMED)]
    assert not [zh for zh in CHINESE if zh not in PAGE]


def test_reasons_and_findings_are_described() -> None:
    assert not [f for f in Fault if f.value not in NAMED]
    assert not [k for k in Kind if k.value not in NAMED]


def test_formats_and_verbs_are_described() -> None:
    assert not [name for name in formats() if f"--format {name}" not in PAGE]
    command = typer.main.get_command(verbs)
    assert isinstance(command, typer.core.TyperGroup)
    assert set(command.commands) == {"import", "export", "check", "diff", "boundaries"}
    assert not [name for name in command.commands if f"registry {name}" not in PAGE]
    for option in command.commands["import"].params:
        if option.param_type_name == "option" and option.name != "help":
            assert [n for n in option.opts if any(n in named for named in NAMED)], option.opts


def test_choices_of_the_command_are_those_of_the_reader() -> None:
    assert [c.value for c in CrsChoice] == [c.value for c in Crs]
    assert tuple(e.value for e in EncodingChoice) == ENCODINGS
