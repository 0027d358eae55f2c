"""How much of an area speaks: without it, no danger and no data look the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of `points` with sensors in the registry, `reporting` have one that speaks: it was heard and
    has not fallen silent. `unknown`: what is said of the area is not to be believed."""

    points: int
    reporting: int
    unknown: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"points": self.points, "reporting": self.reporting, "unknown": self.unknown}

    @staticmethod
    def of_counts(counts: Mapping[str, Any], unknown: bool) -> Completeness | None:
        """From stored counts; None where nobody has counted."""
        if "points" not in counts:
            return None
        points, reporting = int(counts["points"]), int(counts["reporting"])
        return Completeness(points, reporting, unknown or (points > 0 and reporting == 0))
