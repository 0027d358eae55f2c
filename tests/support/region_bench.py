"""The region stage over pages in memory, with the toy domain."""

from __future__ import annotations

from streams.alerting.ruleset import RuleSet
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
        self._held = small_registry(gauges=gauges)
        self._values, self._origin = values or {}, origin
        self.use(None)

    def use(self, rules: RuleSet | None) -> None:
        """A rule set from now on: a new stage over the same pages, as its host makes one."""
        self.stage = RegionStage(
            self._held, {"toy": DOMAIN}, self._values, self.pages, self._origin, rules
        )

    def apply(self, *messages: RegionMessage) -> RegionResult:
        return self.stage.apply(messages)

    def fact(self, indicator: str, period: str, start: int, area: str) -> Fact:
        return self.pages.facts(indicator, period, start)[area]

    def value(self, indicator: str, period: str, start: int, area: str) -> str | None:
        return self.fact(indicator, period, start, area).value.value
