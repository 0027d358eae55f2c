"""Flooded links: a link under a firing alert of another domain at a point that belongs to it.

The point names the link in its attribute `link` (flood points do; several, comma-separated), or the
link names the point in its attribute `flood_point`. The link stays flooded as long as the alert
fires; silence of the point's sensor ends nothing. Times are processing times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.contracts.domain import Episode, Outputs, Payload, Result
from streams.contracts.surroundings import OpenAlert, Surroundings
from streams.domains.traffic.link import Link

KIND = "traffic.flooded"
"""Of the episode, and of the result that shows on the map although no vehicle reports there."""


@dataclass(slots=True)
class Flooded:
    """Since when, and by which points (ids, sorted) with which rules."""

    since_ms: int
    by: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


def heed(
    known: dict[str, Flooded], links: Iterable[Link], around: Surroundings
) -> tuple[dict[str, Flooded], Outputs]:
    """The flooded links by id under these alerts; results and episodes of those that moved."""
    found, out = _flooded(list(links), around), Outputs()
    for link, now in found.items():
        before = known.get(link)
        if before is not None:
            now.since_ms = before.since_ms
        if before != now:
            _tell(out, link, now, None)
    for link, before in sorted(known.items()):
        if link not in found:
            _tell(out, link, before, around.now_ms)
    return found, out


def stated(flooded: Flooded | None) -> Payload:
    """For a link's result."""
    if flooded is None:
        return {"flooded": False, "flooded_since_ms": None, "flooded_by": []}
    return {"flooded": True, "flooded_since_ms": flooded.since_ms, "flooded_by": flooded.by}


def _flooded(links: list[Link], around: Surroundings) -> dict[str, Flooded]:
    own = {link.id for link in links}
    watched: dict[str, list[str]] = {}
    for link in links:
        if link.flood_point is not None:
            watched.setdefault(link.flood_point, []).append(link.id)
    hits: dict[str, Flooded] = {}
    for alert in around.alerts:
        for link_id in _links_under(alert, own, watched):
            hit = hits.setdefault(link_id, Flooded(around.now_ms))
            assert alert.point is not None
            hit.by = sorted({*hit.by, alert.point.id})
            hit.rules = sorted({*hit.rules, alert.rule})
    return dict(sorted(hits.items()))


def _links_under(alert: OpenAlert, own: set[str], watched: dict[str, list[str]]) -> set[str]:
    if alert.point is None:
        return set()
    named = alert.point.attributes.get("link", "").replace(",", " ").split()
    return (own & set(named)) | set(watched.get(alert.point.id, ()))


def _tell(out: Outputs, link: str, flooded: Flooded, end_ms: int | None) -> None:
    text = f"{KIND}|{link}|{flooded.since_ms}"
    payload = {
        "by": flooded.by,
        "rules": flooded.rules,
        "duration_s": None if end_ms is None else (end_ms - flooded.since_ms) // 1000,
    }
    identity = hashlib.sha256(text.encode()).hexdigest()[:32]
    out.episodes.append(Episode(identity, KIND, link, flooded.since_ms, end_ms, payload))
    shown = {"flooded": end_ms is None, "since_ms": flooded.since_ms, "until_ms": end_ms}
    out.results.append(Result(KIND, link, flooded.since_ms, 0, payload | shown))
