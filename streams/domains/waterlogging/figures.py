"""Figures of an area-day, and row 13 of the Plan (城市现存易涝点消除率); tidal points apart."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np

from streams.contracts.domain import (
    AreaView,
    Derived,
    FactSpec,
    FactValue,
    HourMatrix,
    Payload,
    Title,
)
from streams.contracts.exact import to_text
from streams.domains.waterlogging import parameters as key
from streams.domains.waterlogging.rise import DEPTH, DEPTH_SCALE, micrometres

SIGNED_OFF = "销号"


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """Partial of a day: points, points that reported, points flooded (>= blue tier), peak depth.

    A point floods when one good reading of the day reaches the tier; tidal points are counted
    apart. Peak in scaled metres over the points that are not tidal.
    """
    flooded_at = micrometres(view, key.FLOODED_CM)
    depth = np.flatnonzero(view.series_property == DEPTH)
    peak = np.where(matrix.n > 0, matrix.high, -1).max(axis=1)[depth]
    heard = matrix.n.sum(axis=1)[depth]
    point = view.series_point[depth]
    tidal = np.array([p.attributes.get("tidal") == "yes" for p in view.points], np.bool_)
    is_flood = np.array([p.type == "flood_point" for p in view.points], np.bool_)
    reporting = np.unique(point[heard > 0])
    flooded = np.unique(point[peak >= flooded_at])
    calm = peak[~tidal[point]]
    return Derived(
        results=(),
        partial={
            "points": int((is_flood & ~tidal).sum()),
            "reporting": int((~tidal[reporting]).sum()),
            "flooded": int((~tidal[flooded]).sum()),
            "tidal_reporting": int(tidal[reporting].sum()),
            "tidal_flooded": int(tidal[flooded].sum()),
            "peak": int(calm.max()) if len(calm) and calm.max() >= 0 else None,
            "readings": int(heard.sum()),
        },
    )


def inventory(view: AreaView, proposed: Mapping[str, int]) -> Payload | None:
    """Row 13 of an area: its points of the frozen inventory, and those signed off (销号)."""
    frozen = [p for p in view.points if p.attributes.get("inventory") == "yes"]
    if not frozen:
        return None
    done = [p.id for p in frozen if p.attributes.get("signoff") == SIGNED_OFF]
    relapsed = sorted(set(done) & set(proposed))
    return {"inventory": len(frozen), "eliminated": len(done), "relapse_proposed": relapsed}


def _sum(members: Mapping[str, Payload], name: str) -> int:
    return sum(int(m[name]) for m in members.values())


def flooded_points(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """Points that reached the blue tier on the day; bounds: the silent ones dry, or all flooded."""
    if not members:
        return None
    flooded, want = _sum(members, "flooded"), _sum(members, "points")
    have = _sum(members, "reporting")
    return FactValue(
        value=str(flooded),
        numerator=str(flooded),
        denominator=str(have),
        have=have,
        want=want,
        lower=str(flooded),
        upper=str(flooded + max(0, want - have)),
        detail={
            "level": level,
            "tier_cm": parameters[key.FLOODED_CM],
            "tidal_flooded": _sum(members, "tidal_flooded"),
            "readings": _sum(members, "readings"),
            "members": sorted(members),
            "convention": "本平台约定",
        },
    )


def peak_depth(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """The greatest good depth of the day, metres, tidal points apart."""
    peaks = [(int(m["peak"]), area) for area, m in members.items() if m["peak"] is not None]
    if not peaks:
        return None
    most, where = max(peaks, key=lambda p: (p[0], p[1]))
    return FactValue(
        value=to_text(most, DEPTH_SCALE),
        have=_sum(members, "reporting"),
        want=_sum(members, "points"),
        detail={"level": level, "at_area": where, "members": sorted(members)},
    )


def elimination(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """城市现存易涝点消除率 = signed-off points ÷ points of the frozen inventory × 100 (§2.4).

    Sign-off comes from the registry; the stream only proposes relapses, which count when a person
    has confirmed them in the registry. Points found later are not in the inventory.
    """
    want = _sum(members, "inventory")
    if not want:
        return None
    done = _sum(members, "eliminated")
    share = Fraction(done * 100, want)
    shown = (Decimal(share.numerator) / Decimal(share.denominator)).quantize(
        Decimal("0.1"), ROUND_HALF_UP
    )
    relapsed = sorted(p for m in members.values() for p in m["relapse_proposed"])
    return FactValue(
        value=str(shown),
        numerator=str(done),
        denominator=str(want),
        have=want,
        want=want,
        detail={"level": level, "relapse_proposed": relapsed, "members": sorted(members)},
    )


LEVELS = ("county", "city", "province")
FACTS = (
    FactSpec(
        "waterlogging.flooded_points",
        Title("当日积水点数", "points flooded on the day"),
        "个",
        "day",
        LEVELS,
        flooded_points,
    ),
    FactSpec(
        "waterlogging.peak_depth",
        Title("当日最大积水深度", "greatest depth of the day"),
        "m",
        "day",
        LEVELS,
        peak_depth,
    ),
    FactSpec(
        "plan.13",
        Title("城市现存易涝点消除率", "share of known waterlogging points eliminated"),
        "%",
        "state",
        LEVELS,
        elimination,
        plan_row=13,
    ),
)
