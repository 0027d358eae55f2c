"""A TierRule with its parameters filled in: integer thresholds, ready to compare."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from streams.contracts.domain import TierRule
from streams.contracts.reason import Severity
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Tiers 1..K, ascending; index 0 of every tuple belongs to tier 1. Values are scaled.

    `meet`: the tier is met at or above (a tier met only above its parameter has 1 more here);
    `hold`: it is left below this (meet - hysteresis); `jump`: one single value at or above this
    raises at once (None: never). `raise_ms`: how long a tier must last (0: no time).
    Exactly one of `clear_ms` and `clear_count` is set.
    """

    rule: TierRule
    meet: tuple[int, ...]
    hold: tuple[int, ...]
    jump: tuple[int, ...] | None
    severities: tuple[Severity, ...]
    consecutive: int
    clear_ms: int | None
    clear_count: int | None
    texts: tuple[str, ...]  # the parameters as written
    version: str
    raise_ms: int = 0

    def tier(self, value: int) -> int:
        """The highest tier that the value meets, 0 = none."""
        found = 0
        for number, threshold in enumerate(self.meet, 1):
            if value >= threshold:
                found = number
        return found

    def jump_tier(self, value: int) -> int:
        """The highest tier that this one value raises at once, 0 = none."""
        found = 0
        for number, threshold in enumerate(self.jump or (), 1):
            if value >= threshold:
                found = number
        return found


def fill(rule: TierRule, parameters: Mapping[str, str]) -> Thresholds:
    """Fills a rule with parameters. `Misconfigured` lists every mistake in them."""
    mistakes: list[str] = []

    def number(key: str | None, default: str = "0") -> Decimal:
        text = default if key is None else parameters.get(key, key)
        try:
            return Decimal(text)
        except ArithmeticError:
            mistakes.append(f"rule {rule.name}: {key} = {text!r} is not a number")
            return Decimal(0)

    factor = Decimal(10) ** rule.unit_scale
    texts = tuple(str(number(key)) for key, _ in rule.levels)
    keys = tuple(key for key, _ in rule.levels)
    meet = tuple(
        int(Decimal(t) * factor) + (key in rule.over) for key, t in zip(keys, texts, strict=True)
    )
    if unknown := sorted(set(rule.over) - set(keys)):
        mistakes.append(f"rule {rule.name}: over names no level: {', '.join(unknown)}")
    if any(a >= b for a, b in pairwise(meet)):
        mistakes.append(f"rule {rule.name}: thresholds do not ascend: {', '.join(texts)}")
    width = int(number(rule.hysteresis) * factor)
    over = int(number(rule.jump_over) * factor)
    if (rule.clear_minutes is None) == (rule.clear_count is None):
        mistakes.append(f"rule {rule.name}: give either clear_minutes or clear_count")
    consecutive = int(number(rule.consecutive))
    clear_ms = None if rule.clear_minutes is None else int(number(rule.clear_minutes) * 60_000)
    clear_count = None if rule.clear_count is None else int(number(rule.clear_count))
    raise_ms = int(number(rule.raise_minutes) * 60_000)
    if mistakes:
        raise Misconfigured(mistakes)
    filled = Thresholds(
        rule=rule,
        meet=meet,
        hold=tuple(m - width for m in meet),
        jump=None if rule.jump_over is None else tuple(m + over for m in meet),
        severities=tuple(s for _, s in rule.levels),
        consecutive=consecutive,
        clear_ms=clear_ms,
        clear_count=clear_count,
        texts=texts,
        version="",
        raise_ms=raise_ms,
    )
    return _with_version(filled)


def _with_version(filled: Thresholds) -> Thresholds:
    parts = (
        filled.rule.name,
        filled.rule.version,
        filled.meet,
        filled.hold,
        filled.jump,
        tuple(int(s) for s in filled.severities),
        filled.consecutive,
        filled.clear_ms,
        filled.clear_count,
        filled.raise_ms,
    )
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    return replace(filled, version=digest)


def fingerprint(rule: str, subject: str, onset_ms: int) -> str:
    """Identity of an alert: the same content gives the same id, always and everywhere."""
    text = f"{rule}|{subject}|{onset_ms}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
