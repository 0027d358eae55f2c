"""Reads back what a finished run stored, for accounts and comparisons. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from typing import Any

from streams.contracts.outcome import LEDGER_COLUMNS
from streams.log import OBSERVATION_TOPIC
from streams.storage.connect import connect, translated

LEDGER = """
select coalesce(sum(received), 0)::bigint, coalesce(sum(rejected), 0)::bigint,
       coalesce(sum(quarantined), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
       coalesce(sum(stored), 0)::bigint, coalesce(sum(on_time), 0)::bigint,
       coalesce(sum(late), 0)::bigint, coalesce(sum(revised), 0)::bigint
from ledger where source = %s
"""
REJECTED = "select reason, count(*) from dead_letter where source = %s group by 1 order by 1"
QUARANTINED = "select reason, count(*) from quarantine where source = %s group by 1 order by 1"
RESULTS = "select point, start, payload from point_result where kind = %s order by point, start"
EPISODES = """
select point, start, "end", payload from episode where kind = %s order by point, start
"""
FACTS = """
select area, start, value, detail from fact
where indicator = %s and period = %s and known_to is null order by area, start
"""
ALERTS = (
    "select rule, subject, state, peak_severity, onset from alert order by rule, subject, onset"
)
FLAGGED = """
select s.point, p.name, o.t, o.value, p.scale
from observation o
join point_sensor s on s.sensor = o.sensor
join property p on p.id = o.property
where o.flag > 2
order by s.point, o.t, p.name
"""
POINTS = "select id, attributes from point order by id"
POSITIONS = "select partition, next_offset from position where topic = %s"
MESSAGES = "select status, count(*) from outbox group by status order by status"
TICKETS = """
select s.name, t.property, t.kind, t.opened, t.closed
from ticket t join sensor s on s.id = t.sensor
where t.kind = %s order by s.name, t.property, t.opened
"""


@dataclass(frozen=True, slots=True)
class LedgerSums:
    """The ledger of one source over all areas and domains, in readings."""

    received: int = 0
    rejected: int = 0
    quarantined: int = 0
    duplicate: int = 0
    stored: int = 0
    on_time: int = 0
    late: int = 0
    revised: int = 0

    def closes(self) -> bool:
        """received = rejected + quarantined + duplicate + stored; stored = on time + late;
        revisions are among the stored (design §5)."""
        kept = self.rejected + self.quarantined + self.duplicate + self.stored
        return (
            self.received == kept
            and self.stored == self.on_time + self.late
            and 0 <= self.revised <= self.stored
        )

    def since(self, before: LedgerSums) -> LedgerSums:
        """What came on top of an earlier reading."""
        names = [f.name for f in fields(self)]
        return LedgerSums(*(getattr(self, n) - getattr(before, n) for n in names))


@dataclass(frozen=True, slots=True)
class StoredResult:
    point: str
    start_ms: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A raw value, exact, in the property's unit."""

    point: str
    property: str
    start_ms: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    point: str
    start_ms: int
    end_ms: int | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFact:
    area: str
    start_ms: int
    value: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredAlert:
    rule: str
    subject: str
    state: str
    peak_severity: int
    onset_ms: int


@dataclass(frozen=True, slots=True)
class StoredTicket:
    sensor: str
    property: str
    opened_ms: int
    closed_ms: int | None


@dataclass(frozen=True)
class StoredRun:
    """One namespace, read a query at a time. Every method may raise `Unavailable`."""

    conninfo: str
    namespace: str

    def ledger(self, source: str) -> LedgerSums:
        (row,) = self._all(LEDGER, source)
        return LedgerSums(**dict(zip(LEDGER_COLUMNS, row, strict=True)))

    def rejected(self, source: str) -> dict[str, int]:
        """Rejected rows and records of the source by reason."""
        return dict(self._all(REJECTED, source))

    def quarantined(self, source: str) -> dict[str, int]:
        """Rows of the source that were set apart, by reason."""
        return dict(self._all(QUARANTINED, source))

    def results(self, kind: str) -> list[StoredResult]:
        return [StoredResult(p, _ms(t), payload) for p, t, payload in self._all(RESULTS, kind)]

    def flagged_readings(self) -> list[StoredReading]:
        """Readings that did not pass the checks: their raw values are kept."""
        return [
            StoredReading(point, prop, _ms(t), Fraction(value, 10**scale))
            for point, prop, t, value, scale in self._all(FLAGGED)
        ]

    def points(self) -> dict[str, dict[str, str]]:
        """Attributes of the points of the newest registry version."""
        return dict(self._all(POINTS))

    def episodes(self, kind: str) -> list[StoredEpisode]:
        rows = self._all(EPISODES, kind)
        return [StoredEpisode(p, _ms(s), _ms_or_none(e), payload) for p, s, e, payload in rows]

    def facts(self, indicator: str, period: str) -> list[StoredFact]:
        """The newest revision of every period."""
        rows = self._all(FACTS, indicator, period)
        return [StoredFact(area, _ms(start), value, detail) for area, start, value, detail in rows]

    def alerts(self) -> list[StoredAlert]:
        return [
            StoredAlert(rule, subject, state, severity, _ms(onset))
            for rule, subject, state, severity, onset in self._all(ALERTS)
        ]

    def tickets(self, kind: str) -> list[StoredTicket]:
        rows = self._all(TICKETS, kind)
        return [StoredTicket(row[0], row[1], _ms(row[3]), _ms_or_none(row[4])) for row in rows]

    def message_statuses(self) -> dict[str, int]:
        """Messages in the outbox by their status: Actual, Exercise, Test."""
        return dict(self._all(MESSAGES))

    def positions(self) -> dict[int, int]:
        """Up to where each partition's outputs are committed."""
        return dict(self._all(POSITIONS, OBSERVATION_TOPIC))

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with (
            translated(),
            connect(self.conninfo, self.namespace, "citybrain account") as connection,
        ):
            return connection.execute(query.encode(), values).fetchall()


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _ms_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else _ms(moment)
