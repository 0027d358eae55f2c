"""How far our results agree with published ones: shares, the disagreements, what explains them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Share:
    """`agree` of `of` comparable cases; `expected` False marks a figure that is only stated."""

    what: str
    agree: int
    of: int
    note: str = ""
    expected: bool = True

    @property
    def ratio(self) -> Fraction | None:
        return Fraction(self.agree, self.of) if self.of else None

    def percent(self) -> str:
        """With two digits, cut off: 99.99 % is never shown as 100."""
        return "-" if not self.of else f"{self.agree * 10_000 // self.of / 100:.2f} %"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One case; `line` of the published row (0 = none), `why` when it can be explained."""

    what: str
    subject: str
    start_ms: int
    line: int
    published: str
    ours: str
    why: str = ""


@dataclass(slots=True)
class Agreement:
    """Of one feed and its files."""

    shares: list[Share] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def share(self, what: str) -> Share:
        """The share of that name; `KeyError` when there is none."""
        for share in self.shares:
            if share.what == what:
                return share
        raise KeyError(what)

    def join(self, other: Agreement) -> None:
        self.shares += other.shares
        self.disagreements += other.disagreements
        self.notes += other.notes

    def to_dict(self, shown: int | None) -> dict[str, Any]:
        """Plain JSON; `shown` disagreements, None = all."""
        return {
            "shares": [
                {
                    "what": s.what,
                    "agree": s.agree,
                    "of": s.of,
                    "percent": s.percent(),
                    "note": s.note,
                    "expected": s.expected,
                }
                for s in self.shares
            ],
            "disagreements": len(self.disagreements),
            "first": [
                {
                    "what": d.what,
                    "subject": d.subject,
                    "start_ms": d.start_ms,
                    "line": d.line,
                    "published": d.published,
                    "ours": d.ours,
                    "why": d.why,
                }
                for d in self.disagreements[:shown]
            ],
            "notes": self.notes,
        }


def quantiles(values: Sequence[float], unit: str) -> str:
    """Smallest, quarter, middle, three quarters, largest: for people."""
    if not values:
        return "nothing to compare"
    ordered = sorted(values)
    picked = [ordered[round((len(ordered) - 1) * q)] for q in (0.0, 0.25, 0.5, 0.75, 1.0)]
    names = ("min", "25 %", "median", "75 %", "max")
    shown = (f"{name} {value:+.2f}" for name, value in zip(names, picked, strict=True))
    return f"{', '.join(shown)} {unit} (n = {len(ordered)})"
