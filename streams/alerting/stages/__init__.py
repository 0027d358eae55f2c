"""What people's lists make of alerts, in one place and in one order. Programs get every transition
whatever is said here (docs/adr/0022).

1. damp: a colour that moves too often is held at its worst (`flap`);
2. doubt: an alert that rests on a sensor which is not believed gives way to the sensor's ticket
   (`hide`);
3. inhibit: an alert gives way to another one that says it all (`hide`). What is not believed hides
   nobody, hence doubt before.

Pure and deterministic: event time, no clock, no timers; what it remembers is in the book's state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from streams.alerting.in_force import InForce
from streams.alerting.stages.flap import MOVES, FlapNumbers, held_at, note_move
from streams.alerting.stages.hide import Doubt, dependants, hider
from streams.alerting.track import BookState, Step
from streams.contracts.outcome import Held
from streams.contracts.reason import Change, Severity
from streams.contracts.ticket import by_ticket


@dataclass(frozen=True, slots=True)
class Staged:
    """What the stages say of one transition."""

    held: Held | None = None
    suppressed_by: str | None = None


class Stages:
    """See the module. `numbers` are the profile's; `doubts`, by alert key, tell which alerts rest
    on sensors with a ticket."""

    def __init__(self, area: str) -> None:
        self.numbers = FlapNumbers()
        self.doubts: Mapping[str, Doubt] = {}
        self._whole = f"area:{area}"

    def go_through(
        self,
        state: BookState,
        rules: InForce,
        key: str,
        step: Step,
        severity: Severity,
        decided_ms: int,
    ) -> Staged:
        """One step of an open alert, of this severity after it. An ending is told as the alert was
        shown; a pending alert hides from nobody, and nobody hides it."""
        track = state.tracks[key]
        fires = bool(step.tier) and step.change is not Change.ONSET
        after = int(severity) if fires and not step.ended else 0
        if step.ended and step.change not in (Change.CLEARED, Change.NOT_CONFIRMED):
            state.flaps.pop(key, None)  # it did not end by what was measured
        elif step.change in MOVES and after != track.colour:
            worse = max(after, track.colour)
            note_move(state.flaps, key, step.event_ms, worse, decided_ms, self.numbers)
        track.colour = after
        held = held_at(state.flaps, key, step.event_ms, decided_ms, self.numbers)
        if not step.ended:
            shown = max(after, 0 if held is None else int(held.severity))
            track.hidden_by = self._hider(state, rules, key, shown) if fires else None
        return Staged(held, track.hidden_by)

    def settle(
        self,
        state: BookState,
        rules: InForce,
        waiting: list[tuple[int, str]],
        event_ms: int,
        decided_ms: int,
    ) -> Iterator[tuple[str, Step, Staged, str | None]]:
        """Firing alerts whose surroundings have changed, (rank, key), parents first: those that
        are hidden or shown now, and what hid them before. Whoever iterates tells them at once."""
        heapify(waiting)
        while waiting:
            key = heappop(waiting)[1]
            track = state.tracks.get(key)
            if track is None or not track.severity:
                continue
            at_ms = max(event_ms, track.last_ms, track.onset_ms)
            held = held_at(state.flaps, key, at_ms, decided_ms, self.numbers)
            shown = max(track.severity, 0 if held is None else int(held.severity))
            was, now = track.hidden_by, self._hider(state, rules, key, shown)
            if was == now:
                continue
            track.hidden_by = now
            change = Change.SHOWN if now is None else Change.HIDDEN
            yield key, Step(change, track.level, at_ms, track.last_value), Staged(held, now), was
            if by_ticket(was) != by_ticket(now):
                for one in self.dependants(state, rules, key):
                    heappush(waiting, one)

    def everything(self, state: BookState, rules: InForce) -> list[tuple[int, str]]:
        """All open alerts, by rank."""
        return [(rules.rank(key.split("|", 1)[0]), key) for key in state.tracks]

    def dependants(self, state: BookState, rules: InForce, key: str) -> list[tuple[int, str]]:
        """Alerts to look at again after this one has moved, by rank: parents before children."""
        return dependants(state, rules, self.doubts, key, self._whole)

    def _hider(self, state: BookState, rules: InForce, key: str, shown: int) -> str | None:
        return hider(state, rules, self.doubts, key, shown, self._whole)
