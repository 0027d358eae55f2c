"""The order of it all: records of one partition in, one Outcome out.

    record → decode → [tick | control | refusal | warning | close | frame]
    frame  → its area: repeat? → time goes on (timers) → names → late, duplicate, revision, new
           → quality → domain → rules → windows → watermark → hours, days, partials
    end    → latest values and colours of the areas that changed

Pure: no clock, no I/O; any split of the same records gives the same outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.area.closing import take_close
from streams.area.intake import set_apart
from streams.area.keep import AreaKeeper
from streams.area.process import Area
from streams.area.run import Item, Runs
from streams.area.versions import Versions
from streams.area.view import day_zone_ms
from streams.contracts import state as state_bytes
from streams.contracts.cap.model import Status
from streams.contracts.closing import Close
from streams.contracts.codec import CONTROL_KINDS, decode
from streams.contracts.domain import Domain
from streams.contracts.frame import CONTROL_TYPE, Control, Frame, Record, Refusal, Tick
from streams.contracts.outcome import (
    DeadLetter,
    HeardWarning,
    Outcome,
    RegionMessage,
    StateParts,
)
from streams.contracts.reason import NamespaceKind, Origin, Reason
from streams.contracts.timestamp import to_rfc3339
from streams.contracts.warning import Announcement, valid_hours
from streams.errors import InvalidEvent, Misconfigured
from streams.quality import parameters as quality

HEAD = "pipeline"
_ALLOWED = {
    NamespaceKind.LIVE: {Origin.LIVE},
    NamespaceKind.SIMULATED: {Origin.SIMULATED, Origin.DRILL},
    NamespaceKind.REPLAY: {Origin.REPLAYED, Origin.SIMULATED},
    NamespaceKind.VERIFY: {Origin.REPLAYED, Origin.SIMULATED},
    NamespaceKind.DRILL: {Origin.DRILL, Origin.SIMULATED, Origin.REPLAYED},
}


@dataclass(frozen=True)
class PipelineSetup:
    """What a pipeline is for. `property_ids` are the catalogue's numbers by name."""

    topic: str
    partition: int
    kind: NamespaceKind
    domains: Mapping[str, Domain]
    property_ids: Mapping[str, int]


@dataclass(slots=True)
class Head:
    """The part of a checkpoint that is not an area's."""

    registry: str = ""
    profile: str = ""
    rules: str = ""
    areas: list[str] = field(default_factory=list)


class Pipeline:
    """One partition. `process` owns the state; `checkpoint` copies what changed."""

    def __init__(self, setup: PipelineSetup) -> None:
        self._setup = setup
        self._head = Head()
        self._versions = Versions()
        self._areas: dict[str, Area] = {}
        self._keepers: dict[str, AreaKeeper] = {}
        self._runs: dict[str, Runs] = {}
        self._contents: Mapping[str, Mapping[str, Any]] = {}  # while they are needed
        self._loaded: tuple[Mapping[str, bytes], Mapping[str, Sequence[tuple[int, bytes]]]] | None
        self._loaded = None
        self._head_changed = False

    # records ----------------------------------------------------------------------------------

    def process(
        self, records: Sequence[Record], versions: Mapping[str, Mapping[str, Any]]
    ) -> Outcome:
        """The records in their order. `versions` holds the contents of `wanted_versions`; they
        are let go at the end, being as large as the city."""
        self._contents = versions
        outcome = Outcome(records[-1].offset + 1 if records else 0)
        ticked = -1
        items: dict[str, list[Item]] = {code: [] for code in sorted(self._areas)}
        for record in records:
            try:
                event = decode(record)
            except InvalidEvent as error:
                self._bury(record, error.reason, error.detail, outcome)
                continue
            if isinstance(event, Tick):
                ticked = max(ticked, event.ingest_ms)
                tick = Item(event.ingest_ms)
                for waiting in items.values():
                    waiting.append(tick)
            elif isinstance(event, Control):
                self._take(items, outcome)
                self._activate(event, record, outcome)
                items = {code: [] for code in sorted(self._areas)}
            elif isinstance(event, Close):
                self._take(items, outcome)
                self._close(event, record, outcome)
                items = {code: [] for code in sorted(self._areas)}
            elif isinstance(event, Refusal):
                _lay_down(event, record, outcome)
            elif isinstance(event, Announcement):
                self._announce(event, record, items, outcome)
            else:
                self._frame(event, record, items, outcome)
        self._take(items, outcome)
        outcome.settle_flags()
        outcome.zone_ms = day_zone_ms(self._versions.profile)
        for code in sorted(self._areas):
            if self._areas[code].stale_view:
                self._areas[code].show(outcome)
        if ticked >= 0 and self._areas:
            payload = {"areas": sorted(self._areas)}
            outcome.region.append(
                RegionMessage(
                    "*", 0, ticked, "clock", "", "", 0, payload, "closed", records[-1].offset
                )
            )
        self._contents = {}
        return outcome

    def _take(self, items: Mapping[str, Sequence[Item]], outcome: Outcome) -> None:
        """What waits for each area. Areas know nothing of each other: their order is free."""
        for code, waiting in items.items():
            if waiting:
                self._areas[code].doubts.begin(outcome)
                self._runs[code].take(waiting, outcome)

    def _frame(
        self, frame: Frame, record: Record, items: Mapping[str, list[Item]], outcome: Outcome
    ) -> None:
        backfill = frame.backfill and frame.origin is Origin.REPLAYED
        if frame.origin not in _ALLOWED[self._setup.kind] and not backfill:
            why = f"origin {frame.origin.value} in a {self._setup.kind.value} namespace"
            self._refuse(frame, record, Reason.ORIGIN_REFUSED, why, outcome)
        elif frame.domain not in self._setup.domains:
            self._refuse(frame, record, Reason.UNKNOWN_DOMAIN, frame.domain, outcome)
        elif (area := self._areas.get(frame.area)) is None:
            self._refuse(frame, record, *self._why_no_area(frame.area), outcome)
        elif self._is_ahead(frame, record):
            set_apart(area.report, frame, record.offset, outcome)
        else:
            items[frame.area].append(Item(frame.ingest_ms, frame, record.offset))

    def _announce(
        self,
        told: Announcement,
        record: Record,
        items: Mapping[str, list[Item]],
        outcome: Outcome,
    ) -> None:
        """Every area hears it: one that it does not concern may hold what it ends."""
        if told.origin not in _ALLOWED[self._setup.kind]:
            why = f"origin {told.origin.value} in a {self._setup.kind.value} namespace"
            self._bury(record, Reason.ORIGIN_REFUSED, why, outcome)
        elif self._is_ahead(told, record):
            self._bury(record, Reason.FUTURE_INGEST, to_rfc3339(told.ingest_ms), outcome)
        else:
            ends_ms = told.warning.ends_ms(valid_hours(self._versions.profile.values))
            outcome.warnings.append(HeardWarning(told, ends_ms))
            if self._counts(told.warning.status):
                item = Item(told.ingest_ms, None, record.offset, told)
                for waiting in items.values():
                    waiting.append(item)

    def _close(self, close: Close, record: Record, outcome: Outcome) -> None:
        area = self._areas.get(close.area)
        if area is None:
            self._bury(record, *self._why_no_area(close.area), outcome)
            return
        area.doubts.begin(outcome)
        take_close(area, close, record.offset, outcome)

    def _counts(self, status: Status) -> bool:
        """Whether a message may be acted on here: a live city takes nothing but Actual."""
        drill = self._setup.kind is not NamespaceKind.LIVE
        return status is Status.ACTUAL or (drill and status in (Status.EXERCISE, Status.TEST))

    def _is_ahead(self, frame: Frame | Announcement, record: Record) -> bool:
        live = self._setup.kind is NamespaceKind.LIVE
        tolerance_ms = quality.whole(self._versions.profile.values, quality.INGEST_AHEAD) * 1000
        return live and frame.ingest_ms > record.append_ms + tolerance_ms

    def _why_no_area(self, code: str) -> tuple[Reason, str]:
        registry = self._versions.registry
        if registry is None:
            return Reason.UNKNOWN_AREA, f"{code}: no registry is active yet"
        if code not in registry.areas:
            return Reason.UNKNOWN_AREA, code
        place = registry.partitions.get(code)
        return Reason.FOREIGN_AREA, f"{code} belongs to partition {place}"

    def _refuse(
        self, frame: Frame, record: Record, reason: Reason, detail: str, outcome: Outcome
    ) -> None:
        count = len(frame)
        outcome.count(frame.area, frame.domain, frame.source, received=count, rejected=count)
        outcome.dead_letters.append(
            DeadLetter(
                reason,
                detail,
                record.offset,
                -1,
                frame.source,
                frame.area,
                frame.domain,
                record.body,
                record.headers,
            )
        )

    def _bury(self, record: Record, reason: Reason, detail: str, outcome: Outcome) -> None:
        """A record that cannot be read counts as one received and rejected."""
        source = record.headers.get("ce_source", "")
        area = record.headers.get("ce_subject", "")
        outcome.count(area, "", source, received=1, rejected=1)
        outcome.dead_letters.append(
            DeadLetter(
                reason, detail, record.offset, -1, source, area, "", record.body, record.headers
            )
        )

    # versions ---------------------------------------------------------------------------------

    def _activate(self, control: Control, record: Record, outcome: Outcome) -> None:
        content = self._contents.get(control.version)
        if content is None or control.kind not in CONTROL_KINDS:
            self._bury(record, Reason.UNKNOWN_VERSION, f"{control.kind} {control.version}", outcome)
            return
        try:
            wanted = self._versions.with_content(control.kind, control.version, content)
            if mistakes := wanted.mistakes(self._setup.domains, control.kind):
                raise Misconfigured(mistakes)
        except Misconfigured as error:
            self._bury(record, Reason.UNUSABLE_VERSION, "; ".join(error.mistakes), outcome)
            return
        self._versions = wanted
        setattr(self._head, control.kind, control.version)
        self._head_changed = True
        outcome.activated.append((control.kind, control.version, record.offset))
        if control.kind != "rules":
            self._fit()
        for code in sorted(self._areas):
            self._areas[code].doubts.begin(outcome)
            if control.kind == "rules":
                self._areas[code].rule(self._versions, outcome)
            else:
                self._areas[code].activated(outcome)

    def _fit(self) -> None:
        registry = self._versions.registry
        if registry is None:
            return
        mine = set(registry.areas_of(self._setup.partition)) | set(self._areas)
        for code in sorted(mine):
            area = self._areas.get(code)
            if area is None:
                area = self._open(code)
            area.fit(self._versions)
        self._head.areas = sorted(self._areas)

    def _open(self, code: str) -> Area:
        area = Area(code, self._setup.domains, self._setup.property_ids)
        self._areas[code], self._keepers[code] = area, AreaKeeper(area)
        self._runs[code] = Runs(area)
        return area

    # checkpoint -------------------------------------------------------------------------------

    def checkpoint(self, everything: bool = False) -> StateParts:
        """What changed since the last one, in bytes (`everything`: all of it)."""
        parts: dict[str, bytes | None] = {}
        segments: dict[str, tuple[int, bytes]] = {}
        dropped: list[tuple[str, int]] = []
        if self._head_changed or everything:
            parts[HEAD] = state_bytes.dump(self._head)
            self._head_changed = False
        for code in sorted(self._areas):
            if self._areas[code].touched or everything:
                self._keepers[code].save(parts, segments, dropped, everything)
        return StateParts(parts, segments, tuple(dropped))

    def load(
        self, parts: Mapping[str, bytes], segments: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> None:
        """Puts a checkpoint in place; `supply` its `missing_versions` before `process`."""
        self._areas, self._keepers, self._runs = {}, {}, {}
        self._versions, self._head = Versions(), Head()
        if HEAD in parts:
            self._head = state_bytes.restore(parts[HEAD], Head)
        self._loaded = (parts, segments)
        if not self.missing_versions():
            self.supply({})

    def missing_versions(self) -> set[str]:
        """Hashes of the versions in force whose content is not known yet."""
        if self._loaded is None:
            return set()
        return set(self._in_force().values()) - set(self._contents)

    def supply(self, versions: Mapping[str, Mapping[str, Any]]) -> None:
        """The contents of the versions in force; finishes a `load`."""
        self._contents = {**self._contents, **versions}
        if self._loaded is None or self.missing_versions():
            return
        parts, segments = self._loaded
        contents, self._loaded, self._contents = self._contents, None, {}
        for kind, version in self._in_force().items():
            self._versions = self._versions.with_content(kind, version, contents[version])
        for code in self._head.areas:
            self._open(code)
            self._keepers[code].load(parts, segments, self._versions)

    def _in_force(self) -> dict[str, str]:
        """Hashes of the versions in force, by kind."""
        named = {kind: getattr(self._head, kind) for kind in CONTROL_KINDS}
        return {kind: version for kind, version in named.items() if version}


def _lay_down(refusal: Refusal, record: Record, outcome: Outcome) -> None:
    """What a gateway refused without an answer: counted and kept, as if it had come this far."""
    area, source = refusal.area, refusal.source
    outcome.count(area, "", source, received=refusal.rows, rejected=refusal.rows)
    outcome.dead_letters.append(
        DeadLetter(
            refusal.reason,
            refusal.detail,
            record.offset,
            -1,
            source,
            area,
            "",
            refusal.content,
            record.headers,
        )
    )


def wanted_versions(records: Iterable[Record]) -> set[str]:
    """Hashes of the versions that these records activate."""
    found: set[str] = set()
    for record in records:
        if record.headers.get("ce_type") == CONTROL_TYPE:
            try:
                event = decode(record)
            except InvalidEvent:
                continue  # the pipeline buries it with its reason
            if isinstance(event, Control):
                found.add(event.version)
    return found
