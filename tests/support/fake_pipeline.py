"""A small stateful pipeline for tests of the host and the store: every kind of output, no domain.

A record's body is msgpack `[[sensor, time_ms, value], …]`. A row is late when it is more than
`HORIZON_MS` older than its sensor's newest; 100 and more opens an alert, less closes it. A record
with the header `boom` always raises, one with `boom-commit` makes a transaction that always fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
import numpy as np

from streams.contracts.domain import Episode, Result, Ticket
from streams.contracts.frame import Record
from streams.contracts.outcome import (
    AreaLatest,
    AreaRisk,
    LateRows,
    Outcome,
    Readings,
    RegionMessage,
    Revisions,
    StateParts,
    Transition,
    Windows,
)
from streams.contracts.reason import AlertState, Change, Origin, Severity

HORIZON_MS = 100_000
WINDOW_MS = 60_000
ALARM = 100
AREA, DOMAIN, SOURCE = "330102", "toy", "gw"
KEY = (AREA, DOMAIN, SOURCE)


def toy_record(
    rows: Sequence[tuple[int, int, int]], **headers: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body for the log."""
    return {"ce_source": SOURCE, "ce_subject": AREA, **headers}, msgpack.packb(list(rows))


class FakePipeline:
    """Keeps everything that it accepted; outputs depend on all of it."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._next = 0
        self._sequence = 0
        self._segment = 0
        self._newest: dict[int, int] = {}
        self._alerts: dict[int, list[int]] = {}  # sensor -> [onset, sequence]
        self._history: dict[tuple[int, int], list[int]] = {}  # -> [value, position]
        self._fresh: dict[tuple[int, int], list[int]] = {}

    def process(
        self, records: Sequence[Record], versions: Mapping[str, Mapping[str, Any]]
    ) -> Outcome:
        outcome = Outcome(next_offset=records[-1].offset + 1)
        for record in records:
            if "boom" in record.headers:
                raise ValueError("boom")
            if "boom-commit" in record.headers:
                outcome.results.append(Result("toy\0", "p", 0, 0, {}))
            if record.headers.get("version"):
                assert record.headers["version"] in versions
                outcome.activated.append(("registry", record.headers["version"], record.offset))
            self._frame(record, outcome)
        self._next = outcome.next_offset
        return outcome

    def checkpoint(self, everything: bool = False) -> StateParts:
        scalars = [self._next, self._sequence, self._segment + 1]
        state = [scalars, list(self._newest.items()), list(self._alerts.items())]
        history = [[*key, *value] for key, value in self._fresh.items()]
        number, self._segment, self._fresh = self._segment, self._segment + 1, {}
        segment = {"history": (number, msgpack.packb(history))} if history else {}
        return StateParts({"state": msgpack.packb(state)}, segment, ())

    def load(
        self, parts: Mapping[str, bytes], segments: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> None:
        if not parts:
            return
        scalars, newest, alerts = msgpack.unpackb(parts["state"])
        self._next, self._sequence, self._segment = scalars
        self._newest, self._alerts = dict(newest), dict(alerts)
        for _, content in segments.get("history", ()):
            for sensor, time_ms, value, position in msgpack.unpackb(content):
                self._history[sensor, time_ms] = [value, position]

    def missing_versions(self) -> set[str]:
        return set()

    def supply(self, versions: Mapping[str, Mapping[str, Any]]) -> None:
        """Needs none."""

    def _frame(self, record: Record, outcome: Outcome) -> None:
        accepted: list[list[int]] = []
        late: list[list[int]] = []
        revised: list[list[int]] = []
        for sensor, time_ms, value in msgpack.unpackb(record.body):
            newest = self._newest.get(sensor, time_ms)
            held = self._history.get((sensor, time_ms))
            outcome.count(*KEY, received=1)
            if time_ms < newest - HORIZON_MS:
                late.append([sensor, time_ms, value])
                continue
            if held is not None and held[0] == value:
                outcome.count(*KEY, duplicate=1)
                continue
            if held is not None:
                revised.append([sensor, time_ms, *held, value])
                outcome.count(*KEY, revised=1)
            else:
                accepted.append([sensor, time_ms, value])
            outcome.count(*KEY, stored=1, on_time=1)
            self._keep(sensor, time_ms, value, record.offset)
            if time_ms > self._newest.get(sensor, 0):
                self._newest[sensor] = time_ms
                self._judge(sensor, time_ms, value, record.offset, outcome)
        self._emit(record, outcome, accepted, late, revised)

    def _keep(self, sensor: int, time_ms: int, value: int, position: int) -> None:
        self._history[sensor, time_ms] = self._fresh[sensor, time_ms] = [value, position]

    def _emit(
        self,
        record: Record,
        outcome: Outcome,
        accepted: list[list[int]],
        late: list[list[int]],
        revised: list[list[int]],
    ) -> None:
        if accepted:
            outcome.readings.append(readings(accepted, record.offset))
        if late:
            rows = readings(late, record.offset)
            names = np.zeros(len(late), np.int16)
            columns = (rows.sensor, rows.property, rows.time_ms, rows.value)
            outcome.late.append(LateRows((KEY,), names, *columns, rows.flag, rows.position))
        if revised:
            outcome.revisions.append(revisions(revised, record.offset))
        touched = {(s, t // WINDOW_MS) for s, t, *_ in accepted + revised}
        if touched:
            outcome.windows.append(self._windows(sorted(touched)))
            self._tell(record, outcome, max(row[1] for row in accepted + revised))

    def _tell(self, record: Record, outcome: Outcome, newest_ms: int) -> None:
        self._sequence += 1
        area = f"{AREA}-{self._partition}"
        payload = {"rows": len(self._history), "sequence": self._sequence}
        outcome.region.append(
            RegionMessage(
                AREA,
                self._sequence,
                0,
                "partial",
                DOMAIN,
                "hour",
                0,
                payload,
                "closed",
                record.offset,
            )
        )
        outcome.latest[area, DOMAIN] = AreaLatest(area, DOMAIN, newest_ms, newest_ms, payload)
        open_alerts = len(self._alerts)
        outcome.risks[area] = AreaRisk(
            area, Severity(min(open_alerts, 4)), DOMAIN, False, 0, open_alerts, newest_ms, newest_ms
        )
        outcome.results.append(Result("toy.rows", area, newest_ms, 60, payload))

    def _windows(self, touched: list[tuple[int, int]]) -> Windows:
        groups: dict[tuple[int, int], list[int]] = {key: [] for key in touched}
        for (sensor, time_ms), (value, _) in self._history.items():
            if (sensor, time_ms // WINDOW_MS) in groups:
                groups[sensor, time_ms // WINDOW_MS].append(value)
        count = len(touched)
        values = list(groups.values())
        return Windows(
            size_s=np.full(count, WINDOW_MS // 1000, np.int32),
            sensor=np.array([s for s, _ in touched], np.int32),
            property=np.ones(count, np.int16),
            start_ms=np.array([w * WINDOW_MS for _, w in touched], np.int64),
            n=np.array([len(v) for v in values], np.int32),
            bad=np.zeros(count, np.int32),
            total=np.array([sum(v) for v in values], np.int64),
            low=np.array([min(v) for v in values], np.int64),
            high=np.array([max(v) for v in values], np.int64),
        )

    def _judge(
        self, sensor: int, time_ms: int, value: int, position: int, outcome: Outcome
    ) -> None:
        opened = self._alerts.get(sensor)
        if (value >= ALARM) == (opened is not None):
            return
        onset, sequence = opened or [time_ms, 0]
        if opened is None:
            self._alerts[sensor] = [onset, 1]
        else:
            del self._alerts[sensor]
        firing = opened is None
        outcome.transitions.append(
            toy_transition(sensor, onset, sequence + 1, time_ms, position, firing)
        )
        episode = Episode(
            f"e{sensor}-{onset}", "toy.high", f"p{sensor}", onset, None if firing else time_ms, {}
        )
        outcome.episodes.append((AREA, episode))
        outcome.tickets.append((AREA, Ticket(sensor, "depth", "toy", time_ms, not firing)))


def toy_transition(
    sensor: int,
    onset_ms: int,
    sequence: int,
    time_ms: int,
    position: int = 0,
    firing: bool = True,
    origin: Origin = Origin.REPLAYED,
) -> Transition:
    """A transition of the alert of a sensor: firing, or cleared."""
    return Transition(
        alert=f"a{sensor}-{onset_ms}",
        sequence=sequence,
        rule="toy.high",
        rule_version="1",
        domain=DOMAIN,
        area=AREA,
        point=f"p{sensor}",
        subject=f"p{sensor}",
        onset_ms=onset_ms,
        event_ms=time_ms,
        decided_ms=time_ms,
        state=AlertState.FIRING if firing else AlertState.RESOLVED,
        severity=Severity.RED if firing else Severity.NONE,
        stale=False,
        unverified=False,
        change=Change.CONFIRMED if firing else Change.CLEARED,
        value="1",
        threshold="100",
        unit="m",
        origin=origin,
        position=position,
        valid_until_ms=time_ms + 1,
        evidence={"position": position},
    )


def readings(rows: list[list[int]], position: int) -> Readings:
    """Columns of [sensor, time, value] rows."""
    columns = np.array(rows, np.int64)
    count = len(rows)
    return Readings(
        sensor=columns[:, 0].astype(np.int32),
        property=np.ones(count, np.int16),
        time_ms=columns[:, 1],
        value=columns[:, 2],
        flag=np.ones(count, np.int8),
        position=np.full(count, position, np.int64),
    )


def revisions(rows: list[list[int]], position: int) -> Revisions:
    """Columns of [sensor, time, old value, old position, value] rows."""
    columns = np.array(rows, np.int64)
    count = len(rows)
    return Revisions(
        sensor=columns[:, 0].astype(np.int32),
        property=np.ones(count, np.int16),
        time_ms=columns[:, 1],
        old_value=columns[:, 2],
        old_flag=np.ones(count, np.int8),
        old_position=columns[:, 3],
        value=columns[:, 4],
        flag=np.ones(count, np.int8),
        position=np.full(count, position, np.int64),
    )


def toy_versions(records: Sequence[Record]) -> set[str]:
    """Versions that the records activate."""
    return {r.headers["version"] for r in records if r.headers.get("version")}
