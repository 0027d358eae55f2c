"""House numbers of the composite colour (domain.md §5.2, §8.3: 本平台约定)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.contracts.domain import Parameter
from streams.contracts.reason import Severity

SEVERITY = Parameter("risk.compound.severity", "3", "1 blue … 4 red", "H", "domain.md §8.3")
DOMAINS = Parameter("risk.compound.domains", "2", "domains", "H", "domain.md §8.3")
STEPS = Parameter("risk.compound.steps", "1", "colours", "H", "domain.md §8.3")
PARAMETERS = (SEVERITY, DOMAINS, STEPS)


@dataclass(frozen=True, slots=True)
class Compound:
    """`domains` at `severity` or worse at once raise the colour by `steps` (never above red)."""

    severity: Severity
    domains: int
    steps: int


def compound_numbers(values: Mapping[str, str]) -> Compound:
    """The numbers in force; `ValueError` when one is none (see `compound_mistakes`)."""
    severity, domains, steps = (int(values.get(p.key, p.default)) for p in PARAMETERS)
    return Compound(Severity(severity), domains, steps)


DEFAULT = compound_numbers({})


def compound_mistakes(values: Mapping[str, str]) -> list[str]:
    """What in a profile is no usable number."""
    highest = {SEVERITY.key: 4, DOMAINS.key: 99, STEPS.key: 3}
    lowest = {SEVERITY.key: 1, DOMAINS.key: 2, STEPS.key: 0}
    found = []
    for parameter in PARAMETERS:
        key, text = parameter.key, values.get(parameter.key, parameter.default)
        if not text.isdecimal() or not lowest[key] <= int(text) <= highest[key]:
            wanted = f"a whole number from {lowest[key]} to {highest[key]}"
            found.append(f"{key} = {text!r} is not {wanted}")
    return found
