"""A pipeline that only decodes and stores: what remains is the log, the COPY and the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from streams.contracts.codec import decode
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import Outcome, Readings, StateParts


class TrivialPipeline:
    """No state, no catalogue: the sensor's index in its frame serves as its id."""

    def process(
        self, records: Sequence[Record], versions: Mapping[str, Mapping[str, Any]]
    ) -> Outcome:
        outcome = Outcome(records[-1].offset + 1)
        for record in records:
            event = decode(record)
            if isinstance(event, Frame):
                outcome.readings.append(_readings(event, record.offset))
        return outcome

    def checkpoint(self, everything: bool = False) -> StateParts:
        return StateParts({}, {}, ())

    def load(
        self, parts: Mapping[str, bytes], segments: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> None:
        """Has no state."""

    def missing_versions(self) -> set[str]:
        return set()

    def supply(self, versions: Mapping[str, Mapping[str, Any]]) -> None:
        """Needs none."""


def _readings(frame: Frame, offset: int) -> Readings:
    count = len(frame)
    return Readings(
        sensor=frame.sensor,
        property=frame.property.astype(np.int16),
        time_ms=frame.time_ms,
        value=np.rint(frame.value * 1_000_000).astype(np.int64),
        flag=np.ones(count, np.int8),
        position=np.full(count, offset, np.int64),
    )
