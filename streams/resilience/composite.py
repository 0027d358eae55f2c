"""The risk colour of an area (五色图, domain.md §5.2, §8.3): a county's own, and rolled up.

A county has the worst severity among its firing alerts, a step higher when several domains are
severe at once. A city or province has the worst colour below it. Silence lowers nothing: the
colour stays, marked unknown, while what fresh alerts alone say would be lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streams.contracts.completeness import Completeness
from streams.contracts.outcome import AreaRisk
from streams.contracts.reason import Severity
from streams.resilience.parameters import DEFAULT, Compound

Alert = tuple[str, Severity, bool]  # domain, severity, stale


def risk(
    area: str,
    alerts: Iterable[Alert],
    *,
    newest_ms: Mapping[str, int],
    gateways_down: bool,
    decided_ms: int,
    numbers: Compound = DEFAULT,
    complete: Completeness | None = None,
) -> AreaRisk:
    """Folds the firing alerts of one area; ties are led by the first domain.

    `newest_ms`: newest event time of every domain that watches the area, for its freshness.
    """
    found = list(alerts)
    colour = colour_of(found, numbers)
    fresh = colour_of([one for one in found if not one[2]], numbers)
    worst = max((severity for _, severity, _ in found), default=Severity.NONE)
    return AreaRisk(
        area=area,
        severity=colour,
        led_by=min((d for d, severity, _ in found if severity is worst), default=None),
        unknown=gateways_down or fresh < colour,
        stale_alerts=sum(stale for _, _, stale in found),
        open_alerts=len(found),
        as_of_ms=max(newest_ms.values(), default=0),
        decided_ms=decided_ms,
        detail={"compound": colour > worst, "domains": _by_domain(found, newest_ms)}
        | ({} if complete is None else _counts(complete.points, complete.reporting)),
    )


def colour_of(alerts: Iterable[Alert], numbers: Compound) -> Severity:
    """The worst severity, `steps` higher when enough domains are severe at once."""
    worst: dict[str, Severity] = {}
    for domain, severity, _ in alerts:
        worst[domain] = max(severity, worst.get(domain, Severity.NONE))
    highest = max(worst.values(), default=Severity.NONE)
    severe = sum(severity >= numbers.severity for severity in worst.values())
    if severe < numbers.domains:
        return highest
    return Severity(min(Severity.RED, highest + numbers.steps))


def _by_domain(alerts: list[Alert], newest_ms: Mapping[str, int]) -> list[dict[str, Any]]:
    found: dict[str, list[Alert]] = {name: [] for name in newest_ms}
    for alert in alerts:
        found.setdefault(alert[0], []).append(alert)
    return [
        {
            "domain": name,
            "severity": int(max((severity for _, severity, _ in of), default=Severity.NONE)),
            "open": len(of),
            "stale": sum(stale for _, _, stale in of),
            "as_of_ms": newest_ms.get(name),
        }
        for name, of in sorted(found.items())
    ]


def roll_up(
    area: str, members: Mapping[str, Mapping[str, Any]], want: int, decided_ms: int
) -> AreaRisk:
    """The colour of a city or province from what is known of its members (see `member`).

    The area's own alerts come as one member under its own code. Led by the worst member, ties by
    the first code. `want`: how many members could be judged.
    """
    worst = max((m["severity"] for m in members.values()), default=0)
    known = max((m["severity"] for m in members.values() if not m["unknown"]), default=0)
    leader = min((code for code, m in members.items() if m["severity"] == worst), default=None)
    counts = dict.fromkeys(map(str, range(5)), 0)
    below = {code: m for code, m in members.items() if code != area}
    for one in below.values():
        counts[str(one["severity"])] += 1
    unknown = sum(m["unknown"] for m in below.values())
    return AreaRisk(
        area=area,
        severity=Severity(worst),
        led_by=members[leader]["led_by"] if leader is not None and worst else None,
        unknown=known < worst or (bool(below) and unknown == len(below)),
        stale_alerts=sum(m["stale"] for m in members.values()),
        open_alerts=sum(m["open"] for m in members.values()),
        as_of_ms=max((m["as_of_ms"] for m in members.values()), default=0),
        decided_ms=decided_ms,
        detail={
            "led_by_area": leader if worst else None,
            "colours": counts,
            "unknown_areas": unknown,
            "judged": len(below),
            "of": want,
        }
        | _counted(below.values()),
    )


def completeness(risk: AreaRisk) -> Completeness | None:
    """How much of the area speaks; None where nobody has counted."""
    return Completeness.of_counts(risk.detail.get("completeness", {}), risk.unknown)


def _counts(points: int, reporting: int) -> dict[str, Any]:
    return {"completeness": {"points": points, "reporting": reporting}}


def _counted(members: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Summed up over the members that have told it."""
    told = [m for m in members if "points" in m]
    if not told:
        return {}
    return _counts(sum(m["points"] for m in told), sum(m["reporting"] for m in told))


def member(risk: AreaRisk) -> dict[str, Any]:
    """What a roll-up needs of an area; JSON without floats."""
    return {
        "severity": int(risk.severity),
        "led_by": risk.led_by,
        "unknown": risk.unknown,
        "stale": risk.stale_alerts,
        "open": risk.open_alerts,
        "as_of_ms": risk.as_of_ms,
        **risk.detail.get("completeness", {}),
    }
