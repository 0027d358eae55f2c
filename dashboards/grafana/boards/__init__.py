"""All boards of a namespace, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.grafana.boards import domain, indicators, ledger, platform, situation
from dashboards.grafana.model import Board
from streams.contracts.domain import Domain


def boards(
    domains: Mapping[str, Domain], namespace: str, parameters: Mapping[str, str] | None = None
) -> tuple[Board, ...]:
    """One for the situation, one per domain, indicators, ledger, platform.

    `parameters` are a city's own numbers; thresholds are drawn at them.
    """
    own = [domain.board(domains[name], namespace, parameters) for name in sorted(domains)]
    return (
        situation.board(domains, namespace),
        *own,
        indicators.board(namespace),
        ledger.board(domains, namespace),
        platform.board(domains, namespace),
    )
