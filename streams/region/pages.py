"""What the fold needs to remember, loaded on demand: `Pages`, and a version in memory.

The stored version (`streams.storage.region_pages`) reads and writes `partial`, `fact` and
`checkpoint` in the runner's transaction; memory is only a cache. Times are epoch ms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from streams.contracts.domain import FactValue, Payload


class PartialKey(NamedTuple):
    domain: str
    period: str
    start_ms: int
    area: str


@dataclass(frozen=True, slots=True)
class Partial:
    """The newest full-state partial of an area and period."""

    payload: Payload
    known_ms: int
    cause: str


class FactKey(NamedTuple):
    indicator: str
    period: str
    start_ms: int
    area: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One revision of a fact. It is known from `known_from_ms` until the next revision is."""

    key: FactKey
    end_ms: int
    revision: int
    value: FactValue
    unit: str
    method: str
    cause: str  # closed | revised | late | registry
    known_from_ms: int


class Pages(Protocol):
    """Newest partials and facts, and small named states (JSON); changes are kept with `put_*`."""

    def partials(self, domain: str, period: str, start_ms: int) -> Mapping[str, Partial]:
        """The partials of one period, by area."""

    def put_partial(self, key: PartialKey, partial: Partial) -> None: ...

    def starts(
        self, domain: str, period: str, areas: Collection[str], from_ms: int, before_ms: int
    ) -> list[int]:
        """Starts in [from_ms, before_ms) of periods that one of these areas has a partial of."""

    def facts(self, indicator: str, period: str, start_ms: int) -> Mapping[str, Fact]:
        """The newest revision of each area's fact of one period, by area."""

    def put_fact(self, fact: Fact) -> None:
        """Stores a new revision; the one before it ends its validity there."""

    def state(self, key: str) -> Mapping[str, Any]:
        """A named state, empty when never put."""

    def put_state(self, key: str, content: Mapping[str, Any]) -> None: ...


@dataclass(slots=True)
class MemoryPages:
    """Everything in dicts; `history` holds every revision in the order of their writing."""

    partial: dict[tuple[str, str, int], dict[str, Partial]] = field(default_factory=dict)
    fact: dict[tuple[str, str, int], dict[str, Fact]] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    history: list[Fact] = field(default_factory=list)

    def partials(self, domain: str, period: str, start_ms: int) -> Mapping[str, Partial]:
        return self.partial.get((domain, period, start_ms), {})

    def put_partial(self, key: PartialKey, partial: Partial) -> None:
        self.partial.setdefault(key[:3], {})[key.area] = partial

    def starts(
        self, domain: str, period: str, areas: Collection[str], from_ms: int, before_ms: int
    ) -> list[int]:
        return sorted(
            start
            for (name, kind, start), by_area in self.partial.items()
            if (name, kind) == (domain, period)
            and from_ms <= start < before_ms
            and not by_area.keys().isdisjoint(areas)
        )

    def facts(self, indicator: str, period: str, start_ms: int) -> Mapping[str, Fact]:
        return self.fact.get((indicator, period, start_ms), {})

    def put_fact(self, fact: Fact) -> None:
        self.fact.setdefault(fact.key[:3], {})[fact.key.area] = fact
        self.history.append(fact)

    def state(self, key: str) -> Mapping[str, Any]:
        return self.states.get(key, {})

    def put_state(self, key: str, content: Mapping[str, Any]) -> None:
        self.states[key] = content
