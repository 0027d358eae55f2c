"""What the real store does with Outcomes, as plain dictionaries: the oracle of the laws.

No SQL, no batches, no clock: every Outcome is applied row by row. `canonical` is what two runs
are compared by: no serials, no log positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from numpy.typing import NDArray

from streams.contracts.outcome import LEDGER_COLUMNS, LateRows, Outcome, RegionMessage


class ModelStore:
    """See the module."""

    def __init__(self, *, keep_places: bool = False) -> None:
        self._keep_places = keep_places
        self.observation: dict[tuple[int, int, int], tuple[int, int]] = {}
        self.revisions: list[tuple[int, int, int, int, int]] = []
        self.windows: dict[tuple[int, int, int, int], tuple[int, ...]] = {}
        self.transitions: dict[str, list[dict[str, Any]]] = {}
        self.closed: list[tuple[str, int, str]] = []
        self.too_late: list[tuple[str, str, int, int, int, int, bool]] = []
        self.results: dict[tuple[str, str, int, int], Any] = {}
        self.episodes: dict[str, dict[str, Any]] = {}
        self.tickets: list[tuple[Any, ...]] = []
        self.health: dict[tuple[int, int, int], tuple[int, ...]] = {}
        self.quarantined: list[tuple[Any, ...]] = []
        self.dead: list[tuple[Any, ...]] = []
        self.ledger: dict[tuple[str, str, str], dict[str, int]] = {}
        self.risks: dict[str, Any] = {}
        self.latest: dict[tuple[str, str], Any] = {}
        self.partials: dict[tuple[str, str, str, int], Any] = {}
        self.messages: list[RegionMessage] = []
        self.marks: set[tuple[str, str, int]] = set()
        self.warnings: dict[str, tuple[Any, ...]] = {}

    def apply(self, outcome: Outcome) -> None:
        """One commit."""
        self._readings(outcome)
        for late in outcome.late:
            self._late(late)
        for window in outcome.windows:
            columns = (window.size_s, window.sensor, window.property, window.start_ms)
            sums = (window.n, window.bad, window.total, window.low, window.high)
            keys = zip(*(c.tolist() for c in columns), strict=True)
            for key, row in zip(keys, zip(*(c.tolist() for c in sums), strict=True), strict=True):
                self.windows[key] = row
        for transition in outcome.transitions:
            change = asdict(transition)
            place = change.pop("position")
            if self._keep_places:
                change["place"] = place
            held = self.transitions.setdefault(transition.alert, [])
            assert transition.sequence == len(held) + 1
            held.append(change)
        self.closed += [(c.alert, c.number, c.verdict) for c in outcome.closed]
        self.too_late += [
            (r.rule, r.subject, r.sensor, r.time_ms, r.scaled, int(r.severity), r.accepted)
            for r in outcome.late_readings
        ]
        for one in outcome.results:
            self.results[one.kind, one.point, one.start_ms, one.period_s] = dict(one.payload)
        for area, episode in outcome.episodes:
            if episode.removed:
                self.episodes.pop(episode.id, None)
            else:
                self.episodes[episode.id] = {"area": area, **asdict(episode)}
        self.tickets += [(area, *asdict(t).values()) for area, t in outcome.tickets]
        for told in outcome.health:
            for row in zip(*(getattr(told, f.name).tolist() for f in fields(told)), strict=True):
                self.health[row[:3]] = row[3:]
        self._refused(outcome)
        for name, counts in outcome.ledger.items():
            self._count(name, dict(zip(LEDGER_COLUMNS, counts.tolist(), strict=True)))
        self.risks.update(outcome.risks)
        self.latest.update(outcome.latest)
        self.messages += outcome.region
        for message in outcome.region:
            if message.kind == "partial":
                key = (message.area, message.domain, message.period, message.start_ms)
                self.partials[key] = message.payload
        for heard in outcome.warnings:
            announced = heard.announcement
            stated = (announced.origin, announced.source, announced.ingest_ms, heard.ends_ms)
            self.warnings.setdefault(announced.warning.id, stated)
        self.marks |= {(m.area, m.domain, m.day_start_ms) for m in outcome.marks}

    def canonical(self) -> dict[str, Any]:
        """Everything that must be equal between two runs over the same records."""
        return {
            "observation": self.observation,
            "revisions": sorted(self.revisions),
            "windows": self.windows,
            "transitions": self.transitions,
            "closed": sorted(self.closed),
            "too_late": sorted(self.too_late),
            "results": self.results,
            "episodes": self.episodes,
            "tickets": sorted(map(repr, self.tickets)),
            "health": self.health,
            "quarantined": sorted(map(repr, self.quarantined)),
            "dead": sorted(map(repr, self.dead)),
            "ledger": self.ledger,
            "risks": {a: (r.severity, r.led_by, r.unknown) for a, r in self.risks.items()},
            "latest": {k: (v.as_of_ms, v.payload) for k, v in self.latest.items()},
            "partials": self.partials,
            "warnings": self.warnings,
            "messages": sorted(
                (
                    m.area,
                    m.sequence,
                    m.proc_ms,
                    m.kind,
                    m.domain,
                    m.period,
                    m.start_ms,
                    repr(sorted(m.payload.items())),
                    m.cause,
                )
                for m in self.messages
                if m.kind != "clock"
            ),
        }

    def _readings(self, outcome: Outcome) -> None:
        for new in outcome.readings:
            rows = _rows(new.sensor, new.property, new.time_ms, new.value, new.flag)
            for sensor, prop, time, value, flag in rows:
                assert (sensor, prop, time) not in self.observation, "an identity stored twice"
                self.observation[sensor, prop, time] = (value, flag)
        for one in outcome.revisions:
            key = (one.sensor, one.property, one.time_ms)
            for sensor, prop, time, old, value, flag in _rows(
                *key, one.old_value, one.value, one.flag
            ):
                assert self.observation[sensor, prop, time][0] == old
                self.observation[sensor, prop, time] = (value, flag)
                self.revisions.append((sensor, prop, time, old, value))
        for flags in outcome.flags:
            rows = _rows(flags.sensor, flags.property, flags.time_ms, flags.flag)
            for sensor, prop, time, flag in rows:
                held = self.observation[sensor, prop, time]
                self.observation[sensor, prop, time] = (held[0], flag)

    def _late(self, late: LateRows) -> None:
        rows = _rows(late.name, late.sensor, late.property, late.time_ms, late.value, late.flag)
        for name, sensor, prop, time, value, flag in rows:
            held = self.observation.get((sensor, prop, time))
            if held is not None and held[0] == value:
                self._count(late.names[name], {"duplicate": 1})
                continue
            if held is not None:
                self.revisions.append((sensor, prop, time, held[0], value))
            self.observation[sensor, prop, time] = (value, flag)
            self._count(late.names[name], {"stored": 1, "late": 1, "revised": int(bool(held))})

    def _refused(self, outcome: Outcome) -> None:
        for row in outcome.quarantined:
            held = asdict(row)
            del held["position"]
            self.quarantined.append(tuple(held.values()))
        for letter in outcome.dead_letters:
            held = asdict(letter)
            del held["position"], held["headers"]
            if letter.row < 0:
                del held["content"]
            self.dead.append(tuple(held.values()))

    def _count(self, name: tuple[str, str, str], amounts: dict[str, int]) -> None:
        row = self.ledger.setdefault(name, dict.fromkeys(LEDGER_COLUMNS, 0))
        for key, amount in amounts.items():
            row[key] += amount


def _rows(*columns: NDArray[Any]) -> Iterator[tuple[int, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)
