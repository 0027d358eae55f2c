"""Pages of the region stage in the tables `partial`, `fact` and `checkpoint`.

Loaded on demand, kept as a cache, written by `flush` in the runner's transaction. After a failed
transaction call `forget`: memory may then know more than the store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from streams.contracts.domain import FactValue
from streams.contracts.outcome import StateParts
from streams.indicators.periods import period_end, period_start
from streams.region.pages import Fact, FactKey, Partial, PartialKey
from streams.storage.alerts import json_text
from streams.storage.connect import Cursor
from streams.storage.migrate import REGION_TOPIC
from streams.storage.position import save_checkpoint

STATE_VERSION = 1
MAX_PARTIAL_PAGES = 2_000
GRID_MS = 1_800_000  # periods start on whole or half hours, whatever the zone
NEAR_MS = 4 * GRID_MS
MAX_FACTS = 100_000
# Facts of one page are loaded together: those of all areas over the longer period.
PAGE_PERIOD = {"hour": "day", "day": "month", "state": "day"}

READ_PARTIALS = """
select area, payload, known_ms, cause from partial
where domain = %s and period = %s and start = at_ms(%s)
"""
READ_STARTS = """
select distinct ms_of(start) from partial
where domain = %s and period = %s and area = any(%s) and start >= at_ms(%s) and start < at_ms(%s)
"""
READ_FACTS = """
select indicator, period, ms_of(start), area, ms_of("end"), revision, value, numerator, denominator,
       have, want, lower, upper, detail, unit, method, cause, ms_of(known_from)
from fact
where indicator = %s and period = %s and start >= at_ms(%s) and start < at_ms(%s)
  and known_to is null
"""
SET_PARTIALS = """
insert into partial (area, domain, period, start, payload, known_ms, cause)
select area, domain, period, at_ms(start_ms), payload::jsonb, known_ms, cause
from unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[])
     as t (domain, period, start_ms, area, payload, known_ms, cause)
on conflict (domain, period, start, area) do update set
    payload = excluded.payload, known_ms = excluded.known_ms, cause = excluded.cause
"""
ADD_FACTS = """
insert into fact (indicator, period, start, area, "end", revision, value, numerator, denominator,
                  have, want, lower, upper, detail, unit, method, cause, known_from)
select indicator, period, at_ms(start_ms), area, at_ms(end_ms), revision, value, numerator,
       denominator, have, want, lower, upper, detail::jsonb, unit, method, cause, at_ms(known_ms)
from unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::int[], %s::text[],
            %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::text[], %s::text[], %s::bigint[])
     as t (indicator, period, start_ms, area, end_ms, revision, value, numerator, denominator,
           have, want, lower, upper, detail, unit, method, cause, known_ms)
"""
END_FACTS = """
update fact f set known_to = at_ms(n.known_ms)
from unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::int[], %s::bigint[])
     as n (indicator, period, start_ms, area, revision, known_ms)
where f.indicator = n.indicator and f.area = n.area and f.period = n.period
  and f.start = at_ms(n.start_ms) and f.revision = n.revision - 1
"""


class StoredPages:
    """`Pages` over one connection. `begin` names the cursor of the running transaction."""

    def __init__(self) -> None:
        self._cursor: Cursor | None = None
        self._partials: dict[tuple[str, str, int], dict[str, Partial]] = {}
        self._facts: dict[tuple[str, str, int], dict[int, dict[str, Fact]]] = {}
        self._states: dict[str, Mapping[str, Any]] = {}
        self._new_partials: dict[PartialKey, Partial] = {}
        self._new_facts: list[Fact] = []
        self._new_states: dict[str, Mapping[str, Any]] = {}
        self._fact_count = 0

    def begin(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def forget(self) -> None:
        """Drops everything that is only in memory."""
        self.__init__()  # type: ignore[misc]

    def partials(self, domain: str, period: str, start_ms: int) -> Mapping[str, Partial]:
        return self._partial_page((domain, period, start_ms))

    def put_partial(self, key: PartialKey, partial: Partial) -> None:
        self._partial_page(key[:3])[key.area] = partial
        self._new_partials[key] = partial

    def starts(
        self, domain: str, period: str, areas: Collection[str], from_ms: int, before_ms: int
    ) -> list[int]:
        if before_ms - from_ms <= NEAR_MS:  # the pages of these periods are needed anyway
            grid = range(-(-from_ms // GRID_MS) * GRID_MS, before_ms, GRID_MS)
            return [
                s for s in grid if not self.partials(domain, period, s).keys().isdisjoint(areas)
            ]
        rows = self._run(READ_STARTS, (domain, period, list(areas), from_ms, before_ms))
        unwritten = {
            key.start_ms
            for key in self._new_partials
            if key.domain == domain and key.period == period and key.area in areas
        }
        found = {start for (start,) in rows}
        return sorted(found | {start for start in unwritten if from_ms <= start < before_ms})

    def facts(self, indicator: str, period: str, start_ms: int) -> Mapping[str, Fact]:
        return self._fact_page(indicator, period, start_ms).get(start_ms, {})

    def put_fact(self, fact: Fact) -> None:
        page = self._fact_page(*fact.key[:3])
        page.setdefault(fact.key.start_ms, {})[fact.key.area] = fact
        self._new_facts.append(fact)
        self._fact_count += 1

    def state(self, key: str) -> Mapping[str, Any]:
        if key not in self._states:
            rows = self._run(
                "select content from checkpoint where topic = %s and partition = 0 and key = %s",
                (REGION_TOPIC, key),
            )
            self._states[key] = _read_state(bytes(rows[0][0])) if rows else {}
        return self._states[key]

    def put_state(self, key: str, content: Mapping[str, Any]) -> None:
        if self.state(key) != content:
            self._states[key] = self._new_states[key] = content

    def flush(self) -> None:
        """Writes everything that was put since the last flush, in the running transaction."""
        cursor = self._require()
        if self._new_partials:
            cursor.execute(SET_PARTIALS, _columns(map(_partial_row, *_pair(self._new_partials))))
        if self._new_facts:
            cursor.execute(ADD_FACTS, _columns(map(_fact_row, self._new_facts)))
            self._end_earlier(cursor)
        parts = {key: _state_bytes(content) for key, content in self._new_states.items()}
        save_checkpoint(cursor, REGION_TOPIC, 0, StateParts(parts, {}, ()))
        self._new_partials, self._new_facts, self._new_states = {}, [], {}
        self._trim()

    def _end_earlier(self, cursor: Cursor) -> None:
        revised = [f for f in self._new_facts if f.revision > 1]
        if revised:
            rows = ((*f.key, f.revision, f.known_from_ms) for f in revised)
            cursor.execute(END_FACTS, _columns(rows))

    def _trim(self) -> None:
        if len(self._partials) > MAX_PARTIAL_PAGES:
            self._partials = {}
        if self._fact_count > MAX_FACTS:
            self._facts, self._fact_count = {}, 0

    def _partial_page(self, key: tuple[str, str, int]) -> dict[str, Partial]:
        if key not in self._partials:
            rows = self._run(READ_PARTIALS, key)
            self._partials[key] = {area: Partial(*rest) for area, *rest in rows}
        return self._partials[key]

    def _fact_page(self, indicator: str, period: str, start_ms: int) -> dict[int, dict[str, Fact]]:
        name = PAGE_PERIOD.get(period, "year")
        first = period_start(name, start_ms)
        key = (indicator, period, first)
        if key not in self._facts:
            page: dict[int, dict[str, Fact]] = {}
            rows = self._run(READ_FACTS, (indicator, period, first, period_end(name, first)))
            for fact in map(_read_fact, rows):
                page.setdefault(fact.key.start_ms, {})[fact.key.area] = fact
            self._facts[key] = page
            self._fact_count += len(rows)
        return self._facts[key]

    def _run(self, statement: Any, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._require().execute(statement, parameters).fetchall()

    def _require(self) -> Cursor:
        if self._cursor is None:
            raise LookupError("pages are read inside a transaction: call begin first")
        return self._cursor


def _pair(partials: Mapping[PartialKey, Partial]) -> tuple[Any, Any]:
    return partials.keys(), partials.values()


def _partial_row(key: PartialKey, partial: Partial) -> tuple[Any, ...]:
    return (*key, json_text(partial.payload), partial.known_ms, partial.cause)


def _fact_row(fact: Fact) -> tuple[Any, ...]:
    v = fact.value
    stated = (v.value, v.numerator, v.denominator, v.have, v.want, v.lower, v.upper)
    origin = (json_text(v.detail), fact.unit, fact.method, fact.cause, fact.known_from_ms)
    return (*fact.key, fact.end_ms, fact.revision, *stated, *origin)


def _read_fact(row: tuple[Any, ...]) -> Fact:
    key, (end_ms, revision), stated = FactKey(*row[:4]), row[4:6], row[6:14]
    return Fact(key, end_ms, revision, FactValue(*stated), *row[14:])


def _columns(rows: Any) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _state_bytes(content: Mapping[str, Any]) -> bytes:
    return bytes([STATE_VERSION]) + orjson.dumps(content)


def _read_state(content: bytes) -> Mapping[str, Any]:
    if content[0] != STATE_VERSION:
        raise ValueError(
            f"region checkpoint of version {content[0]}, this program reads {STATE_VERSION}"
        )
    state: Mapping[str, Any] = orjson.loads(content[1:])
    return state
