"""One partition inside a host: its pipeline, its position, and the way back after trouble."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import structlog

from streams import metrics
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome, StateParts
from streams.errors import Misconfigured, Unavailable
from streams.log import Log
from streams.storage.commit import Piece
from streams.storage.position import Taken

LOGGER = structlog.get_logger(__name__)
CHECKSUM_BYTES = 16
REPLAY_RECORDS = 500
VERSION_PART = "program"  # of a checkpoint: the version of the program that goes on from it

Versions: TypeAlias = Mapping[str, Mapping[str, Any]]


class PipelineLike(Protocol):
    """What a host needs of `streams.pipeline.Pipeline`."""

    def process(self, records: Sequence[Record], versions: Versions) -> Outcome: ...

    def checkpoint(self, everything: bool = False) -> StateParts: ...

    def load(
        self, parts: Mapping[str, bytes], segments: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> None: ...

    def missing_versions(self) -> set[str]: ...

    def supply(self, versions: Versions) -> None: ...


PipelineFactory: TypeAlias = Callable[[int], PipelineLike]
WantedVersions: TypeAlias = Callable[[Sequence[Record]], set[str]]
LoadVersions: TypeAlias = Callable[[Iterable[str]], Versions]


class Lane:
    """A partition in memory, at `position`: what was processed, committed or on its way."""

    def __init__(
        self,
        log: Log,
        taken: Taken,
        pipeline: PipelineLike,
        wanted: WantedVersions,
        load: LoadVersions,
        past: Log | None = None,
        version: str = "",
    ) -> None:
        """`past` reads what lies behind the position, for the recovery (default: the log).

        `version` names the program; `Misconfigured` where it had to rebuild what another computed.
        """
        self.partition = taken.partition
        self.position = taken.next_offset
        self.saved = taken.checkpoint_offset
        self.cities: dict[str, str] = {}
        self._log = log
        self._poison = taken.poison
        self._pipeline = pipeline
        self._wanted = wanted
        self._load = load
        self._version = version.encode()
        self.upgraded = False
        """The checkpoint is another program's: ours has to be written before anything else."""
        self._meet(taken)
        self._recover(taken, past or log)

    def read(self, max_records: int, max_bytes: int) -> list[Record]:
        """The next records; a gap in the offsets is accepted and counted."""
        records = self._log.read(self.partition, self.position, max_records, max_bytes)
        if records:
            missing = records[-1].offset + 1 - self.position - len(records)
            if missing:
                metrics.GAPS.labels(str(self.partition)).inc(missing)
        return records

    def versions_for(self, records: Sequence[Record]) -> Versions:
        """The contents that control records among these activate."""
        wanted = self._wanted(records)
        return self._load(wanted) if wanted else {}

    def process(self, records: Sequence[Record], versions: Versions) -> Piece:
        """Runs the pipeline and moves on. After an exception the lane is of no use any more."""
        old = self.position
        outcome = self._pipeline.process(records, versions)
        self._learn(versions)
        self.position = outcome.next_offset
        return Piece(
            partition=self.partition,
            old=old,
            outcome=outcome,
            checksum=checksum(records[-1]),
            append_ms=records[-1].append_ms,
            cities=self.cities,
        )

    def checkpoint(self) -> StateParts:
        """What changed since the last checkpoint, at `position`."""
        self.saved = self.position
        state = self._pipeline.checkpoint()
        if not self._version:
            return state
        self.upgraded = False
        return replace(state, parts={**state.parts, VERSION_PART: self._version})

    def _meet(self, taken: Taken) -> None:
        """State is never rebuilt across versions of the program (design §6.4)."""
        wrote = taken.checkpoint.parts.get(VERSION_PART, b"")
        self.upgraded = wrote != self._version
        if wrote and self.upgraded and taken.checkpoint_offset < taken.next_offset:
            raise Misconfigured(
                [
                    f"log partition {taken.partition}: {wrote.decode()} was killed before it could "
                    f"write a checkpoint, and {self._version.decode()} may not rebuild its state "
                    f"from {taken.checkpoint_offset} to {taken.next_offset}: start the earlier "
                    "program once more and stop it (SIGTERM), then start this one"
                ]
            )

    def _recover(self, taken: Taken, past: Log) -> None:
        """Loads C and processes C..D silently (design §6.5)."""
        parts = {k: v for k, v in taken.checkpoint.parts.items() if k != VERSION_PART}
        self._pipeline.load(parts, taken.checkpoint.segments)
        missing = self._pipeline.missing_versions()
        if missing:
            versions = self._load(missing)
            self._pipeline.supply(versions)
            self._learn(versions)
        offset = taken.checkpoint_offset
        while offset < taken.next_offset:
            wanted = min(REPLAY_RECORDS, taken.next_offset - offset)
            found = past.read(self.partition, offset, wanted)
            records = [r for r in found if r.offset < taken.next_offset]
            if not records:  # never skip: the state would not be the one that was committed
                raise Unavailable(
                    f"log partition {self.partition} gives nothing between {offset} and the"
                    f" position {taken.next_offset}"
                )
            offset = records[-1].offset + 1
            sound = [r for r in records if r.offset not in self._poison]
            if sound:
                versions = self.versions_for(sound)
                self._pipeline.process(sound, versions)
                self._learn(versions)
        if taken.next_offset:
            LOGGER.info(
                "partition taken",
                partition=self.partition,
                position=taken.next_offset,
                replayed=taken.next_offset - taken.checkpoint_offset,
                epoch=taken.epoch,
            )

    def _learn(self, versions: Versions) -> None:
        found = {code: city for v in versions.values() for code, city in _cities(v)}
        if found:
            self.cities = self.cities | found


def check_log(log: Log, taken: Taken) -> None:
    """Refuses a log that is not the one we know, or lacks what we need (design §6.6)."""
    where = f"log partition {taken.partition}"
    first, end = log.first(taken.partition), log.end(taken.partition)
    mistakes = []
    if taken.log_id != log.identity():
        mistakes.append(f"{where} is another log ({log.identity()}) than before ({taken.log_id})")
    if first > taken.checkpoint_offset:
        mistakes.append(
            f"{where} starts at {first}, after the checkpoint {taken.checkpoint_offset}: truncated"
        )
    if end < taken.next_offset:
        mistakes.append(
            f"{where} ends at {end}, before the position {taken.next_offset}:"
            " truncated or recreated"
        )
    if not mistakes and _last_differs(log, taken):
        mistakes.append(
            f"{where}: the record before {taken.next_offset} is not the one that was processed"
        )
    if mistakes:
        raise Misconfigured(mistakes)


def checksum(record: Record) -> bytes:
    """Names a record by its content."""
    digest = hashlib.blake2b(record.body, digest_size=CHECKSUM_BYTES)
    for name in sorted(record.headers):
        digest.update(f"\0{name}\0{record.headers[name]}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _last_differs(log: Log, taken: Taken) -> bool:
    last = taken.next_offset - 1
    if taken.last_checksum is None or last < log.first(taken.partition):
        return False
    records = log.read(taken.partition, last, 1)
    return not records or (
        records[0].offset == last and checksum(records[0]) != taken.last_checksum
    )


def _cities(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    areas = content.get("areas", ())
    return [
        (code, parent if level == "county" and parent else code)
        for code, level, parent, *_ in areas
    ]
