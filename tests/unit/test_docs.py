"""The documents say what is there: settings, verbs, domains, routes, parameters; and links resolve.

`python -m tests.unit.test_docs` writes the generated tables anew.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from api.access.settings import AccessSettings
from api.actions.settings import ActingSettings
from api.app import create_app
from api.delivery.settings import DeliverSettings
from api.freshness import FreshnessSettings
from dashboards.grafana.settings import GrafanaSettings
from deploy import cli
from deploy.city.zhejiang import codes
from deploy.native_settings import NativeSettings
from sensors.gateway.mqtt.settings import MqttSettings
from sensors.gateway.settings import GatewaySettings
from sensors.registry import boundary_file, crs
from sensors.warnings.types import EVENT_CODES
from streams.alerting.stages import parameters as stages
from streams.contracts.cap import house
from streams.contracts.domain import Parameter
from streams.contracts.warning import VALID_HOURS
from streams.domains import find_domains
from streams.indicators import definition
from streams.quality import parameters as quality
from streams.region import parameters as region
from streams.resilience import parameters as resilience
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
PATH = re.compile(r"`((?:streams|sensors|api|deploy|tests|docs|benchmarks)/[\w./-]+\.\w+)`")
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
# Spelt in parts, so that this file does not hold what it forbids.
FORBIDDEN = re.compile(
    "|".join(("/work" + "/", "/ho" + "me/", "shared/" + "data/", "artifact" + "ory"))
)
KINDS = (
    Settings,
    AccessSettings,
    GatewaySettings,
    MqttSettings,
    NativeSettings,
    ActingSettings,
    DeliverSettings,
    FreshnessSettings,
    GrafanaSettings,
)
EXEMPT = re.compile(r"\.lock$")


@cache
def documents() -> tuple[Path, ...]:
    """Every page for people."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


@cache
def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in documents())


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    """(variable, default, description) of every field."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    for name, field in settings.model_fields.items():
        default = "" if field.default in (None, ()) else str(field.default)
        yield f"{prefix}{name}".upper(), default, field.description or ""


def generate(what: str) -> str:
    """The rows of a generated table."""
    return {
        "settings": settings_table,
        "acting": lambda: settings_table(ActingSettings),
        "mqtt": lambda: settings_table(MqttSettings),
        "deliver": lambda: settings_table(DeliverSettings),
        "fresh": lambda: settings_table(FreshnessSettings),
        "access": lambda: settings_table(AccessSettings),
        "grafana": lambda: settings_table(GrafanaSettings),
        "native": lambda: settings_table(NativeSettings),
        "parameters": parameters_table,
        "timing": timing_table,
    }[what]()


def settings_table(settings: type[BaseSettings] = Settings) -> str:
    """A `<` of a description is escaped: a page would take it for a tag and show nothing."""
    rows = [
        f"| `{name}` | {default} | {text} |".replace("<", "\\<")
        for name, default, text in variables(settings)
    ]
    return table("| variable | default | meaning |", rows)


def parameters_table() -> str:
    rows = [f"| `{p.key}` | {p.default} | {p.unit} | {p.tag} | {p.source} |" for p in parameters()]
    return table("| key | default | unit | tag | source |", rows)


def timing_table() -> str:
    rows = []
    for name, domain in find_domains().items():
        rows.append(f"| `{name}.timing.delay_s` | {domain.timing.delay_s} |")
        rows.append(f"| `{name}.timing.horizon_s` | {domain.timing.horizon_s} |")
    return table("| key | default, s |", rows)


def table(head: str, rows: list[str]) -> str:
    line = "|" + "---|" * (head.count("|") - 1)
    return "\n".join((head, line, *rows)) + "\n"


def parameters() -> list[Parameter]:
    """Those of the rooms first, then of the domains."""
    found = [*region.PARAMETERS, *resilience.PARAMETERS, *definition.PARAMETERS]
    found += [*codes.PARAMETERS, *crs.PARAMETERS, *boundary_file.PARAMETERS]
    found += [*quality.PARAMETERS, VALID_HOURS, EVENT_CODES, *house.PARAMETERS]
    found += stages.PARAMETERS
    for domain in find_domains().values():
        found += [*domain.parameters, *quality.property_parameters(domain.properties)]
    return found


def anchors(text: str) -> set[str]:
    """What headings can be linked by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (
            anchor and anchor not in anchors(file.read_text(encoding="utf-8"))
        ):
            found.append(target)
    return found


@pytest.mark.parametrize("page", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    assert broken(page) == []
    named = PATH.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](#one-two) [b](#three) [c](missing.md) [d](page.md#one-two)\n")
    assert broken(page) == ["#three", "missing.md"]


def test_generated_tables_are_what_the_code_declares() -> None:
    seen = []
    for page in documents():
        for _, what, held, _ in BLOCK.findall(page.read_text(encoding="utf-8")):
            seen.append(what)
            assert held == generate(what), f"{page.name}: python -m tests.unit.test_docs"
    assert sorted(seen) == [
        "access",
        "acting",
        "deliver",
        "fresh",
        "grafana",
        "mqtt",
        "native",
        "parameters",
        "settings",
        "timing",
    ]


@pytest.mark.parametrize("settings", KINDS)
def test_every_setting_is_described(settings: type[BaseSettings]) -> None:
    for name, _, text in variables(settings):
        assert text, f"{name} has no description"
        assert f"`{name}`" in everything()


def test_no_page_names_a_setting_that_is_not_there() -> None:
    known = {name for kind in KINDS for name, _, _ in variables(kind)}
    assert set(re.findall(r"CITYBRAIN(?:_[A-Z]+)+", everything())) - known == set()


def test_the_defaults_of_the_gateway_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    held = dict(re.findall(r"^\| `(CITYBRAIN_GATEWAY_\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    fields = GatewaySettings.model_fields
    assert held.keys() == {name for name, _, _ in variables(GatewaySettings)}
    for name, text in held.items():
        field = name.removeprefix("CITYBRAIN_GATEWAY_").lower()
        read = GatewaySettings.model_validate({field: text})
        assert getattr(read, field) == fields[field].default, name


def test_every_verb_is_described() -> None:
    verbs = [c.name or c.callback.__name__ for c in cli.build().registered_commands if c.callback]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(verbs) > 10
    assert [verb for verb in verbs if f"`{verb}`" not in readme] == []


def test_every_domain_has_its_page_for_operators() -> None:
    for name, domain in find_domains().items():
        page = (ROOT / "docs" / "domains" / f"{name}.md").read_text(encoding="utf-8")
        assert domain.title.zh in page or domain.title.en in page
        assert [r.name for r in domain.rules if f"`{r.name}`" not in page] == []


def test_every_route_group_is_described() -> None:
    paths = create_app("", "citybrain").openapi()["paths"]
    groups = {"/".join(path.split("/")[:3]) for path in paths if path.startswith("/v1/")}
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert groups
    assert [group for group in sorted(groups) if f"`{group}" not in page] == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(  # what is committed, not what lies about
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix == ".png" or not path.is_file():
            continue
        found = FORBIDDEN.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{name}: {found}"
    assert not [n for n in listed.stdout.split("\0") if n.startswith("var/")]


def write() -> None:
    """Writes every generated table into its page."""
    for page in documents():
        text = page.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda m: m[1] + generate(m[2]) + m[4], text)
        if new != text:
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    write()
