"""What codes are called in messages to people: learnt anew now and then, and for new rule sets."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from api.delivery.deliverer import Chore, Deliverer
from api.delivery.store import DeliveryStore
from api.delivery.wording import Names
from streams.alerting.title import RuleTitles
from streams.contracts.domain import Domain

NAMES_S = 300.0


def naming(store: DeliveryStore, domains: Mapping[str, Domain]) -> Chore:
    """A chore that keeps the names of areas, points and rules for the deliverer's channels."""

    async def run(deliverer: Deliverer) -> None:
        book = _Book(deliverer, store, domains)
        deliverer.channels.naming = book.names_for
        while True:
            await book.learn()
            await asyncio.sleep(NAMES_S)

    return run


class _Book:
    def __init__(
        self, deliverer: Deliverer, store: DeliveryStore, domains: Mapping[str, Domain]
    ) -> None:
        self._deliverer, self._store, self._domains = deliverer, store, domains
        self._names: Names | None = None
        self._missing: set[str] = set()  # versions of rule sets that are not stored

    async def learn(self) -> None:
        known = await self._deliverer.in_store(self._store.names)
        titles = {name: (one.title.zh, one.title.en) for name, one in self._domains.items()}
        rules = RuleTitles(self._domains, known.said)
        self._names = Names(known.areas, known.points, rules, titles)
        self._missing.clear()

    async def names_for(self, versions: Collection[str]) -> Names:
        """The names, looked up again for a rule set that came into force after the last look."""
        if self._names is None or not all(map(self._known, versions)):
            await self.learn()
            self._missing = {one for one in versions if not self._known(one)}
        return self._names or Names()

    def _known(self, version: str) -> bool:
        known = self._names is not None and self._names.rules.knows(version)
        return known or version in self._missing
