"""The newest facts of areas: what the catalogue of the installed domains names."""

from __future__ import annotations

from collections.abc import Sequence

from api.queries.rows import FactRow
from api.routers.facts import FactItem, catalogue, fact_item
from api.view import View


async def newest_facts(seen: View, areas: Sequence[str]) -> list[FactItem]:
    """The newest fact in force of every indicator and period, for exactly these areas."""
    wanted = [
        (item.indicator, period)
        for domain in seen.domains.values()
        for item in catalogue(domain)
        for period in item.periods
    ]
    rows = await seen.reader.rows(
        FactRow,
        "newest_facts",
        indicators=[indicator for indicator, _ in wanted],
        periods=[period for _, period in wanted],
        levels=None,
        areas=list(areas),
    )
    return [fact_item(row) for row in rows]
