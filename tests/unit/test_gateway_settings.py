"""Settings of the gateway: documented, bounded by each other, loopback unless told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensors.gateway.document import READINGS_ANSWERS
from sensors.gateway.problem import all_refused
from sensors.gateway.settings import GatewaySettings, KeyRule, is_loopback, load_gateway_settings
from streams.errors import Misconfigured

PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `CITYBRAIN_GATEWAY_(\w+)` \| (\S+) \|", PAGE.read_text("utf-8"), re.M)
    )
    fields = GatewaySettings.model_fields
    shown = {name.lower(): default for name, default in rows.items()}
    assert set(shown) == set(fields)
    assert GatewaySettings.model_validate(shown) == GatewaySettings.model_construct()
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("::", False),
        ("10.0.0.1", False),
        ("gateway.example", False),
    ],
)
def test_only_loopback_needs_no_word_of_the_operator(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert bool(GatewaySettings(host=host).mistakes()) is not expected
    assert GatewaySettings(host=host, expose=True).mistakes() == []
    open_door = GatewaySettings(host=host, expose=True, keys=KeyRule.OPTIONAL)
    assert bool(open_door.mistakes()) is not expected


def test_keys_are_required_unless_somebody_says_otherwise() -> None:
    assert GatewaySettings().keys is KeyRule.REQUIRED


def test_settings_that_contradict_each_other_are_all_named() -> None:
    wrong = GatewaySettings(host="0.0.0.0", request_readings=10, source_rows=5, waiting_rows=4)
    assert len(wrong.mistakes()) == 3


def test_all_mistakes_of_the_environment_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_GATEWAY_PORT", "-1")
    monkeypatch.setenv("CITYBRAIN_GATEWAY_LINGER_MS", "soon")
    with pytest.raises(Misconfigured) as refused:
        load_gateway_settings()
    assert [mistake.split(":")[0] for mistake in refused.value.mistakes] == [
        "CITYBRAIN_GATEWAY_PORT",
        "CITYBRAIN_GATEWAY_LINGER_MS",
    ]


def test_every_status_of_the_interface_is_documented() -> None:
    page = PAGE.read_text("utf-8")
    for status in READINGS_ANSWERS:
        assert f"| {status} |" in page
    assert str(all_refused([]).status) in page
