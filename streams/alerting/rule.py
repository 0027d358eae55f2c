"""A TierRule with its numbers filled in: integer thresholds, ready to compare."""

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


@dataclass(frozen=True, slots=True)
class Level:
    """A tier as written: its threshold, and whether it is met only above it."""

    text: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a rule compares with, as written, in its unit; None = the rule has no such thing."""

    levels: Mapping[Severity, Level]
    consecutive: str = "1"
    raise_minutes: str | None = None
    jump_over: str | None = None
    hysteresis: str | None = None
    clear_minutes: str | None = None
    clear_count: str | None = None


def numbers_of(rule: TierRule, parameters: Mapping[str, str]) -> Numbers:
    """A domain's rule with its parameters put in. `Misconfigured` for an `over` that is none."""
    keys = [key for key, _ in rule.levels]
    if unknown := sorted(set(rule.over) - set(keys)):
        raise Misconfigured([f"rule {rule.name}: over names no level: {', '.join(unknown)}"])

    def text(key: str | None) -> str | None:
        return None if key is None else parameters.get(key, key)

    return Numbers(
        {s: Level(parameters.get(key, key), key in rule.over) for key, s in rule.levels},
        parameters.get(rule.consecutive, rule.consecutive),
        text(rule.raise_minutes),
        text(rule.jump_over),
        text(rule.hysteresis),
        text(rule.clear_minutes),
        text(rule.clear_count),
    )


def fill(rule: TierRule, parameters: Mapping[str, str]) -> Thresholds:
    """Fills a rule with parameters. `Misconfigured` lists every mistake in them."""
    called = {severity.name.lower(): key for key, severity in rule.levels} | {
        "consecutive": rule.consecutive,
        "raise_minutes": rule.raise_minutes or "",
        "jump_over": rule.jump_over or "",
        "hysteresis": rule.hysteresis or "",
        "clear_minutes": rule.clear_minutes or "",
        "clear_count": rule.clear_count or "",
    }
    return thresholds(rule, numbers_of(rule, parameters), called)


def thresholds(
    rule: TierRule, numbers: Numbers, called: Mapping[str, str] | None = None
) -> Thresholds:
    """The numbers as integers at the rule's scale. `Misconfigured` lists every mistake in them,
    each number by its name or as it is `called`."""
    mistakes: list[str] = []

    def number(what: str, text: str | None) -> Decimal:
        try:
            found = Decimal(text or "0")
        except ArithmeticError:
            found = Decimal("nan")
        if not found.is_finite():
            name = (called or {}).get(what, what)
            mistakes.append(f"rule {rule.name}: {name} = {text!r} is not a number")
            return Decimal(0)
        return found

    factor = Decimal(10) ** rule.unit_scale
    severities = tuple(sorted(numbers.levels))
    levels = [numbers.levels[severity] for severity in severities]
    values = [
        number(s.name.lower(), level.text) for s, level in zip(severities, levels, strict=True)
    ]
    texts = tuple(str(value) for value in values)
    meet = tuple(int(v * factor) + level.over for v, level in zip(values, levels, strict=True))
    if any(a >= b for a, b in pairwise(meet)):
        mistakes.append(f"rule {rule.name}: thresholds do not ascend: {', '.join(texts)}")
    width = int(number("hysteresis", numbers.hysteresis) * factor)
    over = int(number("jump_over", numbers.jump_over) * factor)
    if (numbers.clear_minutes is None) == (numbers.clear_count is None):
        mistakes.append(f"rule {rule.name}: give either clear_minutes or clear_count")
    consecutive = int(number("consecutive", numbers.consecutive))
    clear_ms = int(number("clear_minutes", numbers.clear_minutes) * 60_000)
    clear_count = int(number("clear_count", numbers.clear_count))
    raise_ms = int(number("raise_minutes", numbers.raise_minutes) * 60_000)
    if mistakes:
        raise Misconfigured(mistakes)
    filled = Thresholds(
        rule=rule,
        meet=meet,
        hold=tuple(m - width for m in meet),
        jump=None if numbers.jump_over is None else tuple(m + over for m in meet),
        severities=severities,
        consecutive=consecutive,
        clear_ms=None if numbers.clear_minutes is None else clear_ms,
        clear_count=None if numbers.clear_count is None else clear_count,
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
