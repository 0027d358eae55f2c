"""The risk colour of an area: the worst severity among its firing alerts (五色图, domain.md §5.2).

Silence lowers nothing: the colour stays, marked unknown, while a gateway of the area is silent or
every alert that gives the colour is stale.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.contracts.outcome import AreaRisk
from streams.contracts.reason import Severity


def risk(
    area: str,
    alerts: Iterable[tuple[str, Severity, bool]],
    *,
    gateways_down: bool,
    as_of_ms: int,
    decided_ms: int,
) -> AreaRisk:
    """Folds (domain, severity, stale) of the firing alerts; ties are led by the first domain."""
    found = list(alerts)
    worst = max((severity for _, severity, _ in found), default=Severity.NONE)
    leaders = [(domain, stale) for domain, severity, stale in found if severity is worst]
    all_stale = bool(leaders) and all(stale for _, stale in leaders)
    return AreaRisk(
        area=area,
        severity=worst,
        led_by=min((d for d, _ in leaders), default=None),
        unknown=gateways_down or all_stale,
        stale_alerts=sum(stale for _, _, stale in found),
        open_alerts=len(found),
        as_of_ms=as_of_ms,
        decided_ms=decided_ms,
    )
