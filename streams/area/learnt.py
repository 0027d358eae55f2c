"""What a domain told that it learnt, by the day from which it holds: for its hours and days.

In force for a day is what was told last for that day or for one before it, point by point. Nothing
is decided here: the domain tells results of the kind `Domain.learns`, the store keeps the same
rows (`streams.storage.recompute` reads them there by the same rule).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from streams.contracts.domain import AreaView, Result

Told = dict[str, dict[int, dict[str, Any]]]
"""By point: start of the day → payload."""


class Learnt:
    """Of one domain in one area; `told` is its part of the checkpoint."""

    def __init__(self, kind: str | None) -> None:
        self._kind = kind
        self.told: Told = {}
        self._views: dict[int, AreaView] = {}  # by day, of the view asked with last
        self._base: AreaView | None = None

    def note(self, results: Iterable[Result]) -> None:
        """Keeps those of the domain's kind; told again for the same day, the later one counts."""
        if self._kind is None:
            return
        for result in results:
            if result.kind == self._kind:
                self.told.setdefault(result.point, {})[result.start_ms] = dict(result.payload)
                self._views.clear()

    def view_for(self, view: AreaView, day: int) -> AreaView:
        """The view with what is in force for the day that starts then.

        The same object while nothing changes, so that domains may remember by view.
        """
        if not self.told:
            return view
        if view is not self._base:
            self._views.clear()
            self._base = view
        if day not in self._views:
            self._views[day] = replace(view, learnt=in_force(self.told, day))
        return self._views[day]

    def forget(self, oldest_day: int) -> None:
        """Drops what is not in force for this day or any later one."""
        for by_day in self.told.values():
            for start in sorted(s for s in by_day if s <= oldest_day)[:-1]:
                del by_day[start]
        self._views = {day: view for day, view in self._views.items() if day >= oldest_day}


def in_force(told: Told, day: int) -> Mapping[str, Mapping[str, Any]]:
    """By point, the newest payload for a day at or before this one."""
    found: dict[str, Mapping[str, Any]] = {}
    for point, by_day in told.items():
        start = max((s for s in by_day if s <= day), default=None)
        if start is not None:
            found[point] = by_day[start]
    return found
