"""What alert rules are called in each namespace; read again only when a rule set is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.queries.database import Reader
from api.queries.rows import RuleTitleRow
from streams.alerting.title import RuleTitles, Said
from streams.contracts.domain import Domain

MOST_NAMESPACES = 100
MOST_UNKNOWN = 1000


@dataclass(slots=True)
class _Known:
    titles: RuleTitles
    missing: set[str] = field(default_factory=set)  # versions of sets that are not stored here


class TitleCache:
    """For all requests; what it holds is right for ever, because rule sets never change."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    async def titles(
        self, reader: Reader, domains: Mapping[str, Domain], versions: Iterable[str]
    ) -> RuleTitles:
        """Titles of the reader's namespace that know these rule versions, if they are stored."""
        known = self._known.get(reader.namespace)
        wanted = set(versions)
        if known is None or any(
            not known.titles.knows(one) and one not in known.missing for one in wanted
        ):
            known = await self._read(reader, domains, wanted)
        return known.titles

    async def _read(
        self, reader: Reader, domains: Mapping[str, Domain], wanted: set[str]
    ) -> _Known:
        rows = await reader.rows(RuleTitleRow, "rule_titles")
        titles = RuleTitles(domains, (Said(r.version, r.rule, r.zh, r.en) for r in rows))
        missing = {one for one in wanted if not titles.knows(one)}
        if len(self._known) >= MOST_NAMESPACES:
            self._known.clear()
        before = self._known.get(reader.namespace)
        if before is not None and len(before.missing) < MOST_UNKNOWN:
            missing |= before.missing
        found = self._known[reader.namespace] = _Known(titles, missing)
        return found
