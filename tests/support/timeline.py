"""One county's day as a timeline: push readings at a time of day, ask what changed and when.

The real pipeline and the model store, no database. Times are "HH:MM" or "HH:MM:SS" in Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.alerting.ruleset import RuleSet
from streams.catalog import Profile, Registry
from streams.contracts.closing import Close, Ending, encode_close
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import Outcome, RegionMessage, Transition
from streams.contracts.reason import NamespaceKind, Origin, Severity
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore
from tests.support.small_city import (
    COUNTIES,
    DOMAINS,
    PROPERTY_IDS,
    START_MS,
    TOPIC,
    activation,
    frame_of,
    registry,
)

COUNTY = COUNTIES[0]
DEPTH = "waterlogging.depth"
RISE = "waterlogging.rise"


def moment(text: str) -> int:
    """Epoch ms of a time of the day, e.g. "10:01" or "10:01:30"; "24:05" is the next day."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return START_MS + ((hours * 60 + minutes) * 60 + sum(seconds)) * 1000


def time_of_day(time_ms: int) -> str:
    """The reverse of `moment`, always with seconds."""
    minutes, seconds = divmod((time_ms - START_MS) // 1000, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


class Timeline:
    """See the module. Frames reach the log one second after their event time unless told."""

    def __init__(
        self, held: Registry | None = None, kind: NamespaceKind = NamespaceKind.LIVE
    ) -> None:
        self.held = held or registry()
        self.kind = kind
        self.store = ModelStore()
        self.transitions: list[Transition] = []
        self.messages: list[RegionMessage] = []
        self._pipeline = Pipeline(PipelineSetup(TOPIC, 0, kind, DOMAINS, PROPERTY_IDS))
        self._offset = 0
        self.activate(self.held)

    def activate(self, held: Registry) -> Outcome:
        """A registry version from now on."""
        self.held = held
        return self._process(encode_control("registry", held.version, START_MS), START_MS)

    def use(self, version: Profile | RuleSet) -> Outcome:
        """A profile or a rule set from now on."""
        message = activation(version, START_MS)
        return self._process(message, START_MS, {version.version: version.to_dict()})

    def depth(
        self,
        at: str,
        ingest: str | None = None,
        origin: Origin = Origin.LIVE,
        **depth_m: float,
    ) -> Outcome:
        """Depths by point number (`p0=0.31`), all measured at the same time, in one frame."""
        rows = [(f"{COUNTY}-{p}", "depth", moment(at), value) for p, value in depth_m.items()]
        return self.rows(rows, moment(ingest) if ingest else moment(at) + 1000, origin)

    def rain(self, at: str, mm: float) -> Outcome:
        """A minute of rain that starts at the time."""
        rows = [(f"{COUNTY}-g", "rain", moment(at), mm)]
        frame = frame_of(COUNTY, "weather", self._offset, moment(at) + 61_000, rows)
        return self.push(frame)

    def rows(
        self,
        rows: list[tuple[str, str, int, float]],
        ingest_ms: int,
        origin: Origin = Origin.LIVE,
        domain: str = "waterlogging",
    ) -> Outcome:
        """A frame of rows (sensor, property, time, value)."""
        frame = frame_of(COUNTY, domain, self._offset, ingest_ms, rows, origin)
        return self.push(frame)

    def push(self, frame: Frame, append_ms: int | None = None) -> Outcome:
        return self._process(encode(frame), frame.ingest_ms if append_ms is None else append_ms)

    def tick(self, at: str) -> Outcome:
        """Time has passed."""
        return self._process(encode_tick(moment(at)), moment(at))

    def close(
        self,
        alert: Transition,
        ending: Ending = Ending.CLOSED_BY_HAND,
        *,
        seen: Severity | None = None,
        number: int = 1,
        region: bool = False,
    ) -> Outcome:
        """Somebody has closed this alert by hand, at the severity that they saw."""
        severity = alert.severity if seen is None else seen
        close = Close(
            alert.area, alert.alert, alert.subject, region, severity, number, "account:wang",
            ending, "drained", START_MS,
        )  # fmt: skip
        return self._process(encode_close(close), START_MS)

    def story(self, point: str = "p0", rule: str = DEPTH) -> list[str]:
        """What the alerts of a point did: "10:01:00 raised orange", in order."""
        subject = f"{COUNTY}-{point}"
        return [
            f"{time_of_day(t.event_ms)} {t.change.value} {t.severity.name.lower()}"
            for t in self.transitions
            if t.subject == subject and t.rule == rule
        ]

    def of(self, point: str = "p0", rule: str = DEPTH) -> list[Transition]:
        """The transitions behind `story`."""
        subject = f"{COUNTY}-{point}"
        return [t for t in self.transitions if t.subject == subject and t.rule == rule]

    def tickets(self, point: str = "p0") -> list[tuple[str, bool]]:
        """(kind, closed) of the tickets of a point's sensor, in order."""
        sensor = self.held.sensors[f"{COUNTY}-{point}"].id
        return [(row[3], row[5]) for row in self.store.tickets if row[1] == sensor]

    def flag(self, at: str, point: str = "p0", prop: str = "depth") -> int:
        """The stored quality flag of a reading."""
        sensor = self.held.sensors[f"{COUNTY}-{point}"].id
        return self.store.observation[sensor, PROPERTY_IDS[prop], moment(at)][1]

    def _process(
        self,
        message: tuple[dict[str, str], bytes],
        append_ms: int,
        versions: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Outcome:
        record = Record(self._offset, append_ms, *message)
        self._offset += 1
        contents = {self.held.version: self.held.to_dict(), **(versions or {})}
        outcome = self._pipeline.process([record], contents)
        self.store.apply(outcome)
        self.transitions += outcome.transitions
        self.messages += outcome.region
        return outcome
