"""A domain's own rules as a file to start from, with the numbers that a profile gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.alerting.rule import Level, Numbers, numbers_of
from streams.contracts.domain import Domain, TierRule
from streams.contracts.reason import Severity

HEAD = """\
# Alert rules of {zh} · {en}. docs/rules.md describes this file.
# What is left out here holds as the domain and the profile have it.
domain: {name}
rules:
"""


def export(domain: Domain, values: Mapping[str, str]) -> str:
    """The file's text; reading it gives rules with exactly these numbers."""
    parameters = {p.key: values.get(p.key, p.default) for p in domain.parameters}
    head = HEAD.format(zh=domain.title.zh, en=domain.title.en, name=domain.name)
    lines = [line for rule in domain.rules for line in _rule(rule, numbers_of(rule, parameters))]
    return head + "\n".join(lines) + "\n"


def _rule(rule: TierRule, numbers: Numbers) -> Iterator[str]:
    yield f"  {rule.name}:"
    yield f"    title: {{zh: {_quoted(rule.title.zh)}, en: {_quoted(rule.title.en)}}}"
    if rule.property is not None:
        yield f"    watches: {rule.property}"
    if rule.unit:
        yield f"    unit: {_quoted(rule.unit)}"
    yield f"    levels: {{{', '.join(_levels(numbers.levels))}}}"
    lasting = {"readings": numbers.consecutive, "minutes": numbers.raise_minutes}
    yield f"    for: {_flow(lasting)}"
    if numbers.jump_over is not None:
        yield f"    jump: {numbers.jump_over}"
    clear = {
        "below_by": numbers.hysteresis,
        "minutes": numbers.clear_minutes,
        "readings": numbers.clear_count,
    }
    yield f"    clear: {_flow(clear)}"
    if rule.hidden_by:
        yield f"    hidden_by: [{', '.join(rule.hidden_by)}]"


def _levels(levels: Mapping[Severity, Level]) -> Iterator[str]:
    for severity, level in levels.items():
        text = f'">{level.text}"' if level.over else level.text
        yield f"{severity.name.lower()}: {text}"


def _flow(values: Mapping[str, str | None]) -> str:
    said = ", ".join(f"{name}: {text}" for name, text in values.items() if text is not None)
    return f"{{{said}}}"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
