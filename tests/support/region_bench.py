"""The region stage over pages in memory, with the toy domain."""

from __future__ import annotations

from streams.contracts.outcome import RegionMessage
from streams.contracts.reason import Origin
from streams.region.pages import Fact, MemoryPages
from streams.region.stage import RegionResult, RegionStage
from tests.support.toy_level import DOMAIN, small_registry


class Bench:
    """A stage over pages in memory."""

    def __init__(
        self,
        values: dict[str, str] | None = None,
        origin: Origin = Origin.SIMULATED,
        gauges: int = 3,
    ) -> None:
        self.pages = MemoryPages()
        self.stage = RegionStage(
            small_registry(gauges=gauges), {"toy": DOMAIN}, values or {}, self.pages, origin
        )

    def apply(self, *messages: RegionMessage) -> RegionResult:
        return self.stage.apply(messages)

    def fact(self, indicator: str, period: str, start: int, area: str) -> Fact:
        return self.pages.facts(indicator, period, start)[area]

    def value(self, indicator: str, period: str, start: int, area: str) -> str | None:
        return self.fact(indicator, period, start, area).value.value
