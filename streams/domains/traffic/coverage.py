"""Which links of an area have a free flow, from where: so that learnt ones can be registered.

The partial of period "state", told with every registry version and when what is learnt changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from streams.contracts.domain import AreaView, FactSpec, FactValue, Payload, Title
from streams.domains.traffic.free_flow import UNKNOWN, Learning
from streams.domains.traffic.link import links_of
from streams.domains.traffic.parameters import M_H
from streams.domains.traffic.payload import SPEED_DIGITS, show

INDICATOR = "traffic.free_flow.known"


def inventory(view: AreaView, learning: Learning) -> Payload | None:
    """Counts of active links by where their free flow is from, and the learnt speeds in km/h."""
    links = [link for link in links_of(view) if link.active]
    if not links:
        return None
    learnt = {
        link.id: show(Fraction(known.speed_mh, M_H), SPEED_DIGITS)
        for link in links
        if link.free_mh is None
        and (known := learning.links.get(link.id)) is not None
        and known.speed_mh != UNKNOWN
    }
    registered = sum(link.free_mh is not None for link in links)
    return {"links": len(links), "registered": registered, "learnt": learnt}


def known_share(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """Links with a free flow, registered or learnt ÷ links × 100; None without a link."""
    links = sum(int(m["links"]) for m in members.values())
    if not links:
        return None
    registered = sum(int(m["registered"]) for m in members.values())
    learnt = {link: kmh for m in members.values() for link, kmh in m["learnt"].items()}
    known = registered + len(learnt)
    return FactValue(
        value=show(Fraction(100 * known, links), 1),
        numerator=str(100 * known),
        denominator=str(links),
        have=known,
        want=links,
        detail={
            "level": level,
            "registered": registered,
            "learnt": len(learnt),
            "learnt_kmh": dict(sorted(learnt.items())) if level == "county" else None,
            "members": sorted(members),
            "convention": "本平台约定",
        },
    )


FACT = FactSpec(
    INDICATOR,
    Title("已知自由流速度的路段比例", "share of links with a known free flow"),
    "%",
    "state",
    ("county", "city", "province"),
    known_share,
)
