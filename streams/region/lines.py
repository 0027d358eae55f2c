"""How far event time has passed: watermarks of areas, and up to where cities were folded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Lines:
    """Per domain: watermark and activity by area, fold line by city and province, and the start
    of the newest inventory (period "state") by area. All epoch ms."""

    watermarks: dict[str, tuple[int, bool]] = field(default_factory=dict)
    folded: dict[str, int] = field(default_factory=dict)
    inventory: dict[str, int] = field(default_factory=dict)

    def observe(self, area: str, watermark_ms: int, active: bool) -> None:
        """A watermark message; a watermark never goes back."""
        before = self.watermarks.get(area, (watermark_ms, active))[0]
        self.watermarks[area] = (max(before, watermark_ms), active)

    def passed_ms(self, areas: Collection[str]) -> int | None:
        """What all active areas have passed; when none is active, the last that one reached.

        An area that was never heard of holds nobody up. None when none was heard of.
        """
        known = [self.watermarks[area] for area in areas if area in self.watermarks]
        active = [watermark for watermark, is_active in known if is_active]
        return min(active) if active else max((w for w, _ in known), default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "watermarks": {a: list(w) for a, w in sorted(self.watermarks.items())},
            "folded": dict(sorted(self.folded.items())),
            "inventory": dict(sorted(self.inventory.items())),
        }

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Lines:
        """The reverse of `to_dict`; an empty mapping gives empty lines."""
        return Lines(
            {a: (int(w), bool(on)) for a, (w, on) in content.get("watermarks", {}).items()},
            dict(content.get("folded", {})),
            dict(content.get("inventory", {})),
        )
